package practice

import (
	"fmt"
	"math"

	"proctor/harness/report"
	"proctor/metrics"
)

// alpha is the level of one direction.
func (o Options) alpha() float64 { return (1 - o.Confidence) / 2 }

func (o Options) check() error {
	for _, x := range []struct {
		name      string
		v, lo, hi float64
	}{{"confidence", o.Confidence, .5, 1}, {"harm_pp", o.HarmPP, 0, 100}, {"detect_pp", o.DetectPP, 0, 100}} {
		if !(x.v >= x.lo && x.v <= x.hi) || x.name == "confidence" && x.v == 1 {
			return fmt.Errorf("%s is %v; it is from %v to %v", x.name, x.v, x.lo, x.hi)
		}
	}
	if o.HarmPP > o.DetectPP {
		return fmt.Errorf("harm_pp %v is above detect_pp %v: a test could be worse and hold", o.HarmPP, o.DetectPP)
	}
	return nil
}

// weigh gives every test its change, its p-values and its verdict.
func weigh(ts []Test, paired bool, o Options) error {
	worse, better := make([]float64, len(ts)), make([]float64, len(ts))
	for i := range ts {
		t := &ts[i]
		worse[i], better[i], t.upper = 1, 1, 1
		if t.BaselineCases == 0 || t.CandidateCases == 0 {
			t.Change = report.Estimate{Undefined: "no case is applicable"}
			continue
		}
		e, err := t.change(paired, o)
		if err != nil {
			return fmt.Errorf("test %s: %w", t.Name, err)
		}
		t.Change = e
		if paired {
			worse[i], better[i] = metrics.McNemarWorse(t.Broke, t.Fixed), metrics.McNemarWorse(t.Fixed, t.Broke)
		} else {
			worse[i] = metrics.FisherWorse(t.BaselineFailed, t.BaselineCases, t.CandidateFailed, t.CandidateCases)
			better[i] = metrics.FisherWorse(t.CandidateFailed, t.CandidateCases, t.BaselineFailed, t.BaselineCases)
		}
	}
	aw, ab := metrics.Holm(worse), metrics.Holm(better)
	for i := range ts {
		t := &ts[i]
		if t.Change.Value == nil {
			continue
		}
		p, adjusted := worse[i], aw[i]
		if better[i] < p {
			p, adjusted = better[i], ab[i]
		}
		t.P, t.Adjusted = pointer(math.Min(1, 2*p)), pointer(math.Min(1, 2*adjusted))
		harm := *t.Change.Value * 100
		switch {
		case aw[i] <= o.alpha() && harm > o.HarmPP:
			t.Verdict = Worse
		case ab[i] <= o.alpha() && -harm > o.HarmPP:
			t.Verdict = Better
		case paired && t.lossExcluded(paired, o):
			t.Verdict = Holds
		default:
			t.Verdict = Undecided
		}
	}
	return nil
}

// change is that of the failure share, with the interval of its kind of data.
func (t *Test) change(paired bool, o Options) (report.Estimate, error) {
	n := min(t.BaselineCases, t.CandidateCases)
	if paired {
		low, high := metrics.Tango(t.Fixed, t.Broke, n, o.Confidence)
		_, t.upper = metrics.TangoLimits(t.Fixed, t.Broke, n, o.alpha())
		return report.Estimate{Value: pointer(float64(t.Broke-t.Fixed) / float64(n)), Low: &low, High: &high, Confidence: o.Confidence, N: n, Method: "Tango score"}, nil
	}
	e, err := metrics.TwoShares{K1: t.CandidateFailed, N1: t.CandidateCases, K2: t.BaselineFailed, N2: t.BaselineCases}.Newcombe(o.Confidence)
	if err != nil {
		return report.Estimate{}, err
	}
	t.upper = e.High
	return report.Estimate{Value: &e.Value, Low: &e.Low, High: &e.High, Confidence: o.Confidence, N: n, Method: e.Method}, nil
}

func pointer(v float64) *float64 { return &v }

// shown says whether the test is shown to hold.
func (t *Test) shown(paired bool, o Options) bool {
	return t.Verdict == Better || t.Verdict == Holds || t.Verdict == Undecided && t.lossExcluded(paired, o)
}

// lossExcluded says whether nothing that worked was lost, or less than DetectPP.
func (t *Test) lossExcluded(paired bool, o Options) bool {
	return paired && t.Broke == 0 || 100*t.upper < o.DetectPP
}
