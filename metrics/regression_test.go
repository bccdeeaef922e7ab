package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func mustRegression(t *testing.T, y, p, w []float64) *Regression {
	t.Helper()
	r, err := NewRegression(y, p, w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// losses are the estimates that take weights.
func losses(r *Regression) map[string]Estimate {
	return map[string]Estimate{
		"mae": r.MAE(), "mse": r.MSE(), "rmse": r.RMSE(), "mape": r.MAPE(), "smape": r.SMAPE(), "msle": r.MSLE(), "pinball": r.Pinball(0.2),
		"r2": r.R2(), "explained variance": r.ExplainedVariance(), "max error": r.MaxError(),
	}
}

// TestWeightsAreRepeatedRows, their scale carries nothing, nor does the order of rows.
func TestWeightsAreRepeatedRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 11))
	var y, p, w, ry, rp, w3 []float64
	for range 200 {
		a, b, k := rnd.Float64()*9, rnd.Float64()*9, rnd.IntN(4)
		y, p, w, w3 = append(y, a), append(p, b), append(w, float64(k)), append(w3, 3*float64(k))
		for range k {
			ry, rp = append(ry, a), append(rp, b)
		}
	}
	weighted := mustRegression(t, y, p, w)
	want := losses(weighted)
	for name, r := range map[string]*Regression{
		"repeated":      mustRegression(t, ry, rp, nil),
		"heavier":       mustRegression(t, y, p, w3),
		"another order": mustRegression(t, reversed(y), reversed(p), reversed(w)),
	} {
		for metric, e := range losses(r) {
			near(t, name+", "+metric, e.Value, want[metric].Value, 1e-12)
		}
	}
	if got := mustRegression(t, y, p, w3).MedianAE(); got.Value != weighted.MedianAE().Value {
		t.Errorf("median error %v with heavier weights, was %v", got.Value, weighted.MedianAE().Value)
	}
}

// TestRegressionScale: errors have the unit of the numbers, ratios have none.
func TestRegressionScale(t *testing.T) {
	y, p := []float64{3, -0.5, 2, 7, 1}, []float64{2.5, 0.1, 2, 8, 3}
	times10 := func(x []float64) (out []float64) {
		for _, v := range x {
			out = append(out, 10*v)
		}
		return out
	}
	a, b := mustRegression(t, y, p, nil), mustRegression(t, times10(y), times10(p), nil)
	for name, c := range map[string][3]float64{
		"mae": {a.MAE().Value, b.MAE().Value, 10}, "mse": {a.MSE().Value, b.MSE().Value, 100}, "rmse": {a.RMSE().Value, b.RMSE().Value, 10},
		"median": {a.MedianAE().Value, b.MedianAE().Value, 10}, "mape": {a.MAPE().Value, b.MAPE().Value, 1}, "smape": {a.SMAPE().Value, b.SMAPE().Value, 1},
		"r2": {a.R2().Value, b.R2().Value, 1}, "ev": {a.ExplainedVariance().Value, b.ExplainedVariance().Value, 1},
	} {
		near(t, name, c[1], c[2]*c[0], 1e-9)
	}
	biased := mustRegression(t, y, addTo(y, 4), nil)
	near(t, "a constant bias", biased.ExplainedVariance().Value, 1, 1e-12)
	if biased.R2().Value >= 0.5 {
		t.Errorf("R2 forgives a bias: %v", biased.R2().Value)
	}
	near(t, "the mean as prediction", mustRegression(t, y, []float64{2.5, 2.5, 2.5, 2.5, 2.5}, nil).R2().Value, 0, 1e-12)
}

func TestRegressionEdges(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	one := []float64{1}
	for i, c := range [][3][]float64{
		{nil, nil, nil}, {one, nil, nil}, {one, {1, 2}, nil}, {{nan}, one, nil}, {one, {inf}, nil},
		{one, one, {}}, {one, one, {nan}}, {one, one, {-1}}, {one, one, {0}}, {{1, 2}, {1, 2}, {math.MaxFloat64, math.MaxFloat64}},
	} {
		if _, err := NewRegression(c[0], c[1], c[2]); err == nil {
			t.Errorf("case %d was taken", i)
		}
	}
	var zero Regression
	all := losses(&zero)
	all["median"] = zero.MedianAE()
	single := mustRegression(t, one, one, nil)
	all["R2 of one row"], all["explained variance of one row"] = single.R2(), single.ExplainedVariance()
	all["negative msle"] = mustRegression(t, []float64{-1}, one, nil).MSLE()
	for i, alpha := range []float64{0, 1, nan} {
		all[fmt.Sprint("pinball ", i)] = single.Pinball(alpha)
	}
	huge := mustRegression(t, []float64{math.MaxFloat64, 1}, []float64{-math.MaxFloat64, 1}, nil)
	for name, e := range map[string]Estimate{"mae": huge.MAE(), "mse": huge.MSE(), "r2": huge.R2(), "median": huge.MedianAE(), "max": huge.MaxError()} {
		all["huge "+name] = e
	}
	for name, e := range all {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := mustRegression(t, []float64{1, 5}, []float64{1, 9}, []float64{1, 0}).MaxError(); e.Value != 0 {
		t.Errorf("a row of weight 0 counts: %+v", e)
	}
}

// TestPublishedRegression: scikit-learn's documentation of its metrics, and the
// sMAPE of torchmetrics' docstring.
func TestPublishedRegression(t *testing.T) {
	r := mustRegression(t, []float64{3, -0.5, 2, 7}, []float64{2.5, 0, 2, 8}, nil)
	near(t, "MAE", r.MAE().Value, 0.5, 0)
	near(t, "MSE", r.MSE().Value, 0.375, 0)
	near(t, "R2", r.R2().Value, 0.9486, 5e-5)
	near(t, "explained variance", r.ExplainedVariance().Value, 0.957, 5e-4)
	near(t, "sMAPE", mustRegression(t, []float64{1, 10, 1e6}, []float64{0.9, 15, 1.2e6}, nil).SMAPE().Value, 0.2290, 5e-5)
}
