package harness

import (
	"context"
	"errors"

	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/web/api"
)

// A ReportView is a report with what the page shows around it. Bytes have Digest.
type ReportView struct {
	Digest string
	Bytes  []byte
	Report *report.Report
	Run    RunView
}

// A RunView is what a reviewer sees of a run besides its report.
type RunView struct {
	ID            string
	SubmittedBy   string // account
	Submitted     string // RFC 3339
	Ended         string
	BudgetRuns    int // runs that the policy allows on its sealed sets
	BudgetLeft    int
	ReviewsNeeded int // people that the policy asks for
	Reviews       []ReviewView
	Deployed      string // run of the lineage's deployed model today, "": none
	PlanIndex     int64  // leaves of the log; -1: none
	EvidenceIndex int64
	ApprovalIndex int64
	Evidence      string // "sha256:<hex>" of the signed statement; "": none
	Approval      string
	Harness       string // digest of the program that ran it
	Service       string // URI of this service
}

// A ReviewView is one review, in time order.
type ReviewView struct {
	By      string // account
	Approve bool
	Reason  string
	Report  string // digest of the report that was shown
	At      string // RFC 3339
}

// Report returns the diff report of a run that has a verdict. The bytes are those
// that the logged verdict names, or there is no report.
func (s *Service) Report(ctx context.Context, p access.Principal, id string) (ReportView, error) {
	var v ReportView
	var r store.Run
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if r, err = s.visible(tx, p, id, access.SeeReport); err != nil {
			return err
		}
		if r.State != store.Done {
			return refuse(Conflict, "the run has no verdict: it is %s", r.State)
		}
		env, e, err := s.loggedEvidence(tx, r)
		if err != nil {
			return err
		}
		v.Run, err = s.runView(tx, r, env, e)
		return err
	})
	if err != nil {
		return ReportView{}, err
	}
	v.Digest = r.Report
	if v.Bytes, v.Report, err = s.storedReport(ctx, r); err != nil {
		return ReportView{}, err
	}
	return v, nil
}

func (s *Service) runView(tx *store.Tx, r store.Run, evidence *verdict.Envelope, e *verdict.Evidence) (RunView, error) {
	f, err := s.plannedForce(tx, r, e)
	if err != nil {
		return RunView{}, err
	}
	v := RunView{
		ID: r.ID, SubmittedBy: r.SubmittedBy, Submitted: r.Submitted, Ended: r.Ended,
		BudgetRuns: e.Budget, ReviewsNeeded: reviewers(f),
		PlanIndex: e.Plan, EvidenceIndex: r.Evidence, ApprovalIndex: r.Approval, Harness: e.Run.Harness, Service: e.Run.Verifier,
	}
	if v.BudgetLeft, err = s.budgetLeft(tx, r.Lineage); err != nil {
		return v, err
	}
	l, err := tx.Lineage(r.Lineage)
	if err != nil {
		return v, err
	}
	v.Deployed = l.Baseline
	v.Evidence = evidence.Digest()
	if r.Approval >= 0 {
		env, err := s.envelope(tx, r.Approval)
		if err != nil {
			return v, err
		}
		v.Approval = env.Digest()
	}
	past, err := s.loggedReviews(tx, r, evidence)
	for _, x := range past {
		v.Reviews = append(v.Reviews, ReviewView{By: x.By, Approve: x.Decision == "approve", Reason: x.Reason, Report: x.Report, At: x.At})
	}
	return v, err
}

// Bundle returns a signed statement of a run, "evidence" or "approval", as a
// sigstore bundle with its proof in the log's newest tree.
//
// Evidence holds every number of the verdict, so that a submitter cannot have it.
func (s *Service) Bundle(ctx context.Context, p access.Principal, id, which string) ([]byte, error) {
	action := access.SeeReport
	if which == "approval" {
		action = access.SeeBundle
	}
	var env *verdict.Envelope
	var at int64
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id, action)
		if err != nil {
			return err
		}
		index := map[string]int64{"evidence": r.Evidence, "approval": r.Approval}
		var ok bool
		if at, ok = index[which]; !ok || at < 0 {
			return refuse(Missing, "the run has no %q", which)
		}
		if _, _, err := s.loggedEvidence(tx, r); err != nil {
			return err
		}
		env, err = s.envelope(tx, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	proof, err := s.prove(ctx, at)
	if err != nil {
		return nil, err
	}
	return verdict.Bundle(env, verdict.Proof(proof), s.LogKey)
}

// Holdout returns the public side of the active version of a holdout.
func (s *Service) Holdout(ctx context.Context, p access.Principal, name string) (holdout.Commitment, error) {
	var c holdout.Commitment
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return c, err
	}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		d, err := tx.Active("holdout", name)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(Missing, "no version of holdout %q is active", name)
		}
		if err != nil {
			return err
		}
		c, _, err = commitment(tx, d.Digest)
		return err
	})
	return c, err
}

// Trust returns what verifiers pin.
func (s *Service) Trust() (api.Trust, error) {
	t := api.Trust{Log: s.LogKey}
	var err error
	if t.Evidence, err = verdict.PublicPEM(s.Evidence.Public()); err != nil {
		return t, err
	}
	if t.Approve, err = verdict.PublicPEM(s.Approve.Public()); err != nil {
		return t, err
	}
	t.Retired = s.Retired
	for _, p := range s.Witnesses {
		t.Witnesses = append(t.Witnesses, p.Key.Key())
	}
	root, err := verdict.TrustedRoot(s.LogKey, s.LogBegan)
	t.Root = string(root)
	return t, err
}
