package practice

import (
	"errors"
	"fmt"
	"math"

	"proctor/harness/spell"
	"proctor/holdout/rows"
)

// countColumns of a table of counts; capability, kind and critical may be left out.
var countColumns = []string{"test", "baseline_cases", "baseline_failed", "candidate_cases", "candidate_failed"}

// FromCounts judges a table of published counts, one test a row:
//
//	test,capability,kind,baseline_cases,baseline_failed,candidate_cases,candidate_failed
//	Q & A: yes,SRL,MFT,7644,858,7644,2262
//
// The cases are not paired, for nobody knows which of them failed.
func FromCounts(t rows.Table, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if t.Len() == 0 {
		return nil, errors.New("the table of counts has no rows")
	}
	known := append([]string{"capability", "kind"}, countColumns...)
	for _, f := range t.Fields() {
		found := false
		for _, k := range known {
			found = found || k == f.Name
		}
		if !found {
			return nil, fmt.Errorf("column %.40q is not known%s", f.Name, spell.Suggest(f.Name, known))
		}
	}
	r := &Result{Baseline: true, Options: o, Tests: make([]Test, t.Len())}
	names := map[string]bool{}
	for i := range r.Tests {
		var err error
		if r.Tests[i], err = countRow(t, i); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		if names[r.Tests[i].Name] {
			return nil, fmt.Errorf("row %d: test %.60q is there twice", i+1, r.Tests[i].Name)
		}
		names[r.Tests[i].Name] = true
	}
	if err := weigh(r.Tests, false, o); err != nil {
		return nil, err
	}
	for i := range r.Tests {
		r.Pooled.add(&r.Tests[i])
	}
	r.decide()
	return r, nil
}

func countRow(t rows.Table, i int) (Test, error) {
	var out Test
	out.Name, out.Capability, out.Kind = textAt(t, "test", i), textAt(t, "capability", i), textAt(t, "kind", i)
	if out.Name == "" {
		return out, errors.New("the test has no name")
	}
	for k, into := range []*int64{&out.BaselineCases, &out.BaselineFailed, &out.CandidateCases, &out.CandidateFailed} {
		name := countColumns[k+1]
		c, ok := t.Column(name)
		if !ok || !c.IsNumber() {
			return out, fmt.Errorf("column %s holds no counts", name)
		}
		v := c.Floats[i]
		if v != math.Trunc(v) || v < 0 || v > 1e9 {
			return out, fmt.Errorf("column %s: %v is no count", name, v)
		}
		*into = int64(v)
	}
	if out.BaselineFailed > out.BaselineCases || out.CandidateFailed > out.CandidateCases {
		return out, errors.New("more cases failed than there were")
	}
	out.Cases = max(out.BaselineCases, out.CandidateCases)
	return out, nil
}

// textAt is the text of a column, "" where there is none.
func textAt(t rows.Table, name string, i int) string {
	if c, ok := t.Column(name); ok && !c.IsNumber() {
		return c.Strings[i]
	}
	return ""
}
