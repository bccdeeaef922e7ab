package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// Audit recomputes the log from its leaves and checks everything that rests on
// it: each statement's signature and form, each run against the verdict that is
// logged for it, each charge, what is in force against the logged activations, the
// stored reports and the sealed sets byte by byte.
func (s *Service) Audit(ctx context.Context, p access.Principal) (api.Audit, error) {
	if err := access.Check(p, access.Audit, access.Object{}); err != nil {
		return api.Audit{}, err
	}
	return s.audit(ctx)
}

// auditor collects what one audit found.
type auditor struct {
	s    *Service
	tx   *store.Tx // the one view of all that is compared
	out  api.Audit
	seen logged
}

// logged is what the log says of the state of things.
type logged struct {
	evidence  map[string]int64 // run -> index
	approvals map[string]int64 // evidence digest -> index
	plans     map[string]int64 // run -> index
	aborts    map[string]bool  // run
	charges   map[string]bool  // run, holdout
	digests   map[int64]string
	refused   map[string]bool // digests of evidence that a reviewer refused
	activations

	exposures []loggedCharge   // in order
	refunds   map[string]int64 // run -> index of the abort that took its charges back
	seen      map[string]bool  // holdout, line, person: rows that people were shown
}

type loggedCharge struct {
	*verdict.Exposure
	at int64
}

func newAuditor(s *Service) *auditor {
	return &auditor{s: s, out: api.Audit{Problems: []string{}}, seen: logged{
		evidence: map[string]int64{}, approvals: map[string]int64{}, plans: map[string]int64{}, aborts: map[string]bool{}, charges: map[string]bool{},
		digests: map[int64]string{}, refused: map[string]bool{}, refunds: map[string]int64{}, seen: map[string]bool{},
	}}
}

func (s *Service) audit(ctx context.Context) (api.Audit, error) {
	a := newAuditor(s)
	err := s.auditLog(ctx, a, func(tx *store.Tx) error {
		if err := a.runs(ctx, tx); err != nil {
			return err
		}
		if err := a.inForce(ctx, tx); err != nil {
			return err
		}
		return a.sets(ctx, tx)
	})
	a.out.OK = err == nil && len(a.out.Problems) == 0
	return a.out, err
}

// auditLog recomputes the log and then looks at what rests on it.
func (s *Service) auditLog(ctx context.Context, a *auditor, rest func(*store.Tx) error) error {
	_, head := s.Head.Checkpoint()
	return s.Store.View(ctx, func(tx *store.Tx) error {
		a.tx = tx
		tree, err := tlog.Audit(tx, []tlog.Tree{head}, a.entry)
		if err != nil {
			a.problem("%v", err)
			return nil // what rests on a broken log is not worth looking at
		}
		a.out.Size, a.out.Root = tree.N, fmt.Sprintf("%x", tree.Hash[:])
		a.checked("%d log entries: leaf, signature, form, tree, head", tree.N)
		return rest(tx)
	})
}

func (a *auditor) problem(format string, args ...any) {
	a.out.Problems = append(a.out.Problems, fmt.Sprintf(format, args...))
}

func (a *auditor) checked(format string, args ...any) {
	a.out.Checked = append(a.out.Checked, fmt.Sprintf(format, args...))
}

// entry checks one leaf and notes what it says.
func (a *auditor) entry(index int64, e tlog.Entry) error {
	env, err := openEntry(a.s.trust, index, e)
	if err != nil {
		return err
	}
	a.seen.digests[index] = env.Digest()
	switch st := env.Statement().(type) {
	case *verdict.Plan:
		if _, twice := a.seen.plans[st.Run.ID]; twice {
			return errors.New("a second plan of one run")
		}
		a.seen.plans[st.Run.ID] = index
		return a.seen.allows(st.Run.Lineage, st.Inputs)
	case *verdict.Evidence:
		if at, ok := a.seen.plans[st.Run.ID]; !ok || at != st.Plan || a.ended(st.Run.ID) {
			return errors.New("a verdict without the plan that it names, or after the run's end")
		}
		a.seen.evidence[st.Run.ID] = index
	case *verdict.Abort:
		if at, ok := a.seen.plans[st.Run.ID]; !ok || at != st.Plan || a.ended(st.Run.ID) {
			return errors.New("an abort without the plan that it names, or after the run's end")
		}
		a.seen.aborts[st.Run.ID] = true
		if !st.Charged {
			a.seen.refunds[st.Run.ID] = index
			for key := range a.seen.charges {
				if run, _, _ := strings.Cut(key, "|"); run == st.Run.ID {
					delete(a.seen.charges, key)
				}
			}
		}
	case *verdict.Exposure:
		a.seen.charges[st.Run.ID+"|"+st.Holdout.Digest] = true
		a.seen.exposures = append(a.seen.exposures, loggedCharge{st, index})
	case *verdict.Custody:
		for _, line := range st.Lines {
			a.seen.seen[burntKey(st.Holdout.Digest, int64(line), st.Person)] = true
		}
	case *verdict.Approval:
		if a.seen.refused[st.EvidenceDigest()] {
			return errors.New("an approval of what a reviewer had refused")
		}
		a.seen.approvals[st.EvidenceDigest()] = index
	case *verdict.Review:
		if st.Decision != "approve" {
			a.seen.refused[st.Evidence] = true
		}
	case *verdict.Change:
		return a.seen.activations.note(a.tx, st)
	}
	return nil
}

func (a *auditor) ended(run string) bool {
	_, done := a.seen.evidence[run]
	return done || a.seen.aborts[run]
}
