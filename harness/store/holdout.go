package store

import "database/sql"

// SetHoldoutKey keeps the wrapped data key of a sealed set, new or wrapped anew.
func (t *Tx) SetHoldoutKey(holdout string, wrapped []byte) error {
	_, err := t.exec(`INSERT INTO holdout_keys (holdout, wrapped, at) VALUES ($1,$2,$3)
		ON CONFLICT (holdout) DO UPDATE SET wrapped = $2, at = $3`, holdout, wrapped, t.now())
	return err
}

// HoldoutKey returns a set's wrapped data key; ErrNotFound: it was destroyed.
func (t *Tx) HoldoutKey(holdout string) ([]byte, error) {
	var b []byte
	return b, t.row(`SELECT wrapped FROM holdout_keys WHERE holdout = $1`, []any{holdout}, &b)
}

// DropHoldoutKey destroys a set's data key in this database. Copies of the database
// have it still, under the key-encryption key of their time.
func (t *Tx) DropHoldoutKey(holdout string) error {
	return t.one(`DELETE FROM holdout_keys WHERE holdout = $1`, holdout)
}

// A BurntRow is a row of a set that a person has seen.
type BurntRow struct {
	Holdout string
	Line    int64 // from 1
	Run     string
	Person  string
	At      string
}

// Burn records that a person is about to see a row.
func (t *Tx) Burn(b BurntRow) error {
	_, err := t.exec(`INSERT INTO burnt_rows (holdout, line, run, person, at) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (holdout, line, person) DO NOTHING`, b.Holdout, b.Line, b.Run, b.Person, t.now())
	return err
}

// BurntRows lists who has seen which rows of a set.
func (t *Tx) BurntRows(holdout string) ([]BurntRow, error) {
	return rows(t, func(r *sql.Rows) (b BurntRow, err error) {
		return b, r.Scan(&b.Holdout, &b.Line, &b.Run, &b.Person, &b.At)
	}, `SELECT holdout, line, run, person, at FROM burnt_rows WHERE holdout = $1 ORDER BY line, person`, holdout)
}
