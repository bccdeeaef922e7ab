package blob

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func open(t *testing.T) *Dir {
	t.Helper()
	d, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func put(t *testing.T, d *Dir, data []byte) (Ref, string) {
	t.Helper()
	ref, err := d.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	hex, _ := ref.digits()
	return ref, d.path(hex)
}

// overwrite plays a party who can write to the store.
func overwrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// One changed bit anywhere is an error, never other bytes. A reader that does not
// hash hands the change out.
func TestBitFlips(t *testing.T) {
	d := open(t)
	rng := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, 500)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	ref, path := put(t, d, data)
	for i := range data {
		bad := append([]byte(nil), data...)
		bad[i] ^= 1 << rng.IntN(8)
		overwrite(t, path, bad)
		var corrupt *CorruptError
		if got, err := d.Get(t.Context(), ref); !errors.As(err, &corrupt) || got != nil {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if naive, err := os.ReadFile(path); err != nil || string(naive) == string(data) {
			t.Fatal("the negative control did not see the change")
		}
	}
	overwrite(t, path, data[:499])
	if _, err := d.Get(t.Context(), ref); err == nil {
		t.Error("a cut file was read")
	}
	overwrite(t, path, append(data, 0))
	if _, err := d.Get(t.Context(), ref); err == nil {
		t.Error("a longer file was read")
	}
	// Whoever has the bytes can put them back.
	put(t, d, data)
	if _, err := d.Get(t.Context(), ref); err != nil {
		t.Errorf("after repair: %v", err)
	}
}

// Something else under a blob's name is damage; a pipe does not make Get wait.
func TestOddFiles(t *testing.T) {
	d := open(t)
	ref, path := put(t, d, []byte("x"))
	elsewhere := filepath.Join(t.TempDir(), "x")
	for name, make := range map[string]func() error{
		"link": func() error {
			return errors.Join(os.WriteFile(elsewhere, []byte("x"), 0o600), os.Symlink(elsewhere, path))
		},
		"pipe":   func() error { return syscall.Mkfifo(path, 0o600) },
		"folder": func() error { return os.Mkdir(path, 0o700) },
	} {
		if err := errors.Join(os.Remove(path), make()); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		if _, err := d.Get(t.Context(), ref); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A disk that fills up after k bytes leaves nothing, neither under the blob's
// name nor in tmp/, and the error says so. A writer straight to the name leaves half.
func TestDiskFull(t *testing.T) {
	d := open(t)
	d.write = func(f *os.File, b []byte) error {
		_, _ = f.Write(b[:len(b)/2])
		return &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	if _, err := d.Put(t.Context(), []byte("too much")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if left := files(t, d.root); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	naive := filepath.Join(t.TempDir(), "half")
	f, err := os.Create(naive)
	if err != nil {
		t.Fatal(err)
	}
	_ = d.write(f, []byte("too much"))
	if b, _ := os.ReadFile(naive); string(b) != "too " {
		t.Error("the negative control left no half file")
	}
}

// A process that died between temp and link leaves a file that is nobody's blob;
// the next start removes it once it is old.
func TestSweep(t *testing.T) {
	d := open(t)
	for name, age := range map[string]time.Duration{"put-old": 2 * time.Hour, "put-new": 0} {
		p := filepath.Join(d.tmp(), name)
		when := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(p, []byte("half"), 0o600), os.Chtimes(p, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenDir(d.root); err != nil {
		t.Fatal(err)
	}
	if left := files(t, d.root); len(left) != 1 || filepath.Base(left[0]) != "put-new" {
		t.Errorf("%v", left)
	}
}
