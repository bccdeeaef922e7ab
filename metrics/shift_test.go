package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

func mustSamples(t *testing.T, x, y []float64) *Samples {
	t.Helper()
	s, err := NewSamples(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSamplesAgainstTheirDefinitions: sums over all pairs instead of one pass.
func TestSamplesAgainstTheirDefinitions(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(5, seed))
		grid := float64(rnd.IntN(3))
		n, m := 2+rnd.IntN(40), 2+rnd.IntN(40)
		x, y := column(rnd, n, grid), column(rnd, m, grid)
		s := mustSamples(t, x, y)
		mean := func(a, b []float64, f func(d float64) float64) float64 {
			total := 0.0
			for _, p := range a {
				for _, q := range b {
					total += f(p - q)
				}
			}
			return total / float64(len(a)) / float64(len(b))
		}
		// Szekely and Rizzo: half of twice the mean distance across less those within.
		squared := 2*mean(x, y, math.Abs) - mean(x, x, math.Abs) - mean(y, y, math.Abs)
		near(t, "energy", s.Energy().Value, math.Sqrt(math.Max(0, squared)), 1e-7)
		larger := mean(x, y, func(d float64) float64 { return float64(oneIf(d > 0)) + float64(oneIf(d == 0))/2 })
		near(t, "Mann-Whitney", s.MannWhitney().Value, larger*float64(n*m), 1e-9)
		kernel := func(d float64) float64 { return math.Exp(-0.7 * d * d) }
		_, biased := s.MMD(0.7)
		near(t, "MMD", biased.Value, mean(x, x, kernel)+mean(y, y, kernel)-2*mean(x, y, kernel), 1e-12)
		gap, area := 0.0, 0.0
		for _, v := range x {
			gap = math.Max(gap, math.Abs(share(x, v)-share(y, v)))
		}
		for _, v := range y {
			gap = math.Max(gap, math.Abs(share(x, v)-share(y, v)))
		}
		near(t, "KS", s.KS().Value, gap, 1e-12)
		all := sorted(append(append([]float64{}, x...), y...))
		for i := 1; i < len(all); i++ {
			area += math.Abs(share(x, all[i-1])-share(y, all[i-1])) * (all[i] - all[i-1])
		}
		near(t, "Wasserstein", s.Wasserstein().Value, area, 1e-12)
	}
}

// share is the share of x at or below v.
func share(x []float64, v float64) float64 {
	n := 0
	for _, w := range x {
		n += oneIf(w <= v)
	}
	return float64(n) / float64(len(x))
}

// TestLeavesBand against the enumeration of all splits of 4 + 5 rows.
func TestLeavesBand(t *testing.T) {
	const n, m = 4, 5
	reach, total := map[int64]int{}, 0
	for mask := range 1 << (n + m) {
		var i, j, most int64
		for b := range n + m {
			if mask>>b&1 == 1 {
				i++
			} else {
				j++
			}
			most = max(most, i*m-j*n, j*n-i*m)
		}
		if i == n {
			reach[most]++
			total++
		}
	}
	for wide := int64(0); wide <= n*m+1; wide++ {
		want := 0
		for most, c := range reach {
			if most >= wide {
				want += c
			}
		}
		near(t, fmt.Sprintf("band %d", wide), leavesBand(n, m, wide), float64(want)/float64(total), 1e-15)
	}
}

// TestKolmogorov: critical values of Miller (1956), as in every textbook's table
// with four digits; and the formulas for few, for large and for many rows agree
// where they meet.
func TestKolmogorov(t *testing.T) {
	for _, c := range []struct {
		n    int
		d, p float64
	}{{1, .975, .05}, {2, .8419, .05}, {5, .5633, .05}, {10, .4093, .05}, {10, .3687, .10}, {20, .2941, .05}, {20, .3524, .01}, {40, .2101, .05}, {100, .1340, .05}} {
		near(t, fmt.Sprintf("n %d d %v", c.n, c.d), kolmogorovUpper(c.n, c.d), c.p, 4e-4)
	}
	for _, n := range []int{10, 40, 140} {
		d := math.Sqrt(4 / float64(n))
		if exact := 1 - marsaglia(n, d); math.Abs(exact/(2*smirnovUpper(n, d))-1) > 1e-6 {
			t.Errorf("n %d: %v and %v", n, exact, 2*smirnovUpper(n, d))
		}
	}
	for z := 1.2; z < 1.5; z += 0.1 { // more rows than the exact form is used for
		d := z / math.Sqrt(6400)
		near(t, fmt.Sprintf("z %v", z), kolmogorovUpper(6400, d), 1-marsaglia(6400, d), 1e-5)
	}
	if d := math.Sqrt(2.2 / 300); math.Abs(2*smirnovUpper(300, d)/(1-marsaglia(300, d))-1) > 3e-6 {
		t.Error("the tail is not yet the tail at n d^2 = 2.2")
	}
	near(t, "limit", kolmogorovLimit(1.3581), 0.05, 1e-5) // Smirnov's table
	near(t, "series meet", kolmogorovLimit(1-1e-9), kolmogorovLimit(1+1e-9), 1e-8)
	// K of order 1/2 is sqrt(pi/2q) e^-q.
	for _, q := range []float64{1e-3, 0.1, 1, 30} {
		near(t, "Bessel", scaledBessel(0.5, q)/math.Sqrt(math.Pi/(2*q)), 1, 1e-13)
	}
	// Critical value of the limit distribution (Anderson and Darling 1952, table 1).
	near(t, "Cramer", cramerLimit(0.46136), 0.95, 1e-5)
}

// TestUniformP: with equal distributions a p-value is at most alpha with about
// that probability; a test that always accused or never did would show.
func TestUniformP(t *testing.T) {
	const runs, alpha = 2000, 0.1
	hits := map[string]int{}
	rnd := rand.New(rand.NewPCG(6, 6))
	for range runs {
		s := mustSamples(t, column(rnd, 60, 0), column(rnd, 45, 0))
		for name, p := range map[string]float64{
			"ks": s.KSExact().P, "ks asymptotic": s.KSAsymptotic().P, "mann-whitney": s.MannWhitney().P, "cramer": s.CramerVonMises().P,
		} {
			hits[name] += oneIf(p <= alpha)
		}
	}
	for name, h := range hits {
		if got := float64(h) / runs; got < 0.07 || got > 0.12 {
			t.Errorf("%s rejects %v of equal distributions at %v", name, got, alpha)
		}
	}
}

// TestShiftLaws: equal samples have no distance, turning the sides keeps it, the
// order of rows and a shift of both carry nothing, a scale comes out.
func TestShiftLaws(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	x, y := column(rnd, 70, 4), column(rnd, 50, 4)
	values := func(x, y []float64) []float64 {
		s := mustSamples(t, x, y)
		unbiased, biased := s.MMD(1)
		return []float64{s.Wasserstein().Value, s.Energy().Value * s.Energy().Value, s.KS().Value, s.KS().P, s.CramerVonMises().Value, s.MannWhitney().P, biased.Value, unbiased.Value}
	}
	same := func(name string, got, want []float64) {
		for i := range want {
			near(t, fmt.Sprint(name, " ", i), got[i], want[i], 1e-9)
		}
	}
	want := values(x, y)
	same("sides", values(y, x), want)
	same("order", values(reversed(x), reversed(y)), want)
	moved, scaled := make([]float64, 70), make([]float64, 70)
	movedY, scaledY := make([]float64, 50), make([]float64, 50)
	for i := range x {
		moved[i], scaled[i] = x[i]+8, 4*x[i]
	}
	for i := range y {
		movedY[i], scaledY[i] = y[i]+8, 4*y[i]
	}
	same("moved", values(moved, movedY), want)
	got := values(scaled, scaledY)
	near(t, "Wasserstein scales", got[0], 4*want[0], 1e-9)
	same("scaled", got[2:6], want[2:6])
	same("equal", values(x, x)[:7], []float64{0, 0, 0, 1, values(x, x)[4], 1, 0})
	s := mustSamples(t, x, x)
	near(t, "PSI of equals", s.PSI(10).Value, 0, 0)
	near(t, "Sturges of equals", s.PSISturges().Value, 0, 0)
	near(t, "location", mustSamples(t, x, addTo(x, 0.5)).Wasserstein().Value, 0.5, 1e-12)
}

func addTo(x []float64, d float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = x[i] + d
	}
	return out
}

func TestShiftEdges(t *testing.T) {
	for _, c := range [][2][]float64{{nil, {1}}, {{1}, nil}, {{math.NaN()}, {1}}, {{1}, {math.Inf(-1)}}} {
		if _, err := NewSamples(c[0], c[1]); err == nil {
			t.Errorf("samples of %v", c)
		}
	}
	s := mustSamples(t, []float64{1}, []float64{2})
	unbiased, _ := s.MMD(1)
	u2, b2 := s.MMD(math.NaN())
	var zero Samples
	u3, b3 := mustSamples(t, make([]float64, mmdRows), []float64{1}).MMD(1)
	for i, e := range []Estimate{
		unbiased, u2, b2, u3, b3, s.PSI(1).Estimate, s.PSI(5000).Estimate, s.CramerVonMises().Estimate, s.AndersonDarling().Estimate,
		mustSamples(t, []float64{1, 1}, []float64{1, 1}).AndersonDarling().Estimate,
		mustSamples(t, []float64{-math.MaxFloat64}, []float64{math.MaxFloat64}).Wasserstein(),
		zero.Wasserstein(), zero.Energy(), zero.PSI(10).Estimate, zero.PSISturges().Estimate, zero.KS().Estimate, zero.KSExact().Estimate, zero.MannWhitney().Estimate, zero.CramerVonMises().Estimate,
		mustSamples(t, make([]float64, 10_001), make([]float64, 10_001)).KSExact().Estimate,
	} {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("estimate %d is %+v", i, e)
		}
	}
}

// TestPSIBinnings: the same samples, two binnings, two numbers: why each carries
// its own id.
func TestPSIBinnings(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	s := mustSamples(t, column(rnd, 500, 0), addTo(column(rnd, 500, 0), 0.2))
	a, b := s.PSI(10), s.PSISturges()
	if a.Method == b.Method || math.Abs(a.Value-b.Value) < 1e-3 {
		t.Errorf("%v and %v", a.Estimate, b.Estimate)
	}
	for _, p := range []Stability{a, b} {
		var n, m int64
		for i := range p.Baseline {
			n, m = n+p.Baseline[i], m+p.Candidate[i]
		}
		if n != 500 || m != 500 {
			t.Errorf("%s loses rows: %d, %d", p.Method, n, m)
		}
	}
	few := mustSamples(t, []float64{1, 1, 2, 2}, []float64{1, 2, 2, 3}).PSISturges()
	// By hand: shares (.5, .5, 0->1e-4) and (.25, .5, .25).
	near(t, "values as categories", few.Value, .25*math.Log(2)+(.25-1e-4)*math.Log(2500), 1e-12)
}

func mustShares(t *testing.T, p, q []int64) *Shares {
	t.Helper()
	s, err := NewShares(p, q)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSharesLaws: categories have no order, empty ones weigh nothing, equal shares
// have no distance, and the named distances are symmetric.
func TestSharesLaws(t *testing.T) {
	values := func(p, q []int64) []float64 {
		s := mustShares(t, p, q)
		c, g := s.ChiSquare(), s.GTest()
		return []float64{s.JSDistance().Value, s.JSDivergence().Value, s.Hellinger().Value, s.TotalVariation().Value, s.LInf().Value, s.PSI().Value, c.Value, c.P, c.CramersV, g.Value, g.P}
	}
	p, q := []int64{5, 30, 0, 7, 9}, []int64{10, 3, 4, 7, 9}
	want := values(p, q)
	for name, got := range map[string][]float64{
		"sides":      values(q, p),
		"relabelled": values([]int64{9, 7, 0, 30, 5}, []int64{9, 7, 4, 3, 10}),
		"empty":      values([]int64{5, 0, 30, 0, 7, 9, 0}, []int64{10, 0, 3, 4, 7, 9, 0}),
	} {
		for i := range want {
			near(t, fmt.Sprint(name, " ", i), got[i], want[i], 1e-12)
		}
	}
	for i, v := range values(p, []int64{50, 300, 0, 70, 90})[:6] {
		near(t, fmt.Sprint("equal shares ", i), v, 0, 1e-15)
	}
	// Two categories: the square of the pooled two-sample z.
	a, n, b, m := 30.0, 100.0, 45.0, 90.0
	pool := (a + b) / (n + m)
	z := (a/n - b/m) / math.Sqrt(pool*(1-pool)*(1/n+1/m))
	c := mustShares(t, []int64{30, 70}, []int64{45, 45}).ChiSquare()
	near(t, "z^2", c.Value, z*z, 1e-10)
	near(t, "p", c.P, 2*normalUpper(math.Abs(z)), 1e-12)
}

func TestSharesEdges(t *testing.T) {
	for _, c := range [][2][]int64{{nil, nil}, {{1}, {1, 2}}, {{0, 0}, {1, 2}}, {{-1, 2}, {1, 2}}, {{1, 1 << 41}, {1, 1}}, {make([]int64, maxValues+1), make([]int64, maxValues+1)}} {
		if _, err := NewShares(c[0], c[1]); err == nil {
			t.Errorf("shares of %d and %d categories", len(c[0]), len(c[1]))
		}
	}
	var zero Shares
	s := mustShares(t, []int64{3, 0}, []int64{4, 0})
	for i, e := range []Estimate{
		s.ChiSquare().Estimate, s.GTest().Estimate, mustShares(t, []int64{1, 1}, []int64{2, 0}).KL(),
		zero.KL(), zero.JSDistance(), zero.Hellinger(), zero.LInf(), zero.PSI(), zero.ChiSquare().Estimate,
	} {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("estimate %d is %+v", i, e)
		}
	}
	if w := mustShares(t, []int64{3, 9}, []int64{4, 9}).ChiSquare().Warnings; len(w) != 1 {
		t.Errorf("warnings %q", w)
	}
}

func FuzzShares(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 3, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, q []int64
		for i := 0; i+1 < len(b); i += 2 {
			p, q = append(p, int64(int8(b[i]))<<(b[i]%34)), append(q, int64(int8(b[i+1]))<<(b[i+1]%34))
		}
		s, err := NewShares(p, q)
		if err != nil {
			return
		}
		c, g := s.ChiSquare(), s.GTest()
		for _, e := range []Estimate{s.KL(), s.JSDistance(), s.JSDivergence(), s.Hellinger(), s.TotalVariation(), s.LInf(), s.PSI(), c.Estimate, g.Estimate} {
			if v := e.Value; v-v != 0 || v < -1e-12 || e.Undefined != "" && v != 0 {
				t.Fatalf("%+v", e)
			}
		}
		if !(c.P >= 0 && c.P <= 1 && g.P >= 0 && g.P <= 1 && c.CramersV <= 1) {
			t.Fatalf("%+v %+v", c, g)
		}
	})
}
