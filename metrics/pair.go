package metrics

import (
	"errors"
	"fmt"
	"slices"
)

// A Pair is a candidate and a baseline on the same rows. It borrows its frames:
// it may not be used after either is released.
type Pair struct {
	baseline, candidate view   // without a baseline, inside this package alone, a model on its own
	same                []byte // bit a row: both gave the same answer
	rows                []int  // index of each row in the frames; nil: all rows
}

// NewPair pairs two frames. They must hold the same rows: equal classes, answers
// and slice columns.
func NewPair(baseline, candidate *Frame) (*Pair, error) {
	if baseline == nil || candidate == nil {
		return nil, errors.New("pair: a frame is missing")
	}
	if baseline.Len() != candidate.Len() {
		return nil, fmt.Errorf("pair: the baseline has %d rows, the candidate %d", baseline.Len(), candidate.Len())
	}
	if !slices.Equal(baseline.classes, candidate.classes) || baseline.positive != candidate.positive {
		return nil, errors.New("pair: the frames have different classes")
	}
	if !slices.Equal(baseline.answers, candidate.answers) {
		return nil, errors.New("pair: the frames have different answers")
	}
	if !slices.EqualFunc(baseline.dims, candidate.dims, Dimension.equal) {
		return nil, errors.New("pair: the frames have different slice columns")
	}
	p := &Pair{baseline: baseline.view, candidate: candidate.view, same: make([]byte, bytesFor(baseline.Len()))}
	equalBits(p.same, baseline.labels, candidate.labels)
	return p, nil
}

func (d Dimension) equal(e Dimension) bool {
	return d.Name == e.Name && slices.Equal(d.Values, e.Values) && slices.Equal(d.Codes, e.Codes)
}

// N returns the number of rows.
func (p *Pair) N() int64 { return int64(len(p.baseline.answers)) }

// Cells counts the rows by who was right.
func (p *Pair) Cells() Cells {
	if p.baseline.classes == nil { // a model alone, beside itself
		right := p.candidate.correct
		return countCells(right, right, right, len(p.candidate.answers))
	}
	return countCells(p.baseline.correct, p.candidate.correct, p.same, len(p.baseline.answers))
}

// ClassCells counts rows by whether they are of a class (first index, 1 = they
// are), whether the baseline says so (second) and whether the candidate does.
// All that precision, recall and F1 of the class need is in these 8 cells.
func (p *Pair) ClassCells(class int) [2][2][2]int64 {
	var c [2][2][2]int64
	k := int32(class)
	for from := 0; from < len(p.baseline.answers); from += laneRows {
		to := min(from+laneRows, len(p.baseline.answers))
		y, b, h := p.baseline.answers[from:to], p.baseline.labels[from:to], p.candidate.labels[from:to]
		lanes := uint64(0) // a byte a cell
		for i := range y {
			lanes += 1 << (32*oneIf(y[i] == k) + 16*oneIf(b[i] == k) + 8*oneIf(h[i] == k))
		}
		for i := range 8 {
			c[i>>2][i>>1&1][i&1] += int64(lanes >> (8 * i) & 0xff)
		}
	}
	return c
}

// laneRows is how many rows a byte can count.
const laneRows = 255

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Broke returns the rows that the baseline only got right, at most limit of
// them, as indices into the frames, ascending.
func (p *Pair) Broke(limit int) []int {
	var out []int
	for i := range p.baseline.answers {
		if len(out) >= limit {
			break
		}
		if bit(p.baseline.correct, i) && !bit(p.candidate.correct, i) {
			out = append(out, p.row(i))
		}
	}
	return out
}

func (p *Pair) row(i int) int {
	if p.rows == nil {
		return i
	}
	return p.rows[i]
}

// pick returns the pair of some rows, copied out of the frames.
func (p *Pair) pick(rows []int) *Pair {
	q := &Pair{baseline: p.baseline.pick(rows), candidate: p.candidate.pick(rows), same: gatherBits(p.same, rows), rows: make([]int, len(rows))}
	for i, r := range rows {
		q.rows[i] = p.row(r)
	}
	return q
}

func (v view) pick(rows []int) view {
	out := view{classes: v.classes, positive: v.positive, answers: gather(v.answers, rows), labels: gather(v.labels, rows), correct: gatherBits(v.correct, rows)}
	if v.probs != nil {
		k := len(v.classes)
		out.probs = make([]float64, 0, len(rows)*k)
		for _, r := range rows {
			out.probs = append(out.probs, v.probs[r*k:(r+1)*k]...)
		}
	}
	for _, d := range v.dims {
		out.dims = append(out.dims, Dimension{d.Name, d.Values, gather(d.Codes, rows)})
	}
	return out
}

func gather(v []int32, rows []int) []int32 {
	out := make([]int32, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}
