package metrics

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// bigUpper is P(X >= k) of n fair coins in exact arithmetic.
func bigUpper(k, n int64) float64 {
	s := new(big.Int)
	for i := max(k, 0); i <= n; i++ {
		s.Add(s, new(big.Int).Binomial(n, i))
	}
	f, _ := new(big.Rat).SetFrac(s, new(big.Int).Lsh(big.NewInt(1), uint(n))).Float64()
	return f
}

func TestMcNemarIsExact(t *testing.T) {
	for _, m := range []int64{0, 1, 2, 3, 10, 31, 64, 301, 900} {
		for b := int64(0); b <= m; b += max(1, m/40) {
			want := bigUpper(b, m)
			if got := McNemarWorse(b, m-b); math.Abs(got-want) > 1e-12*want {
				t.Errorf("worse %d of %d: %v, exactly %v", b, m, got, want)
			}
			want = math.Min(1, 2*bigUpper(max(b, m-b), m))
			if got := McNemar(b, m-b); math.Abs(got-want) > 1e-12*want {
				t.Errorf("two-sided %d of %d: %v, exactly %v", b, m, got, want)
			}
		}
	}
}

// TestBinomialUpperAgreesWithItsSum adds the terms by their recurrence from 0.
func TestBinomialUpperAgreesWithItsSum(t *testing.T) {
	for _, c := range []struct {
		n int64
		p float64
	}{{1, .3}, {12, .9}, {200, .01}, {500, .4}} {
		term, below := math.Pow(1-c.p, float64(c.n)), 0.0
		for k := int64(0); k <= c.n; k++ {
			if got := BinomialUpper(k, c.n, c.p); math.Abs(got-(1-below)) > 1e-11 {
				t.Errorf("P(X >= %d), n %d, p %v: %v, the sum has %v", k, c.n, c.p, got, 1-below)
			}
			below += term
			term *= float64(c.n-k) / float64(k+1) * c.p / (1 - c.p)
		}
	}
	for _, c := range []struct {
		k, n    int64
		p, want float64
	}{{0, 0, .5, 1}, {1, 0, .5, 0}, {-1, 5, .5, 1}, {6, 5, .5, 0}, {1, 5, 0, 0}, {0, 5, 0, 1}, {5, 5, 1, 1}} {
		if got := BinomialUpper(c.k, c.n, c.p); got != c.want {
			t.Errorf("P(X >= %d), n %d, p %v = %v, want %v", c.k, c.n, c.p, got, c.want)
		}
	}
}

// TestBigTablesDoNotUnderflow: all of m rows broke has p = 2 / 2^m.
func TestBigTablesDoNotUnderflow(t *testing.T) {
	for _, m := range []int64{100, 1000, 1_000_000, 1_000_000_000} {
		want := float64(1-m) * math.Log10(2)
		if got := McNemarLog10(m, 0); math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("log10 p of %d broken: %v, want %v", m, got, want)
		}
	}
	if McNemar(1_000_000, 0) != 0 {
		t.Error("the test shows nothing: the plain p-value does not underflow")
	}
	if got := McNemarLog10(500_000_000, 500_000_000); got != 0 {
		t.Errorf("even split of 10^9: log10 p %v, want 0", got)
	}
}

// TestClopperPearsonInvertsTheTail: at the limits the tails have the level, as far
// as a limit near 1 can be told from 1.
func TestClopperPearsonInvertsTheTail(t *testing.T) {
	for _, c := range []struct{ k, n int64 }{{1, 2}, {3, 10}, {50, 100}, {7, 100_000}, {10, 1_000_000}, {999_990, 1_000_000}} {
		for _, confidence := range []float64{.5, .95, 1 - 1e-9} {
			low, high := ClopperPearson(c.k, c.n, confidence)
			a := (1 - confidence) / 2
			if up, down := BinomialUpper(c.k, c.n, low), BinomialUpper(c.n-c.k, c.n, 1-high); math.Abs(up/a-1) > 1e-9 || math.Abs(down/a-1) > 1e-6 {
				t.Errorf("%d of %d at %v: tails %v and %v, want %v", c.k, c.n, confidence, up, down, a)
			}
		}
	}
	if low, high := ClopperPearson(0, 0, .95); low != 0 || high != 1 {
		t.Errorf("no rows: (%v, %v)", low, high)
	}
	if low, high := ClopperPearson(0, 10, .9); low != 0 || math.Abs(high-(1-math.Pow(.05, .1))) > 1e-14 {
		t.Errorf("0 of 10: (%v, %v)", low, high)
	}
}

// TestTangoLimitsAreRoots of the statistic, on random tables and any level.
func TestTangoLimitsAreRoots(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		n := int64(1 + rnd.IntN(1_000_000))
		b := rnd.Int64N(n + 1)
		f := rnd.Int64N(n - b + 1)
		alpha := math.Pow(10, -12*rnd.Float64()) / 2
		lower, upper := TangoLimits(b, f, n, alpha)
		z, change := upperZ(alpha), float64(f-b)/float64(n)
		if !(-1 <= lower && lower <= change && change <= upper && upper <= 1) {
			t.Errorf("%d broke, %d fixed of %d at %v: (%v, %v)", b, f, n, alpha, lower, upper)
		}
		if lower > -1 && math.Abs(tangoZ(b, f, n, lower)-z) > 1e-6*z+1e-6 {
			t.Errorf("%d broke, %d fixed of %d: z at the lower limit is %v, want %v", b, f, n, tangoZ(b, f, n, lower), z)
		}
		if upper < 1 && math.Abs(tangoZ(b, f, n, upper)+z) > 1e-6*z+1e-6 {
			t.Errorf("%d broke, %d fixed of %d: z at the upper limit is %v, want %v", b, f, n, tangoZ(b, f, n, upper), -z)
		}
	}
	// Without a discordant row the limit is z^2/(n+z^2): no certainty from few rows.
	z2 := upperZ(.01) * upperZ(.01)
	if lower, _ := TangoLimits(0, 0, 30, .01); math.Abs(lower+z2/(30+z2)) > 1e-12 {
		t.Errorf("no flips in 30: %v, want %v", lower, -z2/(30+z2))
	}
	if lower, upper := TangoLimits(0, 0, 0, .01); lower != -1 || upper != 1 {
		t.Errorf("no rows: (%v, %v)", lower, upper)
	}
}

func TestAdjustedPValues(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		f        func([]float64) []float64
		in, want []float64
	}{
		"holm, in any order":       {Holm, []float64{.03, .01, .04}, []float64{.06, .03, .06}},
		"holm, NaN counts":         {Holm, []float64{.01, nan}, []float64{.02, 1}},
		"hochberg, NaN counts":     {Hochberg, []float64{.01, nan}, []float64{.02, 1}},
		"bonferroni, NaN counts":   {Bonferroni, []float64{.01, nan}, []float64{.02, 1}},
		"nothing looked at":        {Holm, nil, []float64{}},
		"bh with NaN":              {BenjaminiHochberg, []float64{nan, .02}, []float64{1, .04}},
		"by is bh times 1+1/2":     {BenjaminiYekutieli, []float64{.02, .02}, []float64{.03, .03}},
		"hochberg takes the least": {Hochberg, []float64{.04, .05}, []float64{.05, .05}},
	} {
		if got := c.f(c.in); !slices.EqualFunc(got, c.want, func(x, y float64) bool { return math.Abs(x-y) < 1e-15 }) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestHolmHoldsItsLevel where nothing is wrong, and plain tests do not.
func TestHolmHoldsItsLevel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	const reps, m, alpha = 2000, 40, 0.05
	plain, holm := 0, 0
	for range reps {
		p := make([]float64, m)
		for i := range p {
			b := int64(0)
			for range 60 {
				b += int64(rnd.IntN(2))
			}
			p[i] = McNemarWorse(b, 60-b)
		}
		plain += oneIf(slices.Min(p) <= alpha)
		holm += oneIf(slices.Min(Holm(p)) <= alpha)
	}
	if share := float64(holm) / reps; share > alpha+4*math.Sqrt(alpha/reps) {
		t.Errorf("Holm accuses an equal model in %v", share)
	}
	if share := float64(plain) / reps; share < 0.5 {
		t.Errorf("uncorrected tests accuse in only %v; the test shows nothing", share)
	}
}
