package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// withIntervals are all estimates of regression by their ids.
func withIntervals(r *Regression) map[string]Estimate {
	return map[string]Estimate{
		"mae@1": r.MAE(), "mse@1": r.MSE(), "rmse@1": r.RMSE(), "mape@1": r.MAPE(), "smape@1": r.SMAPE(), "msle@1": r.MSLE(), "pinball@1": r.Pinball(0.2),
		"r2@1": r.R2(), "explained_variance@1": r.ExplainedVariance(), "median_ae@1": r.MedianAE(), "max_error@1": r.MaxError(),
	}
}

// A number is predicted as a line with errors of a size that grows with the truth,
// and has a bias of a tenth.
func noisyRows(rnd *rand.Rand, n int, weighted bool) (y, p, w []float64) {
	for range n {
		v := 20 + 2*rnd.NormFloat64()
		y, p = append(y, v), append(p, v+.1+(.5+v/40)*rnd.NormFloat64())
		if weighted {
			w = append(w, .5+rnd.Float64())
		}
	}
	return y, p, w
}

// TestRegressionIntervalsCover what the metric is on very many rows of the same world,
// with weights and without. At 50 rows they cover less where the squares of errors
// matter, as the comment of Regression says.
func TestRegressionIntervalsCover(t *testing.T) {
	few := map[string]float64{"mse@1": .91, "msle@1": .91, "rmse@1": .925, "explained_variance@1": .92, "r2@1": .93, "pinball@1": .93}
	for _, weighted := range []bool{false, true} {
		y, p, w := noisyRows(rand.New(rand.NewPCG(31, 1)), 300_000, weighted)
		truth := withIntervals(mustRegression(t, y, p, w))
		for _, n := range coverageRows {
			rnd, c := rand.New(rand.NewPCG(32, uint64(n))), newCovers()
			for range map[int64]int{50: 800, 500: 400, 5000: 100}[n] {
				y, p, w := noisyRows(rnd, int(n), weighted)
				for id, e := range withIntervals(mustRegression(t, y, p, w)) {
					if id != "max_error@1" && !(weighted && id == "median_ae@1") {
						c.add(t, fmt.Sprint(id, ", weighted ", weighted), truth[id].Value, e, nil)
					}
				}
			}
			least := map[string]float64{}
			for id, v := range few {
				least[fmt.Sprint(id, ", weighted ", weighted)] = fewer(n, v, .94)
			}
			c.check(t, n, least)
		}
	}
}

// TestRegressionIntervalsOrWhyNot: each has an interval around its value that says at
// what confidence and by which method, or a warning.
func TestRegressionIntervalsOrWhyNot(t *testing.T) {
	y, p, w := noisyRows(rand.New(rand.NewPCG(33, 1)), 300, true)
	same := []float64{2, 3, 4, 5, 6, 7}
	for name, c := range map[string]struct {
		r    *Regression
		none map[string]string // the warning, where there is no interval
	}{
		"rows":    {mustRegression(t, y, p, nil), map[string]string{"max_error@1": "not here"}},
		"weights": {mustRegression(t, y, p, w), map[string]string{"max_error@1": "not here", "median_ae@1": "weights"}},
		"one row": {mustRegression(t, []float64{1}, []float64{2}, nil), map[string]string{"": "need at least", "max_error@1": "not here"}},
		"one row that counts": {mustRegression(t, []float64{1, 2, 5}, []float64{2, 3, 4}, []float64{1, 1e-9, 0}),
			map[string]string{"": "need at least", "max_error@1": "not here", "median_ae@1": "weights"}},
		"no error": {mustRegression(t, same, same, nil), map[string]string{"": "without any variance", "max_error@1": "not here", "median_ae@1": ""}},
		"constant truth": {mustRegression(t, []float64{1, 1, 1, 1, 1, 1, 1}, []float64{1, 2, 3, 4, 5, 6, 7}, nil),
			map[string]string{"r2@1": "constant", "explained_variance@1": "constant", "max_error@1": "not here"}},
	} {
		for id, e := range withIntervals(c.r) {
			if e.Undefined != "" {
				continue
			}
			why, none := c.none[id]
			if !none {
				why, none = c.none[""]
			}
			switch {
			case why == "" || !none:
				if !e.Interval || e.Confidence != .95 || !(e.Low <= e.Value && e.Value <= e.High) || e.Low == e.High && name != "no error" || !strings.HasPrefix(e.Method, id+", ") {
					t.Errorf("%s, %s: %+v", name, id, e)
				}
			case e.Interval || len(e.Warnings) != 1 || !strings.HasPrefix(e.Warnings[0], "no interval: ") || !strings.Contains(e.Warnings[0], why):
				t.Errorf("%s, %s: %+v, want %q", name, id, e, why)
			}
		}
	}
}

// TestRegressionIntervalsHaveNoOrder of rows, no scale of weights, and the unit of the
// numbers; weights of 1 are none.
func TestRegressionIntervalsHaveNoOrder(t *testing.T) {
	y, p, w := noisyRows(rand.New(rand.NewPCG(34, 1)), 9000, true)
	ones, twice := make([]float64, len(w)), make([]float64, len(w))
	for i := range w {
		ones[i], twice[i] = 1, 2*w[i]
	}
	plain, weighted := withIntervals(mustRegression(t, y, p, nil)), withIntervals(mustRegression(t, y, p, w))
	if got := withIntervals(mustRegression(t, reversed(y), reversed(p), nil)); !reflect.DeepEqual(got, plain) {
		t.Errorf("backwards %+v, was %+v", got, plain)
	}
	if got := withIntervals(mustRegression(t, reversed(y), reversed(p), reversed(w))); !reflect.DeepEqual(got, weighted) {
		t.Errorf("weighted and backwards %+v, was %+v", got, weighted)
	}
	if got := withIntervals(mustRegression(t, y, p, twice)); !reflect.DeepEqual(got, weighted) {
		t.Errorf("twice the weights %+v, was %+v", got, weighted)
	}
	got := withIntervals(mustRegression(t, y, p, ones))
	delete(got, "median_ae@1") // has no interval with weights
	for id, e := range got {
		if !reflect.DeepEqual(e, plain[id]) {
			t.Errorf("weights of 1, %s: %+v, without %+v", id, e, plain[id])
		}
	}
	big := withIntervals(mustRegression(t, scaled(y, 8), scaled(p, 8), nil))
	for id, by := range map[string]float64{"mae@1": 8, "mse@1": 64, "rmse@1": 8, "r2@1": 1, "explained_variance@1": 1, "median_ae@1": 8, "pinball@1": 8, "mape@1": 1} {
		near(t, id+" low", big[id].Low/(by*plain[id].Low), 1, 1e-12)
		near(t, id+" high", big[id].High/(by*plain[id].High), 1, 1e-12)
	}
}

func scaled(x []float64, by float64) []float64 {
	out := slices.Clone(x)
	for i := range out {
		out[i] *= by
	}
	return out
}

// TestRegressionIntervalByHand: the t interval of four errors, 0, 1, 2 and 3, whose mean
// is 1.5 and variance 5/3; t(.975, 3) is 3.182446305284263 (R: qt(.975, 3)). The median's
// is from the first to the last of six errors: 1 - 2/64 is .97.
func TestRegressionIntervalByHand(t *testing.T) {
	e := mustRegression(t, []float64{0, 0, 0, 0}, []float64{0, 1, -2, 3}, nil).MAE()
	half := 3.182446305284263 * math.Sqrt(5./3/4)
	near(t, "low", e.Low, max(0, 1.5-half), 1e-9)
	near(t, "high", e.High, 1.5+half, 1e-9)
	six := mustRegression(t, make([]float64, 6), []float64{4, 1, -2, 3, 5, 6}, nil).MedianAE()
	if six.Low != 1 || six.High != 6 {
		t.Errorf("six rows: %+v", six)
	}
	five := mustRegression(t, make([]float64, 5), []float64{4, 1, -2, 3, 5}, nil).MedianAE()
	if five.Interval || len(five.Warnings) == 0 {
		t.Errorf("five rows: %+v", five)
	}
}

// TestJackknifeAgrees: the slow twin of the delta method: the variance of values without
// each row in turn is that of the interval, but for terms of 1/n.
func TestJackknifeAgrees(t *testing.T) {
	const n = 400
	y, p, _ := noisyRows(rand.New(rand.NewPCG(35, 1)), n, false)
	all := withIntervals(mustRegression(t, y, p, nil))
	of := map[string]func(r *RegressionTally) Estimate{"rmse@1": (*RegressionTally).RMSE, "r2@1": (*RegressionTally).R2, "explained_variance@1": (*RegressionTally).ExplainedVariance, "mae@1": (*RegressionTally).MAE}
	values := map[string][]float64{}
	for i := range n {
		less := mustRegressionTally(t, 0, slices.Delete(slices.Clone(y), i, i+1), slices.Delete(slices.Clone(p), i, i+1), nil)
		for id, f := range of {
			values[id] = append(values[id], f(less).Value)
		}
	}
	for id, v := range values {
		mean := sum(v) / n
		se := math.Sqrt((n - 1.) / n * blockSum(n, func(i int) float64 { return (v[i] - mean) * (v[i] - mean) }))
		half := (&score{df: n - 1}).quantile(.025) * se
		near(t, id, (all[id].High-all[id].Low)/2/half, 1, .02)
	}
}
