package web

import (
	"cmp"
	"slices"

	"proctor/harness/report"
)

type findingView struct {
	Claim, List, Outcome, Subject, Metric string
	Value, Interval, Bound, Visible       string
	N, P, Adjusted                        string
	Sentence                              string
	Decided                               bool
}

var outcomeRank = map[string]int{report.Violated: 0, report.Undecided: 1, report.NotApplicable: 2, report.Holds: 3}

// findings lists what was found: the one that decided first, then the broken
// claims, the undecided, the rest, each in the report's order. An outcome that
// this page does not know stands with the broken ones.
func findings(r *report.Report) []findingView {
	out := make([]findingView, 0, len(r.Decision.Findings))
	for i, f := range r.Decision.Findings {
		q := quantityOf(f.Unit, f.Value)
		out = append(out, findingView{
			Claim: f.Claim, List: f.List, Outcome: f.Outcome, Subject: f.Subject, Metric: f.Metric,
			Value: q.value(f.Value), Interval: q.interval(f.Low, f.High), Bound: q.write(f.Bound), Visible: q.write(f.Visible),
			N: count(f.N), P: probability(f.P), Adjusted: probability(f.Adjusted), Sentence: f.Sentence,
			Decided: i == r.Decision.Decided && r.Decision.Result != report.Pass,
		})
	}
	slices.SortStableFunc(out, func(a, b findingView) int {
		if a.Decided != b.Decided {
			if a.Decided {
				return -1
			}
			return 1
		}
		return cmp.Compare(outcomeRank[a.Outcome], outcomeRank[b.Outcome])
	})
	return out
}
