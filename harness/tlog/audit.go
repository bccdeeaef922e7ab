package tlog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A BadEntryError names the first entry at which a log is not what its head says.
type BadEntryError struct {
	Index int64
	Err   error
}

func (e *BadEntryError) Error() string { return fmt.Sprintf("log entry %d: %v", e.Index, e.Err) }

func (e *BadEntryError) Unwrap() error { return e.Err }

// Audit reads every entry, recomputes every hash from the leaves alone, compares
// it with what is stored, and the roots with the checkpoints given, which may be
// of any age. It calls check (unless nil) with every entry, to compare leaf and
// envelope. The first bad entry is named by a *BadEntryError. A stored hash that
// was changed is named at the entry that completes it; a leaf that was changed
// together with all its hashes shows as [ErrForked] against a checkpoint.
func Audit(tx Tx, known []Tree, check func(index int64, e Entry) error) (Tree, error) {
	size, err := tx.LogSize()
	if err != nil {
		return Tree{}, fmt.Errorf("log: read size: %w", err)
	}
	var own []Hash // stored form, recomputed: ours alone is read below
	mine := tlog.HashReaderFunc(func(at []int64) ([]Hash, error) {
		out := make([]Hash, len(at))
		for i, x := range at {
			out[i] = own[x]
		}
		return out, nil
	})
	for n := range size {
		e, err := tx.LogEntry(n)
		if err != nil {
			return Tree{}, &BadEntryError{n, err}
		}
		if check != nil {
			if err := check(n, e); err != nil {
				return Tree{}, badEntry(n, err)
			}
		}
		hs, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(e.Leaf), mine)
		if err != nil {
			return Tree{}, &BadEntryError{n, err}
		}
		if err := sameStored(tx, int64(len(own)), hs); err != nil {
			return Tree{}, &BadEntryError{n, err}
		}
		own = append(own, hs...)
	}
	for _, k := range known {
		if err := contains(k, size, mine); err != nil {
			return Tree{}, err
		}
	}
	root, err := tlog.TreeHash(size, mine)
	return Tree{N: size, Hash: root}, err
}

// badEntry names entry n, unless err names one already.
func badEntry(n int64, err error) error {
	var named *BadEntryError
	if errors.As(err, &named) {
		return err
	}
	return &BadEntryError{n, err}
}

func sameStored(tx Tx, first int64, want []Hash) error {
	at := make([]int64, len(want))
	for i := range at {
		at[i] = first + int64(i)
	}
	have, err := tx.LogHashes(at)
	if err != nil {
		return err
	}
	if len(have) != len(want) {
		return fmt.Errorf("%d of %d hashes are stored", len(have), len(want))
	}
	for i := range want {
		if have[i] != want[i] {
			return fmt.Errorf("stored hash %d is not that of the leaves", at[i])
		}
	}
	return nil
}

func contains(k Tree, size int64, r tlog.HashReader) error {
	if k.N > size {
		return &BadEntryError{size, fmt.Errorf("%w: it is missing, a checkpoint names %d entries", ErrForked, k.N)}
	}
	root, err := tlog.TreeHash(k.N, r)
	if err != nil {
		return err
	}
	if root != k.Hash {
		return fmt.Errorf("%w: the first %d entries are not those of a checkpoint", ErrForked, k.N)
	}
	return nil
}
