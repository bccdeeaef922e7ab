package harness

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"

	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
)

// AuditLog recomputes the log of a store from its leaves, and checks every statement:
// signature, form, leaf, and that those before it allow it. known are checkpoints of
// any age that it must contain. The first entry that is wrong is named by a
// *tlog.BadEntryError. It needs no service and no secret.
func AuditLog(ctx context.Context, st *store.Store, trust verdict.Trust, known []tlog.Tree) (tlog.Tree, error) {
	var tree tlog.Tree
	err := st.View(ctx, func(tx *store.Tx) error {
		b := &batch{trust: trust}
		var err error
		tree, err = tlog.Audit(tx, known, b.add)
		// What stands before the entry that the tree names, or at the end, is still to do.
		if first := b.check(); first != nil {
			err = first
		}
		return err
	})
	return tree, err
}

// A batch checks statements many at a time, for a signature takes longer than all the
// rest. Their order is checked one after the other.
type batch struct {
	trust   verdict.Trust
	first   int64 // index of entries[0]
	entries []tlog.Entry
	history verdict.History
}

const batchSize = 512

func (b *batch) add(index int64, e tlog.Entry) error {
	if len(b.entries) == 0 {
		b.first = index
	}
	b.entries = append(b.entries, e)
	if len(b.entries) < batchSize {
		return nil
	}
	return b.check()
}

// check empties the batch. It returns the first entry that is wrong.
func (b *batch) check() error {
	opened, errs := make([]*verdict.Envelope, len(b.entries)), make([]error, len(b.entries))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for i := k; i < len(b.entries); i += workers {
				opened[i], errs[i] = openEntry(b.trust, b.first+int64(i), b.entries[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		at := b.first + int64(i)
		if err == nil {
			err = b.history.Add(at, opened[i])
		}
		if err != nil {
			b.entries = nil
			return &tlog.BadEntryError{Index: at, Err: err}
		}
	}
	b.entries = b.entries[:0]
	return nil
}

// openEntry opens a logged statement, if its leaf and what was copied out of it for
// searching are its own.
func openEntry(trust verdict.Trust, index int64, e tlog.Entry) (*verdict.Envelope, error) {
	env, err := verdict.Open(e.Envelope, trust, index)
	if err != nil {
		return nil, err
	}
	leaf, err := env.Leaf()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(leaf, e.Leaf) || e.Kind != env.Type() || e.Subject != env.Subject().Digest {
		return nil, errors.New("the leaf is not that of its statement")
	}
	return env, nil
}
