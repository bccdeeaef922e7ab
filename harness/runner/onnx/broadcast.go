package onnx

import (
	"fmt"
	"slices"
)

// spread returns the shape of an operation on tensors of the given shapes by the
// rules of numpy: dimensions are matched from the right, and one of size 1 repeats.
func spread(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, d := range s {
			o := &out[rank-len(s)+i]
			if *o == 1 {
				*o = d
			} else if d != 1 && d != *o {
				return nil, fmt.Errorf("shapes %v do not fit each other", shapes)
			}
		}
	}
	return out, nil
}

// strides gives for each dimension of out how far to step in a tensor of that shape,
// 0 where it repeats.
func strides(shape, out []int) []int {
	st := make([]int, len(out))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			st[len(out)-len(shape)+i] = step
		}
		step *= shape[i]
	}
	return st
}

// A walk goes over the rows (last dimension) of an output and knows where each of
// the operands stands.
type walk struct {
	n     int     // length of a row
	step  []int   // per operand: 1 or 0 along the row
	at    []int   // per operand: where the row starts
	dims  []int   // outer dimensions
	outer [][]int // per operand: strides of the outer dimensions
	index []int
	more  bool
}

func newWalk(out []int, shapes ...[]int) *walk {
	flat, same := count(out), true
	for _, s := range shapes {
		same = same && (slices.Equal(s, out) || count(s) == 1)
	}
	w := &walk{at: make([]int, len(shapes)), step: make([]int, len(shapes)), more: flat > 0}
	if same || len(out) == 0 { // one long row
		w.n = flat
		for i, s := range shapes {
			if count(s) != 1 {
				w.step[i] = 1
			}
		}
		return w
	}
	last := len(out) - 1
	w.n, w.dims, w.index = out[last], out[:last], make([]int, last)
	for i, s := range shapes {
		st := strides(s, out)
		w.step[i] = st[last]
		w.outer = append(w.outer, st[:last])
	}
	return w
}

func (w *walk) next() {
	for d := len(w.dims) - 1; d >= 0; d-- {
		w.index[d]++
		for i := range w.at {
			w.at[i] += w.outer[i][d]
		}
		if w.index[d] < w.dims[d] {
			return
		}
		for i := range w.at {
			w.at[i] -= w.outer[i][d] * w.dims[d]
		}
		w.index[d] = 0
	}
	w.more = false
}

// zip writes f of each pair of elements to dst, a tensor of shape out.
func zip[A, R element](dst []R, out []int, a, b *tensor, f func(A, A) R) {
	x, y := *slot[A](a), *slot[A](b)
	o := 0
	for w := newWalk(out, a.shape, b.shape); w.more; w.next() {
		i, j := w.at[0], w.at[1]
		for range w.n {
			dst[o] = f(x[i], y[j])
			o++
			i += w.step[0]
			j += w.step[1]
		}
	}
}
