package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A service writes on while it is backed up. The head is given through a pipe here, so
// that the service makes an entry just while the backup waits for it: whichever head it
// then gets, that before the entry or that after, the backup restores with it.
func TestBackupOfBusyService(t *testing.T) {
	d := backedUp(t)
	for _, c := range []struct{ person, head string }{{"bob", "after"}, {"cy", "before"}} {
		pipe := filepath.Join(t.TempDir(), "head")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		copied := t.TempDir()
		result := make(chan error, 1)
		go func() {
			b := backupCmd{dataDir: dataDir{Dir: d.Dir, Head: pipe, Name: d.Name}, Into: copied}
			result <- b.Run(context.Background(), console{Out: io.Discard, Err: io.Discard})
		}()
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns once the backup reads
		if err != nil {
			t.Fatal(err)
		}
		before := read(t, d.head())
		call(t, 0, "user", "add", c.person, "--dir", d.Dir, "--person", c.person, "--role", "auditor")
		head := before
		if c.head == "after" {
			head = read(t, d.head())
		}
		if _, err := w.Write(head); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		call(t, 0, "restore", copied, "--dir", filepath.Join(t.TempDir(), "new"), "--keys", d.path("keys"), "--head", filepath.Join(copied, "head"))
		if c.head == "before" {
			// The other order, the control: a head read after the database does not restore.
			old := t.TempDir()
			call(t, 0, "backup", old, "--dir", d.Dir)
			call(t, 0, "user", "add", "dee", "--dir", d.Dir, "--person", "dee", "--role", "auditor")
			call(t, 3, "restore", old, "--dir", filepath.Join(t.TempDir(), "new"), "--keys", d.path("keys"), "--head", d.head())
		}
	}
}

// A backup over an older one that is broken off at its last step leaves the older one.
func TestBackupBrokenOff(t *testing.T) {
	d := backedUp(t)
	copied := t.TempDir()
	db := filepath.Join(copied, "proctor.db")
	call(t, 0, "backup", copied, "--dir", d.Dir)
	call(t, 0, "user", "add", "bob", "--dir", d.Dir, "--person", "bob", "--role", "auditor")
	if err := os.Rename(db, db+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(db, 0o700); err != nil { // no file takes a folder's place
		t.Fatal(err)
	}
	call(t, 2, "backup", copied, "--dir", d.Dir)
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(db+".old", db); err != nil {
		t.Fatal(err)
	}
	call(t, 0, "restore", copied, "--dir", filepath.Join(t.TempDir(), "new"), "--keys", d.path("keys"), "--head", filepath.Join(copied, "head"))
	call(t, 0, "backup", copied, "--dir", d.Dir)
	call(t, 0, "restore", copied, "--dir", filepath.Join(t.TempDir(), "newer"), "--keys", d.path("keys"), "--head", d.head())
}

// backedUp is a data folder with an entry in its log.
func backedUp(t *testing.T) dataDir {
	t.Helper()
	d := dataDir{Dir: filepath.Join(t.TempDir(), "data"), Name: "https://proctor.local"}
	s, err := d.open(context.Background(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	call(t, 0, "user", "add", "ann", "--dir", d.Dir, "--person", "ann", "--role", "operator")
	return d
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
