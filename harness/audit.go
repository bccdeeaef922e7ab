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
	out  api.Audit
	seen logged
}

// logged is what the log says of the state of things.
type logged struct {
	evidence  map[string]int64    // run -> index
	approvals map[string]int64    // evidence digest -> index
	plans     map[string]int64    // run -> index
	aborts    map[string]bool     // run
	charges   map[string]bool     // run, holdout
	active    map[string]string   // kind, name -> digest
	policies  []string            // digests, as they were activated
	deployed  map[string][]string // lineage -> packages, as they were activated
	digests   map[int64]string
	proposed  map[string]*verdict.Change
	imposed   int // accounts put in force without a second person

	exposures []loggedCharge   // in order
	refunds   map[string]int64 // run -> index of the abort that took its charges back
	seen      map[string]bool  // holdout, line, person: rows that people were shown
	destroyed map[string]bool  // holdouts whose data key was given up
}

type loggedCharge struct {
	*verdict.Exposure
	at int64
}

func newAuditor(s *Service) *auditor {
	return &auditor{s: s, out: api.Audit{Problems: []string{}}, seen: logged{
		evidence: map[string]int64{}, approvals: map[string]int64{}, plans: map[string]int64{}, aborts: map[string]bool{}, charges: map[string]bool{},
		active: map[string]string{}, deployed: map[string][]string{}, digests: map[int64]string{},
		refunds: map[string]int64{}, seen: map[string]bool{}, destroyed: map[string]bool{}, proposed: map[string]*verdict.Change{},
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
		a.seen.approvals[st.EvidenceDigest()] = index
	case *verdict.Change:
		return a.change(st)
	}
	return nil
}

func (a *auditor) ended(run string) bool {
	_, done := a.seen.evidence[run]
	return done || a.seen.aborts[run]
}

// change notes a step of a proposal. An activation has a proposal by somebody else,
// but for an account that was put in force where the keys lie.
func (a *auditor) change(c *verdict.Change) error {
	switch c.Action {
	case "proposed":
		a.seen.proposed[c.ID] = c
	case "activated":
		switch p := a.seen.proposed[c.ID]; {
		case p == nil && c.Kind == accountKind && c.By == console.ID && c.Person == console.Person:
			a.seen.imposed++
		case p == nil:
			return errors.New("an activation without a proposal")
		case p.Kind != c.Kind || p.Document != c.Document:
			return errors.New("an activation of something else than was proposed")
		case p.Person == c.Person:
			return fmt.Errorf("%s activated what %s had proposed", c.Person, p.Person)
		}
		a.activated(c)
	}
	return nil
}

func (a *auditor) activated(c *verdict.Change) {
	switch c.Kind {
	case "baseline":
		a.seen.deployed[c.Document.Name] = append(a.seen.deployed[c.Document.Name], c.Document.Digest)
		return
	case destruction:
		a.seen.destroyed[c.Document.Digest] = true
		return
	case "policy":
		a.seen.policies = append(a.seen.policies, c.Document.Digest)
	}
	a.seen.active[c.Kind+"|"+c.Document.Name] = c.Document.Digest
}
