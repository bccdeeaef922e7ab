package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"proctor/harness/jail"
	"proctor/harness/policy"
	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// evaluate takes one run, which is marked as in hand, to its verdict, or ends it in
// the log. When the service stops in the middle, the run stays as it is and is taken up
// again. [errEnded]: it had ended before.
func (s *Service) evaluate(ctx context.Context, id string) error {
	t, err := s.takeUp(ctx, id)
	if err != nil || t.run.State != store.Planned {
		return err
	}
	err = t.survive(ctx)
	var stop *stopped
	switch {
	case err == nil, errors.Is(err, store.ErrStale):
		return nil
	case ctx.Err() != nil:
		return err
	case errors.As(err, &stop):
		s.Logger.Warn("run ended without a verdict", "run", id, "reason", stop.reason, "charged", stop.charged, "detail", stop.detail)
		return t.abort(ctx, stop.reason, stop.sentence, stop.charged)
	}
	s.Logger.Error("run failed", "run", id, "error", err)
	return t.abort(ctx, runner.ServiceError, runner.Sentence(runner.ServiceError), true)
}

func (t *task) abort(ctx context.Context, reason, sentence string, charged bool) error {
	err := t.s.update(ctx, func(tx *store.Tx, log *appender) error { return t.end(tx, log, reason, sentence, charged) })
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}

// survive turns a panic in the middle of a run into an error: our own mistake must
// not leave a run without an end, nor have the queue start its model again and again.
func (t *task) survive(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.examine(ctx)
}

// stopped ends a run without a verdict for a reason that its submitter may know.
type stopped struct {
	reason, sentence string
	detail           string // operators only
	charged          bool
}

func (e *stopped) Error() string { return e.reason + ": " + e.detail }

// stage tells people what a run is doing.
func (t *task) stage(ctx context.Context, what string) {
	if err := t.s.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetStage(t.run.ID, t.run.Epoch, what) }); err != nil {
		t.s.Logger.Warn("stage not recorded", "run", t.run.ID, "error", err)
	}
}

// examine is the main path. Its order is its argument: the charge stands before a
// row is opened; the models answer before an answer key is looked at; the report
// is stored before the statement that names it is signed.
func (t *task) examine(ctx context.Context) error {
	t.stage(ctx, "opening the sealed set")
	p, err := t.open(ctx)
	if err != nil {
		return err
	}
	a, err := t.ask(ctx, p)
	if err != nil {
		return err
	}
	t.stage(ctx, "measuring what changed")
	j, err := t.judge(p, a)
	if err != nil {
		return err
	}
	defer j.release()
	r, err := t.report(p, j.frames, j.evidence, j.decision)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if r.Package, err = t.seen.view(a.facts.Stderr, t.attested, t.before); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	a.nameRuntimes(r)
	if r.Cases, err = t.keepCases(ctx, p, j.frames); err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	t.stage(ctx, "signing")
	return t.issue(ctx, r, a, t.keep(ctx, p, a, j))
}

// open charges the exposure ledger and opens the sealed set.
func (t *task) open(ctx context.Context) (*paper, error) {
	set := t.force.holdouts[0]
	var key []byte // read now, not kept: it can be destroyed at any time
	if err := t.s.Store.View(ctx, func(tx *store.Tx) (err error) { key, err = holdoutKey(tx, set.Digest); return err }); err != nil {
		return nil, refundable(err)
	}
	g, err := t.s.vault(ledger{t.s, t.force.policy.BudgetRuns, t.run.Epoch, t.leaves()}).Grant(ctx, holdout.Request{
		RunID: t.run.ID, Lineage: t.run.Lineage, Commitment: set.Commitment, Manifest: set.manifest, Key: key,
	})
	var spent *holdout.BudgetError
	if errors.As(err, &spent) {
		return nil, &stopped{"budget-spent", spentSentence, err.Error(), false}
	}
	if err != nil {
		return nil, refundable(err)
	}
	exam, err := g.Open(ctx)
	if err != nil {
		return nil, refundable(err)
	}
	p, err := newPaper(set.Commitment, exam, t.force.suites)
	if err != nil {
		return nil, refundable(err)
	}
	p.grant = g
	return p, nil
}

// refundable is a fault of the service before any row was given to a model. Bytes
// that are not those that were sealed have a reason of their own: nobody is judged on them.
func refundable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, store.ErrStale) {
		return err
	}
	if errors.Is(err, holdout.ErrDigestMismatch) {
		return &stopped{holdout.ErrDigestMismatch.Error(), "The sealed set is not the one that was committed to. No verdict is given on it.", err.Error(), false}
	}
	return &stopped{runner.ServiceError, runner.Sentence(runner.ServiceError), err.Error(), false}
}

// replies are what the models of one run answered.
type replies struct {
	candidate, baseline, anchor *answered // baseline and anchor may be nil
	facts                       runner.Facts
	code                        bool
}

// ask gives every model the same paper, each in a process of its own. The deployed
// models come first: when they fail, the fault is the service's and the candidate
// has not seen a row.
func (t *task) ask(ctx context.Context, p *paper) (*replies, error) {
	var a replies
	batch, err := t.batch(ctx)
	if err != nil {
		return nil, refundable(err)
	}
	// Again: what a record says was taken, the policy of the plan may not take.
	if t.attested, err = t.seen.admit(t.force.policy.Package); err != nil {
		return nil, &stopped{packageRefused, packageRefusedSentence, err.Error(), false}
	}
	sh, err := newSheet(p.table, batch, t.seed, t.s.blind...)
	if err != nil {
		return nil, refundable(err)
	}
	for _, m := range []struct {
		what string
		run  *store.Run
		into **answered
	}{{"the deployed model", t.force.baseline, &a.baseline}, {"the best approved model", t.otherAnchor(), &a.anchor}} {
		if m.run == nil {
			continue
		}
		t.stage(ctx, "running "+m.what)
		if err := t.letOut(ctx, m.run); err != nil {
			return nil, refundable(err)
		}
		if *m.into, _, err = t.runModel(ctx, m.run, sh, p, false); err != nil {
			return nil, refundable(err)
		}
	}
	before := t.run.Handed // in an earlier life of this run
	t.stage(ctx, "running the candidate")
	a.candidate, a.facts, err = t.runModel(ctx, &t.run, sh, p, true)
	a.code = runner.KindBringsCode(t.run.PackageKind)
	var failed *runner.Failure
	switch {
	case err == nil:
		return &a, nil
	case ctx.Err() != nil:
		return nil, err
	case errors.As(err, &failed): // it counts what was delivered in this life
		t.run.Handed = before
		return nil, &stopped{failed.Reason, failed.Sentence(), failed.Detail, !failed.Service() && failed.Delivered > 0}
	}
	return nil, refundable(err)
}

// hand records that the candidate is given rows, before it happens. From then on an
// error that does not count them gives no charge back.
func (t *task) hand(ctx context.Context) error {
	err := t.s.Store.Update(ctx, func(tx *store.Tx) error { return tx.Hand(t.run) })
	t.run.Handed = t.run.Handed || err == nil
	return err
}

// otherAnchor is the anchor where it is another model than the baseline.
func (t *task) otherAnchor() *store.Run {
	if t.force.Anchor == t.force.Baseline {
		return nil
	}
	return t.force.anchor
}

// batch looks at the packages and returns the largest batch that every model takes.
func (t *task) batch(ctx context.Context) (int, error) {
	batch := runner.MaxBatch
	for _, m := range []*store.Run{&t.run, t.force.baseline, t.otherAnchor()} {
		if m == nil {
			continue
		}
		err := t.s.withPackage(ctx, m, func(dir string, p *runner.Package) (err error) {
			batch = min(batch, p.Manifest.BatchMax)
			switch m {
			case &t.run:
				t.seen, err = look(dir, p)
			case t.force.baseline:
				var refused *Error
				if t.before, err = look(dir, p); errors.As(err, &refused) { // taken before records were read
					t.before, err = &seen{}, nil
				}
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return batch, nil
}

// runModel asks one model the sheet; the candidate is asked again, to see whether
// its answers hang on the row alone.
func (t *task) runModel(ctx context.Context, m *store.Run, sh *sheet, p *paper, again bool) (a *answered, facts runner.Facts, err error) {
	r := t.s.Runner
	r.MinTier = jail.Tier(t.force.policy.TierAtLeast)
	err = t.s.withPackage(ctx, m, func(dir string, pkg *runner.Package) error {
		order, err := classOrder(p.set.Classes, pkg.Manifest.Classes)
		if err != nil {
			return err
		}
		runtime, err := r.Runtime(pkg)
		if err != nil {
			return fmt.Errorf("name the runtime: %w", err)
		}
		if again {
			if err := t.hand(ctx); err != nil {
				return err
			}
		}
		var out runner.Output
		if out, facts, err = r.Run(ctx, dir, pkg, sh.Sheet, t.s.Limits); err != nil {
			return err
		}
		if a, err = sh.collect(out, order); err != nil {
			return err
		}
		if a.runtime = runtime; !again {
			return nil
		}
		a.again, err = t.askAgain(ctx, r, dir, pkg, sh, out)
		return err
	})
	return a, facts, err
}

// frames are the scored rows of each model, joined to the answers.
type frames struct {
	candidate, baseline, anchor *metrics.Frame
	judged, before              []*regress.Judged // candidate, and baseline or nil
	said, saidBefore            metrics.Predictions
	diff                        *regress.Diff // nil: first model
	against                     *metrics.Pair // candidate and anchor
}

// best is the model that the anchor's claim compares with; nil: there is none.
func (f *frames) best() *metrics.Frame {
	if f.anchor != nil {
		return f.anchor
	}
	return f.baseline
}

func (f *frames) release() {
	for _, x := range []*metrics.Frame{f.candidate, f.baseline, f.anchor} {
		if x != nil {
			x.Release()
		}
	}
}

// score joins answers to the answer key; from here on everything is complete.
func (t *task) score(p *paper, a *replies) (f *frames, err error) {
	f = &frames{}
	defer func() {
		if err != nil {
			f.release()
			f = nil
		}
	}()
	for _, m := range []struct {
		from *answered
		into **metrics.Frame
	}{{a.candidate, &f.candidate}, {a.baseline, &f.baseline}, {a.anchor, &f.anchor}} {
		if m.from == nil {
			continue
		}
		if *m.into, err = metrics.Join(t.s.Memory, p.answers(), p.part(partScored, m.from.predictions)); err != nil {
			return f, err
		}
	}
	f.said = a.candidate.predictions
	if f.judged, err = p.judge(f.said); err != nil {
		return f, &stopped{"suite.unanswerable", "A suite asks for something that the model's answers do not have, such as probabilities.", err.Error(), true}
	}
	if f.baseline == nil {
		return f, nil
	}
	f.saidBefore = a.baseline.predictions
	if f.before, err = p.judge(f.saidBefore); err != nil {
		return f, err
	}
	if f.diff, err = regress.Compare(f.baseline, f.candidate, f.before, f.judged); err != nil {
		return f, err
	}
	f.against = f.diff.Pair // the anchor is the deployed model unless there is another
	if f.anchor != nil {
		f.against, err = metrics.NewPair(f.anchor, f.candidate)
	}
	return f, err
}

func (t *task) evidence(p *paper, a *replies, f *frames) policy.Evidence {
	probes := p.probes(a.candidate, a.baseline)
	probes.Trained = p.trained(t.seen.trained)
	if slices.Contains(t.s.blind, "memorisation") {
		probes.CanaryAgree, probes.CanaryOnlyCandidate, probes.TwinOriginalOnly = 0, 0, 0
	}
	return policy.Evidence{
		Attempt: int(t.run.Attempt), Candidate: f.candidate, Diff: f.diff, Anchor: f.against, Judged: f.judged,
		Probes: probes, Binding: bindingOf(&t.run), Tier: a.facts.Tier, Code: a.code,
		Dependence: policy.Dependence{Clusters: p.exam.Clusters, Weights: p.exam.Weights}, Best: f.best(),
	}
}
