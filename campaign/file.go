package campaign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSize bounds what is read of a file, in bytes. A block takes at most 44 KB
// and its findings.
const maxSize = 16 << 20

// temporary is in the names of files that are not finished.
const temporary = ".tmp-"

// WriteFile replaces a file as a whole, or makes it: whenever the process is
// killed or the power goes, the file is the old one or the new one. Several
// processes may write the same file.
func WriteFile(name string, data []byte) error { return writeFile(name, data, os.Rename) }

func writeFile(name string, data []byte, rename func(from, to string) error) (err error) {
	// Another process may have taken the temporary file for a leftover.
	for range 5 {
		if err = replace(name, data, rename); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

func replace(name string, data []byte, rename func(from, to string) error) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+temporary)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone if all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory last.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) {
		err = nil // this system can't, or need not
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a directory and those above it.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// readFile reads a file as a whole; nil if there is none.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: remove it, or use another directory", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d MiB: it is not of a campaign; remove it", name, maxSize>>20)
	}
	return data, err
}

// list names the finished files of a directory, in order.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var out []string
	for _, e := range entries {
		if !strings.Contains(e.Name(), temporary) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// tidy removes what processes that were killed have left unfinished.
func tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), temporary) && e.Type().IsRegular() {
			os.Remove(filepath.Join(dir, e.Name())) // if it can't be, it does no harm
		}
	}
	return err
}
