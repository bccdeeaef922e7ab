package harness

import (
	"context"

	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/metrics"
)

// stochasticRuns is how often a model that is declared stochastic sits the exam.
// The verdict is that of the worst run: a model that is let in by luck needs the
// same luck five times.
const stochasticRuns = 5

// rerun gives a model the whole sheet in further processes.
func (t *task) rerun(ctx context.Context, r runner.Runner, dir string, pkg *runner.Package, s *sheet) ([]*answered, error) {
	order, err := classOrder(t.force.holdouts[0].Commitment.Classes, pkg.Manifest.Classes)
	if err != nil {
		return nil, err
	}
	var all []*answered
	for len(all) < stochasticRuns-1 {
		t.stage(ctx, "running the candidate once more, since it is declared stochastic")
		out, _, err := r.Run(ctx, dir, pkg, s.Sheet, t.s.Limits)
		if err != nil {
			return nil, afterwards(err, s)
		}
		a, err := s.collect(out, order)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// A judged is one run of the candidate with what follows from it.
type judged struct {
	frames   *frames
	said     *metrics.Predictions // by the candidate
	evidence policy.Evidence
	decision report.Decision
}

// judge measures and decides. Of several runs each is judged as if it were the
// only one, and the worst is the verdict.
func (t *task) judge(p *paper, a *replies) (*judged, error) {
	first := a.candidate
	runs := append([]*answered{first}, first.again.runs...)
	low, high := 1.0, 0.0
	var worst *judged
	for _, run := range runs {
		b := *a
		run.again, b.candidate = first.again, run
		f, err := t.score(p, &b)
		if err != nil {
			worst.release()
			return nil, err
		}
		j := &judged{frames: f, said: &run.predictions, evidence: t.evidence(p, &b, f)}
		j.evidence.Probes.Runs = len(runs)
		j.decision = policy.Judge(t.force.resolved, j.evidence)
		low, high = min(low, accuracy(f.candidate)), max(high, accuracy(f.candidate))
		if worst == nil || j.worse(worst) {
			j, worst = worst, j
		}
		j.release()
	}
	worst.evidence.Probes.Lowest, worst.evidence.Probes.Highest = low, high
	worst.decision = policy.Judge(t.force.resolved, worst.evidence)
	return worst, nil
}

func (j *judged) release() {
	if j != nil {
		j.frames.release()
	}
}

// worse orders by result, then by accuracy.
func (j *judged) worse(than *judged) bool {
	rank := map[string]int{report.Fail: 0, report.Inconclusive: 1, report.Pass: 2}
	if a, b := rank[j.decision.Result], rank[than.decision.Result]; a != b {
		return a < b
	}
	return accuracy(j.frames.candidate) < accuracy(than.frames.candidate)
}

// accuracy is the share of scored rows that are right.
func accuracy(f *metrics.Frame) float64 {
	right := 0
	labels := f.Labels()
	for i, a := range f.Answers() {
		if labels[i] == a {
			right++
		}
	}
	return float64(right) / float64(max(1, len(labels)))
}
