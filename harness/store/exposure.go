package store

import "database/sql"

// An Exposure is one run's use of a holdout (a commitment's digest) by a lineage.
type Exposure struct {
	Run, Lineage, Holdout, At string
	Elsewhere                 bool // rows were sent to a model that runs elsewhere
}

// AddExposure charges a run and says whether this is the first time: a run that
// is taken up after a crash is charged once.
func (t *Tx) AddExposure(e Exposure) (fresh bool, err error) {
	elsewhere := 0
	if e.Elsewhere {
		elsewhere = 1
	}
	n, err := t.exec(`INSERT INTO exposures (run, lineage, holdout, at, elsewhere) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (run, holdout) DO NOTHING`, e.Run, e.Lineage, e.Holdout, t.now(), elsewhere)
	if err != nil {
		return false, err
	}
	_, err = t.exec(`UPDATE runs SET charged = 1 WHERE id = $1`, e.Run)
	return n == 1, err
}

// Exposures lists what every lineage has used so far, oldest first.
func (t *Tx) Exposures() ([]Exposure, error) {
	return rows(t, func(r *sql.Rows) (e Exposure, err error) {
		return e, r.Scan(&e.Run, &e.Lineage, &e.Holdout, &e.At, &e.Elsewhere)
	}, `SELECT run, lineage, holdout, at, elsewhere FROM exposures ORDER BY at, run`)
}

// Refund takes back what a run was charged, because no row of a set ever left the
// service for it. The caller logs it in the same transaction.
func (t *Tx) Refund(run string) error {
	if _, err := t.exec(`DELETE FROM exposures WHERE run = $1`, run); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE runs SET charged = 0 WHERE id = $1`, run)
	return err
}
