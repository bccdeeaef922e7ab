package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// A Head is the newest signed checkpoint, in a file outside the storage. It only
// ever moves forward, to a tree that contains the one before. At most one process
// holds it at a time. It is safe for concurrent use.
//
// The file has two slots that are written in turn, so that a checkpoint is durable
// after one write in place: a write that is torn leaves the one before.
type Head struct {
	// Around, unless nil, is called for each write of the file. Tests of failing disks
	// set it, before the head is used.
	Around func(write func() error) error

	log  *Log
	path string
	lock io.Closer

	now atomic.Pointer[covered] // the newest checkpoint; nil: closed, or in doubt

	mu     sync.Mutex
	signed []byte // the newest checkpoint; nil after an error that left this in doubt
	tree   Tree
	file   slots         // what the file holds
	at     int           // which slot is the newest
	moved  chan struct{} // closed at the next move; nil: nobody waits
}

// CreateHead makes the head of a log that has no entries. It does not replace a
// file: a lost head is restored by its owner, never made again from a storage
// that may have been rewritten.
func CreateHead(path string, l *Log) error {
	signed, err := l.sign(Tree{Hash: emptyRoot})
	if err != nil {
		return err
	}
	if err := createSlots(path, signed); err != nil {
		return fmt.Errorf("create log head: %w", err)
	}
	return nil
}

// ErrHeld says that another process has what only one may have.
var ErrHeld = errors.New("another process holds it: stop that one first")

// OpenHead takes the head until Close. It refuses when another process has it,
// when the file is missing, or when it is not a checkpoint of this log. It looks
// at no storage: [Head.Advance] does, and is called before anything is served.
func OpenHead(path string, l *Log) (*Head, error) {
	lock, err := Lock(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open log head %s: %w", path, err)
	}
	h := &Head{log: l, path: path, lock: lock}
	h.file, err = readSlots(path)
	if err == nil {
		h.signed, h.tree, h.at, err = h.file.newest(l.key)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("open log head %s: %w", path, err)
	}
	h.now.Store(&covered{h.signed, h.tree})
	return h, nil
}

// Close lets another process take the head.
func (h *Head) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.signed = nil
	h.now.Store(nil)
	return h.lock.Close()
}

// ReadHead returns the newest checkpoint without taking the head, for auditors.
func ReadHead(path, key string) ([]byte, Tree, error) {
	f, err := readSlots(path)
	if err != nil {
		return nil, Tree{}, fmt.Errorf("read log head: %w", err)
	}
	b, t, _, err := f.newest(key)
	if err != nil {
		return nil, Tree{}, fmt.Errorf("read log head %s: %w", path, err)
	}
	return b, t, nil
}

// Checkpoint returns the newest signed checkpoint. It waits for nobody, so that it
// may be asked for inside a transaction.
func (h *Head) Checkpoint() ([]byte, Tree) {
	if c := h.now.Load(); c != nil {
		return bytes.Clone(c.signed), c.tree
	}
	return nil, Tree{}
}

// A covered is a checkpoint that is durable.
type covered struct {
	signed []byte
	tree   Tree
}

// Moved returns a channel that is closed when the head moves from here.
func (h *Head) Moved() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.moved == nil {
		h.moved = make(chan struct{})
	}
	return h.moved
}

// Advance signs a checkpoint of all committed entries and makes it the head,
// durably, if they extend the present head. The caller calls it after its commit
// and before its answer, and once at start. view runs a function in a new
// read-only transaction; it is begun while the head is held, so that a storage
// with fewer entries than the head is never just an older view.
//
// A storage that is ahead (the process died between commit and Advance) is taken
// up after its consistency is proved; one that is behind or differs is refused
// with [ErrForked], and nothing is written.
func (h *Head) Advance(view func(func(Tx) error) error) error { return h.AdvanceTo(-1, view) }

// AdvanceTo is Advance for a caller that has committed the entry index: when
// another one has taken it up meanwhile, it is done. Many who commit at once thus
// share one checkpoint and one write.
func (h *Head) AdvanceTo(index int64, view func(func(Tx) error) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.signed == nil {
		return errors.New("log head: closed, or a write failed: start again")
	}
	if index >= 0 && index < h.tree.N {
		return nil
	}
	var now Tree
	err := view(func(tx Tx) error {
		n, err := tx.LogSize()
		if err != nil {
			return fmt.Errorf("log: read size: %w", err)
		}
		now, err = extends(reader(tx), h.tree, n)
		return err
	})
	if err != nil || now.N == h.tree.N {
		return err
	}
	signed, err := h.log.sign(now)
	if err != nil {
		return err
	}
	return h.swap(signed, now)
}

// swap writes a checkpoint into the head's file if that still holds what this Head
// believes. After an error in the middle nobody knows which of the two a crash would
// leave, so that this Head ends; OpenHead reads what is there.
func (h *Head) swap(signed []byte, t Tree) error {
	have, err := readSlots(h.path)
	if err != nil {
		return fmt.Errorf("read log head: %w", err)
	}
	if !have.equal(h.file) {
		h.signed = nil
		h.now.Store(nil)
		return fmt.Errorf("log head %s: another process changed it", h.path)
	}
	h.signed = nil
	at := 1 - h.at
	write := func() error { return writeSlot(h.path, at, signed) }
	if h.Around != nil {
		around := write
		write = func() error { return h.Around(around) }
	}
	if err := write(); err != nil {
		h.now.Store(nil)
		return fmt.Errorf("write log head: %w", err)
	}
	h.file[at], h.at, h.signed, h.tree = signed, at, signed, t
	h.now.Store(&covered{signed, t})
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
	return nil
}
