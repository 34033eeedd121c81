// Package input reads the files that users name. It takes only what has an end:
// a pipe would hang the command, and a device fill the memory.
package input

import (
	"fmt"
	"io"
	"os"
)

// maxSize bounds a file.
const maxSize = 16 << 20

// Open opens a regular file.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return os.Open(path)
}

// ReadFile reads a regular file of at most 16 MiB.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxSize>>20)
	}
	return data, err
}
