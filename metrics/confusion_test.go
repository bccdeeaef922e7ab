package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func mustTable(t *testing.T, k int, y, h []int32, w []float64) *Confusion {
	t.Helper()
	c, err := CountConfusion(k, y, h, w)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// all are the table's values, to be compared with those of another table.
func (c *Confusion) all() []Estimate {
	out := []Estimate{c.Accuracy(), c.BalancedAccuracy(), c.AdjustedBalancedAccuracy(), c.MCC(), c.Kappa(), c.WeightedKappa(LinearDistance), c.WeightedKappa(QuadraticDistance)}
	for _, r := range []LabelRatio{Precision, Recall, F1, FBeta(2), Jaccard} {
		out = append(out, c.Average(r, Macro), c.Average(r, Weighted), c.Average(r, Micro))
	}
	return out
}

func sameEstimates(t *testing.T, what string, a, b []Estimate) {
	t.Helper()
	for i := range a {
		if math.Abs(a[i].Value-b[i].Value) > 1e-12 || (a[i].Undefined == "") != (b[i].Undefined == "") {
			t.Errorf("%s: %+v became %+v", what, a[i], b[i])
		}
	}
}

// TestTablesKeepTheirNumbers under another order of rows, other scales of weight,
// rows told twice for weight 2, and (but for distances) other names of the classes.
func TestTablesKeepTheirNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for seed := range uint64(8) {
		a := randomAnswers(seed, 300, 4, -1)
		h := randomPredictions(seed, a).Labels
		w := make([]float64, len(h))
		for i := range w {
			w[i] = float64(rnd.IntN(3))
		}
		want := mustTable(t, 4, a.Labels, h, w).all()
		var y2, h2 []int32
		half := make([]float64, len(w))
		for i, x := range w {
			half[i] = x / 8
			for range int(x) {
				y2, h2 = append(y2, a.Labels[i]), append(h2, h[i])
			}
		}
		sameEstimates(t, "weights / 8", want, mustTable(t, 4, a.Labels, h, half).all())
		sameEstimates(t, "rows for weights", want, mustTable(t, 4, y2, h2, nil).all())
		slices.Reverse(y2)
		slices.Reverse(h2)
		sameEstimates(t, "reversed", want, mustTable(t, 4, y2, h2, nil).all())
		turn := func(x []int32) (out []int32) {
			for _, v := range x {
				if v >= 0 {
					v = 3 - v
				}
				out = append(out, v)
			}
			return out
		}
		sameEstimates(t, "reversed classes", want, mustTable(t, 4, turn(y2), turn(h2), nil).all())
	}
}

// TestTableAgreesWithFrame on what both have.
func TestTableAgreesWithFrame(t *testing.T) {
	f := randomFrame(t, 3, 500, 3, 1)
	c, err := f.Table()
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Estimate{
		"accuracy": c.Accuracy(), "balanced_accuracy": c.BalancedAccuracy(), "mcc": c.MCC(), "kappa": c.Kappa(),
		"precision": c.Average(Precision, Macro), "recall": c.Average(Recall, Macro), "f1": c.Average(F1, Macro),
	} {
		if v := asNumber(f.mustValue(t, name)); !(math.Abs(v-e.Value) <= 1e-14) {
			t.Errorf("%s: the frame has %v, the table %v", name, v, e.Value)
		}
	}
}

// TestKappaByHand: two raters of the classic 2x2 example 20, 5, 10, 15 agree on
// .7 where chance has .5; with distances, one class off of two is half wrong.
func TestKappaByHand(t *testing.T) {
	var y, h []int32
	for _, c := range [][3]int{{0, 0, 20}, {0, 1, 5}, {1, 0, 10}, {1, 1, 15}} {
		y, h = append(y, slices.Repeat([]int32{int32(c[0])}, c[2])...), append(h, slices.Repeat([]int32{int32(c[1])}, c[2])...)
	}
	if e := mustTable(t, 2, y, h, nil).Kappa(); math.Abs(e.Value-.4) > 1e-15 {
		t.Errorf("kappa %+v", e)
	}
	// Truth 0, 1, 2; said 0, 2, none: distances 0, 1, 2 of an expected mean of
	// (0+2+2 + 1+1+2 + 2+0+2)/9.
	if e := mustTable(t, 3, []int32{0, 1, 2}, []int32{0, 2, -1}, nil).WeightedKappa(LinearDistance); math.Abs(e.Value-(1-1/(12.0/9))) > 1e-15 {
		t.Errorf("linear kappa %+v", e)
	}
}

// TestTablesRefuse what has no table, and say undefined where a number is none.
func TestTablesRefuse(t *testing.T) {
	y := []int32{0, 1}
	for name, err := range map[string]error{
		"no rows": second(CountConfusion(2, nil, nil, nil)), "lengths": second(CountConfusion(2, y, y[:1], nil)), "class": second(CountConfusion(2, y, []int32{0, 2}, nil)),
		"truth": second(CountConfusion(2, []int32{-1, 0}, y, nil)), "classes": second(CountConfusion(0, y, y, nil)), "NaN weight": second(CountConfusion(2, y, y, []float64{1, math.NaN()})),
		"negative": second(CountConfusion(2, y, y, []float64{2, -1})), "all 0": second(CountConfusion(2, y, y, []float64{0, 0})), "few weights": second(CountConfusion(2, y, y, []float64{1})),
	} {
		if err == nil {
			t.Errorf("%s: a table was made", name)
		}
	}
	c := mustTable(t, 2, y, y, nil)
	for name, e := range map[string]Estimate{
		"zero value": new(Confusion).MCC(), "zero ratio": c.Of(0, LabelRatio{}), "no such class": c.Of(2, F1), "beta 0": c.Average(FBeta(0), Micro), "no averaging": c.Average(F1, "mean"),
		"no distance": c.WeightedKappa("cubic"), "empty 2": c.Average(LabelRatio{name: "x", of: F1.of, Empty: 2}, Macro),
	} {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := mustTable(t, 3, y, y, nil).Average(F1, Macro); len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "0/0") || math.Abs(e.Value-2.0/3) > 1e-15 {
		t.Errorf("a class that is nowhere: %+v", e)
	}
}

func second[T any](_ T, err error) error { return err }
