package harness

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// A verdict from the statement to the moment at which its run may be answered:
// linted, signed, committed with the log, under the head. "alone" is one after the
// other, "together" 16 that end at the same time. Each is durable:
//
//	go test ./harness -run xxx -bench Issue -benchtime 3000x
func BenchmarkIssue(b *testing.B) {
	issue := func(b *testing.B, w *world, i int64) {
		e := verdicttest.Passed(verdicttest.Digest("1"))
		e.Run.ID, e.At = fmt.Sprint("run-", i), time.Now().UTC().Format(time.RFC3339)
		err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) error {
			_, _, err := log.add(e, w.s.Evidence)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		w := newWorld(b)
		for i := int64(0); b.Loop(); i++ {
			issue(b, w, i)
		}
	})
	b.Run("together", func(b *testing.B) {
		w := newWorld(b)
		var n atomic.Int64
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				issue(b, w, n.Add(1))
			}
		})
	})
}

// Many who issue at once get what each alone gets: every entry is under the head
// when its caller is answered, and the log audits.
func TestIssueTogether(t *testing.T) {
	w := newWorld(t)
	done := make(chan error)
	const workers, each = 8, 10
	for k := range workers {
		go func() {
			for i := range each {
				e := verdicttest.Passed(verdicttest.Digest("1"))
				e.Run.ID = fmt.Sprint(k, "-", i)
				var at int64
				err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) (err error) {
					at, _, err = log.add(&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.Digest("9"), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At}, w.s.Evidence)
					return err
				})
				if _, tree := w.s.Head.Checkpoint(); err == nil && tree.N <= at {
					err = fmt.Errorf("entry %d was answered under a head of %d", at, tree.N)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if _, tree := w.s.Head.Checkpoint(); tree.N != workers*each {
		t.Errorf("%d entries", tree.N)
	}
	// The plans are of runs that no record knows; the log itself is whole.
	_, head := w.s.Head.Checkpoint()
	if err := w.store.View(context.Background(), func(tx *store.Tx) error {
		_, err := tlog.Audit(tx, []tlog.Tree{head}, func(i int64, e tlog.Entry) error { _, err := openEntry(w.s.trust, i, e); return err })
		return err
	}); err != nil {
		t.Error(err)
	}
	w.restart()
}
