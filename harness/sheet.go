package harness

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"proctor/harness/runner"
	"proctor/holdout/rows"
	"proctor/metrics"
)

// A sheet is one exam paper: every row that a model is asked, in an order and in
// batches that follow from the run's seed, so that neither position nor batch nor
// neighbours tell a model which rows count. A row has no id at all: there is
// nothing that a model could know it by from one run to the next. Some rows are
// asked twice.
//
// Candidate, baseline and anchor get the same paper, each in a process of its own.
type sheet struct {
	runner.Sheet
	n      int      // distinct rows
	source []int    // source[i] is the row that position i asks
	twice  []int    // positions that ask a row for the second time
	first  []int    // first[r] is the position that asks row r for the first time
	batch  int      // largest size that was drawn from
	blind  []string // probes whose result is not looked at, in tests only
}

// A tenth of the rows is asked twice, within these bounds: a change in 1 % of
// answers is seen among 400 pairs with probability .982, among 2,000 one in .1 %
// with .87. A set of fewer rows is asked twice as a whole.
const minRepeats, maxRepeats = 400, 2000

// minBatches is how many batches an exam has at least, if it has as many rows.
const minBatches = 8

// tolerance is how far two answers to one row may differ: rounding of batched
// arithmetic stays below 1e-6.
const tolerance = 1e-5

// newSheet lays out table. batch is the largest batch that every model takes, blind
// names probes that are to see nothing, in tests only.
func newSheet(table rows.Table, batch int, seed []byte, blind ...string) (*sheet, error) {
	n := table.Len()
	if n == 0 || batch < 1 {
		return nil, fmt.Errorf("an exam of %d rows in batches of %d", n, batch)
	}
	s := &sheet{n: n, blind: blind}
	rng := stream(seed, "sheet")
	repeats := min(n, max(minRepeats, min(maxRepeats, n/10)))
	// Without this a small exam is one batch, and a row asked twice in it shows nothing.
	s.batch = min(batch, max(1, (n+repeats)/minBatches))
	index := append(rng.Perm(n), rng.Perm(n)[:repeats]...)
	if s.isBlind("shuffle") {
		slices.Sort(index)
	} else {
		rng.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })
	}
	sizes := cut(len(index), s.batch, rng)
	separate(index, sizes, rng)

	s.source = index
	s.first = make([]int, n)
	for r := range s.first {
		s.first[r] = -1
	}
	for i, r := range index {
		if s.first[r] < 0 {
			s.first[r] = i
		} else {
			s.twice = append(s.twice, i)
		}
	}
	s.Rows, s.Batches = table.Take(index), sizes
	return s, nil
}

func (s *sheet) isBlind(probe string) bool { return slices.Contains(s.blind, probe) }

// cut draws sizes of batches, 1 to most, that hold n rows.
func cut(n, most int, rng *rand.Rand) (sizes []int) {
	for n > 0 {
		size := min(n, 1+rng.IntN(most))
		sizes = append(sizes, size)
		n -= size
	}
	return sizes
}

// separate moves the second asking of a row out of the batch of the first: within
// one batch a model could copy its own answer.
func separate(index, sizes []int, rng *rand.Rand) {
	if len(sizes) < 2 {
		return
	}
	batchOf := make([]int, 0, len(index))
	for b, size := range sizes {
		for range size {
			batchOf = append(batchOf, b)
		}
	}
	at := map[int][]int{}
	for i, r := range index {
		at[r] = append(at[r], i)
	}
	for range 64 { // each pass leaves few; two batches of equal rows can keep some
		moved := false
		for i, r := range index {
			p := at[r]
			if len(p) != 2 || p[1] != i || batchOf[p[0]] != batchOf[p[1]] {
				continue
			}
			j := rng.IntN(len(index))
			other := index[j]
			index[i], index[j] = other, r
			replace(at[r], i, j)
			replace(at[other], j, i)
			moved = true
		}
		if !moved {
			return
		}
	}
}

func replace(list []int, old, new int) {
	for k, v := range list {
		if v == old {
			list[k] = new
			break
		}
	}
	if len(list) == 2 && list[0] > list[1] {
		list[0], list[1] = list[1], list[0]
	}
}

// answered is what one model gave to a sheet, in row order.
type answered struct {
	predictions metrics.Predictions
	repeated    int // rows asked twice
	differ      int // of those: the two answers are not the same
	again       *asked
	runtime     runner.Runtime // what ran the model
}

// collect brings answers back into row order and into the set's order of classes,
// and counts the rows whose two answers differ: in the class, or in a probability
// by more than the tolerance.
func (s *sheet) collect(out runner.Output, order []int32) (*answered, error) {
	k := len(order)
	if len(out.Labels) != len(s.source) || out.Probs != nil && len(out.Probs) != len(s.source)*k {
		return nil, fmt.Errorf("%d answers to %d questions", len(out.Labels), len(s.source))
	}
	p := metrics.Predictions{Labels: make([]int32, s.n)}
	if out.Probs != nil {
		p.Probs = make([]float64, s.n*k)
	}
	for r, i := range s.first {
		p.Labels[r] = -1
		if l := out.Labels[i]; l >= 0 {
			p.Labels[r] = order[l]
		}
		if out.Probs == nil {
			continue
		}
		for c, at := range order {
			p.Probs[r*k+int(at)] = out.Probs[i*k+c]
		}
	}
	a := &answered{predictions: p, repeated: len(s.twice)}
	for _, i := range s.twice {
		if !s.isBlind("repeat") && !sameAnswer(out, s.first[s.source[i]], out, i, k) {
			a.differ++
		}
	}
	return a, nil
}

// sameAnswer compares the answer of a at position i with that of b at j: the same
// class, and probabilities within the tolerance. Another class is the same answer
// only where it is a tie: rounding decides between equal probabilities.
func sameAnswer(a runner.Output, i int, b runner.Output, j, k int) bool {
	l, m := a.Labels[i], b.Labels[j]
	if a.Probs == nil || b.Probs == nil {
		return l == m && a.Probs == nil && b.Probs == nil
	}
	p, q := a.Probs[i*k:(i+1)*k], b.Probs[j*k:(j+1)*k]
	for c := range k {
		if !near(p[c], q[c]) {
			return false
		}
	}
	return l == m || l >= 0 && m >= 0 && near(p[l], p[m]) && near(q[l], q[m])
}

func near(a, b float64) bool { return math.Abs(a-b) <= tolerance } // NaN is near nothing

// stream returns the randomness of one purpose, derived from the run's seed.
func stream(seed []byte, purpose string) *rand.Rand {
	m := hmac.New(sha256.New, seed)
	m.Write([]byte("proctor/run/1/" + purpose))
	var key [32]byte
	copy(key[:], m.Sum(nil))
	return rand.New(rand.NewChaCha8(key))
}
