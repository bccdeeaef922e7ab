package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// A Head is the newest signed checkpoint, in a file outside the storage. It only
// ever moves forward, to a tree that contains the one before. At most one process
// holds it at a time. It is safe for concurrent use.
type Head struct {
	log  *Log
	path string
	lock io.Closer

	mu     sync.Mutex
	signed []byte // what the file holds; nil after an error that left this in doubt
	tree   Tree
}

// CreateHead makes the head of a log that has no entries. It does not replace a
// file: a lost head is restored by its owner, never made again from a storage
// that may have been rewritten.
func CreateHead(path string, l *Log) error {
	signed, err := l.sign(Tree{Hash: emptyRoot})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create log head: %w", err)
	}
	_, err = f.Write(signed)
	if err := errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("create log head: %w", err)
	}
	return nil
}

// OpenHead takes the head until Close. It refuses when another process has it,
// when the file is missing, or when it is not a checkpoint of this log. It looks
// at no storage: [Head.Advance] does, and is called before anything is served.
func OpenHead(path string, l *Log) (*Head, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open log head %s: %w", path, err)
	}
	h := &Head{log: l, path: path, lock: lock}
	h.signed, h.tree, err = ReadHead(path, l.key)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return h, nil
}

// Close lets another process take the head.
func (h *Head) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.signed = nil
	return h.lock.Close()
}

// ReadHead returns the newest checkpoint without taking the head, for auditors.
func ReadHead(path, key string) ([]byte, Tree, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Tree{}, fmt.Errorf("read log head: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxCheckpoint+1))
	if err != nil {
		return nil, Tree{}, fmt.Errorf("read log head: %w", err)
	}
	t, err := ParseCheckpoint(b, key)
	if err != nil {
		return nil, Tree{}, fmt.Errorf("read log head %s: %w", path, err)
	}
	return b, t, nil
}

// Checkpoint returns the newest signed checkpoint.
func (h *Head) Checkpoint() ([]byte, Tree) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.signed), h.tree
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
func (h *Head) Advance(view func(func(Tx) error) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.signed == nil {
		return errors.New("log head: closed, or a write failed: start again")
	}
	var now Tree
	err := view(func(tx Tx) (err error) {
		if now, err = tree(tx); err != nil {
			return err
		}
		return extends(tx, h.tree, now)
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

// swap replaces the head's file if it still holds what this Head believes. After
// an error in the middle nobody knows which of the two a crash would leave, so
// that this Head ends; OpenHead reads what is there.
func (h *Head) swap(signed []byte, t Tree) error {
	have, _, err := ReadHead(h.path, h.log.key)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, h.signed) {
		h.signed = nil
		return fmt.Errorf("log head %s: another process changed it", h.path)
	}
	h.signed = nil
	if err := replaceFile(h.path, signed); err != nil {
		return fmt.Errorf("write log head: %w", err)
	}
	h.signed, h.tree = signed, t
	return nil
}

// replaceFile makes path hold b, durably; a crash leaves the old or the new bytes.
func replaceFile(path string, b []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a folder's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
