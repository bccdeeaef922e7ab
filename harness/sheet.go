package harness

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"

	"proctor/harness/runner"
	"proctor/holdout/rows"
	"proctor/metrics"
)

// A sheet is one exam paper: every row that a model is asked, in an order and in
// batches that follow from the run's seed, so that neither position nor batch nor
// neighbours tell a model which rows count. Some rows are asked twice.
//
// Candidate, baseline and anchor get the same paper, each in a process of its own.
type sheet struct {
	runner.Sheet
	n      int   // distinct rows
	source []int // source[i] is the row that position i asks
	again  []int // positions that ask a row for the second time
	first  []int // first[r] is the position that asks row r for the first time
}

// maxRepeats bounds how many rows are asked twice: 2,000 show a change in .1 %
// of answers with probability .87, in .5 % with more than .9999.
const maxRepeats = 2000

// minBatches is how many batches an exam has at least, if it has as many rows.
const minBatches = 8

// tolerance is how far two answers to one row may differ: rounding of batched
// arithmetic stays below 1e-6.
const tolerance = 1e-5

// newSheet lays out table. batch is the largest batch that every model takes.
func newSheet(table rows.Table, batch int, seed []byte) (*sheet, error) {
	n := table.Len()
	if n == 0 || batch < 1 {
		return nil, fmt.Errorf("an exam of %d rows in batches of %d", n, batch)
	}
	s := &sheet{n: n}
	rng := stream(seed, "sheet")
	repeats := min(maxRepeats, n/10)
	// Without this a small exam is one batch, and a row asked twice in it shows nothing.
	batch = min(batch, max(1, (n+repeats)/minBatches))
	index := append(rng.Perm(n), rng.Perm(n)[:repeats]...)
	rng.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })

	var sizes []int
	for left := len(index); left > 0; {
		size := min(left, 1+rng.IntN(batch))
		sizes = append(sizes, size)
		left -= size
	}
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
			s.again = append(s.again, i)
		}
	}
	s.Rows, s.Batches = table.Take(index), sizes
	return s, nil
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
	a := &answered{predictions: p, repeated: len(s.again)}
	for _, i := range s.again {
		if !sameAnswer(out, s.first[s.source[i]], i, k) {
			a.differ++
		}
	}
	return a, nil
}

// sameAnswer compares the answers at two positions.
func sameAnswer(out runner.Output, i, j, k int) bool {
	if out.Labels[i] != out.Labels[j] {
		return false
	}
	if out.Probs == nil {
		return true
	}
	for c := range k {
		if !(math.Abs(out.Probs[i*k+c]-out.Probs[j*k+c]) <= tolerance) { // NaN is not the same
			return false
		}
	}
	return true
}

// stream returns the randomness of one purpose, derived from the run's seed.
func stream(seed []byte, purpose string) *rand.Rand {
	m := hmac.New(sha256.New, seed)
	m.Write([]byte("proctor/run/1/" + purpose))
	var key [32]byte
	copy(key[:], m.Sum(nil))
	return rand.New(rand.NewChaCha8(key))
}
