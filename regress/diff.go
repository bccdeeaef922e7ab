package regress

import (
	"errors"
	"fmt"

	"proctor/metrics"
)

// A TestDiff pairs two models on one test.
//
// Everything but Cases is counted over the cases that are applicable to both
// models: a case that only one of them was asked says nothing about a change.
type TestDiff struct {
	Suite           string
	Test            *Test
	Cases           int64 // declared
	NotApplicable   int64 // to one model or to both; Cases - NotApplicable = Cells.N()
	BaselineFailed  int64
	CandidateFailed int64
	// Cells: Broke passed under the baseline only, Fixed under the candidate only;
	// SameWrong failed under both, OtherWrong is 0.
	Cells metrics.Cells
}

// A Diff is what changed from a baseline to a candidate. [Compare] makes one; it
// needs both frames until it is no longer used.
type Diff struct {
	Pair  *metrics.Pair // rows of the holdout
	Tests []TestDiff    // suites in the policy's order, tests in their suite's

	baseline, candidate *metrics.Frame
}

// Compare pairs two models over the same rows and the same cases. bs and cs hold
// the outcomes of baseline and candidate on the same suites in the same order.
//
// Every case is counted again. Judge leaves none out, and whoever changes that
// one day finds an error here, not a test that looks better than it is.
func Compare(baseline, candidate *metrics.Frame, bs, cs []*Judged) (*Diff, error) {
	pair, err := metrics.NewPair(baseline, candidate)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if len(bs) != len(cs) {
		return nil, fmt.Errorf("compare: the baseline was judged on %d suites, the candidate on %d", len(bs), len(cs))
	}
	d := &Diff{Pair: pair, baseline: baseline, candidate: candidate}
	for i := range bs {
		if err := sameSuite(bs[i], cs[i]); err != nil {
			return nil, fmt.Errorf("compare: suite %d: %w", i+1, err)
		}
		s := bs[i].suite
		for k := range s.Tests {
			d.Tests = append(d.Tests, diffTest(s, k, bs[i].outcomes[k], cs[i].outcomes[k]))
		}
	}
	return d, nil
}

// sameSuite says why outcomes cannot be paired: other cases, or not all of them.
func sameSuite(b, c *Judged) error {
	for _, j := range []*Judged{b, c} {
		if err := j.complete(); err != nil {
			return err
		}
	}
	if b.suite != c.suite && b.suite.Digest() != c.suite.Digest() {
		return fmt.Errorf("the baseline was judged on %s %s, the candidate on %s %s", b.suite.Name, b.suite.Digest(), c.suite.Name, c.suite.Digest())
	}
	return nil
}

// complete counts the outcomes against the declared cases.
func (j *Judged) complete() error {
	if j == nil || j.suite == nil {
		return errors.New("it was not judged")
	}
	s := j.suite
	if len(j.outcomes) != len(s.Tests) {
		return fmt.Errorf("%s declares %d tests, %d were judged", s.Name, len(s.Tests), len(j.outcomes))
	}
	for i, out := range j.outcomes {
		if want := s.Tests[i].Len(); len(out) != want {
			return fmt.Errorf("%s, test %s: %d cases are declared, %d were judged", s.Name, s.Tests[i].Name, want, len(out))
		}
		for c, o := range out {
			if o != Passed && o != Failed && o != NotApplicable {
				return fmt.Errorf("%s: case %s was not judged", s.Name, s.Tests[i].CaseID(c))
			}
		}
	}
	return j.readOnce()
}

func diffTest(s *Suite, test int, b, c []Outcome) TestDiff {
	d := TestDiff{Suite: s.Name, Test: &s.Tests[test], Cases: int64(len(b))}
	for i := range b {
		switch {
		case b[i] == NotApplicable || c[i] == NotApplicable:
			d.NotApplicable++
		case b[i] == Passed && c[i] == Passed:
			d.Cells.BothRight++
		case b[i] == Passed:
			d.Cells.Broke++
		case c[i] == Passed:
			d.Cells.Fixed++
		default:
			d.Cells.SameWrong++
		}
	}
	d.BaselineFailed = d.Cells.Fixed + d.Cells.SameWrong
	d.CandidateFailed = d.Cells.Broke + d.Cells.SameWrong
	return d
}
