package harness

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/holdout"
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
	_, _, err = a.s.storedReport(ctx, r)
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

// inForce compares what is in force with the activations in the log.
func (a *auditor) inForce(ctx context.Context, tx *store.Tx) error {
	n := 0
	for _, kind := range []string{"holdout", "suite", "policy", accountKind} {
		docs, err := tx.Documents(kind)
		if err != nil {
			return err
		}
		names := map[string]bool{}
		for _, d := range docs {
			names[d.Name] = true
		}
		for name := range names {
			if err := a.active(tx, kind, name); err != nil {
				return err
			}
			n++
		}
	}
	lineages, err := tx.Lineages()
	if err != nil {
		return err
	}
	fresh := &Service{Config: a.s.Config, trust: a.s.trust} // knows no rules yet, so that all are read again
	for _, l := range lineages {
		// A policy that waits to be proposed for a rotated set is not a contradiction.
		var waits *Error
		if _, err := fresh.inForce(tx, l.Name); err != nil && !errors.As(err, &waits) {
			a.problem("lineage %s: %v", l.Name, err)
		}
		if err := a.lineage(ctx, tx, l); err != nil {
			a.problem("lineage %s: %v", l.Name, err)
		}
	}
	if err := a.accounts(tx); err != nil {
		return err
	}
	slices.Sort(a.out.Problems)
	a.checked("%d documents in force, %d lineages", n, len(lineages))
	return nil
}

// accounts reads who may do what from the log alone, as the service does, and
// compares that with what it works by now.
func (a *auditor) accounts(tx *store.Tx) error {
	var h hired
	if err := a.s.eachAccount(tx, 0, h.put); err != nil {
		a.problem("%v", err)
		return nil
	}
	a.checked("%d accounts; %d changes of accounts made at the console, without a second person", len(h.account), a.seen.imposed)
	return a.s.follow(tx, func(now *hired) error {
		if !reflect.DeepEqual(h.all(), now.all()) {
			a.problem("the service works by other accounts than the log has: start it again")
		}
		return nil
	})
}

// active compares which version is in force with the last activation in the log.
func (a *auditor) active(tx *store.Tx, kind, name string) error {
	now, err := tx.Active(kind, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if now.Digest != a.seen.active[kind+"|"+name] {
		a.problem("%s %q: %s is in force, the log's last activation is of %s", kind, name, quote(now.Digest), quote(a.seen.active[kind+"|"+name]))
	}
	return nil
}

// lineage compares a lineage's policy, deployed and best model with the activations.
func (a *auditor) lineage(ctx context.Context, tx *store.Tx, l store.Lineage) error {
	last := ""
	for _, digest := range a.seen.policies {
		d, err := tx.Document(digest)
		if err != nil {
			return fmt.Errorf("policy %s: %w", digest, err)
		}
		p, err := policy.Parse(d.Body)
		if err != nil || p.Digest() != digest {
			return fmt.Errorf("policy %s: its record is another document", digest)
		}
		if p.Lineage == l.Name {
			last = digest
		}
	}
	if l.Policy != last {
		a.problem("lineage %s: policy %s is in force, the log's last activation is of %s", l.Name, quote(l.Policy), quote(last))
	}
	deployed := a.seen.deployed[l.Name]
	packages := map[string]string{"": ""} // run -> package
	for _, id := range []string{l.Baseline, l.Anchor} {
		if id == "" {
			continue
		}
		r, err := tx.Run(id)
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		if r.Lineage != l.Name || r.Approval < 0 {
			a.problem("lineage %s: run %s is no approved run of it", l.Name, id)
		}
		packages[id] = r.Package
	}
	now := ""
	if len(deployed) > 0 {
		now = deployed[len(deployed)-1]
	}
	if packages[l.Baseline] != now {
		a.problem("lineage %s: %s is deployed, the log's last activation is of %s", l.Name, quote(packages[l.Baseline]), quote(now))
	}
	if l.Anchor == l.Baseline {
		return nil
	}
	if !slices.Contains(deployed, packages[l.Anchor]) {
		a.problem("lineage %s: %s counts as its best model and was never deployed", l.Name, quote(packages[l.Anchor]))
		return nil
	}
	better, err := a.s.better(ctx, l.Anchor, l.Baseline)
	if better {
		a.problem("lineage %s: the deployed model is better than the one that counts as its best", l.Name)
	}
	return err
}

func quote(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest
}

// sets opens every version of every sealed set and derives its commitment again.
func (a *auditor) sets(ctx context.Context, tx *store.Tx) error {
	docs, err := tx.Documents("holdout")
	if err != nil {
		return err
	}
	return a.versions(ctx, tx, docs)
}

// versions opens sealed sets, and compares what people saw of them and whether
// their keys are there with the log.
func (a *auditor) versions(ctx context.Context, tx *store.Tx, docs []store.Document) error {
	for _, d := range docs {
		c, manifest, err := commitment(tx, d.Digest)
		if err == nil {
			err = a.pinned(ctx, c, manifest)
		}
		var key []byte
		if err == nil {
			key, err = holdoutKey(tx, d.Digest)
		}
		switch {
		case err != nil:
		case a.seen.destroyed[d.Digest] != (len(key) == 0):
			err = fmt.Errorf("destroyed in the log: %v, and its data key is there: %v", a.seen.destroyed[d.Digest], len(key) > 0)
		case len(key) == 0:
			a.checked("holdout %s version %d: destroyed", c.Name, c.Version)
		default:
			if err = holdout.Audit(ctx, a.s.Blobs, a.s.Keyring, manifest, key, a.s.Officer.Public().(ed25519.PublicKey)); err == nil {
				a.checked("holdout %s version %d: %d rows, every chunk and root", c.Name, c.Version, c.Rows)
				err = a.retention(c)
			}
		}
		if err != nil {
			a.problem("holdout %s version %d: %v", d.Name, d.Version, err)
		}
		if err := a.burnt(tx, d); err != nil {
			return err
		}
	}
	return nil
}

// errPinned is what the auditor's ledger says: it opens nothing.
var errPinned = errors.New("not charged")

type noLedger struct{}

func (noLedger) Charge(context.Context, holdout.Charge) (holdout.Receipt, error) {
	return holdout.Receipt{}, errPinned
}

// pinned checks that a manifest is the one that a commitment names, and says the
// same: the vault does so before it charges, and here it is never allowed to.
func (a *auditor) pinned(ctx context.Context, c holdout.Commitment, manifest []byte) error {
	v := holdout.NewVault(a.s.Blobs, a.s.Keyring, a.s.Officer.Public().(ed25519.PublicKey), noLedger{})
	_, err := v.Grant(ctx, holdout.Request{RunID: "audit", Lineage: "audit", Commitment: c, Manifest: manifest})
	if errors.Is(err, errPinned) {
		return nil
	}
	return err
}
