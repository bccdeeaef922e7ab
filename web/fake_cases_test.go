package web

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/holdout"
	"proctor/regress"
)

// cases is a run's cases of two tests: words that must be known and words that change.
// s is all text that others can fill in.
func cases(r *report.Report, s string) harness.CasesView {
	quote := func(x string) string { return `"` + strings.ReplaceAll(x, `"`, `""`) + `"` }
	var mft, inv strings.Builder
	mft.WriteString("age,work,expect\n")
	inv.WriteString("age,work\n")
	for i := range 60 {
		fmt.Fprintf(&mft, "%d,%s,>50K\n", 20+i, quote(fmt.Sprintf("the %d words of %s here", i, s)))
		fmt.Fprintf(&inv, "%d,%s\n", 20+i, quote(fmt.Sprintf("a man %d of %s", i, s)))
	}
	const yaml = "suite: words\ntests:\n  - {name: plain, kind: MFT, capability: sense, cases: m.csv}\n  - {name: same, kind: INV, capability: fairness, carriers: i.csv, replace: {work: {man: woman}}}\n"
	suite, err := regress.Load(fstest.MapFS{"s.yaml": {Data: []byte(yaml)}, "m.csv": {Data: []byte(mft.String())}, "i.csv": {Data: []byte(inv.String())}}, "s.yaml")
	if err != nil {
		panic(err)
	}
	c := &report.Cases{Format: report.CasesFormat, Classes: []string{"<=50K", ">50K"}}
	sc := report.SuiteCases{Name: suite.Name, Digest: suite.Digest()}
	for i := range suite.Tests {
		t := &suite.Tests[i]
		o := report.TestCases{Name: t.Name}
		for k := range t.Len() {
			o.Baseline += string("ppfpppfpppp"[k%11])
			o.Candidate += string("pfpppffpppn"[k%11])
		}
		for k := range t.Examples.Len() {
			o.Before, o.After = append(o.Before, int32(k%2)), append(o.After, int32(k%3)-1)
		}
		if r.Baseline == nil {
			o.Baseline, o.Before = "", nil
		}
		sc.Tests = append(sc.Tests, o)
	}
	c.Suites = []report.SuiteCases{sc}
	return harness.CasesView{Report: r, Digest: digestOf("r"), Cases: c, Suites: []*regress.Suite{suite}}
}

func (f *fake) Cases(ctx context.Context, p access.Principal, id string) (harness.CasesView, error) {
	v, err := f.Report(ctx, p, id)
	if err != nil {
		return harness.CasesView{}, err
	}
	return cases(v.Report, "people"), nil
}

func (f *fake) Fresh(context.Context, string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fresh, f.fail
}

func (f *fake) ActiveHoldouts(_ context.Context, p access.Principal) ([]holdout.Commitment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "ActiveHoldouts"); err != nil {
		return nil, err
	}
	return []holdout.Commitment{census()}, access.Check(p, access.SeeChanges, access.Object{})
}

func (f *fake) Lineage(ctx context.Context, p access.Principal, id string) (harness.LineageView, error) {
	if _, err := f.Report(ctx, p, id); err != nil {
		return harness.LineageView{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := harness.Terms{Policy: "p", Harness: "h", Tier: "jail"}
	v := harness.LineageView{Now: now, Before: &now, BeforeID: firstID, Holders: []harness.Standing{{Name: "rae", Roles: []access.Role{access.Reviewer}}}}
	for _, r := range f.runs {
		v.Runs = append(v.Runs, harness.LineageRun{ID: r.ID, Candidate: r.Candidate, State: r.State, Result: r.Result, Reason: r.Reason, Submitted: r.Submitted})
	}
	return v, nil
}
