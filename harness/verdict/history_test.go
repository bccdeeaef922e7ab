package verdict_test

import (
	"strings"
	"testing"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// What was signed once says nothing a second time: a copy of an activation, and an
// approval after a refusal, are refused; without the first of each they are allowed.
func TestHistory(t *testing.T) {
	w := verdicttest.New(t)
	e := verdicttest.Passed(verdicttest.Digest("1"))
	plan, _ := w.Issue(t, &verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At})
	e.Plan = 1
	change, _ := w.Issue(t, &verdict.Change{ID: "c1", Verifier: e.Run.Verifier, Action: "activated", Kind: "policy", Document: e.Inputs.Policy, By: "pavel", Person: "Pavel", At: e.At})
	evidence, _ := w.Issue(t, e)
	refusal, _ := w.Issue(t, &verdict.Review{Run: e.Run, Candidate: e.Inputs.Candidate, Evidence: evidence.Digest(), Report: e.Report, Decision: "refuse", By: "rae", Person: "Rae", Reason: "r", At: e.At})
	approval, _ := w.Issue(t, w.Approval(t, evidence))
	for _, c := range []struct {
		entries []*verdict.Envelope
		want    string // of the last entry; "": it is taken
	}{
		{[]*verdict.Envelope{change, plan, evidence, approval}, ""},
		{[]*verdict.Envelope{change, plan, evidence, refusal, approval}, "a reviewer had refused"},
		{[]*verdict.Envelope{change, plan, evidence, change}, "activated twice"},
	} {
		var h verdict.History
		for i, env := range c.entries {
			err := h.Add(int64(i), env)
			if last := i == len(c.entries)-1; !last && err != nil || last && (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("entry %d of %d: %v, want %q", i, len(c.entries), err, c.want)
			}
		}
	}
}
