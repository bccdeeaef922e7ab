package metrics

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzResampling: replicates of any counts are numbers of as many rows.
func FuzzResampling(f *testing.F) {
	f.Add(int64(70), int64(3), int64(4), int64(0), 20, uint64(1), .95)
	f.Add(int64(-1), int64(mostCount), int64(mostCount), int64(5), 3, uint64(9), 1-1e-12)
	f.Add(int64(mostCount+1), int64(0), int64(0), int64(0), -1, uint64(0), math.NaN())
	f.Add(int64(0), int64(0), int64(0), int64(0), 2, uint64(0), .5)
	f.Fuzz(func(t *testing.T, a, b, c, d int64, replicates int, seed uint64, confidence float64) {
		cells := []int64{a, b, c, d}
		share := func(c []int64) float64 { return float64(c[0]) / float64(c[0]+c[1]+c[2]+c[3]) }
		draws, err := Bootstrap(cells, replicates%100, seed, func(draw []int64) float64 {
			if slices.Min(draw) < 0 || draw[0]+draw[1]+draw[2]+draw[3] != a+b+c+d {
				t.Fatalf("drew %v of %v", draw, cells)
			}
			return share(draw)
		})
		if err != nil {
			return
		}
		if r, err := NewReplicates(share(cells), draws); err == nil {
			e, _, err := r.BCa(JackknifeCells(cells, share), confidence)
			sound(t, "BCa", e, err)
			e, err = r.Percentile(confidence)
			sound(t, "percentile", e, err)
		}
		if _, err := PoissonBootstrap(int(b%50), replicates%100, rand.NewPCG(seed, 0), func(w []float64) float64 {
			if slices.Min(w) < 0 || slices.Max(w) > 17 {
				t.Fatalf("weights %v", w)
			}
			return 0
		}); (err == nil) != (b%50 > 0 && replicates%100 > 0) {
			t.Fatal(err)
		}
	})
}

// FuzzPower: powers are probabilities and rows are some, of any numbers.
func FuzzPower(f *testing.F) {
	f.Add(int64(16281), .049, .01, .01, .95)
	f.Add(int64(math.MaxInt64), 1e-300, 1e-300, 1e-300, 1e-300)
	f.Add(int64(exactRows+1), 0., math.Inf(1), .5, math.NaN())
	f.Add(int64(5), 1., 4., -1., 2.)
	f.Add(int64(9), 5., 4., .05, .8) // more discordant rows than rows, which gave NaN
	f.Fuzz(func(t *testing.T, n int64, churn, margin, alpha, power float64) {
		probability(t, "power", HoldPower(n, churn, margin, alpha), nil)
		if rows := McNemarRows(churn, margin, alpha, power); !(rows >= 0) {
			t.Fatalf("McNemar needs %v rows", rows)
		}
		if rows := RowsToHold(churn, margin, alpha, power); rows < 1 {
			t.Fatalf("%d rows hold", rows)
		}
		k, l, m := n%1000, int64(float64(n%1000)*.7), n/1000%1000
		probability(t, "Fisher", FisherWorse(k, m, l, n%2000), nil)
	})
}

// FuzzConditions: a range of what two numbers may be holds what is made of them, and no
// truth is told of a range that says nothing.
func FuzzConditions(f *testing.F) {
	f.Add(1., .5, 2., .1, 3.)
	f.Add(math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, 0., math.Inf(1))
	f.Add(math.NaN(), 1., 2., -1., math.NaN())
	f.Fuzz(func(t *testing.T, x, eps, y, delta, c float64) {
		r, errR := Within(x, eps)
		s, errS := Within(y, delta)
		for _, made := range []Range{r.Plus(s), r.Minus(s), r.Times(c), {x, eps}, {eps, x}} {
			above, below := made.Above(c), made.Below(c)
			if above == TriTrue && below == TriTrue || above.And(below) == TriTrue || above.String() == "" {
				t.Fatalf("%+v is above and below %v", made, c)
			}
			if above.WithoutFalsePass() && !above.WithoutFalseFail() {
				t.Fatalf("%v passes the stricter reading alone", above)
			}
			if !(made.Low <= made.High) && !math.IsInf(c, 0) && (above != TriUnknown || below != TriUnknown) {
				t.Fatalf("%+v says something", made)
			}
		}
		if errR != nil || errS != nil {
			return
		}
		for what, of := range map[string]struct {
			made Range
			v    float64
		}{"sum": {r.Plus(s), x + y}, "difference": {r.Minus(s), x - y}, "multiple": {r.Times(c), c * x}} {
			if !(of.made.Low <= of.made.High) || of.v < of.made.Low || of.v > of.made.High {
				t.Fatalf("%s %v is not in %+v", what, of.v, of.made)
			}
		}
	})
}

// FuzzRankings: every value of a query is in its range, at any depth.
func FuzzRankings(f *testing.F) {
	f.Add([]byte{1, 3, 0, 3, 2, 9, 255, 255, 255}, 2, .9)
	f.Add([]byte{0, 1, 0, 2}, -1, .5)
	f.Add([]byte("\x02\x07\x7f\xf0\x00\x00\x00\x00\x00\x00"), math.MaxInt, math.NaN())
	f.Fuzz(func(t *testing.T, b []byte, k int, confidence float64) {
		var relevance, scores []float64
		for ; len(b) >= 2; b = b[2:] {
			g := float64(b[0])
			if b[0] == 2 && len(b) >= 10 {
				g = math.Float64frombits(binary.BigEndian.Uint64(b[2:]))
			}
			relevance, scores = append(relevance, g*float64(b[0]%4)), append(scores, float64(b[1]%8))
		}
		r, err := Rank(relevance, scores)
		if err != nil {
			return
		}
		for what, v := range map[string]float64{
			"NDCG": r.NDCG(k, Linear), "exponential": r.NDCG(k, Exponential), "tied": r.NDCGTied(k), "precision": r.Precision(k), "recall": r.Recall(k),
			"hit": r.Hit(k), "reciprocal": r.ReciprocalRank(), "average precision": r.AveragePrecision(),
		} {
			if !(v >= 0 && v <= 1+1e-12) {
				t.Fatalf("%s at %d: %v", what, k, v)
			}
		}
		for _, v := range []float64{r.DCG(k, Linear), r.DCG(k, Exponential), r.DCGTied(k)} {
			if !(v >= 0) || math.IsInf(v, 0) {
				t.Fatalf("DCG at %d: %v", k, v)
			}
		}
		if r.Relevant() > len(relevance) {
			t.Fatal("more relevant items than items")
		}
		e, err := MeanOver([]*Ranking{r, r, {}}, confidence, func(q *Ranking) float64 { return q.DCG(k, Exponential) })
		sound(t, "mean", e, err)
		if _, err := MeanOver([]*Ranking{r, nil}, .9, (*Ranking).ReciprocalRank); err == nil {
			t.Fatal("a mean over no ranking")
		}
	})
}
