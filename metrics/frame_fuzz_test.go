package metrics

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// fuzzFrames makes two frames of up to 60 rows out of bytes, or none where Join refuses:
// labels may be none of the classes, and probabilities of any bits.
func fuzzFrames(t *testing.T, b []byte, classes int, positive int) *Pair {
	if len(b) > 180 {
		b = b[:180]
	}
	y, h, x := fuzzColumns(b)
	a := Answers{Classes: classNames(classes), Positive: positive, Labels: y, Dimensions: []Dimension{{"d", []string{"u", "v", "w"}, make([]int32, len(y))}}}
	for i := range y {
		a.Dimensions[0].Codes[i] = int32(i % 2)
	}
	var frames [2]*Frame
	for m := range frames {
		p := Predictions{Labels: make([]int32, len(y)), Probs: make([]float64, 0, len(y)*classes)}
		for i := range y {
			p.Labels[i] = h[(i+m)%len(y)]
			for k := range classes {
				p.Probs = append(p.Probs, x[(i+m+k)%len(y)])
			}
		}
		f, err := Join(memory.DefaultAllocator, a, p)
		if err != nil {
			if uncovered := (*CoverageError)(nil); errors.As(err, &uncovered) && uncovered.Error() == "" {
				t.Fatal("no reason")
			}
			return nil
		}
		fuzzColumnsOf(t, f, a, p)
		t.Cleanup(f.Release)
		frames[m] = f
	}
	p, err := NewPair(frames[0], frames[1])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fuzzColumnsOf: a frame holds what it was made of.
func fuzzColumnsOf(t *testing.T, f *Frame, a Answers, p Predictions) {
	t.Helper()
	r, s := f.Record(), must(f.Scores())
	if f.Len() != len(a.Labels) || int(r.NumRows()) != f.Len() || f.Positive() != a.Positive || !slices.Equal(f.Classes(), a.Classes) ||
		!slices.Equal(f.Answers(), a.Labels) || !slices.Equal(f.Labels(), p.Labels) || !slices.Equal(f.Probs(), p.Probs) || !f.Dimensions()[0].equal(a.Dimensions[0]) {
		t.Fatal("other columns than it was made of")
	}
	marked(t, "top k", s.TopK(1, .9), 0, 1)
	var rows int64
	for _, of := range f.Confusion() {
		for _, n := range of {
			rows += n
		}
	}
	if rows != int64(f.Len()) {
		t.Fatalf("%d of %d rows", rows, f.Len())
	}
}

// FuzzFrames: everything that frames and pairs of some rows say is a number in its range
// or is marked as none, for the whole, its slices and no rows at all.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{1, 10, 0, 2, 200, 0, 12, 128, 0, 12, 128, 0}, byte(2), int8(1))
	f.Add([]byte{2, 1, 1, 9, 250, 7, 3, 3, 3, 8, 30, 4}, byte(5), int8(-1))
	f.Add([]byte{1, 0, 0}, byte(2), int8(0))
	f.Add([]byte("000"), byte(5), int8(-1)) // a kappa without variance, whose p was NaN
	f.Add([]byte{1, 0, 255, 0, 0, 0, 0, 0, 0, 248, 127, 2, 1, 1}, byte(3), int8(-1))
	f.Fuzz(func(t *testing.T, b []byte, classes byte, positive int8) {
		p := fuzzFrames(t, b, int(classes%7), int(positive))
		if p == nil {
			return
		}
		part, err := p.Where("d", "u")
		if err != nil {
			t.Fatal(err)
		}
		none, err := p.Where("d", "w")
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []*Pair{p, part, none} {
			fuzzPair(t, q)
		}
		if x, err := part.CalibrationChange(.9); err == nil {
			marked(t, "calibration", x.Smooth, -1, 1)
		} else if part.N() > 0 {
			t.Fatal(err)
		}
		fuzzFrame(t, &Frame{view: p.candidate})
	})
}

func fuzzPair(t *testing.T, p *Pair) {
	for _, d := range All() {
		c, err := p.Compare(d.Name, .9)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []Estimate{c.Baseline, c.Candidate, c.Change} {
			marked(t, d.ID, e, math.Inf(-1), math.Inf(1))
		}
		l, err := p.Limits(d.Name, 1e-9)
		if err != nil || !(l.Lower <= l.Change && l.Change <= l.Upper) || !(l.PWorse >= 0 && l.PWorse <= 1) {
			t.Fatalf("%s: %+v, %v", d.ID, l, err)
		}
	}
	c := p.Cells()
	if c.Discordant()+c.BothWrong()+c.BothRight != p.N() || len(p.Broke(3)) != int(min(3, c.Broke)) {
		t.Fatalf("%d rows: %+v, of them broke %v", p.N(), c, p.Broke(3))
	}
	var all Cells
	for _, g := range must(p.By("d*" + ByClass)) {
		all = all.Add(g.Cells)
	}
	if all != c {
		t.Fatalf("groups add up to %+v, not to %+v", all, c)
	}
	for _, e := range []Estimate{c.NFR(.9), c.PFR(.9), c.BTC(.9), c.BEC(.9), c.NFI(.9), c.Churn(.9), c.Lost(.9), c.BECLibrary(.9), c.Agreement(.9), c.BaselineAccuracy(.9), c.CandidateAccuracy(.9)} {
		marked(t, "of cells", e, 0, 1)
	}
	identities(t, c)
	k := len(p.baseline.classes)
	costs := make(Costs, k)
	for i := range costs {
		costs[i] = make([]float64, k+1)
		for j := range costs[i] {
			costs[i][j] = float64(oneIf(i != j) * (1 + i + j))
		}
	}
	if x, err := p.FlipCost(costs, .9); err == nil {
		marked(t, "broke", x.Broke, 0, math.Inf(1))
		marked(t, "fixed", x.Fixed, 0, math.Inf(1))
		marked(t, "change", x.Change, math.Inf(-1), math.Inf(1))
	}
	if _, err := p.FlipConcentration("d", costs); err != nil && p.N() > 0 {
		t.Fatal(err)
	}
	var eight int64
	for _, x := range p.ClassCells(0) {
		eight += x[0][0] + x[0][1] + x[1][0] + x[1][1]
	}
	if eight != p.N() || len(p.Transition()) == 0 {
		t.Fatalf("%d of %d rows", eight, p.N())
	}
}

func fuzzFrame(t *testing.T, f *Frame) {
	if table, err := f.Table(); err != nil {
		t.Fatal(err)
	} else {
		marked(t, "accuracy", table.Accuracy(), 0, 1)
	}
	for class := -1; class <= len(f.classes); class++ {
		c, err := f.Curve(class)
		if _, err2 := f.AUCBy("d", class); (err == nil) != (err2 == nil) || (err == nil) != (class >= 0 && class < len(f.classes)) {
			t.Fatalf("class %d: %v, %v", class, err, err2)
		}
		if err == nil {
			marked(t, "auc", c.AUC(), 0, 1)
		}
	}
	for _, d := range All() {
		e, err := f.Estimate(d.Name, .9)
		if err != nil {
			t.Fatal(err)
		}
		marked(t, d.ID, e, math.Inf(-1), math.Inf(1))
	}
	c, err := f.Calibration()
	if err != nil {
		t.Fatal(err)
	}
	marked(t, "ece", c.EqualWidth(15).ECE(), 0, 1)
	g, err := f.Groups("d")
	if (err == nil) != (f.positive >= 0) {
		t.Fatal(err)
	}
	if err == nil {
		x := g.Gap(SelectionRate)
		for _, e := range []Estimate{x.Difference, x.Ratio, x.ToOverall, g.EqualizedOdds(), g.EqualizedOddsRatio()} {
			marked(t, "gap", e, 0, 1)
		}
		for _, e := range must(g.Disparity(FOR, "")) {
			marked(t, "disparity", e, 0, math.Inf(1))
		}
		all := g.Overall()
		marked(t, "rate", all.Rate(NPV, .9), 0, 1)
		if all.Negatives()+all.Positives != int64(f.Len()) {
			t.Fatalf("%+v of %d rows", all, f.Len())
		}
	}
}

// identities of the paired cells, where their parts are defined.
func identities(t *testing.T, c Cells) {
	t.Helper()
	near := func(what string, x, y float64) {
		if math.Abs(x-y) > 1e-12 {
			t.Fatalf("%s: %v and %v, of %+v", what, x, y, c)
		}
	}
	if c.N() == 0 {
		return
	}
	v := func(e Estimate) float64 { return e.Value }
	before, after, nfr, pfr := v(c.BaselineAccuracy(.9)), v(c.CandidateAccuracy(.9)), v(c.NFR(.9)), v(c.PFR(.9))
	near("acc_new - acc_old = PFR - NFR", after-before, pfr-nfr)
	if before > 0 {
		near("BTC = 1 - NFR/acc_old", v(c.BTC(.9)), 1-nfr/before)
	}
	if after < 1 {
		near("BEC = 1 - NFI", v(c.BEC(.9)), 1-v(c.NFI(.9)))
		near("NFI = NFR/err_new", v(c.NFI(.9)), nfr/(1-after))
	}
	if nfr > math.Min(before, 1-after)+1e-12 {
		t.Fatalf("NFR %v, of %+v", nfr, c)
	}
	near("churn = NFR + PFR + wrong to other wrong", v(c.Churn(.9)), nfr+pfr+float64(c.OtherWrong)/float64(c.N()))
	near("agreement = 1 - churn", v(c.Agreement(.9)), 1-v(c.Churn(.9)))
	near("McNemar counts NFR n and PFR n", McNemar(c.Broke, c.Fixed), McNemar(int64(math.Round(nfr*float64(c.N()))), int64(math.Round(pfr*float64(c.N())))))
	near("change", v(c.Change(.9)), after-before)
}

// TestIdentitiesOnRandomCells, which no two of them share.
func TestIdentitiesOnRandomCells(t *testing.T) {
	for seed := range uint64(40) {
		for _, k := range []int{2, 3} {
			identities(t, randomPair(t, 100+seed, 30+int(seed)*7, k).Cells())
		}
	}
	for _, c := range []Cells{{BothRight: 3}, {Broke: 2}, {Fixed: 5}, {SameWrong: 1}, {OtherWrong: 4}} {
		identities(t, c)
	}
}

// TestWeightsScale: to weigh all rows four times as much, which rounds nothing, changes no
// value, and rows of weight 0 might as well not be there.
func TestWeightsScale(t *testing.T) {
	y, s, w := drawScores(31, 400, 20)
	four, some := make([]float64, len(w)), []int{}
	for i := range w {
		if w[i] = math.Floor(w[i] * 4); w[i] > 0 {
			some = append(some, i)
		}
		four[i] = 4 * w[i]
	}
	fewY, fewS, fewW := gather(y, some), make([]float64, len(some)), make([]float64, len(some))
	for i, r := range some {
		fewS[i], fewW[i] = s[r], w[r]
	}
	want := weighted(t, y, s, w)
	for what, got := range map[string][]float64{"four times": weighted(t, y, s, four), "without weight": weighted(t, fewY, fewS, fewW)} {
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-13 {
				t.Errorf("%s: value %d is %v, was %v", what, i, got[i], want[i])
			}
		}
	}
}

// weighted are the values of everything that takes weights.
func weighted(t *testing.T, y []int32, s, w []float64) (out []float64) {
	t.Helper()
	said, truth := make([]int32, len(s)), make([]float64, len(s))
	for i, x := range s {
		said[i], truth[i] = int32(oneIf(x > .5)), float64(y[i])
	}
	c, k := mustTable(t, 2, y, said, w), must(NewCurve(y, 1, s, w))
	r := must(NewRegression(truth, s, w))
	for _, e := range []Estimate{
		c.Accuracy(), c.BalancedAccuracy(), c.AdjustedBalancedAccuracy(), c.MCC(), c.Kappa(), c.WeightedKappa(LinearDistance), c.WeightedKappa(QuadraticDistance),
		c.Average(F1, Weighted), c.Average(Jaccard, Macro), c.Average(Precision, Micro), c.Of(1, Recall), k.AUC(), k.Gini(), k.KS(), k.AveragePrecision(), k.TrapezoidPR(), k.PartialAUC(.3), must(Brier(y, 1, s, w)), must(LogLoss(y, 1, s, w)),
		r.MAE(), r.MSE(), r.RMSE(), r.MAPE(), r.SMAPE(), r.MSLE(), r.R2(), r.ExplainedVariance(), r.MedianAE(), r.MaxError(), r.Pinball(.2),
	} {
		if e.Undefined != "" {
			t.Errorf("%+v", e)
		}
		out = append(out, e.Value)
	}
	return out
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// FuzzCounts: what is computed from counts and levels alone is in its range for any of
// them, impossible ones too.
func FuzzCounts(f *testing.F) {
	f.Add(int64(3), int64(9), int64(100), .05)
	f.Add(int64(0), int64(0), int64(0), .5)
	f.Add(int64(-1), int64(1<<40), int64(7), math.NaN())
	f.Add(int64(40_000), int64(40_000), int64(1<<40), 1e-12)
	f.Fuzz(func(t *testing.T, broke, fixed, n int64, level float64) {
		n %= 4 * mostCount // time grows with the root of the rows
		for what, p := range map[string]float64{
			"McNemar": McNemar(broke, fixed), "mid-P": McNemarMidP(broke, fixed), "worse": McNemarWorse(broke, fixed), "binomial": BinomialUpper(broke, n, level),
		} {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("%s: %v", what, p)
			}
		}
		if l := McNemarLog10(broke, fixed); !(l <= 0) {
			t.Fatalf("log10 p %v", l)
		}
		cells := Cells{BothRight: n - broke - fixed, Broke: broke, Fixed: fixed}
		for what, f := range map[string]func() (low, high float64){
			"Tango's limits": func() (low, high float64) { return TangoLimits(broke, fixed, n, level) },
			"Tango":          func() (low, high float64) { return Tango(broke, fixed, n, level) },
			"Newcombe":       func() (low, high float64) { return Newcombe(cells, level) },
			"Bonett-Price":   func() (low, high float64) { return BonettPrice(broke, fixed, n, level) },
		} {
			if low, high := f(); !(low >= -1 && low <= 1 && high >= -1 && high <= 1) {
				t.Fatalf("%s: %v, %v", what, low, high)
			}
		}
		marked(t, "share", Share(broke, n, level, noRows), 0, 1)
		marked(t, "change", cells.Change(level), -1, 1)
		if low, high := ClopperPearson(broke, n, level); !(low >= 0 && low <= high && high <= 1) {
			t.Fatalf("Clopper-Pearson %v, %v", low, high)
		}
		p := []float64{level, .01, .2}
		for what, adjusted := range map[string][]float64{"Holm": Holm(p), "Hochberg": Hochberg(p), "Bonferroni": Bonferroni(p), "BH": BenjaminiHochberg(p), "BY": BenjaminiYekutieli(p)} {
			for _, q := range adjusted {
				if !(q >= 0 && q <= 1) {
					t.Fatalf("%s: %v of %v", what, adjusted, p)
				}
			}
		}
	})
}
