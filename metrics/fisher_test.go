package metrics

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// Fisher's lady tasting tea: 3 or more of 4 cups are 17/70, all 4 are 1/70.
func TestFisherTea(t *testing.T) {
	for _, c := range []struct {
		k, n, l, m int64
		want       float64
	}{{1, 4, 3, 4, 17. / 70}, {0, 4, 4, 4, 1. / 70}, {4, 4, 0, 4, 1}, {1, 2, 0, 0, 1}, {1, 4, 5, 4, 1}, {1, 4, -1, 4, 1}, {0, 9, 0, 7, 1}, {9, 9, 7, 7, 1}} {
		if got := FisherWorse(c.k, c.n, c.l, c.m); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("FisherWorse(%d, %d, %d, %d) = %v, want %v", c.k, c.n, c.l, c.m, got, c.want)
		}
	}
}

// Against the enumeration of all tables in whole numbers.
func TestFisherTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, m := 1+r.Int64N(60), 1+r.Int64N(60)
		k, l := r.Int64N(n+1), r.Int64N(m+1)
		got, want := FisherWorse(k, n, l, m), fisherTwin(k, n, l, m)
		if math.Abs(got-want) > 1e-9*want {
			t.Fatalf("FisherWorse(%d, %d, %d, %d) = %v, enumerated %v", k, n, l, m, got, want)
		}
	}
	if p := FisherWorse(1000, 200_000, 100_000, 100_000); !(p >= 0 && p < 1e-300) {
		t.Errorf("far out: %v", p)
	}
}

func fisherTwin(k, n, l, m int64) float64 {
	tail, all := new(big.Int), new(big.Int)
	for x := max(0, k+l-n); x <= min(m, k+l); x++ {
		w := new(big.Int).Mul(new(big.Int).Binomial(m, x), new(big.Int).Binomial(n, k+l-x))
		all.Add(all, w)
		if x >= l {
			tail.Add(tail, w)
		}
	}
	f, _ := new(big.Rat).SetFrac(tail, all).Float64()
	return f
}
