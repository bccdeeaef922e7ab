package metrics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// column draws n numbers; with a grid there are ties, negative numbers and both
// zeros among them.
func column(rnd *rand.Rand, n int, grid float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = rnd.NormFloat64()
		if grid > 0 {
			out[i] = math.Round(out[i]*grid) / grid
		}
	}
	return out
}

func TestSortKeepsTheOrderOfEquals(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100, 1<<radixBits - 1, 1 << radixBits, 10_000} {
		rnd := rand.New(rand.NewPCG(1, uint64(n)))
		x := column(rnd, n, 8)
		for i := range x {
			if rnd.IntN(9) == 0 {
				x[i] = math.Copysign(math.MaxFloat64, x[i])
			}
		}
		want := allRows(n)
		slices.SortStableFunc(want, func(a, b int32) int { return cmp.Compare(x[a], x[b]) })
		keys, rows := sortByKey(sortKeys(x), allRows(n))
		if !slices.Equal(rows, want) {
			t.Errorf("%d rows in another order", n)
		}
		for i, k := range keys {
			if unsortKey(k) != x[want[i]] {
				t.Fatalf("%d rows: key %d is %v, want %v", n, i, unsortKey(k), x[want[i]])
			}
		}
		if got := sorted(x); !slices.IsSorted(got) || n > 0 && got[0] != x[want[0]] {
			t.Errorf("%d rows not sorted", n)
		}
	}
}

// slowPairs counts pairs by their definition.
func slowPairs(x, y []float64) (c Concordance) {
	for i := range x {
		for j := range i {
			a, b := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			c.TiedFirst += int64(oneIf(a == 0))
			c.TiedSecond += int64(oneIf(b == 0))
			c.TiedBoth += int64(oneIf(a == 0 && b == 0))
			c.Concordant += int64(oneIf(a*b > 0))
			c.Discordant += int64(oneIf(a*b < 0))
		}
	}
	return c
}

func TestPairsAndRanksAgainstTheirDefinition(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(2, seed))
		n, grid := 2+rnd.IntN(120), float64(rnd.IntN(4))
		x, y := column(rnd, n, grid), column(rnd, n, grid)
		got, err := CountPairs(x, y)
		if err != nil {
			t.Fatal(err)
		}
		want := slowPairs(x, y)
		want.first, want.second, want.rows = got.first, got.second, n
		if got != want {
			t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
		}
		ranks, _ := midranks(x)
		for i, v := range x {
			below, equal := 0, 0
			for _, w := range x {
				below += oneIf(w < v)
				equal += oneIf(w == v)
			}
			if ranks[i] != float64(below)+float64(equal+1)/2 {
				t.Fatalf("seed %d: rank %v of %v", seed, ranks[i], v)
			}
		}
		top, k := topRows(x, n), 1+rnd.IntN(n)
		for i := 1; i < n; i++ {
			if a, b := top[i-1], top[i]; x[a] < x[b] || x[a] == x[b] && a > b {
				t.Fatalf("seed %d: row %d before row %d", seed, a, b)
			}
		}
		if !slices.Equal(topRows(x, k), top[:k]) {
			t.Fatalf("seed %d: the top %d are not the first %d", seed, k, k)
		}
	}
}

// TestInversionsOfManyRows: merges of unequal halves, against a slow count.
func TestInversionsOfManyRows(t *testing.T) {
	for _, n := range []int{15, 16, 17, 33, 100, 1000, 1025} {
		rnd := rand.New(rand.NewPCG(3, uint64(n)))
		s, want := make([]int32, n), int64(0)
		for i := range s {
			s[i] = int32(rnd.IntN(n / 2))
			for _, v := range s[:i] {
				want += int64(oneIf(v > s[i]))
			}
		}
		if got := inversions(s); got != want {
			t.Errorf("%d rows: %d inversions, want %d", n, got, want)
		}
	}
}

// TestExactKendall against the enumeration of all orders of 6 rows.
func TestExactKendall(t *testing.T) {
	counts, total := make([]int, 16), 0
	var permute func(s []int32, k int)
	permute = func(s []int32, k int) {
		if k == len(s) {
			counts[inversions(slices.Clone(s))]++
			total++
			return
		}
		for i := k; i < len(s); i++ {
			s[k], s[i] = s[i], s[k]
			permute(s, k+1)
			s[k], s[i] = s[i], s[k]
		}
	}
	permute(allRows(6), 0)
	seen := 0
	for few := range 8 {
		seen += counts[few]
		if want := math.Min(1, 2*float64(seen)/float64(total)); math.Abs(exactKendall(6, few)-want) > 1e-14 {
			t.Errorf("at most %d inversions: %v, want %v", few, exactKendall(6, few), want)
		}
	}
}

// TestCorrelationLaws: columns and rows may change places, ranks know nothing of
// scale, a turned column turns the sign.
func TestCorrelationLaws(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	x, y := column(rnd, 200, 5), column(rnd, 200, 5)
	for i := range y {
		y[i] += x[i]
	}
	coefficients := func(x, y []float64) [4]float64 {
		p, err := Pearson(x, y)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Spearman(x, y)
		if err != nil {
			t.Fatal(err)
		}
		c, err := CountPairs(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return [4]float64{p.Value, s.Value, c.KendallB().Value, c.KendallC().Value}
	}
	mapped := func(v []float64, f func(float64) float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			out[i] = f(v[i])
		}
		return out
	}
	want := coefficients(x, y)
	order := rnd.Perm(len(x))
	px, py := make([]float64, len(x)), make([]float64, len(x))
	for i, r := range order {
		px[i], py[i] = x[r], y[r]
	}
	same := func(name string, got [4]float64, sign float64, from int) {
		for i := from; i < 4; i++ {
			if math.Abs(got[i]-sign*want[i]) > 1e-12 {
				t.Errorf("%s: coefficient %d is %v, want %v", name, i, got[i], sign*want[i])
			}
		}
	}
	same("columns changed", coefficients(y, x), 1, 0)
	same("rows in another order", coefficients(px, py), 1, 0)
	same("scaled up", coefficients(mapped(x, func(v float64) float64 { return 1e150*v + 1 }), y), 1, 0)
	same("scaled down", coefficients(mapped(x, func(v float64) float64 { return 1e-200 * v }), y), 1, 0)
	same("turned", coefficients(mapped(x, func(v float64) float64 { return -v }), y), -1, 0)
	same("exp", coefficients(mapped(x, math.Exp), y), 1, 1)
}

func TestCorrelationEdges(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct{ x, y []float64 }{
		{nil, nil}, {[]float64{1}, nil}, {[]float64{1, nan}, []float64{1, 2}}, {[]float64{1, 2}, []float64{-inf, 2}},
	} {
		_, e1 := Pearson(c.x, c.y)
		_, e2 := Spearman(c.x, c.y)
		_, e3 := CountPairs(c.x, c.y)
		_, e4 := CompareScores(c.x, c.y, 0.5)
		_, e5 := CompareRanks(c.x, c.y, 1)
		for i, err := range []error{e1, e2, e3, e4, e5} {
			if err == nil {
				t.Errorf("%v against %v: function %d took it", c.x, c.y, i)
			}
		}
	}
	for _, c := range []struct{ x, y []float64 }{{[]float64{1}, []float64{2}}, {[]float64{1, 1, 1}, []float64{1, 2, 3}}} {
		p, _ := Pearson(c.x, c.y)
		s, _ := Spearman(c.x, c.y)
		pairs, err := CountPairs(c.x, c.y)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range []Correlation{p, s, pairs.KendallB(), pairs.KendallC()} {
			if r.Undefined == "" || r.Value != 0 || r.P != 1 {
				t.Errorf("%v against %v: coefficient %d is %+v", c.x, c.y, i, r)
			}
		}
	}
	if c, err := Pearson([]float64{math.MaxFloat64, math.MaxFloat64, -1}, []float64{1, 2, 3}); err != nil || c.Undefined == "" {
		t.Errorf("a mean that overflows: %+v, %v", c, err)
	}
	if _, err := CompareRanks([]float64{1, 2}, []float64{1, 2}, 3); err == nil || !strings.Contains(err.Error(), "top 3 of 2") {
		t.Errorf("top 3 of 2 rows: %v", err)
	}
	if _, err := CompareScores([]float64{1}, []float64{1}, nan); err == nil {
		t.Error("a threshold of NaN")
	}
}

// TestRankChangeOfAReversal is the most that ranks can change: n even moves
// n^2/2 places in all, and the top half becomes the bottom half.
func TestRankChangeOfAReversal(t *testing.T) {
	a, b := []float64{1, 2, 3, 4, 5, 6}, []float64{6, 5, 4, 3, 2, 1}
	c, err := CompareRanks(a, b, 3)
	if err != nil || c.FootruleNorm.Value != 1 || c.MaxMove.Value != 5 || c.Overlap.Value != 0 || c.Jaccard.Value != 0 || c.Pairs.Discordant != 15 {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = CompareRanks(a, a, 3)
	if err != nil || c.Footrule.Value != 0 || c.Overlap.Value != 1 || c.Jaccard.Value != 1 || c.Pairs.Concordant != 15 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestScoreChangeEdges(t *testing.T) {
	c, err := CompareScores([]float64{-1, 0.5}, []float64{1, 0.5}, 0.5)
	if err != nil || c.Symmetric.Undefined == "" || c.Up.Value != 0.5 || c.Down.Value != 0 {
		t.Errorf("opposite scores: %+v, %v", c, err)
	}
	c, err = CompareScores([]float64{-math.MaxFloat64}, []float64{math.MaxFloat64}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range []Estimate{c.Mean, c.MeanAbs, c.RMS, c.P95Abs, c.MaxAbs} {
		if e.Undefined == "" {
			t.Errorf("a change that overflows: value %d is %+v", i, e)
		}
	}
}

func FuzzColumns(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, uint8(3))
	f.Add([]byte("\xff\xf0\x00\x00\x00\x00\x00\x00aaaaaaaabbbbbbbb"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, k uint8) {
		x, y := hostileColumns(b)
		checkAllNumbers(t, x, y, int(k))
	})
}

// hostileColumns reads any bits as numbers, with small whole numbers between, so
// that there are ties.
func hostileColumns(b []byte) (x, y []float64) {
	for len(b) >= 9 {
		bits := uint64(0)
		for _, c := range b[1:9] {
			bits = bits<<8 | uint64(c)
		}
		v := math.Float64frombits(bits)
		if b[0]&2 == 0 {
			v = float64(bits % 5)
		}
		if b[0]&1 == 0 {
			x = append(x, v)
		} else {
			y = append(y, v)
		}
		b = b[9:]
	}
	return x, y
}

// checkAllNumbers asks everything of two columns: none of it panics, and no
// number is NaN or infinite.
func checkAllNumbers(t *testing.T, x, y []float64, k int) {
	t.Helper()
	var all []Estimate
	if s, err := NewSamples(x, y); err == nil {
		unbiased, biased := s.MMD(float64(k))
		all = append(all, s.Wasserstein(), s.Energy(), s.PSI(k).Estimate, s.PSISturges().Estimate, unbiased, biased)
		for _, test := range []ShiftTest{s.KS(), s.KSExact(), s.KSAsymptotic(), s.CramerVonMises(), s.MannWhitney(), s.AndersonDarling()} {
			all = append(all, test.Estimate)
			if !(test.P >= 0 && test.P <= 1) {
				t.Fatalf("P of %+v", test)
			}
		}
	}
	n := min(len(x), len(y))
	x, y = x[:n], y[:n]
	if q, err := Quantile(x, float64(k)/100); err == nil && !(slices.Min(x) <= q && q <= slices.Max(x)) {
		t.Fatalf("quantile %v of %v", q, x)
	}
	if r, err := NewRegression(x, y, nil); err == nil && r.N() == n {
		all = append(all, r.MAE(), r.MSE(), r.RMSE(), r.MAPE(), r.SMAPE(), r.MedianAE(), r.MaxError(), r.MSLE(), r.R2(), r.ExplainedVariance(), r.Pinball(0.3))
	}
	if r, err := NewRegression(x, y, y); err == nil {
		all = append(all, r.MAE(), r.MSE(), r.MedianAE(), r.R2(), r.MaxError())
	}
	var correlations []Correlation
	for _, f := range []func(x, y []float64) (Correlation, error){Pearson, Spearman} {
		if c, err := f(x, y); err == nil {
			correlations = append(correlations, c)
		}
	}
	if c, err := CountPairs(x, y); err == nil && c.Tied() <= c.Pairs() {
		correlations = append(correlations, c.KendallB(), c.KendallC())
	}
	for _, c := range correlations {
		all = append(all, c.Estimate)
		if !(c.P >= 0 && c.P <= 1) || math.Abs(c.Value) > 1+1e-12 {
			t.Fatalf("correlation %+v", c)
		}
	}
	if c, err := CompareRanks(x, y, k); err == nil {
		all = append(all, c.Footrule, c.FootruleNorm, c.MaxMove, c.Overlap, c.Jaccard)
	}
	if c, err := CompareScores(x, y, 0.5); err == nil {
		all = append(all, c.Mean, c.MeanAbs, c.RMS, c.P95Abs, c.MaxAbs, c.Symmetric, c.Up, c.Down)
	}
	if q, err := Rank(x, y); err == nil {
		for name, f := range rankingValues {
			if v := f(q); !(v >= 0 && v <= 1+1e-9) {
				t.Fatalf("%s is %v", name, v)
			}
		}
	}
	for _, e := range all {
		if v := e.Value; v-v != 0 || e.Undefined != "" && v != 0 {
			t.Fatalf("estimate %+v", e)
		}
	}
}
