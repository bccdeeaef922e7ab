package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/store"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := Open(context.Background(), path, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func update(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func newRun(id string) store.Run {
	return store.Run{ID: id, Dedupe: "same question", Lineage: "income", Package: "sha256:aa", SubmittedBy: "bot", SubmittedPerson: "sam"}
}

// The same question gives the run that answers it, not a second one.
func TestRunOnce(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "p.db"))
	update(t, s, func(tx *store.Tx) error { _, err := tx.NewRun(newRun("r1")); return err })
	err := s.Update(context.Background(), func(tx *store.Tx) error {
		got, err := tx.NewRun(newRun("r2"))
		if got.ID != "r1" {
			t.Errorf("got run %q", got.ID)
		}
		return err
	})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("got %v", err)
	}
}

// A worker that was thought dead and comes back changes nothing.
func TestZombie(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "p.db"))
	var zombie, heir store.Run
	update(t, s, func(tx *store.Tx) (err error) { _, err = tx.NewRun(newRun("r1")); return err })
	update(t, s, func(tx *store.Tx) (err error) { zombie, err = tx.TakeUp("r1"); return err })
	update(t, s, func(tx *store.Tx) (err error) { heir, err = tx.TakeUp("r1"); return err })
	zombie.Plan, heir.Plan = []byte("{}"), []byte("{}")
	if err := s.Update(context.Background(), func(tx *store.Tx) error { return tx.SetPlan(zombie) }); !errors.Is(err, store.ErrStale) {
		t.Errorf("the zombie planned: %v", err)
	}
	update(t, s, func(tx *store.Tx) error { return tx.SetPlan(heir) })
	zombie.Result = "PASS"
	if err := s.Update(context.Background(), func(tx *store.Tx) error { return tx.Finish(zombie) }); !errors.Is(err, store.ErrStale) {
		t.Errorf("the zombie finished: %v", err)
	}
	heir.Result = "FAIL"
	update(t, s, func(tx *store.Tx) error { return tx.Finish(heir) })
	zombie.Epoch = heir.Epoch // guard off: without the epoch the zombie would be heard
	if err := s.Update(context.Background(), func(tx *store.Tx) error { return tx.Abort(zombie) }); !errors.Is(err, store.ErrStale) {
		t.Errorf("a finished run was aborted: %v", err)
	}
}

// A job exists exactly if the transaction that queued it was kept, and a run that
// a dead process left is taken up by the next.
func TestWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	s := open(t, path)
	undone := errors.New("undone")
	if err := s.Update(context.Background(), func(tx *store.Tx) error {
		r := newRun("lost")
		r.Dedupe = "lost"
		if _, err := tx.NewRun(r); err != nil {
			return err
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	update(t, s, func(tx *store.Tx) error { _, err := tx.NewRun(newRun("r1")); return err })
	s.Close() // nobody worked on it
	if n := jobs(t, path); n != 1 {
		t.Errorf("%d jobs for one run: one outlived the transaction that was rolled back", n)
	}

	s = open(t, path)
	update(t, s, func(tx *store.Tx) error {
		ids, err := tx.Adopt()
		if strings.Join(ids, " ") != "r1" {
			t.Errorf("adopted %v", ids)
		}
		return err
	})
	called := make(chan bool, 8)
	stop, err := s.Work(context.Background(), 2, func(context.Context) error { called <- true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-called:
	case <-time.After(20 * time.Second):
		t.Error("nobody worked on the run")
	}
	if err := stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// jobs counts what is queued in a database that nobody has open.
func jobs(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT COUNT(*) FROM river_job`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A session is known by the hash of its secret; those that expired make room.
func TestSessions(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "p.db"))
	old := store.Session{Hash: "a", Account: "rae", Expires: "2020-01-01T00:00:00Z", Seal: "x"}
	now := store.Session{Hash: "b", Account: "rae", Expires: "2999-01-01T00:00:00Z", Seal: "y"}
	update(t, s, func(tx *store.Tx) error { return errors.Join(tx.AddSession(old), tx.AddSession(now)) })
	update(t, s, func(tx *store.Tx) error {
		if got, err := tx.Session("b"); err != nil || got != now {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := tx.Session("a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an expired session is kept: %v", err)
		}
		if err := tx.DropSession("b"); err != nil {
			t.Error(err)
		}
		if _, err := tx.Session("b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a session outlives its end: %v", err)
		}
		return tx.DropSession("b")
	})
}

// Readers cannot write, the log cannot be changed, and a newer database is refused untouched.
func TestGuards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	s := open(t, path)
	if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := tx.NewRun(newRun("r1")); return err }); err == nil {
		t.Error("a reader wrote")
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{
		`INSERT INTO log_leaves (idx, leaf, kind, subject, envelope, at) VALUES (0, x'00', 'k', 's', x'00', 't')`,
		`INSERT INTO log_hashes (idx, hash) VALUES (0, x'00')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []string{`DELETE FROM log_leaves`, `UPDATE log_leaves SET leaf = x'01'`, `DELETE FROM log_hashes`, `UPDATE log_hashes SET hash = x'01'`} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err = Open(context.Background(), path, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("a newer database: %v", err)
	}
}
