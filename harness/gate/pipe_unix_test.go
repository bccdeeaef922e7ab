//go:build unix

package gate

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A named pipe neither gets a digest nor holds up the reader.
func TestNamedPipe(t *testing.T) {
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	if _, err := PackageDigest(dir); err == nil {
		t.Error("a pipe has a digest")
	}
}
