//go:build unix

package tlog_test

import (
	"sync"
	"testing"

	"proctor/harness/tlog"
)

// Two who start at once: one holds the head, the other is refused after it has waited.
// A hundred pairs, all at the same time.
func TestTwoStarts(t *testing.T) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	heads := make([][2]*tlog.Head, 100)
	for round := range heads {
		w := newWorld(t)
		w.append("first")
		w.must(w.advance())
		w.must(w.head.Close())
		for i := range 2 {
			wg.Go(func() {
				<-start
				heads[round][i], _ = tlog.OpenHead(w.path(), w.log)
			})
		}
	}
	close(start)
	wg.Wait()
	for round, pair := range heads {
		if (pair[0] == nil) == (pair[1] == nil) {
			t.Errorf("round %d: %v", round, pair)
		}
		for _, h := range pair {
			if h == nil {
				continue
			}
			if _, tree := h.Checkpoint(); tree.N != 1 {
				t.Errorf("round %d: %d entries", round, tree.N)
			}
			h.Close()
		}
	}
}
