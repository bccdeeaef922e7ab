// Package tlog is an append-only log: a Merkle tree over leaves, with signed
// checkpoints and proofs that anybody can check.
//
// A [Log] appends inside a transaction of its caller, so that an entry and what
// it speaks of are kept together or not at all. The transaction's storage is not
// trusted: whoever can write it could rewrite history. What is trusted is the
// [Head], the newest signed checkpoint in a file outside the storage. Only a Head
// signs checkpoints, and only for a tree that contains the one before; every
// proof that leaves this package is in the tree of the Head.
//
// The tree is that of RFC 6962, checkpoints are C2SP tlog-checkpoint notes signed
// with Ed25519. The head's file and the key's file are trusted; a party that holds
// both can show two readers two histories, which witnesses and readers that keep
// checkpoints notice.
package tlog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A Hash is a node of the tree.
type Hash = tlog.Hash

// An Entry is one logged statement. Leaf is what the tree binds; Kind, Subject
// and Envelope are for finding and reading it again.
type Entry struct {
	Leaf     []byte // canonical rekor v2 hashedrekord of the envelope
	Kind     string // predicate type
	Subject  string // "sha256:<hex>"
	Envelope []byte // DSSE
}

// MaxLeaf is the most bytes that a leaf may have, so that tiles can hold it; ours
// have about 500.
const MaxLeaf = 1<<16 - 1

// A Tx is a transaction over the log's storage. Entries and hashes are numbered
// from 0 without gaps and are never changed. Reads see what the same transaction
// wrote. The storage is not trusted.
type Tx interface {
	LogSize() (int64, error)                   // number of entries
	LogHashes(indexes []int64) ([]Hash, error) // in the order asked for; an error if one is missing
	LogEntry(index int64) (Entry, error)       // an error if it is missing
	AddLogEntry(index int64, e Entry) error    // an error if the index is taken
	AddLogHashes(first int64, hs []Hash) error // stores hs at first, first+1, ...
}

// reader adapts a Tx to x/mod.
func reader(tx Tx) tlog.HashReader { return tlog.HashReaderFunc(tx.LogHashes) }

// Append adds an entry as the last one and returns its index. It takes effect
// when the transaction commits; the caller then advances the [Head], and only
// after that answers anybody.
func Append(tx Tx, e Entry) (int64, error) {
	if len(e.Leaf) == 0 || len(e.Leaf) > MaxLeaf {
		return 0, fmt.Errorf("log: a leaf of %d bytes; it must have 1 to %d", len(e.Leaf), MaxLeaf)
	}
	n, err := tx.LogSize()
	if err != nil {
		return 0, fmt.Errorf("log: read size: %w", err)
	}
	hs, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(e.Leaf), reader(tx))
	if err != nil {
		return 0, fmt.Errorf("log: hash entry %d: %w", n, err)
	}
	if err := tx.AddLogEntry(n, e); err != nil {
		return 0, fmt.Errorf("log: store entry %d: %w", n, err)
	}
	if err := tx.AddLogHashes(tlog.StoredHashCount(n), hs); err != nil {
		return 0, fmt.Errorf("log: store hashes of entry %d: %w", n, err)
	}
	return n, nil
}

// treeAt returns the root over the first n entries.
func treeAt(r tlog.HashReader, n int64) (tlog.Tree, error) {
	h, err := tlog.TreeHash(n, r)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("log: root of %d entries: %w", n, err)
	}
	return tlog.Tree{N: n, Hash: h}, nil
}

// ErrForked says that two trees do not agree on their common entries, or that the
// storage lost entries that were acknowledged: somebody restored or rewrote history.
var ErrForked = errors.New("the log has forked from its head, or lost entries")

// extends proves from the storage that the tree of its first n entries contains the
// older one, and returns it.
func extends(r tlog.HashReader, old tlog.Tree, n int64) (tlog.Tree, error) {
	if n < old.N {
		return old, fmt.Errorf("%w: the storage has %d entries, the head names %d: restore the newer storage", ErrForked, n, old.N)
	}
	now, err := treeAt(r, n)
	if err != nil {
		return old, err
	}
	if now.N == old.N {
		if now.Hash != old.Hash {
			return old, fmt.Errorf("%w: both have %d entries and different roots", ErrForked, now.N)
		}
		return now, nil
	}
	p, err := consistency(r, old.N, n)
	if err != nil {
		return old, err
	}
	if err := CheckConsistency(p, old, now); err != nil {
		return old, fmt.Errorf("%w: the first %d entries are not those that the head names", ErrForked, old.N)
	}
	return now, nil
}

// Consistency proves that the tree of the first n entries contains that of the
// first old. 0 <= old <= n <= size.
func Consistency(tx Tx, old, n int64) ([]Hash, error) {
	size, err := tx.LogSize()
	if err != nil {
		return nil, fmt.Errorf("log: read size: %w", err)
	}
	if old < 0 || old > n || n > size {
		return nil, fmt.Errorf("log: no consistency proof from %d to %d entries in a log of %d", old, n, size)
	}
	return consistency(reader(tx), old, n)
}

func consistency(r tlog.HashReader, old, n int64) ([]Hash, error) {
	if old == 0 {
		return nil, nil // every tree contains the empty one
	}
	p, err := tlog.ProveTree(n, old, r)
	if err != nil {
		return nil, fmt.Errorf("log: prove consistency: %w", err)
	}
	return p, nil
}

// CheckConsistency checks a proof of [Consistency] against two roots.
func CheckConsistency(p []Hash, old, now tlog.Tree) error {
	if old.N < 0 || old.N > now.N {
		return fmt.Errorf("a tree of %d entries cannot contain one of %d", now.N, old.N)
	}
	if old.N == 0 {
		if len(p) != 0 || old.Hash != emptyRoot {
			return errors.New("the empty tree has one root and needs no proof")
		}
		return nil
	}
	return tlog.CheckTree(p, now.N, now.Hash, old.N, old.Hash)
}

// emptyRoot is the root of no entries: SHA-256 of nothing.
var emptyRoot = func() Hash {
	h, _ := tlog.TreeHash(0, tlog.HashReaderFunc(func([]int64) ([]Hash, error) { return nil, nil }))
	return h
}()
