package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreateAndRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path); err != nil || string(b) != "one" {
		t.Errorf("read %q, %v", b, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key in its place: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one" {
		t.Errorf("the key was replaced by %q", b)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Replace leaves the new file whole and its owner's alone, whatever the old one was, and
// makes none where there is none.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := Replace(path, []byte("one")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in the place of nothing: %v", err)
	}
	if err := os.WriteFile(path, []byte("open to all"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Fatal("what others can read was read")
	}
	if err := Replace(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path); err != nil || string(b) != "two" {
		t.Errorf("read %q, %v", b, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := Create(path, []byte("quite secret")); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		b, err := Read(path)
		if b != nil || err == nil || !strings.Contains(err.Error(), "others can read "+path) {
			t.Errorf("mode %v: %q, %v", mode, b, err)
		}
	}
	if _, err := Read(dir); err == nil {
		t.Error("a folder was read")
	}
	if _, err := Read(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	long := filepath.Join(dir, "long")
	if err := Create(long, make([]byte, max+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(long); err == nil {
		t.Error("a secret cut short was taken for whole")
	}
}
