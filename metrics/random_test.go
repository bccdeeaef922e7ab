package metrics

import (
	"math/rand/v2"
	"testing"
)

// randomAnswers draws answers with two slice columns.
func randomAnswers(seed uint64, n, k, positive int) Answers {
	rnd := rand.New(rand.NewPCG(seed, 7))
	a := Answers{Classes: classNames(k), Positive: positive, Labels: make([]int32, n), Dimensions: []Dimension{
		{"sex", []string{"F", "M"}, make([]int32, n)}, {"race", []string{"A", "B", "never", "C"}, make([]int32, n)},
	}}
	for i := range n {
		a.Labels[i] = int32(rnd.IntN(k))
		a.Dimensions[0].Codes[i] = int32(rnd.IntN(2))
		a.Dimensions[1].Codes[i] = []int32{0, 1, 3}[rnd.IntN(3)]
	}
	return a
}

// randomPredictions leans to the answers. Some rows are none of the classes, and
// probabilities have ties: they are on a grid of 1/32 before they are scaled.
func randomPredictions(seed uint64, a Answers) Predictions {
	rnd := rand.New(rand.NewPCG(seed, 9))
	k := len(a.Classes)
	p := Predictions{Labels: make([]int32, len(a.Labels)), Probs: make([]float64, 0, len(a.Labels)*k)}
	for i, y := range a.Labels {
		q := make([]float64, k)
		total := 0.0
		for c := range q {
			q[c] = float64(1+rnd.IntN(32)) / 32
			if c == int(y) {
				q[c] += rnd.Float64()
			}
			total += q[c]
		}
		for c := range q {
			q[c] /= total
		}
		p.Labels[i] = int32(largest(q))
		if rnd.IntN(50) == 0 {
			p.Labels[i] = -1
		}
		p.Probs = append(p.Probs, q...)
	}
	return p
}

func answersOf(f *Frame) Answers {
	return Answers{Classes: f.Classes(), Positive: f.Positive(), Labels: f.Answers(), Dimensions: f.Dimensions()}
}

// randomFrame draws a frame. Class 1 is positive if there are two classes, else none.
func randomFrame(t testing.TB, seed uint64, n, k int, model uint64) *Frame {
	positive := -1
	if k == 2 {
		positive = 1
	}
	a := randomAnswers(seed, n, k, positive)
	return mustJoin(t, a, randomPredictions(seed*1000+model, a))
}

func randomPair(t testing.TB, seed uint64, n, k int) *Pair {
	p, err := NewPair(randomFrame(t, seed, n, k, 1), randomFrame(t, seed, n, k, 2))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
