package api

import "fmt"

// A Backtest is what a draft of a policy or suite would have meant for past candidates.
// It holds results and rules, no figure and no row of a sealed set.
type Backtest struct {
	Kind     string       `json:"kind"` // policy, suite
	Name     string       `json:"name"`
	Digest   string       `json:"digest"`
	Sentence string       `json:"sentence"`
	Runs     []Replay     `json:"runs"`               // newest first, lineage after lineage
	Deployed []DeployedOn `json:"deployed,omitempty"` // suites only
}

// A Replay is one past candidate under the draft.
type Replay struct {
	Lineage   string `json:"lineage"`
	Run       string `json:"run"`
	Candidate string `json:"candidate"`
	Before    string `json:"before"` // the verdict that was given
	After     string `json:"after,omitempty"`
	Decided   string `json:"decided,omitempty"` // the claim or check that keeps it from PASS under the draft
	Approved  bool   `json:"approved"`          // it went out: an honest candidate
	NotAsked  int    `json:"not_asked"`         // cases of the draft's suites that it was never asked; they are in nothing
	Skipped   string `json:"skipped,omitempty"` // why it was not replayed
}

// Flips says whether the candidate would have got another result.
func (r Replay) Flips() bool { return r.Skipped == "" && r.Before != r.After }

// A DeployedOn is the deployed model of a lineage on both versions of a suite.
type DeployedOn struct {
	Lineage string   `json:"lineage"`
	Model   string   `json:"model"`
	Tests   []TestOn `json:"tests,omitempty"`
	Skipped string   `json:"skipped,omitempty"`
}

// A TestOn is one test in both versions; nil where a version does not have it.
type TestOn struct {
	Test   string  `json:"test"`
	Before *Failed `json:"before,omitempty"`
	After  *Failed `json:"after,omitempty"`
}

// Failed counts failures among the cases that apply.
type Failed struct {
	Failed int64 `json:"failed"`
	Cases  int64 `json:"cases"`
}

// String returns "3 of 40", "-" for nil.
func (f *Failed) String() string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf("%d of %d", f.Failed, f.Cases)
}
