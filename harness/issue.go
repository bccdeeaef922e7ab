package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout/blob"
	"proctor/web/api"
)

// issue stores the report, signs the evidence that names it, and logs it together
// with the run's result. A PASS that needs no review is approved in the same step.
func (t *task) issue(ctx context.Context, r *report.Report, a *replies, kept *store.Predictions) error {
	b, digest, err := report.Encode(r)
	if err != nil {
		return err
	}
	ref, err := t.s.Blobs.Put(ctx, b)
	if err != nil {
		return fmt.Errorf("store the report: %w", err)
	}
	if string(ref) != digest {
		return fmt.Errorf("the store calls the report %s, its digest is %s", ref, digest)
	}
	return t.s.update(ctx, func(tx *store.Tx, log *appender) error {
		e := t.statement(r, digest, a)
		revoked, err := t.s.recalled(tx, e, nil, 0) // while it ran
		if err != nil {
			return err
		}
		index, env, err := log.add(e, t.s.Evidence)
		if err != nil {
			return err
		}
		t.run.Result, t.run.Reason, t.run.Sentence = r.Decision.Result, coarse(r.Decision), r.Decision.Sentence
		t.run.Report, t.run.Evidence = digest, index
		if err := tx.Finish(t.run); err != nil {
			return err
		}
		if kept != nil {
			if err := tx.KeepPredictions(*kept); err != nil {
				return err
			}
		}
		if r.Decision.Result != report.Pass || reviewers(t.force) > 0 || revoked != "" {
			return nil
		}
		return t.s.approve(tx, log, t.run, env, t.force.policy)
	})
}

func (t *task) statement(r *report.Report, digest string, a *replies) *verdict.Evidence {
	e := &verdict.Evidence{
		Run: t.s.runOf(t.run), Inputs: t.force.inputs(t.run), Plan: t.plan.Index, Seed: t.run.Seed,
		Tier: a.facts.Tier, Binding: r.Binding, Code: a.code, Attempt: r.Attempt, Budget: t.force.policy.BudgetRuns,
		Result: r.Decision.Result, Sentence: r.Decision.Sentence, Report: digest, NotCovered: r.Decision.NotCovered, At: t.s.stamp(),
	}
	if r.Package != nil {
		e.Attestations = inputAttestations(r.Package)
		if tr := r.Package.Training; tr != nil {
			e.TrainingChanges = tr.Changes
		}
	}
	if r.Planted != nil {
		e.Planted = r.Planted.Sentence
	}
	if r.Candidate.Runtime != nil {
		e.Runtime = &verdict.Runtime{Name: r.Candidate.Runtime.Name, Digest: r.Candidate.Runtime.Digest}
	}
	for _, f := range r.Decision.Findings {
		e.Findings = append(e.Findings, verdict.Finding(f))
	}
	return e
}

// reviewers returns how many people must approve a PASS.
func reviewers(f *force) int {
	if f.baseline == nil && f.policy.FirstModel != nil {
		return max(f.policy.FirstModel.People, f.policy.Review.People)
	}
	return f.policy.Review.People
}

// approve signs and logs the approval of a run that passed.
func (s *Service) approve(tx *store.Tx, log *appender, r store.Run, evidence *verdict.Envelope, pol *policy.Policy) error {
	a, err := verdict.NewApproval(evidence, s.Gate(r.Lineage), s.Name+"/policies/"+pol.Name, s.Now().UTC(), pol.ValidDays)
	if err != nil {
		return err
	}
	index, _, err := log.add(a, s.Approve)
	if err != nil {
		return err
	}
	return tx.SetApproval(r.ID, index)
}

// Gate returns the URI of a lineage's release gate, which approvals are made for.
func (s *Service) Gate(lineage string) string { return s.Name + "/lineages/" + lineage }

const maxReason = 2000

// Review records a person's decision about a PASS, on the report that was shown.
// With the last approval that the policy asks for, the PASS is approved; one
// refusal keeps it from being approved for good.
func (s *Service) Review(ctx context.Context, p access.Principal, id string, rev api.Review) (api.Submission, error) {
	rev.Reason = strings.TrimSpace(rev.Reason)
	if rev.Reason == "" || len(rev.Reason) > maxReason {
		return api.Submission{}, refuse(Usage, "a review has a reason of 1 to %d characters", maxReason)
	}
	var view api.Submission
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		r, err := s.visible(tx, p, id, access.Review)
		if err != nil {
			return err
		}
		if err := s.review(tx, log, p, r, rev); err != nil {
			return err
		}
		if r, err = tx.Run(id); err != nil {
			return err
		}
		view, err = s.submissionView(tx, r)
		return err
	})
	return view, err
}

func (s *Service) review(tx *store.Tx, log *appender, p access.Principal, r store.Run, rev api.Review) error {
	switch {
	case r.State != store.Done || r.Result != report.Pass:
		return refuse(Conflict, "only a PASS is reviewed")
	case r.Approval >= 0:
		return refuse(Conflict, "the run is approved already")
	case rev.Report != r.Report:
		return refuse(Conflict, "this is not the digest of the verdict's report: you read another one; open it again")
	}
	evidence, e, err := s.loggedEvidence(tx, r)
	if err != nil {
		return err
	}
	if why, err := s.recalled(tx, e, evidence, r.Evidence); err != nil || why != "" {
		return orConflict(err, why)
	}
	if why, err := s.signs(tx); err != nil || why != "" {
		return orConflict(err, why)
	}
	if err := s.heeds(tx, p); err != nil {
		return err
	}
	f, err := s.plannedForce(tx, r, e)
	if err != nil {
		return err
	}
	past, err := s.loggedReviews(tx, r, evidence)
	if err != nil {
		return err
	}
	for _, x := range past {
		switch {
		case x.Decision != "approve":
			return refuse(Conflict, "a reviewer has refused the run")
		case x.Person == p.Person:
			return refuse(Conflict, "%s has reviewed the run already", p.Person)
		}
	}
	decision := "refuse"
	if rev.Approve {
		decision = "approve"
	}
	if err := tx.AddReview(store.Review{Run: r.ID, Person: p.Person, By: p.ID, Decision: decision, Reason: rev.Reason, Report: r.Report}); err != nil {
		return err
	}
	if _, _, err := log.add(&verdict.Review{
		Run: s.runOf(r), Candidate: modelRef(r), Evidence: evidence.Digest(), Report: r.Report,
		Decision: decision, By: p.ID, Person: p.Person, Reason: rev.Reason, At: s.stamp(),
	}, s.Evidence); err != nil {
		return err
	}
	if !rev.Approve || len(past)+1 < reviewers(f) {
		return nil
	}
	return s.approve(tx, log, r, evidence, f.policy)
}

// awaiting returns how many people must still approve a PASS; -1: one has refused.
func (s *Service) awaiting(tx *store.Tx, r store.Run, f *force, evidence *verdict.Envelope) (int, error) {
	past, err := s.loggedReviews(tx, r, evidence)
	if err != nil {
		return 0, err
	}
	for _, x := range past {
		if x.Decision != "approve" {
			return -1, nil
		}
	}
	return max(reviewers(f)-len(past), 0), nil
}

// loggedReviews returns the reviews of a run, oldest first, as they were signed. It
// refuses records that say something else: a row in the database is nobody's word.
func (s *Service) loggedReviews(tx *store.Tx, r store.Run, evidence *verdict.Envelope) ([]*verdict.Review, error) {
	var out []*verdict.Review
	if err := s.follow(tx, func(l *standing) error { out = slices.Clone(l.reviews[evidence.Digest()]); return nil }); err != nil {
		return nil, err
	}
	records, err := tx.Reviews(r.ID)
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	for _, v := range out {
		said[v.Person] = v.Decision
	}
	for _, x := range records {
		if said[x.Person] != x.Decision {
			return nil, fmt.Errorf("the record of run %s has a review by %s that is not in the log", r.ID, x.Person)
		}
	}
	if len(records) != len(out) {
		return nil, fmt.Errorf("the record of run %s has %d reviews, the log %d", r.ID, len(records), len(out))
	}
	return out, nil
}

// storedReport reads a run's report, only if its bytes are those that the logged
// verdict names.
func (s *Service) storedReport(ctx context.Context, r store.Run) ([]byte, *report.Report, error) {
	b, err := s.Blobs.Get(ctx, blob.Ref(r.Report))
	if err != nil {
		return nil, nil, fmt.Errorf("report of run %s: %w", r.ID, err)
	}
	rep, err := report.Decode(b, r.Report)
	if err != nil {
		return nil, nil, fmt.Errorf("report of run %s: %w", r.ID, err)
	}
	return b, rep, nil
}

// loggedEvidence returns the signed evidence of a run, and refuses a record that
// says something else than the log.
func (s *Service) loggedEvidence(tx *store.Tx, r store.Run) (*verdict.Envelope, *verdict.Evidence, error) {
	env, err := s.envelope(tx, r.Evidence)
	if err != nil {
		return nil, nil, err
	}
	e, ok := env.Statement().(*verdict.Evidence)
	switch {
	case !ok || r.State != store.Done:
		return nil, nil, fmt.Errorf("log entry %d is not the evidence of run %s", r.Evidence, r.ID)
	case e.Run.ID != r.ID || e.Report != r.Report || e.Result != r.Result || e.Inputs.Candidate.Digest != r.Package:
		return nil, nil, fmt.Errorf("the record of run %s is not what log entry %d says", r.ID, r.Evidence)
	}
	plan, err := s.envelope(tx, e.Plan)
	if err != nil {
		return nil, nil, err
	}
	if p, ok := plan.Statement().(*verdict.Plan); !ok || p.Run.ID != r.ID || !submittedBy(p, r) {
		return nil, nil, fmt.Errorf("the record of run %s is not what its plan, log entry %d, says", r.ID, e.Plan)
	}
	if r.Approval < 0 {
		return env, e, nil
	}
	approval, err := s.envelope(tx, r.Approval)
	if err != nil {
		return nil, nil, err
	}
	if a, ok := approval.Statement().(*verdict.Approval); !ok || a.EvidenceDigest() != env.Digest() {
		return nil, nil, fmt.Errorf("log entry %d is not the approval of run %s", r.Approval, r.ID)
	}
	return env, e, nil
}

// better says whether the run's model is more often right than the anchor's, on
// the same set. Models that sat other exams are not compared: the newer one is
// taken, for the older set has rotated. It reads reports: call it outside of updates.
func (s *Service) better(ctx context.Context, anchor, run string) (bool, error) {
	if anchor == "" {
		return true, nil
	}
	var accuracy [2]float64
	var sets [2]string
	for i, id := range []string{anchor, run} {
		var r store.Run
		err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
			if r, err = tx.Run(id); err != nil {
				return fmt.Errorf("run %s: %w", id, err)
			}
			_, _, err = s.loggedEvidence(tx, r)
			return err
		})
		if err != nil {
			return false, err
		}
		_, rep, err := s.storedReport(ctx, r)
		if err != nil {
			return false, err
		}
		v := candidateAccuracy(rep)
		if v == nil || len(rep.Holdouts) == 0 {
			return false, errors.New("the report of run " + id + " has no accuracy")
		}
		accuracy[i], sets[i] = *v, rep.Holdouts[0].Digest
	}
	return sets[0] != sets[1] || accuracy[1] > accuracy[0], nil
}

func candidateAccuracy(r *report.Report) *float64 {
	for _, m := range r.Metrics {
		if m.Name == "accuracy" {
			return m.Candidate.Value
		}
	}
	return nil
}
