package store

import (
	"database/sql"
	"fmt"
	"strings"

	"proctor/harness/tlog"
)

// The log's storage, see [tlog.Tx]. The tables have triggers that refuse change
// and deletion; they guard against accidents, the log's head against people.
var _ tlog.Tx = (*Tx)(nil)

// LogSize returns the number of entries.
func (t *Tx) LogSize() (int64, error) {
	var last sql.NullInt64
	if err := t.row(`SELECT MAX(idx) FROM log_leaves`, nil, &last); err != nil {
		return 0, err
	}
	if !last.Valid {
		return 0, nil
	}
	return last.Int64 + 1, nil
}

// LogEntry returns one entry.
func (t *Tx) LogEntry(index int64) (tlog.Entry, error) {
	var e tlog.Entry
	return e, t.row(`SELECT leaf, kind, subject, envelope FROM log_leaves WHERE idx = $1`, []any{index},
		&e.Leaf, &e.Kind, &e.Subject, &e.Envelope)
}

// LogIndexBefore finds the last entry of a kind before an index; -1: there is none.
// The kind is copied out of the entries for this search and is no proof: open what
// it finds.
func (t *Tx) LogIndexBefore(kind string, before int64) (int64, error) {
	var i sql.NullInt64
	if err := t.row(`SELECT MAX(idx) FROM log_leaves WHERE kind = $1 AND idx < $2`, []any{kind, before}, &i); err != nil || !i.Valid {
		return -1, err
	}
	return i.Int64, nil
}

// AddLogEntry stores the entry after the last.
func (t *Tx) AddLogEntry(index int64, e tlog.Entry) error {
	if e.Envelope == nil {
		e.Envelope = []byte{}
	}
	return t.one(`INSERT INTO log_leaves (idx, leaf, kind, subject, envelope, at) VALUES ($1,$2,$3,$4,$5,$6)`,
		index, e.Leaf, e.Kind, e.Subject, e.Envelope, t.now())
}

// AddLogHashes stores hashes at first, first+1 and so on.
func (t *Tx) AddLogHashes(first int64, hs []tlog.Hash) error {
	for i, h := range hs {
		if err := t.one(`INSERT INTO log_hashes (idx, hash) VALUES ($1,$2)`, first+int64(i), h[:]); err != nil {
			return err
		}
	}
	return nil
}

// LogHashes returns the hashes in the order asked for.
func (t *Tx) LogHashes(indexes []int64) ([]tlog.Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(indexes)), make([]any, len(indexes))
	for i, x := range indexes {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), x
	}
	type node struct {
		at int64
		h  tlog.Hash
	}
	found, err := rows(t, func(r *sql.Rows) (n node, err error) {
		var b []byte
		if err := r.Scan(&n.at, &b); err != nil {
			return n, err
		}
		if len(b) != len(n.h) {
			return n, fmt.Errorf("hash %d of the log has %d bytes", n.at, len(b))
		}
		n.h = tlog.Hash(b)
		return n, nil
	}, `SELECT idx, hash FROM log_hashes WHERE idx IN (`+strings.Join(marks, ",")+`)`, args...)
	if err != nil {
		return nil, err
	}
	by := map[int64]tlog.Hash{}
	for _, n := range found {
		by[n.at] = n.h
	}
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		h, ok := by[x]
		if !ok {
			return nil, fmt.Errorf("hash %d of the log: %w", x, ErrNotFound)
		}
		out[i] = h
	}
	return out, nil
}
