package input

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, size int) {
		if err := os.WriteFile(at(name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("largest", maxSize)
	write("larger", maxSize+1)
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		at("largest"): "",
		at("larger"):  "is larger than 16 MiB",
		at("pipe"):    "is not a regular file",
		"/dev/zero":   "is not a regular file",
		dir:           "is not a regular file",
		at("none"):    "no such file",
	} {
		data, err := ReadFile(path)
		if want == "" && (err != nil || len(data) != maxSize) {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}
