package harness

import (
	"context"
	"slices"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
)

// A LineageView is what surrounds a run: what its lineage did before, under what, and
// who can change it. All of a verdict comes from its logged evidence.
type LineageView struct {
	Runs     []LineageRun // newest first, at most lineageRuns
	Now      Terms        // of the run
	Before   *Terms       // of the run with a verdict before it; nil: there was none
	BeforeID string
	Deployed string     // package of the model deployed today, "": none
	Holders  []Standing // accounts in force today, by name
}

// A LineageRun is one run of a lineage in a line.
type LineageRun struct{ ID, Candidate, State, Result, Reason, Submitted string }

// Terms are what defines an evaluation: two verdicts compare where all are equal.
type Terms struct {
	Policy, Baseline, Harness, Tier string // digests, and the tier that was reached
	Holdouts, Suites                []string
}

// A Standing is an account with its roles.
type Standing struct {
	Name  string
	Roles []access.Role
}

const lineageRuns = 20

// Lineage returns what surrounds a run that has a verdict. It reads no report.
func (s *Service) Lineage(ctx context.Context, p access.Principal, id string) (LineageView, error) {
	var v LineageView
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id, access.SeeReport)
		if err != nil {
			return err
		}
		_, e, err := s.loggedEvidence(tx, r)
		if err != nil {
			return err
		}
		v.Now = termsOf(e)
		l, err := tx.Lineage(r.Lineage)
		if err != nil {
			return err
		}
		if l.Baseline != "" {
			d, err := tx.Run(l.Baseline)
			if err != nil {
				return err
			}
			v.Deployed = d.Package
		}
		if err := s.past(tx, r, &v); err != nil {
			return err
		}
		return s.follow(tx, func(h *standing) error {
			for _, a := range h.accounts() {
				v.Holders = append(v.Holders, Standing{a.ID, slices.Clone(a.Roles)})
			}
			return nil
		})
	})
	return v, err
}

// past lists the lineage's runs, and finds the verdict before that of r.
func (s *Service) past(tx *store.Tx, r store.Run, v *LineageView) error {
	list, err := tx.FindRuns(store.RunFilter{Lineage: r.Lineage, Limit: lineageRuns})
	if err != nil {
		return err
	}
	v.Runs = make([]LineageRun, 0, len(list))
	for _, x := range list {
		v.Runs = append(v.Runs, LineageRun{x.ID, x.PackageName, x.State, x.Result, x.Reason, x.Submitted})
	}
	older, err := tx.FindRuns(store.RunFilter{Lineage: r.Lineage, State: store.Done, Before: r.ID, Limit: 1})
	if err != nil || len(older) == 0 {
		return err
	}
	_, e, err := s.loggedEvidence(tx, older[0])
	if err != nil {
		return err
	}
	t := termsOf(e)
	v.Before, v.BeforeID = &t, older[0].ID
	return nil
}

func termsOf(e *verdict.Evidence) Terms {
	t := Terms{Policy: e.Inputs.Policy.Digest, Harness: e.Run.Harness, Tier: e.Tier}
	if e.Inputs.Baseline != nil {
		t.Baseline = e.Inputs.Baseline.Digest
	}
	for _, h := range e.Inputs.Holdouts {
		t.Holdouts = append(t.Holdouts, h.Digest)
	}
	for _, x := range e.Inputs.Suites {
		t.Suites = append(t.Suites, x.Digest)
	}
	return t
}
