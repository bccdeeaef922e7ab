// Package ci writes a result in the forms that pipelines read: JUnit XML, SARIF 2.1.0,
// Markdown, and annotations of GitHub's workflow commands.
//
// Each form carries the decision as an entry of its own, so that a reader who counts
// entries comes to the same answer as one who reads the exit code: nothing but PASS is
// free of failures. What was not shown or not run is an error, never skipped and passed.
//
// Texts come from suites, policies and models' files. They are escaped for their form:
// no name can close a tag, start a command or draw a table of its own.
package ci

import "proctor/harness/report"

// States of an entry.
const (
	OK        = "ok"
	Failed    = "failed"
	Undecided = "undecided" // not shown to hold
	NotRun    = "not run"   // does not apply to this kind of candidate; the decision says so
)

// A Run is a result to be written.
type Run struct {
	Title    string // of a page
	Result   string // as in package report
	Sentence string
	File     string // in the repository, for annotations and locations; "": none
	Columns  []string
	Entries  []Entry
	Notes    []string
}

// An Entry is one test or claim.
type Entry struct {
	Group  string // suite, list of claims
	Name   string
	Rule   string // stable id of what was checked, such as "worse"
	State  string
	Says   string   // one sentence, with the numbers
	Values []string // under Columns; nil: none
}

// FromReport describes a report: an entry for each finding.
func FromReport(r *report.Report) Run {
	run := Run{Title: "Proctor: " + r.Candidate.Name, Result: r.Decision.Result, Sentence: r.Decision.Sentence}
	for _, n := range r.Decision.NotCovered {
		run.Notes = append(run.Notes, "Not covered: "+n)
	}
	if r.Calibration != nil {
		run.Notes = append(run.Notes, r.Calibration.Sentence)
	}
	for _, f := range r.Decision.Findings {
		name := f.Claim
		if f.Subject != "" {
			name += " " + f.Subject
		}
		run.Entries = append(run.Entries, Entry{Group: f.List, Name: name, Rule: f.Claim, State: stateOf(f.Outcome), Says: f.Sentence})
	}
	return run
}

func stateOf(outcome string) string {
	switch outcome {
	case report.Holds:
		return OK
	case report.Violated:
		return Failed
	case report.NotApplicable:
		return NotRun
	}
	return Undecided
}

// decision is the entry of the result itself.
func (r Run) decision() Entry {
	e := Entry{Group: "proctor", Name: "decision", Rule: "decision", State: Undecided, Says: r.Sentence}
	switch r.Result {
	case report.Pass:
		e.State = OK
	case report.Fail:
		e.State = Failed
	}
	return e
}

// all lists the decision and the entries.
func (r Run) all() []Entry { return append([]Entry{r.decision()}, r.Entries...) }
