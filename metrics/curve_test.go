package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawScores draws labels, scores on a grid (0: none) and weights, some of them 0.
func drawScores(seed uint64, n int, grid float64) (labels []int32, scores, weights []float64) {
	rnd := rand.New(rand.NewPCG(seed, 21))
	for range n {
		y := int32(rnd.IntN(2))
		s := math.Min(1, rnd.Float64()*.8+float64(y)*.2)
		if grid > 0 {
			s = math.Floor(s*grid) / grid
		}
		labels, scores, weights = append(labels, y), append(scores, s), append(weights, float64(rnd.IntN(4)))
	}
	return labels, scores, weights
}

// A naiveCurve computes from pairs of rows and from each threshold anew.
type naiveCurve struct {
	labels    []int32
	scores, w []float64
}

func (c naiveCurve) above(s float64, y int32) float64 {
	t := 0.0
	for i, x := range c.scores {
		t += truth(x >= s && c.labels[i] == y) * c.w[i]
	}
	return t
}

func (c naiveCurve) all(y int32) float64 { return c.above(math.Inf(-1), y) }

func (c naiveCurve) auc() float64 {
	s := 0.0
	for i, y := range c.labels {
		for j, z := range c.labels {
			if y == 1 && z == 0 {
				s += c.w[i] * c.w[j] * (truth(c.scores[i] > c.scores[j]) + truth(c.scores[i] == c.scores[j])/2)
			}
		}
	}
	return s / c.all(1) / c.all(0)
}

func (c naiveCurve) ap() float64 {
	s := 0.0
	for i, y := range c.labels {
		if y == 1 && c.w[i] > 0 {
			t := c.above(c.scores[i], 1)
			s += c.w[i] * t / (t + c.above(c.scores[i], 0))
		}
	}
	return s / c.all(1)
}

func (c naiveCurve) ks() float64 {
	most := 0.0
	for _, s := range c.scores {
		most = math.Max(most, c.above(s, 1)/c.all(1)-c.above(s, 0)/c.all(0))
	}
	return most
}

// partial integrates the curve on a fine grid of false positive rates.
func (c naiveCurve) partial(most float64) float64 {
	x, y := []float64{0}, []float64{0}
	s := slices.Sorted(slices.Values(c.scores))
	slices.Reverse(s)
	for _, v := range s {
		x, y = append(x, c.above(v, 0)/c.all(0)), append(y, c.above(v, 1)/c.all(1))
	}
	area := 0.0
	const steps = 20_000
	for i := range steps {
		f := (float64(i) + .5) / steps * most
		j := 0
		for x[j+1] < f {
			j++
		}
		at := y[j]
		if x[j+1] > x[j] {
			at += (y[j+1] - y[j]) * (f - x[j]) / (x[j+1] - x[j])
		}
		area += at * most / steps
	}
	return (1 + (area-most*most/2)/(most-most*most/2)) / 2
}

func TestCurveAgreesWithItsTwin(t *testing.T) {
	for seed := range uint64(24) {
		grid := []float64{0, 10, 3}[seed%3]
		y, s, w := drawScores(seed, []int{5, 40, 120}[seed/3%3], grid)
		if seed%2 == 0 {
			w = nil
		}
		c, err := NewCurve(y, 1, s, w)
		if err != nil {
			t.Fatal(err)
		}
		if w == nil {
			w = slices.Repeat([]float64{1}, len(y))
		}
		twin := naiveCurve{y, s, w}
		for name, v := range map[string][2]float64{
			"auc": {c.AUC().Value, twin.auc()}, "gini": {c.Gini().Value, 2*twin.auc() - 1}, "ap": {c.AveragePrecision().Value, twin.ap()}, "ks": {c.KS().Value, twin.ks()},
		} {
			if math.Abs(v[0]-v[1]) > 1e-12 {
				t.Errorf("seed %d: %s = %v, the twin has %v", seed, name, v[0], v[1])
			}
		}
		for _, most := range []float64{.1, .35, 1} {
			if got, want := c.PartialAUC(most).Value, twin.partial(most); math.Abs(got-want) > 1e-3 {
				t.Errorf("seed %d: partial AUC to %v = %v, the twin has %v", seed, most, got, want)
			}
		}
	}
}

// TestScoresThatShareOrderShareCurves: scores in [0, 1] are sorted in another way
// than others and weighted ones; all give the same. So do weights and repeated rows.
func TestScoresThatShareOrderShareCurves(t *testing.T) {
	for seed := range uint64(6) {
		y, s, w := drawScores(seed, 700, []float64{0, 20}[seed%2])
		far, ones := make([]float64, len(s)), slices.Repeat([]float64{2}, len(s))
		var y2 []int32
		var s2 []float64
		for i := range s {
			far[i] = 5*s[i] - 3
			for range int(w[i]) {
				y2, s2 = append(y2, y[i]), append(s2, s[i])
			}
		}
		plain := areas(t, y, s, nil)
		for name, other := range map[string][]float64{"far": areas(t, y, far, nil), "equal weights": areas(t, y, s, ones)} {
			compareAreas(t, name, plain, other)
		}
		compareAreas(t, "repeated rows", areas(t, y2, s2, nil), areas(t, y, s, w))
	}
}

func areas(t *testing.T, y []int32, s, w []float64) []float64 {
	t.Helper()
	c, err := NewCurve(y, 1, s, w)
	if err != nil {
		t.Fatal(err)
	}
	return []float64{c.AUC().Value, c.AveragePrecision().Value, c.KS().Value, c.PartialAUC(.2).Value, c.TrapezoidPR().Value}
}

func compareAreas(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Errorf("%s: %v and %v", name, got, want)
			return
		}
	}
}

// TestBucketsSort: heavy ties, ends of the range, subnormals and all rows in one
// bucket come out in order, each row once with its truth.
func TestBucketsSort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 22))
	draws := map[string]func() float64{
		"even":      rnd.Float64,
		"ties":      func() float64 { return float64(rnd.IntN(3)) / 2 },
		"tiny":      func() float64 { return rnd.Float64() * 1e-310 },
		"near one":  func() float64 { return 1 - rnd.Float64()*1e-13 },
		"skewed":    func() float64 { return math.Exp(-700 * rnd.Float64()) },
		"one value": func() float64 { return 0.3 },
		"zeros":     func() float64 { return math.Copysign(0, rnd.Float64()-.5) },
	}
	for name, draw := range draws {
		for _, n := range []int{1, 2, 30, 5000} {
			p, y := make([]float64, n), make([]int32, n)
			for i := range p {
				p[i], y[i] = draw(), int32(rnd.IntN(2))
			}
			seen := make([]bool, n)
			last := 0.0
			var all, bare sorter
			all.all(scoreColumn{p, 1, y, 1}, nil, true)
			bare.all(scoreColumn{p, 1, y, 1}, nil, false)
			for i, key := range all.rows.keys {
				row, x := all.rows.tags[i], scoreOf(key)
				if seen[row] || x != p[row] || x < last || key&1 != uint64(y[row]) || bare.rows.keys[i]>>1 != key>>1 {
					t.Fatalf("%s, %d rows: row %d with %v out of place", name, n, row, x)
				}
				seen[row], last = true, x
			}
		}
	}
}

// TestCompareAUCIsTheFramesLimits, but for the floor that keeps few rows uncertain.
func TestCompareAUCIsTheFramesLimits(t *testing.T) {
	p := randomPair(t, 4, 900, 2)
	column := func(v view) (x []float64) {
		for i := range v.answers {
			x = append(x, v.row(i)[1])
		}
		return x
	}
	b, c := column(p.baseline), column(p.candidate)
	d, err := CompareAUC(p.baseline.answers, 1, b, c, .9)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Limits("roc_auc", .05)
	if err != nil || d.Change.Value != l.Change || math.Abs(d.Change.Low-l.Lower) > 1e-12 || math.Abs(d.P/2-math.Min(l.PWorse, 1-l.PWorse)) > 1e-12 {
		t.Errorf("%+v, limits %+v, %v", d, l, err)
	}
	for i := range b { // any scores in the same order
		b[i], c[i] = 100*b[i]-7, math.Exp(20*c[i])
	}
	far, err := CompareAUC(p.baseline.answers, 1, b, c, .9)
	if err != nil || far.Change.Value != d.Change.Value || math.Abs(far.Z-d.Z) > 1e-12 {
		t.Errorf("%+v, on other scales %+v, %v", d, far, err)
	}
	apart, err := CompareAUC([]int32{0, 0, 1, 1}, 1, []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, .9)
	if err != nil || apart.Change.Undefined == "" || apart.P != 1 {
		t.Errorf("perfect against its reverse: %+v, %v", apart, err)
	}
}

// TestAUCBySlices: one pass gives each slice what a sort of its own rows gives.
func TestAUCBySlices(t *testing.T) {
	f := randomFrame(t, 12, 600, 2, 1)
	p, err := NewPair(f, f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.probs { // with ties
		f.probs[i] = math.Floor(f.probs[i]*10) / 10
	}
	for _, dimension := range []string{"sex", "race", "race*sex", "class"} {
		groups, err := f.AUCBy(dimension, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			q, err := p.Where(dimension, g.Value)
			if err != nil {
				t.Fatal(err)
			}
			want := readAlone("roc_auc", q.candidate)
			if (want.undefined == "") != (g.Estimate.Undefined == "") || math.Abs(want.value-g.Estimate.Value) > 1e-14 || g.Estimate.N != q.N() {
				t.Errorf("%s=%s: %+v, alone %v %s", dimension, g.Value, g.Estimate, want.value, want.undefined)
			}
		}
		if want, _ := p.By(dimension); len(groups) != len(want) {
			t.Errorf("%s: %d groups of %d", dimension, len(groups), len(want))
		}
	}
	if _, err := f.AUCBy("nowhere", 1); err == nil {
		t.Error("no such dimension")
	}
	if _, err := f.AUCBy("sex", 2); err == nil {
		t.Error("no such class")
	}
}

// TestWorstLogLoss: products of the least probabilities do not underflow.
func TestWorstLogLoss(t *testing.T) {
	y, p := make([]int32, 5000), make([]float64, 5000)
	for i := range y {
		y[i] = int32(i % 2)
		p[i] = float64(1 - i%2)
	}
	for _, w := range [][]float64{nil, slices.Repeat([]float64{3}, 5000)} {
		if e, err := LogLoss(y, 1, p, w); err != nil || math.Abs(e.Value/(52*math.Ln2)-1) > 1e-12 {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

// TestInfluencesCancel: a row more of each is the same rows twice, which moves no
// value; so the influences sum to 0.
func TestInfluencesCancel(t *testing.T) {
	for _, k := range []int{2, 3} {
		v := randomFrame(t, 14, 700, k, 1).view
		for _, name := range []string{"balanced_accuracy", "precision", "f1", "mcc", "kappa", "roc_auc", "average_precision"} {
			if parts := influencesOf(name, v); math.Abs(sum(parts)) > 1e-12 {
				t.Errorf("%s, %d classes: the influences sum to %v", name, k, sum(parts))
			}
		}
	}
}

// TestIntervalsStayInRange: a correlation below 0 has its interval around it, and
// a good one's ends at 1.
func TestIntervalsStayInRange(t *testing.T) {
	y := []int32{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}
	h := slices.Clone(y)
	h[0] = 1
	for _, name := range []string{"mcc", "kappa"} {
		good := mustJoin(t, Answers{Classes: classNames(2), Positive: 1, Labels: y}, Predictions{Labels: h})
		if e, err := good.Estimate(name, .95); err != nil || e.High != 1 || e.Low <= 0 {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		for i := range h {
			h[i] = 1 - h[i]
		}
		bad := mustJoin(t, Answers{Classes: classNames(2), Positive: 1, Labels: y}, Predictions{Labels: h})
		if e, err := bad.Estimate(name, .95); err != nil || e.Value >= 0 || e.Low != -1 || e.High <= e.Value || e.High >= 0 {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		for i := range h {
			h[i] = 1 - h[i]
		}
	}
}

// TestManyRowsOfOneClassCell: bytes that count rows do not overflow.
func TestManyRowsOfOneClassCell(t *testing.T) {
	a := Answers{Classes: classNames(2), Positive: 1, Labels: slices.Repeat([]int32{1}, 1000)}
	p, err := NewPair(mustJoin(t, a, Predictions{Labels: a.Labels}), mustJoin(t, a, Predictions{Labels: a.Labels}))
	if err != nil {
		t.Fatal(err)
	}
	if c := p.ClassCells(1); c != [2][2][2]int64{1: {1: {1: 1000}}} {
		t.Errorf("%v", c)
	}
}

// TestInfluencesAreDerivatives by a row's weight, where classes are unequal.
func TestInfluencesAreDerivatives(t *testing.T) {
	a := randomAnswers(15, 200, 3, -1)
	for i, y := range a.Labels {
		if y == 2 && i%3 > 0 {
			a.Labels[i] = 0
		}
	}
	p := randomPredictions(15, a)
	v := mustJoin(t, a, p).view
	two := randomFrame(t, 16, 150, 2, 1)
	positive := make([]float64, two.Len())
	for i := range positive {
		positive[i] = two.row(i)[1]
	}
	of := map[string]func(w []float64) Estimate{
		"mcc":   func(w []float64) Estimate { return mustTable(t, 3, a.Labels, p.Labels, w).MCC() },
		"kappa": func(w []float64) Estimate { return mustTable(t, 3, a.Labels, p.Labels, w).Kappa() },
		"average_precision": func(w []float64) Estimate {
			c, err := NewCurve(two.Answers(), 1, positive, w)
			if err != nil {
				t.Fatal(err)
			}
			return c.AveragePrecision()
		},
	}
	for name, value := range of {
		view := v
		if name == "average_precision" {
			view = two.view
		}
		parts := influencesOf(name, view)
		w := slices.Repeat([]float64{1}, len(view.answers))
		const step = 1e-4
		for i := range w {
			w[i] = 1 + step
			up := value(w).Value
			w[i] = 1 - step
			slope := (up - value(w).Value) / (2 * step)
			w[i] = 1
			if math.Abs(slope-parts[i]) > 1e-9 {
				t.Fatalf("%s: row %d has influence %v, the derivative is %v", name, i, parts[i], slope)
			}
		}
	}
}

// readAlone is a metric of one model.
func readAlone(name string, v view) score {
	m, err := find(name)
	if err != nil {
		panic(err)
	}
	return m.read((&Pair{candidate: v}).tally(m.family)).candidate
}

// influencesOf are those of each row on a metric that has them.
func influencesOf(name string, v view) []float64 {
	t := (&Pair{candidate: v}).tally(labelFamily | rankFamily)
	switch name {
	case "roc_auc":
		return t.rankScore(1, "", (*rankScore).addAUC, &sorter{}).parts
	case "average_precision":
		return t.rankScore(1, "", (*rankScore).addPrecision, &sorter{}).parts
	}
	s := map[string]func(oneModel) labelScore{
		"balanced_accuracy": oneModel.balancedAccuracy, "precision": oneModel.precision, "f1": oneModel.f1, "mcc": oneModel.mcc, "kappa": oneModel.kappa,
	}[name](t.model(false))
	parts := make([]float64, len(v.answers))
	for i, y := range v.answers {
		parts[i] = s.influence(y, v.labels[i])
	}
	return parts
}
