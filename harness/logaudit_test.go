package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/store"
	"proctor/harness/store/sqlite"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// logRuns logs plans and verdicts of n runs, in one transaction.
func (w *world) logRuns(n int) {
	w.t.Helper()
	err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) error {
		for i := range n {
			e := verdicttest.Passed(verdicttest.Digest("1"))
			e.Run.ID = fmt.Sprint("run-", i)
			at, _, err := log.add(&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At}, w.s.Evidence)
			if err != nil {
				return err
			}
			e.Plan = at
			if _, _, err := log.add(e, w.s.Evidence); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// auditCopy audits a copy of the database that was changed by whoever holds the disk.
func auditCopy(t testing.TB, from string, trust verdict.Trust, known []tlog.Tree, change ...string) (tlog.Tree, error) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(change) > 0 {
		db, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range append([]string{"DROP TRIGGER log_leaves_keep", "DROP TRIGGER log_leaves_same", "DROP TRIGGER log_hashes_keep", "DROP TRIGGER log_hashes_same"}, change...) {
			r, err := db.Exec(q)
			if err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			if n, _ := r.RowsAffected(); n == 0 && !strings.HasPrefix(q, "DROP") {
				t.Fatalf("%s: nothing changed", q)
			}
		}
		db.Close()
	}
	st, err := sqlite.OpenRead(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	return AuditLog(context.Background(), st, trust, known)
}

// Whatever row is changed or gone, the first bad index is named; without the head a
// log that was cut is whole.
func TestAuditNamesTheFirst(t *testing.T) {
	w := newWorld(t)
	w.logRuns(30)
	_, head := w.s.Head.Checkpoint()
	w.close()
	from, known, size := w.dir+"/p.db", []tlog.Tree{head}, int(head.N)
	if tree, err := auditCopy(t, from, w.s.trust, known); err != nil || tree != head {
		t.Fatalf("%v %v", tree, err)
	}
	named := func(want int, change ...string) {
		t.Helper()
		_, err := auditCopy(t, from, w.s.trust, known, change...)
		var bad *tlog.BadEntryError
		if !errors.As(err, &bad) || bad.Index != int64(want) {
			t.Errorf("%q: %v, want entry %d", change, err, want)
		}
	}
	for k := 1; k <= 10; k++ {
		cut := fmt.Sprintf("DELETE FROM log_leaves WHERE idx >= %d", size-k)
		named(size-k, cut)
		if _, err := auditCopy(t, from, w.s.trust, nil, cut); err != nil {
			t.Errorf("it is not the head that noticed: %v", err)
		}
	}
	changes := []string{
		"DELETE FROM log_leaves WHERE idx = %d",
		"UPDATE log_leaves SET leaf = CAST(replace(CAST(leaf AS TEXT), 'SHA2_256', 'SHA2_257') AS BLOB) WHERE idx = %d",
		"UPDATE log_leaves SET envelope = CAST(replace(CAST(envelope AS TEXT), 'eyJfdHlwZSI6', 'eyJfdHlwZSI7') AS BLOB) WHERE idx = %d",
		"UPDATE log_leaves SET kind = 'k' WHERE idx = %d",
		"UPDATE log_leaves SET subject = 'sha256:' WHERE idx = %d",
	}
	for i := range 50 {
		named(i+1, fmt.Sprintf(changes[i%len(changes)], i+1))
	}
	// Two statements change places, leaves and all; and one takes another's place.
	named(8, "UPDATE log_leaves SET idx = -1 WHERE idx = 8", "UPDATE log_leaves SET idx = 8 WHERE idx = 11", "UPDATE log_leaves SET idx = 11 WHERE idx = -1")
	named(20, "UPDATE log_leaves SET (leaf, envelope, kind, subject) = (SELECT leaf, envelope, kind, subject FROM log_leaves WHERE idx = 4) WHERE idx = 20")
	named(4, "UPDATE log_hashes SET hash = zeroblob(32) WHERE idx = 7") // the node that ends with entry 4
	// Keys that did not sign it.
	if _, err := auditCopy(t, from, verdicttest.New(t).Trust, known); err == nil {
		t.Error("whole by other keys")
	}
}

// Reading changes nothing, and needs the version that this program knows.
func TestOpenRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.OpenRead(context.Background(), dir+"/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	w := newWorld(t)
	w.close()
	w.sql("UPDATE goose_db_version SET version_id = 900 WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
	if _, err := sqlite.OpenRead(context.Background(), w.dir+"/p.db"); err == nil || !strings.Contains(err.Error(), "version 900") {
		t.Errorf("%v", err)
	}
}

// 100,000 entries, each with leaf, signature, form and order:
//
//	go test ./harness -run xxx -bench AuditLog -benchtime 1x
func BenchmarkAuditLog(b *testing.B) {
	w := newWorld(b)
	const entries = 100_000
	for n := 0; n < entries; n += 2000 {
		err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) error {
			for i := range 1000 {
				e := verdicttest.Passed(verdicttest.Digest("1"))
				e.Run.ID = fmt.Sprint("run-", n+i)
				at, _, err := log.add(&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At}, w.s.Evidence)
				if err != nil {
					return err
				}
				e.Plan = at
				if _, _, err := log.add(e, w.s.Evidence); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	_, head := w.s.Head.Checkpoint()
	for b.Loop() {
		if tree, err := AuditLog(context.Background(), w.store, w.s.trust, []tlog.Tree{head}); err != nil || tree.N != entries {
			b.Fatal(tree.N, err)
		}
	}
}
