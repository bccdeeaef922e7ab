package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
	"proctor/web/api"
)

// mostReplayed is how many past runs of a lineage a backtest looks at, newest first.
const mostReplayed = 200

// BacktestPolicy judges past candidates by a draft of a policy, from the predictions that
// were kept. It tells results and which rule decides, no figure and no row; each opening
// of a set for it is logged.
func (s *Service) BacktestPolicy(ctx context.Context, p access.Principal, text []byte) (api.Backtest, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "policy"}); err != nil {
		return api.Backtest{}, err
	}
	r, _, err := s.checkPolicy(ctx, text)
	if err != nil {
		return api.Backtest{}, err
	}
	return s.backtest(ctx, p, store.Document{Kind: "policy", Name: r.Policy.Name, Digest: r.Policy.Digest(), Body: r.Policy.Canonical()})
}

// BacktestSuite judges past candidates by the policies in force with a draft of a suite,
// and asks the deployed models both versions of it.
func (s *Service) BacktestSuite(ctx context.Context, p access.Principal, archive io.Reader) (api.Backtest, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "suite"}); err != nil {
		return api.Backtest{}, err
	}
	suite, err := s.readSuite(ctx, archive)
	if err != nil {
		return api.Backtest{}, err
	}
	return s.backtest(ctx, p, store.Document{Kind: "suite", Name: suite.Name, Digest: suite.Digest(), Body: suite.Encode()})
}

// BacktestChange is the backtest of a proposal, for whoever is to decide on it.
func (s *Service) BacktestChange(ctx context.Context, p access.Principal, id string) (api.Backtest, error) {
	var d store.Document
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		c, err := tx.Change(id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return refuse(Missing, "there is no proposal %q", id)
		case err != nil:
			return err
		case c.Kind != "policy" && c.Kind != "suite":
			return refuse(Usage, "a %s is not replayed: only policies and suites are", c.Kind)
		}
		if err := access.Check(p, access.Propose, access.Object{Kind: c.Kind}); err != nil {
			return err
		}
		d, err = tx.Document(c.Digest)
		return err
	})
	if err != nil {
		return api.Backtest{}, err
	}
	return s.backtest(ctx, p, d)
}

// A drafted is what one lineage would be judged by.
type drafted struct {
	lineage string
	policy  *policy.Policy
	suites  []*regress.Suite // in the policy's order
}

// backtest replays a document, active or not.
func (s *Service) backtest(ctx context.Context, p access.Principal, d store.Document) (api.Backtest, error) {
	out := api.Backtest{Kind: d.Kind, Name: d.Name, Digest: d.Digest, Runs: []api.Replay{}}
	drafts, err := s.draftsOf(ctx, d)
	if err != nil {
		return out, err
	}
	if d.Kind == "suite" {
		if out.Deployed, err = s.deployedOn(ctx, d); err != nil {
			return out, err
		}
	}
	o := &opened{s: s, p: p, sets: map[string]*openSet{}}
	defer o.close()
	for _, draft := range drafts {
		list, err := s.replayLineage(ctx, o, draft)
		if err != nil {
			return out, err
		}
		out.Runs = append(out.Runs, list...)
	}
	out.Sentence = backtestSentence(out)
	return out, nil
}

// draftsOf returns by what each lineage that the document concerns would be judged.
func (s *Service) draftsOf(ctx context.Context, d store.Document) ([]drafted, error) {
	if d.Kind == "policy" {
		pol, err := policy.Parse(d.Body)
		if err != nil {
			return nil, refuse(Usage, "%v", err)
		}
		r, err := s.activeRules(ctx, pol.Holdouts, pol.Suites)
		if err != nil {
			return nil, err
		}
		return []drafted{{pol.Lineage, pol, r.suites}}, nil
	}
	suite, err := regress.Decode(d.Body)
	if err != nil {
		return nil, err
	}
	var out []drafted
	uses, err := s.usesOfSuite(ctx, d.Name)
	for _, f := range uses {
		suites := slices.Clone(f.suites)
		for i := range suites {
			if suites[i].Name == suite.Name {
				suites[i] = suite
			}
		}
		out = append(out, drafted{f.lineage, f.policy, suites})
	}
	return out, err
}

// An openSet is a sealed set open for replays: its exam, and the key to what was kept.
type openSet struct {
	custodian *holdout.Custodian
	exam      *holdout.Exam
	closed    error // why it cannot be opened
}

// opened keeps the sets that a backtest opens, each once.
type opened struct {
	s    *Service
	p    access.Principal
	sets map[string]*openSet
}

func (o *opened) close() {
	for _, x := range o.sets {
		if x.custodian != nil {
			x.custodian.Close()
		}
	}
}

func (o *opened) get(ctx context.Context, set sealedSet) *openSet {
	if x := o.sets[set.Digest]; x != nil {
		return x
	}
	x := &openSet{}
	if x.custodian, x.closed = o.s.custody(ctx, o.p, verdict.CustodyReplay, "", set, nil); x.closed == nil {
		x.exam, x.closed = x.custodian.Exam()
	}
	o.sets[set.Digest] = x
	return x
}

// replayLineage replays the runs of a lineage that have a verdict on a version of the
// draft's set, newest first.
func (s *Service) replayLineage(ctx context.Context, o *opened, d drafted) ([]api.Replay, error) {
	past, err := s.pastRuns(ctx, d)
	var out []api.Replay
	for _, r := range past {
		v := api.Replay{Lineage: d.lineage, Run: r.run.ID, Candidate: r.run.PackageName, Before: r.run.Result, Approved: r.run.Approval >= 0}
		if err := r.replay(ctx, o, d, &v); err != nil {
			s.Logger.Warn("replay", "run", r.run.ID, "error", err)
			v.Skipped = whySkipped(err)
		}
		out = append(out, v)
	}
	return out, err
}

// A pastRun is a run with what it was planned under and where its predictions are.
type pastRun struct {
	run      store.Run
	evidence *verdict.Evidence
	force    *force
	kept     *store.Predictions
}

func (s *Service) pastRuns(ctx context.Context, d drafted) ([]pastRun, error) {
	var out []pastRun
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Runs(d.lineage, mostReplayed)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.State != store.Done {
				continue
			}
			_, e, err := s.loggedEvidence(tx, r)
			if err != nil {
				return err
			}
			f, err := s.plannedForce(tx, r, e)
			if err != nil {
				return err
			}
			if f.holdouts[0].Name != d.policy.Holdouts[0] {
				continue
			}
			x := pastRun{run: r, evidence: e, force: f}
			if kept, err := tx.Predictions(r.ID); err == nil {
				x.kept = &kept
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// errNotKept: a run of before predictions were kept, or whose set is gone.
var errNotKept = errors.New("its predictions were not kept, or were destroyed with their set")

func whySkipped(err error) string {
	var refused *Error
	switch {
	case errors.Is(err, errNotKept), errors.Is(err, holdout.ErrShredded):
		return errNotKept.Error()
	case errors.As(err, &refused):
		return refused.Error()
	}
	return "it could not be replayed; the service's log says why"
}

// replay judges one run by the draft, on the predictions that were kept of it.
func (r pastRun) replay(ctx context.Context, o *opened, d drafted, v *api.Replay) error {
	if r.kept == nil {
		return errNotKept
	}
	set := r.force.holdouts[0]
	if r.kept.Holdout != set.Digest {
		return fmt.Errorf("predictions of run %s are said to be on %s", r.run.ID, r.kept.Holdout)
	}
	x := o.get(ctx, set)
	if x.closed != nil {
		return x.closed
	}
	tr, err := o.s.readTranscript(ctx, x.custodian, *r.kept, len(set.Classes))
	if err != nil {
		return err
	}
	suites, places, err := r.asked(d, x.exam, v)
	if err != nil {
		return err
	}
	pol := withoutSuites(d.policy, suites)
	resolved, err := policy.Resolve(pol, []holdout.Commitment{set.Commitment}, suites)
	if err != nil {
		return refuse(Conflict, "the draft does not fit version %d of the set", set.Version)
	}
	p, err := newPaper(set.Commitment, x.exam, suites)
	if err != nil {
		return err
	}
	t := &task{s: o.s, run: r.run, force: &force{
		lineage: d.lineage, baseline: r.force.baseline, anchor: r.force.anchor,
		rules: &rules{policy: pol, resolved: resolved, holdouts: r.force.holdouts, suites: suites},
	}}
	return t.replay(p, tr, places, r.evidence, v)
}

// asked returns the draft's suites with the cases that the run was asked, and for each
// row of the paper that they make its place in the run's own. Only examples of suites are
// looked at: a case that is a sealed row must not look like one that was asked.
func (r pastRun) asked(d drafted, exam *holdout.Exam, v *api.Replay) ([]*regress.Suite, []int, error) {
	set := r.force.holdouts[0].Commitment
	first := exam.Inputs.Len() + exam.Canaries.Len() + exam.Twins.Len()
	places := make([]int, first)
	for i := range places {
		places[i] = i
	}
	var tables []rows.Table
	for _, s := range r.force.suites {
		t, err := s.Table(set.Features)
		if err != nil {
			return nil, nil, err
		}
		tables = append(tables, t)
	}
	var suites []*regress.Suite
	if tables == nil {
		for _, s := range d.suites {
			v.NotAsked += s.Cases()
		}
		return nil, places, nil
	}
	all, err := rows.Concat(tables...)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range d.suites {
		part, at, err := s.AskedIn(set.Features, all)
		if err != nil {
			return nil, nil, refuse(Conflict, "%v", err)
		}
		v.NotAsked += s.Cases()
		if part == nil {
			continue
		}
		v.NotAsked -= part.Cases()
		suites = append(suites, part)
		for _, k := range at {
			places = append(places, first+k)
		}
	}
	return suites, places, nil
}

// withoutSuites leaves out of a policy what asks for a suite that is not among these.
func withoutSuites(p *policy.Policy, have []*regress.Suite) *policy.Policy {
	out := *p
	out.Suites = nil
	for _, s := range have {
		out.Suites = append(out.Suites, s.Name)
	}
	out.Watch = slices.DeleteFunc(slices.Clone(p.Watch), func(c policy.Claim) bool {
		return c.Suite != "" && !slices.Contains(out.Suites, c.Suite)
	})
	return &out
}

// replay scores and judges as a run does, with nothing but results coming out.
func (t *task) replay(p *paper, tr *transcript, places []int, e *verdict.Evidence, v *api.Replay) error {
	a := &replies{code: tr.Code}
	for _, m := range []struct {
		from *metrics.Predictions
		into **answered
	}{{tr.Candidate, &a.candidate}, {tr.Baseline, &a.baseline}, {tr.Anchor, &a.anchor}} {
		if m.from == nil {
			continue
		}
		said, err := gather(*m.from, places, len(p.set.Classes))
		if err != nil {
			return err
		}
		*m.into = &answered{predictions: said}
	}
	f, err := t.score(p, a)
	var stop *stopped
	if errors.As(err, &stop) {
		v.After, v.Decided = report.Inconclusive, stop.reason
		return nil
	}
	if err != nil {
		return err
	}
	defer f.release()
	d := policy.Judge(t.force.resolved, policy.Evidence{
		Attempt: e.Attempt, Candidate: f.candidate, Diff: f.diff, Anchor: f.against, Judged: f.judged,
		Probes: tr.Probes, Binding: e.Binding, Tier: tr.Tier, Code: tr.Code,
	})
	v.After = d.Result
	if d.Result != report.Pass && d.Decided >= 0 && d.Decided < len(d.Findings) {
		v.Decided = d.Findings[d.Decided].Claim
	}
	return nil
}

// gather takes the predictions for the named rows, in order.
func gather(p metrics.Predictions, places []int, k int) (metrics.Predictions, error) {
	out := metrics.Predictions{Labels: make([]int32, len(places))}
	if p.Probs != nil {
		out.Probs = make([]float64, 0, len(places)*k)
	}
	for i, r := range places {
		if r >= len(p.Labels) {
			return out, fmt.Errorf("row %d of %d that were answered", r+1, len(p.Labels))
		}
		out.Labels[i] = p.Labels[r]
		if p.Probs != nil {
			out.Probs = append(out.Probs, p.Probs[r*k:r*k+k]...)
		}
	}
	return out, nil
}
