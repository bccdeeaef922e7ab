package metrics

import (
	"math/rand/v2"
	"testing"
)

func benchColumns() (x, y []float64) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range million {
		v := rnd.Float64()
		x, y = append(x, v), append(y, v+0.3*rnd.Float64())
	}
	return x, y
}

func BenchmarkSpearman(b *testing.B) {
	x, y := benchColumns()
	for b.Loop() {
		if _, err := Spearman(x, y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKendall(b *testing.B) {
	x, y := benchColumns()
	for b.Loop() {
		c, err := CountPairs(x, y)
		if err != nil {
			b.Fatal(err)
		}
		c.KendallB()
	}
}

func BenchmarkKS(b *testing.B)          { benchSamples(b, func(s *Samples) { s.KS() }) }
func BenchmarkWasserstein(b *testing.B) { benchSamples(b, func(s *Samples) { s.Wasserstein() }) }

func BenchmarkKSAndWasserstein(b *testing.B) {
	benchSamples(b, func(s *Samples) { s.KS(); s.Wasserstein() })
}

func benchSamples(b *testing.B, f func(*Samples)) {
	x, y := benchColumns()
	for b.Loop() {
		s, err := NewSamples(x, y)
		if err != nil {
			b.Fatal(err)
		}
		f(s)
	}
}
