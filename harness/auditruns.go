package harness

import (
	"context"
	"slices"
	"strings"

	"proctor/harness/store"
)

// runs compares each run's record, its report and its charges with the log.
func (a *auditor) runs(ctx context.Context, tx *store.Tx) error {
	list, err := tx.Runs("", 1<<30)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	reports := 0
	for _, r := range list {
		known[r.ID] = true
		if !a.state(r) || r.State != store.Done {
			continue
		}
		if err := a.verdict(ctx, tx, r); err != nil {
			a.problem("%v", err)
			continue
		}
		reports++
	}
	for run := range a.seen.plans {
		if !known[run] {
			a.problem("run %s has a plan in the log and no record", run)
		}
	}
	slices.Sort(a.out.Problems)
	a.checked("%d runs, %d reports", len(list), reports)
	return a.charges(tx)
}

// state compares how far a run is in its record and in the log.
func (a *auditor) state(r store.Run) bool {
	at, done := a.seen.evidence[r.ID]
	plan, planned := a.seen.plans[r.ID]
	aborted := a.seen.aborts[r.ID]
	switch {
	case r.State == store.Done && (!done || at != r.Evidence):
		a.problem("run %s: its record says %s, and the log has no such verdict", r.ID, r.Result)
	case r.State != store.Done && done:
		a.problem("run %s: the log has a verdict at %d, its record says %s", r.ID, at, r.State)
	case r.State != store.Aborted && aborted:
		a.problem("run %s: the log has its abort, its record says %s", r.ID, r.State)
	case r.State == store.Aborted && planned && !aborted:
		a.problem("run %s: its record says aborted, and the log has its plan at %d and no abort", r.ID, plan)
	case (r.State == store.Planned) && !planned, r.State == store.Queued && planned:
		a.problem("run %s: its record says %s; planned in the log: %v", r.ID, r.State, planned)
	default:
		return true
	}
	return false
}

// verdict compares what is recorded of a verdict with its evidence, its reviews,
// its approval and its report.
func (a *auditor) verdict(ctx context.Context, tx *store.Tx, r store.Run) error {
	env, e, err := a.s.loggedEvidence(tx, r)
	if err != nil {
		return err
	}
	if _, err := a.s.plannedForce(tx, r, e); err != nil {
		return err
	}
	if _, err := a.s.loggedReviews(tx, r, env); err != nil {
		return err
	}
	approval, approved := a.seen.approvals[env.Digest()]
	if approved != (r.Approval >= 0) || approved && approval != r.Approval {
		a.problem("run %s: approved in the log: %v, in its record: %v", r.ID, approved, r.Approval >= 0)
	}
	_, rep, err := a.s.storedReport(ctx, r)
	if err == nil && rep.Cases != nil {
		_, err = a.s.storedCases(ctx, rep.Cases.Digest)
	}
	return err
}

func (a *auditor) charges(tx *store.Tx) error {
	list, err := tx.Exposures()
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, e := range list {
		have[e.Run+"|"+e.Holdout] = true
	}
	for key := range a.seen.charges {
		if !have[key] {
			run, set, _ := strings.Cut(key, "|")
			a.problem("the log charges run %s for holdout %s, the ledger does not", run, set)
		}
	}
	for key := range have {
		if !a.seen.charges[key] {
			run, set, _ := strings.Cut(key, "|")
			a.problem("the ledger charges run %s for holdout %s, the log does not", run, set)
		}
	}
	a.checked("%d charges", len(list))
	return nil
}
