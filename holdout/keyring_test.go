package holdout

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFileKeyring(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "kek")
	if _, err := OpenFileKeyring(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing key file: %v", err)
	}
	k, err := CreateFileKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := CreateFileKeyring(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("a key was replaced: %v", err)
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Fatalf("files left: %v %v", list, err)
	}
	dek := bytes.Repeat([]byte{7}, 32)
	wrapped, err := k.Wrap(ctx, dek, "set/1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenFileKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(ctx, wrapped, "set/1"); err != nil || !bytes.Equal(got, dek) {
		t.Fatalf("after reopening: %v", err)
	}
	if twice, err := again.Wrap(ctx, dek, "set/1"); err != nil || !bytes.Equal(twice, wrapped) {
		t.Errorf("equal inputs gave other bytes: %v", err)
	}
	if other, _ := again.Wrap(ctx, bytes.Repeat([]byte{8}, 32), "set/1"); bytes.Equal(other[8:40], wrapped[8:40]) {
		t.Error("two data keys share a name")
	}
	if _, err := k.Unwrap(ctx, wrapped, "set/2"); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another version's context: %v", err)
	}
	if _, err := newFileKeyring(make([]byte, 32)).Unwrap(ctx, wrapped, "set/1"); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	for i := range wrapped {
		for bit := range 8 {
			bad := bytes.Clone(wrapped)
			bad[i] ^= 1 << bit
			if _, err := k.Unwrap(ctx, bad, "set/1"); !errors.Is(err, ErrWrongKey) {
				t.Fatalf("byte %d, bit %d: %v", i, bit, err)
			}
		}
		if _, err := k.Unwrap(ctx, wrapped[:i], "set/1"); !errors.Is(err, ErrWrongKey) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	a, _ := k.Secret(ctx, "one")
	b, _ := k.Secret(ctx, "two")
	if len(a) != 32 || bytes.Equal(a, b) || bytes.Equal(a, dek) {
		t.Error("secrets of two purposes")
	}
}

// A key file that others may read, or that is not one, is refused.
func TestKeyringFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := CreateFileKeyring(good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"empty": "", "cut": string(text[:40]), "longer": string(text) + "x", "other": "age-secret" + string(text), "nobase": keyHeader + "????",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFileKeyring(path); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if err := os.Chmod(good, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileKeyring(good); err == nil {
		t.Error("a key that the group may read was opened")
	}
}
