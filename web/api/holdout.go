package api

import "encoding/json"

// A Budget is what a lineage has left on its sealed sets.
type Budget struct {
	Lineage  string      `json:"lineage"`
	Policy   string      `json:"policy"`
	Runs     int         `json:"budget_runs"`
	Used     int         `json:"used_runs"` // of the set that is used most
	Left     int         `json:"left_runs"`
	Sentence string      `json:"sentence"`
	Sets     []BudgetSet `json:"sets"` // empty for submitters
}

// A BudgetSet is one sealed set as a lineage has used it.
type BudgetSet struct {
	Holdout    string `json:"holdout"`
	Version    int    `json:"version"`
	Digest     string `json:"digest"`
	Rows       int    `json:"rows"`
	Reserve    int    `json:"reserve_rows"` // for the next rotation
	Practice   int    `json:"practice_rows"`
	Used       int    `json:"used_runs"`
	Inherited  int    `json:"inherited_runs"` // of them by rows that other sets have too
	Seen       int    `json:"seen_rows"`      // by people; they leave scoring at the next rotation
	SeenAtMost int    `json:"seen_rows_at_most"`
	Retain     string `json:"retain_until"` // last day on which the rows may be kept, or ""
}

// A RowClaim says what row a set is said to have.
type RowClaim struct {
	Row    int             `json:"row"`    // scored row, from 1
	Values json.RawMessage `json:"values"` // an object with every sealed column
}

// Lines are scored rows that a reviewer asks to see.
type Lines struct {
	Rows []int `json:"rows"` // from 1
}

// ShownRows are rows of a sealed set that a reviewer has asked to see.
type ShownRows struct {
	Rows []ShownRow `json:"rows"`
	Left int        `json:"left_rows"` // that people may still see of this set
}

// A ShownRow is one of them.
type ShownRow struct {
	Row    int             `json:"row"`
	Values json.RawMessage `json:"values"`
}

// A Destruction asks that nobody can open a version of a set any more.
type Destruction struct {
	Version int `json:"version"`
}
