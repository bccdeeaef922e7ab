package harness

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"proctor/harness/report"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/web/api"
)

// usesOfSuite returns what is in force for the lineages whose policy names a suite, by name.
func (s *Service) usesOfSuite(ctx context.Context, name string) ([]*force, error) {
	return s.lineagesWhere(ctx, func(f *force) bool { return slices.Contains(f.policy.Suites, name) })
}

// deployedOn asks the deployed model of each lineage that uses a suite the version in
// force and the proposed one. No sealed row is needed for it.
func (s *Service) deployedOn(ctx context.Context, d store.Document) ([]api.DeployedOn, error) {
	draft, err := regress.Decode(d.Body)
	if err != nil {
		return nil, err
	}
	uses, err := s.usesOfSuite(ctx, d.Name)
	if err != nil {
		return nil, err
	}
	var out []api.DeployedOn
	for _, f := range uses {
		at := slices.IndexFunc(f.suites, func(x *regress.Suite) bool { return x.Name == d.Name })
		if f.baseline == nil || at < 0 {
			continue
		}
		v := api.DeployedOn{Lineage: f.lineage, Model: f.baseline.PackageName}
		if v.Tests, err = s.askVersions(ctx, f, f.suites[at], draft); err != nil {
			s.Logger.Warn("deployed model on a suite", "lineage", f.lineage, "suite", d.Name, "error", err)
			v.Skipped = "the deployed model could not be judged on both versions"
		}
		out = append(out, v)
	}
	return out, nil
}

// suitePaper asks examples of suites and nothing else.
func suitePaper(set holdout.Commitment, suites ...*regress.Suite) (*paper, error) {
	p := &paper{set: set, suites: suites, ends: make([]int, partSuites)}
	var parts []rows.Table
	n := 0
	for _, s := range suites {
		t, err := s.Table(set.Features)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
		n += t.Len()
		p.ends = append(p.ends, n)
	}
	var err error
	p.table, err = rows.Concat(parts...)
	return p, err
}

// askVersions counts what the deployed model fails of each test in both versions.
func (s *Service) askVersions(ctx context.Context, f *force, now, draft *regress.Suite) ([]api.TestOn, error) {
	t := &task{s: s, run: *f.baseline, force: f, seed: make([]byte, 32)}
	if _, err := io.ReadFull(s.Rand, t.seed); err != nil {
		return nil, err
	}
	p, err := suitePaper(f.holdouts[0].Commitment, now, draft)
	if err != nil {
		return nil, err
	}
	batch, err := t.batch(ctx)
	if err != nil {
		return nil, err
	}
	sh, err := newSheet(p.table, batch, t.seed)
	if err != nil {
		return nil, err
	}
	a, _, err := t.runModel(ctx, f.baseline, sh, p, false)
	if err != nil {
		return nil, err
	}
	js, err := p.judge(a.predictions)
	if err != nil {
		return nil, err
	}
	return testsOn(regress.FirstResults(js[:1]), regress.FirstResults(js[1:])), nil
}

// testsOn pairs the tests of both versions by name, those of the new one first.
func testsOn(before, after []report.Test) []api.TestOn {
	var out []api.TestOn
	at := map[string]int{}
	for _, t := range after {
		at[t.Name] = len(out)
		out = append(out, api.TestOn{Test: t.Name, After: failedOf(t)})
	}
	for _, t := range before {
		i, ok := at[t.Name]
		if !ok {
			i = len(out)
			out = append(out, api.TestOn{Test: t.Name})
		}
		out[i].Before = failedOf(t)
	}
	return out
}

func failedOf(t report.Test) *api.Failed {
	return &api.Failed{Failed: t.CandidateFailed, Cases: t.Cases - t.NotApplicable}
}

// backtestSentence tells a backtest in one line to whoever decides on the draft: first
// what honest candidates would lose, then what would be let in.
func backtestSentence(b api.Backtest) string {
	var stopped, letIn, other, skipped []string
	notAsked := 0
	for _, r := range b.Runs {
		name := fmt.Sprintf("%s %s -> %s", r.Candidate, r.Before, r.After)
		if r.Decided != "" {
			name += " by " + r.Decided
		}
		switch {
		case r.Skipped != "":
			skipped = append(skipped, r.Candidate)
		case r.Before == r.After:
		case r.Approved:
			stopped = append(stopped, name)
		case r.After == report.Pass:
			letIn = append(letIn, name)
		default:
			other = append(other, name)
		}
		notAsked = max(notAsked, r.NotAsked)
	}
	flips := len(stopped) + len(letIn) + len(other)
	s := fmt.Sprintf("backtest: %d of %d past candidates would get another result", flips, len(b.Runs)-len(skipped))
	for _, l := range []struct {
		what  string
		names []string
	}{{"approved and now stopped", stopped}, {"stopped and now PASS", letIn}, {"other", other}} {
		if len(l.names) > 0 {
			s += fmt.Sprintf("; %s: %s", l.what, firstFew(l.names))
		}
	}
	if notAsked > 0 {
		s += fmt.Sprintf("; up to %d cases were never asked, what they would show is not known", notAsked)
	}
	if len(skipped) > 0 {
		s += fmt.Sprintf("; %d not replayed", len(skipped))
	}
	for _, d := range b.Deployed {
		s += "; " + deployedSentence(d)
	}
	return s
}

func deployedSentence(d api.DeployedOn) string {
	if d.Skipped != "" {
		return fmt.Sprintf("%s on both versions: %s", d.Lineage, d.Skipped)
	}
	var changed []string
	for _, t := range d.Tests {
		if b, a := t.Before.String(), t.After.String(); b != a {
			changed = append(changed, fmt.Sprintf("%s fails %s, before %s", t.Test, a, b))
		}
	}
	if changed == nil {
		return fmt.Sprintf("the deployed model of %s fails the same on both versions", d.Lineage)
	}
	return fmt.Sprintf("the deployed model of %s: %s", d.Lineage, firstFew(changed))
}

// firstFew joins the first of a list, so that a note stays readable.
func firstFew(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
