package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sound fails on a number that is NaN and not marked as undefined.
func sound(t *testing.T, name string, e Estimate, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if e.Undefined != "" {
		if e.Value != 0 || e.Interval {
			t.Errorf("%s: undefined with a value: %+v", name, e)
		}
		return
	}
	if e.Value-e.Value != 0 || e.Interval && !(e.Low <= e.High) {
		t.Errorf("%s: %+v", name, e)
	}
}

func number64(t *testing.T, name string, x float64, err error) {
	t.Helper()
	if err == nil && math.IsNaN(x) {
		t.Errorf("%s: NaN without an error", name)
	}
}

func probability(t *testing.T, name string, p float64, err error) {
	t.Helper()
	if err == nil && !(p >= 0 && p <= 1) {
		t.Errorf("%s: p %v", name, p)
	}
}

func FuzzSequential(f *testing.F) {
	f.Add(10., 100., .05, 100., 2., int64(700), int64(1000))
	f.Add(0., 0., 1e-300, 1e-300, 1e300, int64(0), int64(1))
	f.Add(-1e308, 1e308, .999, 1e308, 1e-9, int64(-5), int64(math.MaxInt64))
	f.Add(math.NaN(), math.Inf(1), math.NaN(), math.Inf(-1), math.NaN(), int64(1<<40), int64(1<<40))
	f.Fuzz(func(t *testing.T, s, v, alpha, vOpt, c float64, k, n int64) {
		tune := MixtureTuning{vOpt, alpha}
		for _, oneSided := range []bool{false, true} {
			for _, made := range []func() (Mixture, error){
				func() (Mixture, error) { return NormalMixture(tune, oneSided) },
				func() (Mixture, error) { return GammaExponentialMixture(tune, c) },
				func() (Mixture, error) { return BetaBinomialMixture(tune, c, 1, oneSided) },
			} {
				m, err := made()
				if err != nil {
					continue
				}
				l, err := m.Log(s, v)
				number64(t, "log", l, err)
				b, err := m.Bound(v, alpha)
				number64(t, "bound", b, err)
			}
		}
		u, err := Stitching{vOpt, c, 1 + math.Abs(s), 2}.Bound(v, alpha)
		number64(t, "stitching", u, err)
		e, err := BernoulliSequence(k, n, alpha, vOpt)
		sound(t, "Bernoulli", e, err)
		r, err := SPRT{c, v, vOpt}.LogRatio(s, n)
		number64(t, "sprt", r, err)
		z, err := Log10TwoSidedP(s)
		number64(t, "log10 p", z, err)
		probability(t, "always valid", AlwaysValidP(s), nil)
		if i, err := EBH([]float64{s, v, c}, alpha); err == nil && len(i) > 3 {
			t.Error("more rejections than hypotheses")
		}
	})
}

func FuzzStreams(f *testing.F) {
	f.Add(.05, .5, .5, 30, []byte{0, 255, 3, 128, 7})
	f.Add(1e-300, 1e-300, 1., 2, []byte{255, 255, 255, 0})
	f.Add(math.NaN(), .5, 0., -1, []byte{})
	f.Fuzz(func(t *testing.T, alpha, m, theta float64, grid int, stream []byte) {
		b, errB := NewEmpiricalBernstein(alpha)
		h, errH := NewHedge(m, alpha, theta)
		s, errS := NewHedgedSequence(alpha, grid%1000)
		for _, x := range stream {
			v := float64(x) / 255
			if errB == nil && b.Add(v) != nil || errH == nil && h.Add(v) != nil || errS == nil && s.Add(v) != nil {
				t.Fatal("a number in [0, 1] is refused")
			}
		}
		if errB == nil {
			sound(t, "Bernstein", b.Estimate(), nil)
		}
		if errH == nil {
			probability(t, "hedge", h.P(), nil)
			number64(t, "capital", h.LogCapital(), nil)
		}
		if errS == nil {
			sound(t, "hedged", s.Estimate(), nil)
		}
	})
}

func FuzzReuse(f *testing.F) {
	f.Add(.05, .1, .01, 32, int64(6), int64(9), int64(100), []byte{1, 0, 1})
	f.Add(1e-320, 1e300, 1e-300, math.MaxInt, int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), []byte{})
	f.Add(math.NaN(), -1., math.Inf(1), -3, int64(-1), int64(0), int64(math.MinInt64), []byte{1})
	f.Fuzz(func(t *testing.T, delta, x, eps float64, runs int, broke, fixed, n int64, wrong []byte) {
		for a := Adaptivity(0); a < 5; a++ {
			r := Reuse{runs, delta, a}
			for name, g := range map[string]func() (float64, error){
				"Hoeffding": func() (float64, error) { return r.HoeffdingRows(eps, x, 2) },
				"Bennett":   func() (float64, error) { return r.BennettRows(eps, x) },
				"labels":    func() (float64, error) { return r.ActiveLabels(eps, x) },
			} {
				v, err := g()
				number64(t, name, v, err)
			}
		}
		if LadderMoves(broke, fixed, n) && fixed <= broke {
			t.Error("a worse submission moves the ladder")
		}
		l, err := NewFixedLadder(len(wrong), eps)
		if err == nil {
			rows := make([]bool, len(wrong))
			for i, w := range wrong {
				rows[i] = w&1 == 1
			}
			got, err := l.Submit(rows)
			probability(t, "rung", got.Released/1.5, err) // rounding may pass 1 by half a step
		}
		if other, err := NewLadder(int(n % 1000)); err == nil {
			got, err := other.Submit(make([]bool, n%1000))
			probability(t, "rung of none wrong", got.Released, err)
		}
		threshold, sigma, err := ThresholdoutScale(x, runs, delta)
		number64(t, "scale", threshold+sigma, err)
		guard, err := NewThresholdout(x, eps, runs, Laplace(rand.NewPCG(1, 1)))
		if err == nil {
			a, err := guard.Ask("q", delta, x)
			number64(t, "answer", a.Value, err)
			if guard.Budget() != runs-oneIf(a.Sealed) {
				t.Errorf("budget %d of %d", guard.Budget(), runs)
			}
		}
		within, err := Within(x, eps)
		if err == nil && within.Above(delta) == TriTrue && !(x > delta-1e-9*math.Abs(delta)) {
			t.Errorf("%v within %v is above %v", x, eps, delta)
		}
		b, err := BoundReuse(n, broke, delta, fixed)
		number64(t, "bounds", b.NonAdaptive+b.AdaptiveBits+b.Ladder, err)
		level, err := TranscriptLevel(delta, 3, runs)
		probability(t, "level", level, err)
	})
}

func FuzzInference(f *testing.F) {
	f.Add(int64(56), int64(70), int64(48), int64(80), .95)
	f.Add(int64(0), int64(20), int64(20), int64(20), .5)
	f.Add(int64(1), int64(math.MaxInt64), int64(0), int64(1), 1-1e-15)
	f.Add(int64(-1), int64(0), int64(5), int64(3), math.NaN())
	f.Fuzz(func(t *testing.T, k1, n1, k2, n2 int64, confidence float64) {
		for name, g := range map[string]func(k, n int64, confidence float64) (Estimate, error){
			"Wilson": Wilson, "Agresti-Coull": AgrestiCoull, "Jeffreys": Jeffreys, "Wald": WaldShare,
		} {
			e, err := g(k1, n1, confidence)
			sound(t, name, e, err)
		}
		s := TwoShares{k2, n2, k1, n1}.Swap()
		for name, g := range map[string]func(float64) (Estimate, error){
			"Newcombe": s.Newcombe, "Wald of two": s.Wald, "Agresti-Caffo": s.AgrestiCaffo, "Miettinen-Nurminen": s.MiettinenNurminen,
		} {
			e, err := g(confidence)
			sound(t, name, e, err)
		}
		p, err := s.AgrestiCaffoP()
		probability(t, "Agresti-Caffo", p, err)
		c := Cells{BothRight: k1, Broke: n1, Fixed: k2, SameWrong: n2}
		q, err := c.TestMargin(confidence)
		probability(t, "margin", q.P(), err)
		e, err := c.WaldChange(confidence)
		sound(t, "Wald of change", e, err)
		_, chi := McNemarChi2(k1, k2, true)
		probability(t, "McNemar", chi, nil)
		table := [][]int64{{1, k1, n1}, {k2, 2, n2}, {k1, k2, 3}}
		b, _, err := Bowker(table)
		probability(t, "Bowker", b.P, err)
		m, err := StuartMaxwell(table)
		probability(t, "Stuart-Maxwell", m.P, err)
	})
}

func FuzzNumbers(f *testing.F) {
	f.Add(1., 2., 3., .95, .1)
	f.Add(1e308, -1e308, 1e-308, .999999, 1e300)
	f.Add(0., 0., 0., .5, 1e-300)
	f.Add(math.NaN(), math.Inf(1), -1., math.NaN(), -1.)
	f.Fuzz(func(t *testing.T, x, y, z, confidence, margin float64) {
		numbers := []float64{x, y, z, x, -y}
		e, err := ClusteredMean(numbers, []int32{0, 1, 1, 2, 0}, confidence)
		sound(t, "clustered", e, err)
		for _, adjusted := range [][]float64{Hommel(numbers), Sidak(numbers)} {
			for _, p := range adjusted {
				if p > 1 || math.IsNaN(p) {
					t.Errorf("adjusted p %v", p)
				}
			}
		}
		r, err := NewReplicates(x, numbers)
		if err == nil {
			for _, interval := range []func(float64) (Estimate, error){r.Percentile, r.Basic} {
				e, err := interval(confidence)
				sound(t, "interval", e, err)
			}
			e, _, err := r.BCa(JackknifeRows([]float64{x, y, z}), confidence)
			sound(t, "BCa", e, err)
			number64(t, "SE", r.SE(), nil)
		}
		d, err := NewDifferences(numbers, []float64{y, z, x, x, x})
		if err != nil {
			return
		}
		e, err = d.Mean(confidence)
		sound(t, "mean", e, err)
		_, p, err := d.T()
		probability(t, "t", p, err)
		q, err := d.TestMargin(margin)
		probability(t, "margin", q.P(), err)
		p, err = d.SignFlip(10, rand.NewPCG(1, 1))
		probability(t, "sign flips", p, err)
		_, p, err = d.Wilcoxon()
		probability(t, "signed ranks", p, err)
		probability(t, "signs", d.SignTest(), nil)
	})
}
