package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestOneVsOneAgreesWithItsTwin, from pairs of rows.
func TestOneVsOneAgreesWithItsTwin(t *testing.T) {
	f := randomFrame(t, 8, 120, 4, 1)
	s, err := f.Scores()
	if err != nil {
		t.Fatal(err)
	}
	total, pairs := 0.0, 0.0
	for k := range int32(4) {
		for l := range int32(4) {
			if k == l {
				continue
			}
			won, of := 0.0, 0.0
			for i, y := range f.Answers() {
				for j, z := range f.Answers() {
					if y == k && z == l {
						of++
						won += truth(prob(f, i, k) > prob(f, j, k)) + truth(prob(f, i, k) == prob(f, j, k))/2
					}
				}
			}
			total += won / of
			pairs++
		}
	}
	if got := s.OneVsOne(Macro).Value; math.Abs(got-total/pairs) > 1e-12 {
		t.Errorf("%v, the twin has %v", got, total/pairs)
	}
	if got, want := s.OneVsRest(Macro).Value, asNumber(f.mustValue(t, "roc_auc")); math.Abs(got-want) > 1e-14 {
		t.Errorf("one against the rest: %v, the frame has %v", got, want)
	}
	two, err := randomFrame(t, 9, 200, 2, 1).Scores()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := two.OneVsOne(Macro).Value, two.OneVsRest(Macro).Value; math.Abs(a-b) > 1e-12 {
		t.Errorf("two classes: one against one %v, against the rest %v", a, b)
	}
}

// TestTopKTies: of equal scores the lower class comes first, and all classes hold
// every answer.
func TestTopKTies(t *testing.T) {
	s, err := NewClassScores(3, []int32{0, 1, 2}, []float64{.2, .2, .2, .2, .2, .2, .2, .2, .2})
	if err != nil {
		t.Fatal(err)
	}
	last, err := NewClassScores(3, []int32{2, 2, 1}, s.scores)
	if err != nil {
		t.Fatal(err)
	}
	if e := last.TopK(1, .95); e.Value != 0 || last.TopK(2, .95).Value != 1.0/3 {
		t.Errorf("later classes: %+v", e)
	}
	for k, want := range map[int]float64{1: 1.0 / 3, 2: 2.0 / 3, 3: 1} {
		if e := s.TopK(k, .95); e.Value != want || !e.Interval {
			t.Errorf("top %d: %+v", k, e)
		}
	}
	for _, k := range []int{0, -1, 4} {
		if e := s.TopK(k, .95); e.Undefined == "" {
			t.Errorf("top %d: %+v", k, e)
		}
	}
	if e := s.TopK(1, 1); e.Undefined == "" {
		t.Errorf("confidence 1: %+v", e)
	}
	if e := s.OneVsOne(Micro); e.Undefined == "" {
		t.Errorf("pooled pairs: %+v", e)
	}
}

// TestMissingClassIsUndefined, never an average over fewer.
func TestMissingClassIsUndefined(t *testing.T) {
	s, err := NewClassScores(3, []int32{0, 1, 1}, []float64{.5, .3, .2, .1, .8, .1, .3, .4, .3})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Estimate{s.OneVsRest(Macro), s.OneVsRest(Weighted), s.OneVsOne(Macro), s.OneVsOne(Weighted), s.AveragePrecision(Macro)} {
		if e.Undefined == "" {
			t.Errorf("%+v", e)
		}
	}
	if e := s.OneVsRest(Micro); e.Undefined != "" {
		t.Errorf("pooled: %+v", e)
	}
}

func drawMultiLabel(t *testing.T, seed uint64, n, k int) *MultiLabel {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 41))
	truths, scores := make([]bool, n*k), make([]float64, n*k)
	for i := range truths {
		truths[i] = rnd.IntN(3) == 0
		scores[i] = float64(rnd.IntN(8)) / 8
	}
	m, err := NewMultiLabel(k, truths, scores, .4)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMultiLabelOfOneLabelIsBinary: with one label the family is that of two
// classes, of which the positive one is averaged.
func TestMultiLabelOfOneLabelIsBinary(t *testing.T) {
	m := drawMultiLabel(t, 1, 400, 1)
	var y, h []int32
	for i := range m.truth {
		y, h = append(y, int32(oneIf(m.truth[i]))), append(h, int32(oneIf(m.said[i])))
	}
	c := mustTable(t, 2, y, h, nil)
	curve, err := NewCurve(y, 1, m.scores, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string][2]float64{
		"subset": {m.SubsetAccuracy().Value, c.Accuracy().Value}, "hamming": {1 - m.HammingLoss().Value, c.Accuracy().Value},
		"macro": {m.Average(F1, Macro).Value, c.Of(1, F1).Value}, "micro": {m.Average(Precision, Micro).Value, c.Of(1, Precision).Value},
		"weighted": {m.Average(Recall, Weighted).Value, c.Of(1, Recall).Value}, "auc": {m.AUC(Macro).Value, curve.AUC().Value}, "ap": {m.AveragePrecision(Micro).Value, curve.AveragePrecision().Value},
		"lrap": {m.LRAP().Value, 1}, "ranking": {m.RankingLoss().Value, 0},
	} {
		if math.Abs(v[0]-v[1]) > 1e-12 {
			t.Errorf("%s: %v, want %v", name, v[0], v[1])
		}
	}
}

// TestMultiLabelBounds: perfect scores have perfect values, reversed ones the worst.
func TestMultiLabelBounds(t *testing.T) {
	m := drawMultiLabel(t, 2, 100, 5)
	for sign, want := range map[float64][2]float64{1: {1, 0}, -1: {0, 1}} {
		scores := make([]float64, len(m.truth))
		for i, y := range m.truth {
			scores[i] = sign * (truth(y) - .5)
		}
		p, err := NewMultiLabel(5, m.truth, scores, 0)
		if err != nil {
			t.Fatal(err)
		}
		if p.SubsetAccuracy().Value != want[0] || p.HammingLoss().Value != want[1] || p.Average(F1, Micro).Value != want[0] || p.AUC(Macro).Value != want[0] {
			t.Errorf("sign %v: %+v %+v", sign, p.SubsetAccuracy(), p.HammingLoss())
		}
		if sign > 0 && (p.LRAP().Value != 1 || p.RankingLoss().Value != 0 || p.Samples(F1).Value > 1) {
			t.Errorf("perfect: LRAP %v, ranking loss %v", p.LRAP(), p.RankingLoss())
		}
	}
	tied, err := NewMultiLabel(3, []bool{true, false, false}, []float64{.5, .5, .2}, .5)
	if err != nil {
		t.Fatal(err)
	}
	if tied.RankingLoss().Value != .5 || tied.CoverageError().Value != 2 || tied.LRAP().Value != .5 {
		t.Errorf("a tie: %+v, %+v, %+v", tied.RankingLoss(), tied.CoverageError(), tied.LRAP())
	}
	empty, err := NewMultiLabel(2, []bool{false, false}, []float64{.1, .9}, .5)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Estimate{"auc": empty.AUC(Macro), "ap": empty.AveragePrecision(Weighted), "weighted": empty.Average(F1, Weighted), "micro": empty.AUC(Micro)} {
		if e.Undefined == "" {
			t.Errorf("%s without a label on any row: %+v", name, e)
		}
	}
	if empty.LRAP().Value != 1 || empty.CoverageError().Value != 0 || empty.RankingLoss().Value != 0 || empty.Average(Precision, Macro).Value != 0 {
		t.Errorf("a row without labels: %+v, %+v", empty.LRAP(), empty.CoverageError())
	}
}
