package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestTiedGainsAreTheMeanOverOrders: every order of the items once, ties broken
// by it.
func TestTiedGainsAreTheMeanOverOrders(t *testing.T) {
	rel, score := []float64{3, 0, 1, 2, 0, 1}, []float64{.5, .5, .9, .1, .5, .1}
	for k := 1; k <= 6; k++ {
		total, orders := 0.0, 0
		var permute func(order []int, i int)
		permute = func(order []int, i int) {
			if i < len(order) {
				for j := i; j < len(order); j++ {
					order[i], order[j] = order[j], order[i]
					permute(order, i+1)
					order[i], order[j] = order[j], order[i]
				}
				return
			}
			var r, s []float64
			for _, o := range order {
				r, s = append(r, rel[o]), append(s, score[o])
			}
			total += mustRank(t, r, s).DCG(k, Linear)
			orders++
		}
		permute([]int{0, 1, 2, 3, 4, 5}, 0)
		near(t, "DCG", mustRank(t, rel, score).DCGTied(k), total/float64(orders), 1e-9)
	}
}

// TestRankingLaws: a perfect order has 1, scores count by their order alone, and
// swapping a relevant item up never lowers a value.
func TestRankingLaws(t *testing.T) {
	rnd := rand.New(rand.NewPCG(12, 12))
	for range 50 {
		n := 2 + rnd.IntN(15)
		var rel, score, scaled []float64
		for range n {
			s := rnd.NormFloat64()
			rel, score, scaled = append(rel, float64(rnd.IntN(3))), append(score, s), append(scaled, math.Exp(s))
		}
		a, b := mustRank(t, rel, score), mustRank(t, rel, scaled)
		for name, f := range rankingValues {
			if f(a) != f(b) {
				t.Errorf("%s counts more than the order of scores", name)
			}
		}
		perfect := mustRank(t, rel, rel)
		if perfect.Relevant() > 0 {
			near(t, "perfect NDCG", perfect.NDCG(0, Exponential), 1, 0)
			near(t, "perfect AP", perfect.AveragePrecision(), 1, 0)
			near(t, "perfect MRR", perfect.ReciprocalRank(), 1, 0)
		}
		i := rnd.IntN(n - 1)
		up := &Ranking{gains: append([]float64{}, a.gains...), scores: a.scores, ideal: a.ideal, hits: a.hits}
		if up.gains[i] < up.gains[i+1] {
			up.gains[i], up.gains[i+1] = up.gains[i+1], up.gains[i]
		}
		for name, f := range rankingValues {
			if f(up) < f(a)-1e-12 {
				t.Errorf("%s fell from %v to %v for a better order", name, f(a), f(up))
			}
		}
	}
}

// TestRankingRules: equal scores stay in order, and precision divides by k where there are fewer items.
func TestRankingRules(t *testing.T) {
	r := mustRank(t, []float64{0, 1, 0}, []float64{.5, .5, .5})
	if r.ReciprocalRank() != 0.5 || r.Precision(10) != 0.1 || r.Precision(0) != 1.0/3 || r.Hit(1) != 0 || r.Recall(2) != 1 {
		t.Errorf("%v %v %v %v %v", r.ReciprocalRank(), r.Precision(10), r.Precision(0), r.Hit(1), r.Recall(2))
	}
}

// TestQueriesWithoutRelevantItems count 0 and are told: leaving them out would
// raise the mean from 0.5 to 1.
func TestQueriesWithoutRelevantItems(t *testing.T) {
	good, none, empty := mustRank(t, []float64{1}, []float64{1}), mustRank(t, []float64{0, 0}, []float64{1, 2}), mustRank(t, nil, nil)
	for name, f := range rankingValues {
		if f(none) != 0 || f(empty) != 0 {
			t.Errorf("%s of nothing: %v, %v", name, f(none), f(empty))
		}
	}
	if none.NDCGTied(3) != 0 || none.DCG(3, Linear) != 0 {
		t.Error("NDCG of nothing")
	}
	e, err := MeanOver([]*Ranking{good, none}, 0.95, (*Ranking).AveragePrecision)
	if err != nil || e.Value != 0.5 || e.N != 2 || len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "1 of 2 queries have no relevant item") {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := MeanOver(nil, 0.95, (*Ranking).AveragePrecision); err != nil || e.Undefined == "" {
		t.Errorf("no queries: %+v, %v", e, err)
	}
	if _, err := MeanOver([]*Ranking{good}, 1, (*Ranking).AveragePrecision); err == nil {
		t.Error("confidence 1")
	}
	if _, err := MeanOver([]*Ranking{good}, 0.9, func(*Ranking) float64 { return math.NaN() }); err == nil {
		t.Error("a mean of NaN")
	}
}

func TestRankRefuses(t *testing.T) {
	nan := math.NaN()
	for i, c := range [][2][]float64{{{1}, nil}, {{nan}, {1}}, {{1}, {nan}}, {{1}, {math.Inf(1)}}, {{-1}, {1}}, {{901}, {1}}, {{1e-300}, {1}}} {
		if _, err := Rank(c[0], c[1]); err == nil {
			t.Errorf("case %d was taken", i)
		}
	}
}
