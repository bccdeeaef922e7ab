package web

import (
	"slices"

	"proctor/harness/report"
)

type findingView struct {
	Claim, List, Outcome, Subject, Metric string
	Value, Interval, Bound, Visible       string
	N, P, Adjusted                        string
	Plain, Sentence                       string // what it means; what the policy says with its numbers
	Decided                               bool
}

// findingsView parts what a reviewer has to read from what holds, which is folded.
type findingsView struct {
	Open  []findingView // broken, undecided, not applicable: the one that decided first
	Held  []heldView
	HeldN string
	Cut   string // how many that hold are left out; "": none
}

// heldView is the findings of one claim that hold.
type heldView struct {
	Claim, N string
	Findings []findingView
	n        int64
}

// maxHeld bounds the findings that hold on one page; the report has them all.
const maxHeld = 300

// opens is the order of outcomes that do not hold. One that this page does not know
// stands with the broken ones.
var opens = map[string]int{report.Violated: 0, report.Undecided: 1, report.NotApplicable: 2}

func findings(r *report.Report) findingsView {
	var v findingsView
	held := 0
	for i, f := range r.Decision.Findings {
		x := newFindingView(r, f)
		x.Decided = i == r.Decision.Decided && r.Decision.Result != report.Pass
		if f.Outcome != report.Holds || x.Decided {
			v.Open = append(v.Open, x)
			continue
		}
		if held++; held > maxHeld {
			continue
		}
		at := slices.IndexFunc(v.Held, func(h heldView) bool { return h.Claim == f.Claim })
		if at < 0 {
			at = len(v.Held)
			v.Held = append(v.Held, heldView{Claim: f.Claim})
		}
		h := &v.Held[at]
		h.Findings, h.n = append(h.Findings, x), h.n+1
		h.N = count(h.n)
	}
	v.HeldN = plural(int64(held), "finding")
	if held > maxHeld {
		v.Cut = count(int64(held - maxHeld))
	}
	slices.SortStableFunc(v.Open, func(a, b findingView) int {
		if a.Decided != b.Decided {
			return map[bool]int{true: -1, false: 1}[a.Decided]
		}
		return opens[a.Outcome] - opens[b.Outcome]
	})
	return v
}

func newFindingView(r *report.Report, f report.Finding) findingView {
	q := quantityOf(f.Unit, f.Value)
	return findingView{
		Claim: f.Claim, List: f.List, Outcome: f.Outcome, Subject: f.Subject, Metric: f.Metric,
		Value: q.value(f.Value), Interval: q.interval(f.Low, f.High), Bound: q.write(f.Bound), Visible: q.write(f.Visible),
		N: count(f.N), P: probability(f.P), Adjusted: probability(f.Adjusted), Sentence: f.Sentence, Plain: plainly(r, f),
	}
}
