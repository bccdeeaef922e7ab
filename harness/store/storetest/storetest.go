// Package storetest holds what every engine of a store must do, as tests that its
// adapter runs.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/tlog"
)

// An Engine is one new database.
type Engine struct {
	Open func() (*store.Store, error) // as often as the one before was closed
	Raw  func() *sql.DB               // past the store, as somebody who can write the database
}

// Run runs all tests, each on a new database.
func Run(t *testing.T, engine func(t *testing.T) Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"RunOnce", runOnce}, {"Zombie", zombie}, {"Work", work}, {"Sessions", sessions}, {"Guards", guards},
		{"Newer", newer}, {"Log", log}, {"OneWrites", oneWrites}, {"Moment", moment}, {"Find", find}, {"Awaited", awaited},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, engine(t)) })
	}
}

func open(t *testing.T, e Engine) *store.Store {
	t.Helper()
	s, err := e.Open()
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
func runOnce(t *testing.T, e Engine) {
	s := open(t, e)
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
func zombie(t *testing.T, e Engine) {
	s := open(t, e)
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
func work(t *testing.T, e Engine) {
	s := open(t, e)
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
	if n := jobs(t, e); n != 1 {
		t.Errorf("%d jobs for one run: one outlived the transaction that was rolled back", n)
	}

	s = open(t, e)
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
func jobs(t *testing.T, e Engine) (n int) {
	t.Helper()
	db := e.Raw()
	defer db.Close()
	if err := db.QueryRow(`SELECT COUNT(*) FROM river_job`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A session is known by the hash of its secret; those that expired make room.
func sessions(t *testing.T, e Engine) {
	s := open(t, e)
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

// Readers cannot write, and what is in the log cannot be changed.
func guards(t *testing.T, e Engine) {
	s := open(t, e)
	if err := s.View(context.Background(), func(tx *store.Tx) error {
		return tx.AddReview(store.Review{Run: "r1", Person: "p"})
	}); err == nil {
		t.Error("a reader wrote")
	}
	if err := s.View(context.Background(), func(tx *store.Tx) error { _, err := tx.NewRun(newRun("r1")); return err }); err == nil {
		t.Error("a reader queued a run")
	}
	db := e.Raw()
	defer db.Close()
	for _, q := range []string{
		`INSERT INTO log_leaves (idx, leaf, kind, subject, envelope, at) VALUES (0, '00', 'k', 's', '00', 't')`,
		`INSERT INTO log_hashes (idx, hash) VALUES (0, '00')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []string{`DELETE FROM log_leaves`, `UPDATE log_leaves SET leaf = '01'`, `DELETE FROM log_hashes`, `UPDATE log_hashes SET hash = '01'`} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// A database of a newer program is refused untouched.
func newer(t *testing.T, e Engine) {
	open(t, e).Close()
	db := e.Raw()
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("a newer database: %v", err)
	}
}

// What is put into the log comes out as it was, bytes that are no text too, in order.
func log(t *testing.T, e Engine) {
	s := open(t, e)
	leaf, hash := []byte{0, 1, 0xff, '\\', 'x'}, tlog.Hash{7, 0, 0xff}
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(
			tx.AddLogEntry(0, tlog.Entry{Leaf: leaf, Kind: "a", Subject: "s", Envelope: nil}),
			tx.AddLogEntry(1, tlog.Entry{Leaf: []byte{}, Kind: "b", Subject: "s", Envelope: leaf}),
			tx.AddLogHashes(0, []tlog.Hash{hash, {}, {1}}))
	})
	err := s.View(context.Background(), func(tx *store.Tx) error {
		if n, err := tx.LogSize(); err != nil || n != 2 {
			t.Errorf("size %d: %v", n, err)
		}
		if got, err := tx.LogEntry(0); err != nil || string(got.Leaf) != string(leaf) || got.Kind != "a" || len(got.Envelope) != 0 {
			t.Errorf("%+v: %v", got, err)
		}
		if got, err := tx.LogHashes([]int64{2, 0}); err != nil || got[0] != (tlog.Hash{1}) || got[1] != hash {
			t.Errorf("%v: %v", got, err)
		}
		if i, err := tx.LogIndexBefore("a", 2); err != nil || i != 0 {
			t.Errorf("index %d: %v", i, err)
		}
		if i, err := tx.LogIndexBefore("c", 2); err != nil || i != -1 {
			t.Errorf("of no entry: index %d: %v", i, err)
		}
		_, err := tx.LogEntry(9)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
}

// Transactions that write come one after the other, so that none decides on what
// another is about to change: of many who each add the entry after the last, none is
// refused and none is lost.
func oneWrites(t *testing.T, e Engine) {
	s := open(t, e)
	const writers, each = 8, 10
	var wg sync.WaitGroup
	errs := make(chan error, writers*each)
	for range writers {
		wg.Go(func() {
			for range each {
				errs <- s.Update(context.Background(), func(tx *store.Tx) error {
					n, err := tx.LogSize()
					if err != nil {
						return err
					}
					return tx.AddLogEntry(n, tlog.Entry{Leaf: fmt.Append(nil, n), Kind: "k", Subject: "s"})
				})
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	update(t, s, func(tx *store.Tx) error {
		if n, err := tx.LogSize(); err != nil || n != writers*each {
			t.Errorf("%d entries: %v", n, err)
		}
		return nil
	})
}

// All that a reader reads is of one moment, whatever is written meanwhile.
func moment(t *testing.T, e Engine) {
	s := open(t, e)
	err := s.View(context.Background(), func(tx *store.Tx) error {
		before, err := tx.LogSize()
		if err != nil {
			return err
		}
		update(t, s, func(tx *store.Tx) error {
			return tx.AddLogEntry(0, tlog.Entry{Leaf: []byte("a"), Kind: "k", Subject: "s"})
		})
		after, err := tx.LogSize()
		if before != after {
			t.Errorf("%d entries, and then %d", before, after)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A search finds by what the text says and by nothing else, page by page in order.
func find(t *testing.T, e Engine) {
	s := open(t, e)
	for i := range 5 {
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.NewRun(store.Run{ID: fmt.Sprintf("id-%d", i), Dedupe: fmt.Sprint(i), Lineage: "l", Package: "sha256:aa", PackageName: fmt.Sprintf("Model_%d%%", i), SubmittedPerson: fmt.Sprint("p", i%2)})
			return err
		})
	}
	for _, c := range []struct {
		f    store.RunFilter
		want string
	}{
		{store.RunFilter{Limit: 9}, "id-4 id-3 id-2 id-1 id-0"},
		{store.RunFilter{Limit: 2}, "id-4 id-3"},
		{store.RunFilter{Limit: 2, Before: "id-3"}, "id-2 id-1"},
		{store.RunFilter{Limit: 9, Text: "MODEL_3"}, "id-3"},
		{store.RunFilter{Limit: 9, Text: "model%3"}, ""},
		{store.RunFilter{Limit: 9, Text: "id-2"}, "id-2"},
		{store.RunFilter{Limit: 9, Text: "d-2"}, ""},
		{store.RunFilter{Limit: 9, Person: "p1", State: "queued", Lineage: "l"}, "id-3 id-1"},
		{store.RunFilter{Limit: 9, Result: "PASS"}, ""},
	} {
		var got []string
		if err := s.View(context.Background(), func(tx *store.Tx) error {
			list, err := tx.FindRuns(c.f)
			for _, r := range list {
				got = append(got, r.ID)
			}
			return err
		}); err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s: %v", c.f, got, c.want, err)
		}
	}
	if err := s.View(context.Background(), func(tx *store.Tx) error {
		list, err := tx.Waiting()
		if len(list) != 5 || list[0].ID != "id-0" || list[1].ID != "id-1" || list[2].ID != "id-2" {
			t.Errorf("waiting %v", list)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// What waits for people, and how runs ended, is counted.
func awaited(t *testing.T, e Engine) {
	s := open(t, e)
	update(t, s, func(tx *store.Tx) error {
		_, err := tx.NewRun(newRun("r1"))
		if err != nil {
			return err
		}
		_, err = tx.Propose(store.Change{ID: "c1", Kind: "suite", Name: "n", Digest: "d"})
		return err
	})
	var r store.Run
	update(t, s, func(tx *store.Tx) (err error) { r, err = tx.TakeUp("r1"); return err })
	r.Plan = []byte("{}")
	update(t, s, func(tx *store.Tx) error { return tx.SetPlan(r) })
	update(t, s, func(tx *store.Tx) error { return tx.Hand(r) })
	fresh := false
	update(t, s, func(tx *store.Tx) (err error) {
		fresh, err = tx.AddExposure(store.Exposure{Run: "r1", Lineage: "income", Holdout: "h"})
		return err
	})
	if !fresh {
		t.Error("the first exposure is not the first")
	}
	r.Result = "PASS"
	update(t, s, func(tx *store.Tx) error { return tx.Finish(r) })
	err := s.View(context.Background(), func(tx *store.Tx) error {
		if got, err := tx.Run("r1"); err != nil || !got.Handed || !got.Charged || got.State != "done" {
			t.Errorf("%+v: %v", got, err)
		}
		changes, runs, err := tx.CountAwaited()
		if changes != 1 || runs != 1 {
			t.Errorf("%d changes and %d runs wait", changes, runs)
		}
		counts, err2 := tx.CountRuns()
		if len(counts) != 1 || counts[0] != (store.RunCount{State: "done", Result: "PASS", N: 1}) {
			t.Errorf("%+v", counts)
		}
		at, err3 := tx.WaitingSince()
		if at != "" {
			t.Errorf("waiting since %q", at)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Error(err)
	}
}
