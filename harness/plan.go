package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"proctor/harness/store"
	"proctor/harness/verdict"
)

// A plan is what a run was fixed to before its model started. The record is kept
// beside the run; the same digests are in the log.
type plan struct {
	Index     int64     `json:"index"` // in the log
	Selection selection `json:"selection"`
}

// A task is one run in the hands of one worker.
type task struct {
	s     *Service
	run   store.Run
	force *force
	plan  plan
	seed  []byte
}

// errEnded says that there is nothing to do: the run has ended, or somebody else
// has taken it up.
var errEnded = errors.New("the run is not this worker's")

// takeUp makes a run this worker's and sees that its plan is in the log. A run
// that was planned by a process that died goes on under the same plan and seed.
func (s *Service) takeUp(ctx context.Context, id string) (*task, error) {
	t := &task{s: s}
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		var err error
		if t.run, err = tx.TakeUp(id); errors.Is(err, store.ErrStale) {
			return errEnded
		} else if err != nil {
			return err
		}
		if t.run.State == store.Planned {
			return t.resume(tx)
		}
		return t.makePlan(tx, log)
	})
	return t, err
}

func (t *task) resume(tx *store.Tx) error {
	if err := json.Unmarshal(t.run.Plan, &t.plan); err != nil {
		return fmt.Errorf("plan of run %s: %w", t.run.ID, err)
	}
	var err error
	if t.seed, err = hex.DecodeString(t.run.Seed); err != nil {
		return fmt.Errorf("seed of run %s: %w", t.run.ID, err)
	}
	t.force, err = t.s.load(tx, t.run.Lineage, t.plan.Selection)
	return err
}

// makePlan fixes every digest and the seed and logs them, before any model starts.
func (t *task) makePlan(tx *store.Tx, log *appender) error {
	f, err := t.s.inForce(tx, t.run.Lineage)
	if err != nil {
		return err
	}
	t.force = f
	if f.question(t.run.Package) != t.run.Dedupe {
		return t.end(tx, log, "force.changed", "The policy, its sets or the deployed model changed while the submission waited. Submit it again.", false)
	}
	used := 0
	for _, h := range f.holdouts {
		n, err := exposure(tx, t.run.Lineage, h.Commitment, t.run.ID)
		if err != nil {
			return err
		}
		used = max(used, n)
	}
	if used >= f.policy.BudgetRuns {
		return t.end(tx, log, "budget-spent", "The sealed sets have revealed all that the policy allows. They must rotate.", false)
	}
	t.seed = make([]byte, 32)
	if _, err := io.ReadFull(t.s.Rand, t.seed); err != nil {
		return err
	}
	hash := sha256.Sum256(t.seed)
	t.run.Attempt, t.run.Seed, t.plan.Selection = int64(used+1), hex.EncodeToString(t.seed), f.selection
	t.plan.Index, _, err = log.add(&verdict.Plan{
		Run: t.s.runOf(t.run), Inputs: t.inputs(), SeedSHA256: "sha256:" + hex.EncodeToString(hash[:]),
		Attempt: used + 1, Budget: f.policy.BudgetRuns, At: t.s.stamp(),
	}, t.s.Evidence)
	if err != nil {
		return err
	}
	if t.run.Plan, err = json.Marshal(t.plan); err != nil {
		return err
	}
	if err := tx.SetPlan(t.run); err != nil {
		return err
	}
	t.run.State = store.Planned
	return nil
}

// inputs names everything that the verdict depends on.
func (t *task) inputs() verdict.Inputs {
	f := t.force
	in := verdict.Inputs{
		Candidate: modelRef(t.run),
		Policy:    verdict.Ref{Name: f.policy.Name, Version: int(f.policyDoc.Version), Digest: f.Policy},
		Required:  f.resolved.Required(f.baseline == nil),
	}
	if f.baseline != nil {
		r := modelRef(*f.baseline)
		in.Baseline = &r
	}
	if f.anchor != nil && f.Anchor != f.Baseline {
		r := modelRef(*f.anchor)
		in.Anchor = &r
	}
	for _, h := range f.holdouts {
		in.Holdouts = append(in.Holdouts, verdict.Ref{Name: h.Name, Version: h.Version, Digest: h.Digest})
	}
	for _, d := range f.suiteDocs {
		in.Suites = append(in.Suites, verdict.Ref{Name: d.Name, Version: int(d.Version), Digest: d.Digest})
	}
	return in
}

// end ends the run without a verdict, in the log too. A run that had no plan yet
// has nothing to answer for in the log.
func (t *task) end(tx *store.Tx, log *appender, reason, sentence string, charged bool) error {
	t.run.Reason, t.run.Sentence = reason, sentence
	if err := tx.Abort(t.run); err != nil {
		return err
	}
	if !charged {
		if err := tx.Refund(t.run.ID); err != nil {
			return err
		}
	}
	planned := t.run.State == store.Planned
	t.run.State = store.Aborted
	if !planned {
		return nil
	}
	_, _, err := log.add(&verdict.Abort{
		Run: t.s.runOf(t.run), Candidate: modelRef(t.run), Plan: t.plan.Index, Charged: charged, Reason: reason, At: t.s.stamp(),
	}, t.s.Evidence)
	return err
}

// plannedForce returns what a run was planned under, whatever is in force today.
func (s *Service) plannedForce(tx *store.Tx, r store.Run) (*force, error) {
	var p plan
	if err := json.Unmarshal(r.Plan, &p); err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", r.ID, err)
	}
	return s.load(tx, r.Lineage, p.Selection)
}
