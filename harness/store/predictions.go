package store

// Predictions says where what the models of a run answered is kept: sealed under the data
// key of the set, as a blob.
type Predictions struct{ Run, Holdout, Blob string }

// KeepPredictions notes where the predictions of a run are.
func (t *Tx) KeepPredictions(p Predictions) error {
	_, err := t.exec(`INSERT INTO predictions (run, holdout, blob, at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (run) DO UPDATE SET holdout = $2, blob = $3, at = $4`, p.Run, p.Holdout, p.Blob, t.now())
	return err
}

// Predictions returns where those of a run are; ErrNotFound: none were kept, or their
// set was destroyed.
func (t *Tx) Predictions(run string) (Predictions, error) {
	p := Predictions{Run: run}
	return p, t.row(`SELECT holdout, blob FROM predictions WHERE run = $1`, []any{run}, &p.Holdout, &p.Blob)
}

// DropPredictions forgets where the predictions on a set are.
func (t *Tx) DropPredictions(holdout string) error {
	_, err := t.exec(`DELETE FROM predictions WHERE holdout = $1`, holdout)
	return err
}
