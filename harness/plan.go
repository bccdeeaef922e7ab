package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"proctor/harness/provenance"
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

	seen     *seen // of the candidate's package
	before   *seen // of the deployed model's; nil before the first
	attested []provenance.Attestation
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
	if t.force, err = t.s.load(tx, t.run.Lineage, t.plan.Selection); err != nil {
		return err
	}
	return t.logged(tx)
}

// logged refuses a plan whose record is not what the log says: the database is not
// trusted with what a run is measured by.
func (t *task) logged(tx *store.Tx) error {
	env, err := t.s.envelope(tx, t.plan.Index)
	if err != nil {
		return err
	}
	p, ok := env.Statement().(*verdict.Plan)
	hash := sha256.Sum256(t.seed)
	if !ok || p.Run.ID != t.run.ID || !submittedBy(p, t.run) || p.Attempt != int(t.run.Attempt) || p.SeedSHA256 != "sha256:"+hex.EncodeToString(hash[:]) ||
		!reflect.DeepEqual(p.Inputs, t.force.inputs(t.run)) {
		return fmt.Errorf("the plan of run %s is not what log entry %d says", t.run.ID, t.plan.Index)
	}
	return nil
}

// submittedBy says whether the record of a run names who submitted it as its logged
// plan does: that person may not decide on it.
func submittedBy(p *verdict.Plan, r store.Run) bool {
	return p.By == r.SubmittedBy && p.Person == r.SubmittedPerson
}

// makePlan fixes every digest and the seed and logs them, before any model starts.
func (t *task) makePlan(tx *store.Tx, log *appender) error {
	f, err := t.s.inForce(tx, t.run.Lineage)
	var refused *Error
	if errors.As(err, &refused) || err == nil && f.question(t.run.Package) != t.run.Dedupe {
		return t.end(tx, log, "force.changed", "The policy, its sets or the deployed model changed while the submission waited. Submit it again.", false)
	}
	if err != nil {
		return err
	}
	if why, err := t.s.recalled(tx, &verdict.Evidence{Run: t.s.runOf(t.run), Inputs: f.inputs(t.run)}, nil, 0); err != nil {
		return err
	} else if why != "" {
		return t.end(tx, log, "revoked", "What the run would rest on was revoked while the submission waited.", false)
	}
	t.force = f
	used, err := t.used(tx)
	if err != nil {
		return err
	}
	if used >= f.policy.BudgetRuns {
		return t.end(tx, log, "budget-spent", spentSentence, false)
	}
	t.seed = make([]byte, 32)
	if _, err := io.ReadFull(t.s.Rand, t.seed); err != nil {
		return err
	}
	hash := sha256.Sum256(t.seed)
	t.run.Attempt, t.run.Seed, t.plan.Selection = int64(used+1), hex.EncodeToString(t.seed), f.selection
	t.plan.Index, _, err = log.add(&verdict.Plan{
		Run: t.s.runOf(t.run), Inputs: t.force.inputs(t.run), SeedSHA256: "sha256:" + hex.EncodeToString(hash[:]),
		Attempt: used + 1, Budget: f.policy.BudgetRuns,
		By: t.run.SubmittedBy, Person: t.run.SubmittedPerson, At: t.s.stamp(),
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

const spentSentence = "The sealed sets have revealed all that the policy allows. They must rotate."

// used returns how many runs came before this one: those that were charged, and
// those that have a plan and will be, so that no two runs have the same attempt.
func (t *task) used(tx *store.Tx) (int, error) {
	others, err := tx.Planned(t.run.Lineage)
	if err != nil {
		return 0, err
	}
	used := 0
	for _, h := range t.force.holdouts {
		charged, err := tx.Exposures()
		if err != nil {
			return 0, err
		}
		for _, o := range others {
			if o.Charged || o.ID == t.run.ID {
				continue
			}
			var p plan
			if err := json.Unmarshal(o.Plan, &p); err != nil {
				return 0, fmt.Errorf("plan of run %s: %w", o.ID, err)
			}
			for _, set := range p.Selection.Holdouts {
				charged = append(charged, store.Exposure{Run: o.ID, Lineage: o.Lineage, Holdout: set})
			}
		}
		n, err := exposureOf(tx, charged, t.run.Lineage, h.Commitment, t.run.ID)
		if err != nil {
			return 0, err
		}
		used = max(used, n)
	}
	return used, nil
}

// inputs names everything that the verdict depends on.
func (f *force) inputs(candidate store.Run) verdict.Inputs {
	in := verdict.Inputs{
		Candidate: modelRef(candidate),
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
		in.Holdouts = append(in.Holdouts, refOf(h.Commitment))
	}
	for _, d := range f.suiteDocs {
		in.Suites = append(in.Suites, verdict.Ref{Name: d.Name, Version: int(d.Version), Digest: d.Digest})
	}
	return in
}

// end ends the run without a verdict, in the log too. A run that had no plan yet
// has nothing to answer for in the log. A run whose candidate may have been given
// rows before the service died stays charged, whatever fails now.
func (t *task) end(tx *store.Tx, log *appender, reason, sentence string, charged bool) error {
	charged = charged || t.run.Handed
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

// plannedForce returns what a run that has a verdict was planned under, whatever
// is in force today. It refuses a record that names something else than the verdict.
func (s *Service) plannedForce(tx *store.Tx, r store.Run, e *verdict.Evidence) (*force, error) {
	var p plan
	if err := json.Unmarshal(r.Plan, &p); err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", r.ID, err)
	}
	f, err := s.load(tx, r.Lineage, p.Selection)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(f.inputs(r), e.Inputs) || f.question(r.Package) != r.Dedupe {
		return nil, fmt.Errorf("the record of run %s was planned under something else than its verdict says", r.ID)
	}
	return f, nil
}
