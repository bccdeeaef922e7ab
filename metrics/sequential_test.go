package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPublishedBounds: numbers printed in test/test_uniform_boundaries.cpp of confseq
// (git 70b1ef3), whose authors wrote Howard, Ramdas, McAuliffe and Sekhon 2021.
func TestPublishedBounds(t *testing.T) {
	tune := MixtureTuning{VOpt: 100, AlphaOpt: 0.05}
	bound := func(m Mixture, err error) float64 {
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Bound(100, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	stitched, err := Stitching{VMin: 10, C: 3, S: 1.4, Eta: 2}.Bound(100, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	e, err := BernoulliSequence(700, 1000, 0.05, 100)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]float64{
		"normal, two-sided": {bound(NormalMixture(tune, false)), 30.35209},
		"normal, one-sided": {bound(NormalMixture(tune, true)), 27.66071},
		"gamma-exponential": {bound(GammaExponentialMixture(tune, 2)), 33.02017},
		"beta-binomial":     {bound(BetaBinomialMixture(tune, .2, .8, false)), 31.4308},
		"stitching":         {stitched, 64.48755},
		"Bernoulli, lower":  {e.Low, .651629},
		"Bernoulli, upper":  {e.High, .745949},
	} {
		if math.Abs(c[0]-c[1]) > 6e-6*math.Max(1, c[1]) {
			t.Errorf("%s: %v, published %v", name, c[0], c[1])
		}
	}
}

// TestBoundIsWhereTheWealthIs: at the bound the wealth is 1/alpha, for every mixture.
func TestBoundIsWhereTheWealthIs(t *testing.T) {
	tune := MixtureTuning{VOpt: 30, AlphaOpt: 0.01}
	for name, f := range map[string]func() (Mixture, error){
		"normal":            func() (Mixture, error) { return NormalMixture(tune, false) },
		"normal, one-sided": func() (Mixture, error) { return NormalMixture(tune, true) },
		"gamma-exponential": func() (Mixture, error) { return GammaExponentialMixture(tune, 0.7) },
		"beta-binomial":     func() (Mixture, error) { return BetaBinomialMixture(tune, .3, .6, false) },
		"one-sided":         func() (Mixture, error) { return BetaBinomialMixture(tune, .3, .6, true) },
	} {
		m, err := f()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{1, 7, 200, 1e5} {
			for _, alpha := range []float64{.2, .05, 1e-6} {
				b, err := m.Bound(v, alpha)
				if err != nil {
					t.Fatal(err)
				}
				l, err := m.Log(b, v)
				if err != nil {
					t.Fatal(err)
				}
				if b < m.most(v) && math.Abs(l+math.Log(alpha)) > 1e-6 {
					t.Errorf("%s at %v, level %v: bound %v is worth e^%v", name, v, alpha, b, l)
				}
			}
		}
	}
}

// TestWealthIsFair: over all outcomes of n rows the mean wealth is 1 where the
// hypothesis is true, exactly: so nothing is paid for that was not staked.
func TestWealthIsFair(t *testing.T) {
	for _, p := range []float64{.03, .3, .5, .8} {
		for _, n := range []int64{1, 5, 40} {
			mean := 0.0
			for k := int64(0); k <= n; k++ {
				mean += math.Exp(lnBinomial(k, n, p, 1-p) + bernoulliWealth(k, n, p, 50, .05))
			}
			if math.Abs(mean-1) > 1e-10 {
				t.Errorf("Bernoulli, p %v, n %d: the mean wealth is %v", p, n, mean)
			}
		}
		const n = 10
		up, down := 0.0, 0.0
		for word := range 1 << n {
			h, err := NewHedge(p, .05, .5)
			if err != nil {
				t.Fatal(err)
			}
			prob := 1.0
			for i := range n {
				x := float64(word >> i & 1)
				prob *= x*p + (1-x)*(1-p)
				if err := h.Add(x); err != nil {
					t.Fatal(err)
				}
			}
			up += prob * math.Exp(h.up.log)
			down += prob * math.Exp(h.down.log)
		}
		if math.Abs(up-.5) > 1e-12 || math.Abs(down-.5) > 1e-12 {
			t.Errorf("hedge, mean %v: the mean capitals are %v and %v, want 1/2 each", p, up, down)
		}
	}
}

// TestBernoulliIsABetaBinomialMixture: two ways to the same wealth.
func TestBernoulliIsABetaBinomialMixture(t *testing.T) {
	for _, p := range []float64{.02, .4, .9} {
		for _, c := range [][2]int64{{0, 3}, {7, 20}, {990, 1000}} {
			k, n := float64(c[0]), float64(c[1])
			m, err := BetaBinomialMixture(MixtureTuning{100 * p * (1 - p), .05}, p, 1-p, false)
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Log(k-n*p, n*p*(1-p))
			if err != nil {
				t.Fatal(err)
			}
			if got := bernoulliWealth(c[0], c[1], p, 100, .05); math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
				t.Errorf("p %v, %d of %d: %v and %v", p, c[0], c[1], got, want)
			}
		}
	}
}

// TestExcludedSharesAreAnInterval: at any level, once a share on the way to the one seen
// is not excluded none after it is, so that bisection finds the end.
func TestExcludedSharesAreAnInterval(t *testing.T) {
	for _, c := range [][2]int64{{1, 1}, {2, 3}, {5, 400}, {399, 400}, {3000, 10_000}} {
		share := float64(c[0]) / float64(c[1])
		for _, threshold := range []float64{.1, math.Log(20), 14} {
			excluded := true
			for i := 1; i < 2000; i++ {
				p := share * float64(i) / 2000
				now := bernoulliWealth(c[0], c[1], p, 100, .05) >= threshold
				if now && !excluded {
					t.Errorf("%d of %d: %v is excluded and a share below it is not", c[0], c[1], p)
					break
				}
				excluded = now
			}
		}
	}
}

// TestSPRTIsTheNormalMixture with rho = variance/prior: tuned so that rho comes out.
func TestSPRTIsTheNormalMixture(t *testing.T) {
	const variance, prior, mean, n = 0.25, 0.01, 0.07, 300
	l := -2 * math.Log(.05)
	m, err := NormalMixture(MixtureTuning{variance / prior * (l + math.Log1p(l)), .05}, false)
	if err != nil {
		t.Fatal(err)
	}
	// in units of the rows' standard deviation V is n and S the sum
	want, err := m.Log(n*mean/math.Sqrt(variance), n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SPRT{0, variance, prior}.LogRatio(mean, n)
	if err != nil || math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, %v; the mixture says %v", got, err, want)
	}
}

// TestLookingAlwaysIsAllowed: streams of a true mean are looked at after each row. The
// confidence sequences exclude the truth, ever, in at most their level; the interval
// for a fixed number of rows excludes it in a third of the streams, at the same looks.
func TestLookingAlwaysIsAllowed(t *testing.T) {
	const streams, rows, alpha, mean = 400, 1000, .05, .3
	rnd := rand.New(rand.NewPCG(3, 3))
	fixed, bernoulli, bernstein, hedged := 0, 0, 0, 0
	for range streams {
		e, err := NewEmpiricalBernstein(alpha)
		if err != nil {
			t.Fatal(err)
		}
		h, err := NewHedge(mean, alpha, .5)
		if err != nil {
			t.Fatal(err)
		}
		var k int64
		outFixed, outBernoulli, outBernstein := false, false, false
		for i := range int64(rows) {
			x := float64(oneIf(rnd.Float64() < mean))
			k += int64(x)
			if e.Add(x) != nil || h.Add(x) != nil {
				t.Fatal("refused")
			}
			outBernoulli = outBernoulli || bernoulliWealth(k, i+1, mean, 100, alpha) >= -math.Log(alpha)
			b := e.Estimate()
			outBernstein = outBernstein || b.Low > mean || b.High < mean
			if i >= 20 {
				low, high := wilson(float64(k)/float64(i+1), float64(i+1), upperZ(alpha/2))
				outFixed = outFixed || low > mean || high < mean
			}
		}
		fixed += oneIf(outFixed)
		bernoulli += oneIf(outBernoulli)
		bernstein += oneIf(outBernstein)
		hedged += oneIf(h.P() <= alpha)
	}
	most := alpha + 3*math.Sqrt(alpha*(1-alpha)/streams)
	for name, n := range map[string]int{"Bernoulli": bernoulli, "empirical Bernstein": bernstein, "hedged": hedged} {
		if share := float64(n) / streams; share > most {
			t.Errorf("%s excludes the truth in %v of the streams", name, share)
		}
	}
	if share := float64(fixed) / streams; share < .3 {
		t.Errorf("looking always at a fixed-n interval excludes the truth in %v only; the test shows nothing", share)
	}
}

// TestSequencesSeeAChange: all of them exclude a mean that is wrong by .1 within 2,000
// rows, and the hedged interval is the narrowest of those for bounded numbers.
func TestSequencesSeeAChange(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	e, err := NewEmpiricalBernstein(.05)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHedgedSequence(.05, 500)
	if err != nil {
		t.Fatal(err)
	}
	var k int64
	for range 2000 {
		x := float64(oneIf(rnd.Float64() < .6))
		k += int64(x)
		if e.Add(x) != nil || h.Add(x) != nil {
			t.Fatal("refused")
		}
	}
	b, err := BernoulliSequence(k, 2000, .05, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for name, i := range map[string]Estimate{"Bernstein": e.Estimate(), "hedged": h.Estimate(), "Bernoulli": b} {
		if i.Undefined != "" || i.Low <= .5 || i.High >= .7 || !(i.Low < .6 && .6 < i.High) {
			t.Errorf("%s: %+v", name, i)
		}
	}
	if wide, tight := e.Estimate(), h.Estimate(); tight.High-tight.Low > wide.High-wide.Low {
		t.Errorf("hedged %v, Bernstein %v", tight, wide)
	}
}

// TestHedgedSequenceIsAGridOfHedges, one for each mean, kept apart.
func TestHedgedSequenceIsAGridOfHedges(t *testing.T) {
	const grid, alpha = 40, .05
	rnd := rand.New(rand.NewPCG(6, 6))
	s, err := NewHedgedSequence(alpha, grid)
	if err != nil {
		t.Fatal(err)
	}
	var hedges []*Hedge
	for i := 1; i < grid; i++ {
		h, err := NewHedge(float64(i)/grid, alpha, .5)
		if err != nil {
			t.Fatal(err)
		}
		hedges = append(hedges, h)
	}
	for range 300 {
		x := math.Sqrt(rnd.Float64())
		if err := s.Add(x); err != nil {
			t.Fatal(err)
		}
		low, high := 0.0, 1.0
		for i, h := range hedges {
			if err := h.Add(x); err != nil {
				t.Fatal(err)
			}
			if m := float64(i+1) / grid; h.P() <= alpha {
				if m < s.sum/s.t {
					low = math.Max(low, m)
				} else {
					high = math.Min(high, m)
				}
			}
		}
		if e := s.Estimate(); e.Low != low || e.High != high {
			t.Fatalf("after %v numbers: [%v, %v], the hedges leave [%v, %v]", s.t, e.Low, e.High, low, high)
		}
	}
}

// TestADriftIsNoMean: a stream that changes its mean ends with a mean outside its own
// interval, and that is said.
func TestADriftIsNoMean(t *testing.T) {
	s, err := NewHedgedSequence(.05, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4000 {
		if err := s.Add(float64(oneIf(i > 400))); err != nil {
			t.Fatal(err)
		}
	}
	if e := s.Estimate(); e.Undefined == "" || e.Interval {
		t.Errorf("%+v", e)
	}
}

func TestEBH(t *testing.T) {
	for name, c := range map[string]struct {
		e    []float64
		want []int
	}{
		"nothing":                        {nil, []int{}},
		"one over 1/alpha":               {[]float64{20}, []int{0}},
		"one under":                      {[]float64{19.9}, []int{}},
		"two need only half each":        {[]float64{1, 20, 20}, []int{}},
		"three of three":                 {[]float64{20, 21, 25}, []int{0, 1, 2}},
		"the weaker follows":             {[]float64{0, 31, 0, 30}, []int{}},
		"a later k decides":              {[]float64{27, 1, 28, 27}, []int{0, 2, 3}},
		"ties at the edge go together":   {[]float64{40, 40, 0, 0}, []int{0, 1}},
		"a wealth past float64 is proof": {[]float64{math.Inf(1), 0, 0}, []int{0}},
	} {
		got, err := EBH(c.e, .05)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestSequentialRefuses what it cannot compute with.
func TestSequentialRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tune := MixtureTuning{100, .05}
	m, err := BetaBinomialMixture(tune, .2, .8, false)
	if err != nil {
		t.Fatal(err)
	}
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"zero mixture's log":       second(Mixture{}.Log(1, 1)),
		"zero mixture's bound":     second(Mixture{}.Bound(1, .05)),
		"NaN tuning":               second(NormalMixture(MixtureTuning{nan, .05}, false)),
		"one side of .5":           second(NormalMixture(MixtureTuning{100, .5}, true)),
		"negative time":            second(m.Log(0, -1)),
		"NaN sum":                  second(m.Log(nan, 1)),
		"a sum that cannot be":     second(m.Log(501, 100)),
		"level 0":                  second(m.Bound(100, 0)),
		"level 1":                  second(m.Bound(100, 1)),
		"scale 0":                  second(GammaExponentialMixture(tune, 0)),
		"increments of 0":          second(BetaBinomialMixture(tune, 0, 1, false)),
		"stitching without a time": second(Stitching{0, 1, 1.4, 2}.Bound(1, .05)),
		"stitching, s 1":           second(Stitching{1, 1, 1, 2}.Bound(1, .05)),
		"more hits than rows":      second(BernoulliSequence(2, 1, .05, 10)),
		"too many rows":            second(BernoulliSequence(1, math.MaxInt64, .05, 10)),
		"tuned at NaN":             second(BernoulliSequence(1, 2, .05, nan)),
		"Bernstein, level NaN":     second(NewEmpiricalBernstein(nan)),
		"zero Bernstein":           new(EmpiricalBernstein).Add(.5),
		"hedge at 0":               second(NewHedge(0, .05, .5)),
		"hedge, theta 2":           second(NewHedge(.5, .05, 2)),
		"zero hedge":               new(Hedge).Add(.5),
		"zero hedged sequence":     new(HedgedSequence).Add(.5),
		"grid of 1":                second(NewHedgedSequence(.05, 1)),
		"negative variance":        second(SPRT{0, -1, 1}.LogRatio(0, 1)),
		"infinite mean":            second(SPRT{0, 1, 1}.LogRatio(inf, 1)),
		"negative e-value":         second(EBH([]float64{-1}, .05)),
		"NaN e-value":              second(EBH([]float64{nan}, .05)),
		"z NaN":                    second(Log10TwoSidedP(nan)),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	e, err := NewEmpiricalBernstein(.05)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{-.1, 1.1, nan, inf} {
		if e.Add(x) == nil {
			t.Errorf("%v is taken into [0, 1]", x)
		}
	}
	if got := e.Estimate(); got.Undefined == "" || e.t != 0 {
		t.Errorf("after refused numbers only: %+v", got)
	}
	if AlwaysValidP(nan) != 1 || AlwaysValidP(-3) != 1 || AlwaysValidP(inf) != 0 {
		t.Error("a p-value of no evidence")
	}
}
