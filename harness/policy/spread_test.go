package policy

import (
	"math"
	"math/rand/v2"
	"testing"

	"proctor/holdout"
	"proctor/metrics"
)

// equalPair draws rows whose true chance is known, and two models that each see it
// through noise of their own; the second is worse where more noise is asked for.
func equalPair(rnd *rand.Rand, n int, noise, worse float64) (a metrics.Answers, base, cand metrics.Predictions) {
	a = metrics.Answers{Classes: []string{"no", "yes"}, Positive: 1}
	answer := func(p *metrics.Predictions, z, noise float64) {
		q := 1 / (1 + math.Exp(-z-noise*rnd.NormFloat64()))
		p.Probs = append(p.Probs, 1-q, q)
		l := int32(0)
		if q > .5 {
			l = 1
		}
		p.Labels = append(p.Labels, l)
	}
	for range n {
		z := -1.6 + 2*rnd.NormFloat64()
		y := int32(0)
		if rnd.Float64() < 1/(1+math.Exp(-z)) {
			y = 1
		}
		a.Labels = append(a.Labels, y)
		answer(&base, z, noise)
		answer(&cand, z, worse)
	}
	return a, base, cand
}

// Claims on metrics that are no paired counts: with a margin that check calls enough
// at the churn that is there, an equal model holds, and one that sees the rows through
// much more noise does not.
func TestClaimsOnOtherMetrics(t *testing.T) {
	const n, runs, noise = 8000, 30, .25
	rnd := rand.New(rand.NewPCG(12, 34))
	claims := []Claim{
		{ID: "mcc", Metric: "mcc"}, {ID: "kappa", Metric: "kappa"}, {ID: "ap", Metric: "average_precision"}, {ID: "ece", Metric: "ece"},
		{ID: "auc", Metric: "roc_auc"}, {ID: "brier", Metric: "brier"},
	}
	holds, notWorse := map[string]int{}, map[string]int{}
	for range runs {
		for _, worse := range []float64{noise, 1.5} {
			a, b, c := equalPair(rnd, n, noise, worse)
			base, cand := join(t, a, b), join(t, a, c)
			pair, err := metrics.NewPair(base, cand)
			if err != nil {
				t.Fatal(err)
			}
			set := holdout.Commitment{Name: "s", Rows: n, Classes: a.Classes, Positive: "yes", ClassCounts: make([]int64, 2), Canaries: 200}
			for _, y := range a.Labels {
				set.ClassCounts[y]++
			}
			for _, cl := range claims {
				d, _ := metrics.Lookup(cl.Metric)
				const churn = .05
				se, ok := standardError(d, churn, set.ClassCounts, 1)
				margin := (quantile(.01) + quantile(1-enough)) * se // just enough for .95 at the first run
				if !ok {
					t.Fatalf("%s: nothing is known", cl.Metric)
				}
				cl.AtLeast = value(-margin)
				if !d.HigherBetter {
					cl.AtLeast, cl.AtMost = nil, value(margin)
				}
				p := &Policy{Name: "p", Lineage: "l", Holdouts: []string{"s"}, Confidence: .99, ChurnPct: 100 * churn, BudgetRuns: 1, Prove: []Claim{cl}}
				r, err := Resolve(p, []holdout.Commitment{set}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Check(r); err != nil {
					t.Fatalf("%s: %v", cl.Metric, err)
				}
				held := r.judge(r.Hypotheses[0], metric(pair, cl.Metric), 0, Evidence{Attempt: 1}).Outcome == "HOLDS"
				switch {
				case held && worse == noise:
					holds[cl.Metric]++
				case held:
					notWorse[cl.Metric]++
				}
			}
		}
	}
	for _, cl := range claims {
		t.Logf("%s: %d of %d equal models hold, %d much worse ones", cl.Metric, holds[cl.Metric], runs, notWorse[cl.Metric])
		if holds[cl.Metric] < 26 || notWorse[cl.Metric] > 1 {
			t.Errorf("%s: %d of %d equal models hold, %d much worse ones", cl.Metric, holds[cl.Metric], runs, notWorse[cl.Metric])
		}
	}
}
