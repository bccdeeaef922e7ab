package store

import "errors"

// Cursor returns the first log entry that a receiver was not told of. A new
// receiver starts at the end of the log: it is told of what happens from now on.
func (t *Tx) Cursor(name string) (int64, error) {
	var next int64
	err := t.row(`SELECT next FROM cursors WHERE name = $1`, []any{name}, &next)
	if !errors.Is(err, ErrNotFound) {
		return next, err
	}
	if next, err = t.LogSize(); err != nil {
		return 0, err
	}
	return next, t.one(`INSERT INTO cursors (name, next) VALUES ($1,$2)`, name, next)
}

// SetCursor moves a receiver's cursor forward.
func (t *Tx) SetCursor(name string, next int64) error {
	return t.one(`UPDATE cursors SET next = $1 WHERE name = $2 AND next < $1`, next, name)
}
