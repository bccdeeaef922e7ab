package store

import "database/sql"

// A RunCount says how many runs stand at one place.
type RunCount struct {
	State, Result, Reason string
	N                     int64
}

// CountRuns counts all runs by where they stand.
func (t *Tx) CountRuns() ([]RunCount, error) {
	return rows(t, func(r *sql.Rows) (c RunCount, err error) { return c, r.Scan(&c.State, &c.Result, &c.Reason, &c.N) },
		`SELECT state, result, CASE WHEN state = 'aborted' THEN reason ELSE '' END AS why, COUNT(*) FROM runs GROUP BY state, result, why ORDER BY state, result, why`)
}

// WaitingSince returns when the run that waits longest was submitted; "": none waits.
func (t *Tx) WaitingSince() (string, error) {
	var at sql.NullString
	err := t.row(`SELECT MIN(submitted) FROM runs WHERE state = 'queued'`, nil, &at)
	return at.String, err
}

// CountAwaited counts what waits for people: proposed changes, and runs that passed
// and are neither approved nor refused.
func (t *Tx) CountAwaited() (changes, runs int64, err error) {
	if err = t.row(`SELECT COUNT(*) FROM changes WHERE state = 'proposed'`, nil, &changes); err != nil {
		return 0, 0, err
	}
	return changes, runs, t.row(`SELECT COUNT(*) FROM runs WHERE state = 'done' AND result = 'PASS' AND approval = -1
		AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.run = runs.id AND reviews.decision = 'refuse')`, nil, &runs)
}
