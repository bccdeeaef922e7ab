package store

import (
	"cmp"
	"database/sql"
	"slices"
)

// Waiting lists the runs that wait, in the order in which they will be taken up: the
// next is always one of the person who was served longest ago. Whoever submits a
// thousand runs thus waits behind his own, and another's wait at most for what runs.
func (t *Tx) Waiting() ([]Run, error) {
	queued, err := rows(t, scanRun, `SELECT `+runColumns+` FROM runs WHERE state = 'queued' ORDER BY submitted, id`)
	if err != nil || len(queued) == 0 {
		return nil, err
	}
	type person struct{ name, last string }
	all, err := rows(t, func(r *sql.Rows) (p person, err error) { return p, r.Scan(&p.name, &p.last) },
		`SELECT submitted_person, MAX(CASE WHEN state = 'planned' THEN '~' ELSE ended END) FROM runs GROUP BY submitted_person`)
	if err != nil {
		return nil, err
	}
	served := map[string]string{}
	for _, p := range all {
		served[p.name] = p.last
	}
	return inTurn(queued, served), nil
}

// inTurn orders runs that are sorted by their time. served is when a person's last run
// ended, "~" for one whose run is being evaluated; it sorts after every time.
func inTurn(queued []Run, served map[string]string) []Run {
	of := map[string][]Run{}
	var people []string
	for _, r := range queued {
		if of[r.SubmittedPerson] == nil {
			people = append(people, r.SubmittedPerson) // in the order of their first run
		}
		of[r.SubmittedPerson] = append(of[r.SubmittedPerson], r)
	}
	slices.SortStableFunc(people, func(a, b string) int { return cmp.Compare(served[a], served[b]) })
	out := make([]Run, 0, len(queued))
	for turn := 0; len(out) < len(queued); turn++ {
		for _, p := range people {
			if turn < len(of[p]) {
				out = append(out, of[p][turn])
			}
		}
	}
	return out
}

// Unfinished lists the ids of runs that have a plan and no end, oldest first.
func (t *Tx) Unfinished() ([]string, error) {
	return rows(t, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) },
		`SELECT id FROM runs WHERE state = 'planned' ORDER BY submitted, id`)
}
