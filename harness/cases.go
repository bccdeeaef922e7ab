package harness

import (
	"context"
	"errors"
	"fmt"

	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/harness/store"
	"proctor/holdout/blob"
	"proctor/regress"
)

// keepCases stores what each case of the run's suites came to, beside the report that
// will name it. It returns nil where the policy names no suite.
func (t *task) keepCases(ctx context.Context, p *paper, f *frames) (*report.CaseFile, error) {
	if len(p.suites) == 0 {
		return nil, nil
	}
	c := &report.Cases{Format: report.CasesFormat, Classes: p.set.Classes}
	n := 0
	for i, s := range p.suites {
		c.Suites = append(c.Suites, suiteCases(p, f, i))
		n += s.Cases()
	}
	b, digest, err := report.EncodeCases(c)
	if err != nil {
		return nil, err
	}
	ref, err := t.s.Blobs.Put(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("store the cases: %w", err)
	}
	if string(ref) != digest {
		return nil, fmt.Errorf("the store calls the cases %s, their digest is %s", ref, digest)
	}
	return &report.CaseFile{Digest: digest, Cases: int64(n)}, nil
}

func suiteCases(p *paper, f *frames, suite int) report.SuiteCases {
	s := p.suites[suite]
	out := report.SuiteCases{Name: s.Name, Digest: s.Digest()}
	after := p.part(partSuites+suite, f.said).Labels
	var before []int32
	if f.before != nil {
		before = p.part(partSuites+suite, f.saidBefore).Labels
	}
	at := 0
	for i := range s.Tests {
		end := at + s.Tests[i].Examples.Len()
		t := report.TestCases{Name: s.Tests[i].Name, Candidate: letters(f.judged[suite].Outcomes(i)), After: after[at:end:end]}
		if f.before != nil {
			t.Baseline, t.Before = letters(f.before[suite].Outcomes(i)), before[at:end:end]
		}
		out.Tests = append(out.Tests, t)
		at = end
	}
	return out
}

// letters writes a letter for each outcome: p, f or n.
func letters(list []regress.Outcome) string {
	b := make([]byte, len(list))
	for i, o := range list {
		switch o {
		case regress.Passed:
			b[i] = 'p'
		case regress.NotApplicable:
			b[i] = 'n'
		default:
			b[i] = 'f' // what nobody judged has not passed
		}
	}
	return string(b)
}

func (s *Service) storedCases(ctx context.Context, digest string) (*report.Cases, error) {
	b, err := s.Blobs.Get(ctx, blob.Ref(digest))
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return report.DecodeCases(b, digest)
}

// A CasesView is the cases of a run with the suites that they are of, in the same
// order, and the report that names them. Both were checked against their digests.
type CasesView struct {
	Report *report.Report
	Digest string // of the report
	Cases  *report.Cases
	Suites []*regress.Suite
}

// Cases returns what each case of a run's suites came to. Suites are no secret of the
// set: whoever may see the report may see them whole.
func (s *Service) Cases(ctx context.Context, p access.Principal, id string) (CasesView, error) {
	v, err := s.Report(ctx, p, id)
	if err != nil {
		return CasesView{}, err
	}
	out := CasesView{Report: v.Report, Digest: v.Digest}
	if v.Report.Cases == nil {
		return out, refuse(Missing, "the run has no cases: its policy names no suite, or it was judged before cases were kept")
	}
	if out.Cases, err = s.storedCases(ctx, v.Report.Cases.Digest); err != nil {
		return out, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		for _, c := range out.Cases.Suites {
			d, err := tx.Document(c.Digest)
			if err != nil {
				return fmt.Errorf("suite %s: %w", c.Name, err)
			}
			suite, err := regress.Decode(d.Body)
			if err != nil {
				return fmt.Errorf("suite %s: %w", c.Name, err)
			}
			if err := sameCases(suite, c); err != nil {
				return err
			}
			out.Suites = append(out.Suites, suite)
		}
		return nil
	})
	return out, err
}

// sameCases refuses outcomes that are not those of a suite.
func sameCases(s *regress.Suite, c report.SuiteCases) error {
	if s.Digest() != c.Digest || len(s.Tests) != len(c.Tests) {
		return fmt.Errorf("the outcomes of %s are those of another suite", c.Name)
	}
	for i := range s.Tests {
		t, o := &s.Tests[i], c.Tests[i]
		if t.Name != o.Name || t.Len() != len(o.Candidate) || t.Examples.Len() != len(o.After) {
			return errors.New("the outcomes of " + c.Name + "/" + t.Name + " are those of other cases")
		}
	}
	return nil
}
