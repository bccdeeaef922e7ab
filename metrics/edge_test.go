package metrics

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestARowOfZeros gives its true class the least probability there is.
func TestARowOfZeros(t *testing.T) {
	f := mustJoin(t, Answers{Classes: classNames(2), Positive: 1, Labels: []int32{0, 1}}, Predictions{Labels: []int32{0, 1}, Probs: []float64{0, 0, 0, 1}})
	if got, want := f.mustValue(t, "log_loss"), (52*math.Ln2+0x1p-52)/2; !(math.Abs(asNumber(got)-want) <= 1e-12) {
		t.Errorf("log loss %v, want %v", got, want)
	}
}

// TestOneRowOfAClass has an area but no variance, so no interval and no limits.
func TestOneRowOfAClass(t *testing.T) {
	for _, positive := range []int{-1, 1} {
		f := mustJoin(t, Answers{Classes: classNames(2), Positive: positive, Labels: []int32{0, 1, 0}}, Predictions{Labels: []int32{0, 1, 0}, Probs: []float64{.9, .1, .2, .8, .6, .4}})
		withoutVariance(t, f, "roc_auc", 1)
	}
	one := mustJoin(t, Answers{Classes: classNames(2), Positive: 1, Labels: []int32{1}}, Predictions{Labels: []int32{1}, Probs: []float64{.5, .5}})
	withoutVariance(t, one, "brier", .25)
	withoutVariance(t, one, "log_loss", math.Ln2)
}

func withoutVariance(t *testing.T, f *Frame, name string, want float64) {
	t.Helper()
	e, err := f.Estimate(name, 0.95)
	if err != nil || math.Abs(e.Value-want) > 1e-15 || e.Undefined != "" || e.Interval || e.Low != 0 || e.High != 0 || len(e.Warnings) != 1 {
		t.Errorf("%s: %+v, %v", name, e, err)
	}
	p, err := NewPair(f, f)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := p.Limits(name, 0.05); err != nil || l.Undefined == "" || !math.IsInf(l.Upper, 1) || l.PWorse != 1 {
		t.Errorf("%s: %+v, %v", name, l, err)
	}
}

// TestOfEqualProbabilitiesTheFirstClassCounts, as ece's definition says.
func TestOfEqualProbabilitiesTheFirstClassCounts(t *testing.T) {
	f := mustJoin(t, Answers{Classes: classNames(3), Positive: -1, Labels: []int32{0, 0}}, Predictions{Labels: []int32{0, 0}, Probs: []float64{.4, .4, .2, .4, .4, .2}})
	if got := f.mustValue(t, "ece"); got != .6 { // right both times at confidence .4; the second class would give .4
		t.Errorf("ece %v", got)
	}
}

// TestAClassNobodyPredictsIsUnknown: one more row could move its precision by all
// there is, so a macro precision that has it bounds nothing closely.
func TestAClassNobodyPredictsIsUnknown(t *testing.T) {
	a := randomAnswers(1, 3000, 3, -1)
	all, none := randomPredictions(1, a), randomPredictions(1, a)
	for i, h := range none.Labels {
		if h == 2 {
			none.Labels[i] = 0
		}
	}
	width := func(p Predictions) float64 {
		f := mustJoin(t, a, p)
		pair, err := NewPair(f, f)
		if err != nil {
			t.Fatal(err)
		}
		l, err := pair.Limits("precision", 0.05)
		if err != nil {
			t.Fatal(err)
		}
		return l.Upper
	}
	if got := width(all); got > .01 {
		t.Errorf("all classes predicted: upper limit %v", got)
	}
	if got := width(none); got < .5 {
		t.Errorf("a class never predicted: upper limit %v", got)
	}
}

// TestStudentQuantiles: a quantile has the tail that it should, and the tail is
// the density's integral.
func TestStudentQuantiles(t *testing.T) {
	for _, df := range []float64{1, 2, 7, 60, 999, 9998} {
		s := score{df: df}
		for _, alpha := range []float64{.5, .1, 1e-3, 1e-6, 1e-9, 1e-12} {
			q := s.quantile(alpha)
			if back := s.tail(q); math.Abs(back/alpha-1) > 1e-9 {
				t.Errorf("df %v, level %v: the quantile %v has the tail %v", df, alpha, q, back)
			}
			if alpha == .5 || q <= 0 {
				continue
			}
			// Simpson's rule on the density from q on, in 1/x, where the tail is smooth.
			if want := tailByDensity(df, q); math.Abs(want/alpha-1) > 1e-4 {
				t.Errorf("df %v, level %v: the density beyond %v is %v", df, alpha, q, want)
			}
		}
	}
}

func tailByDensity(df, q float64) float64 {
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	const steps = 20_000
	h, s := 1/q/steps, 0.0
	for i := 1; i <= steps; i++ { // the integrand is 0 or finite at u = 0
		u := float64(i) * h
		w := []float64{2, 4}[i%2]
		if i == steps {
			w = 1
		}
		s += w * d.Prob(1/u) / (u * u)
	}
	return s * h / 3
}
