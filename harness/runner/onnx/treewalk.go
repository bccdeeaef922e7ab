package onnx

import "fmt"

// group is the number of rows that walk a tree together. A step waits for memory and
// for the step before it; rows side by side fill the wait.
const group = 8

// down returns where a row goes from this branch; v is not NaN or goes to kids[1].
func (b *branch[T]) down(v T) int32 {
	k := 1
	if v <= b.threshold {
		k = 0
	}
	return b.kids[k&1]
}

// walk takes eight rows of x from the root to their leaves.
func (e *ensemble[T]) walk(r root, x []T, stride int, to *[group]int32) {
	bs := e.branches
	x0, x1, x2, x3 := x[:stride], x[stride:2*stride], x[2*stride:3*stride], x[3*stride:4*stride]
	x4, x5, x6, x7 := x[4*stride:5*stride], x[5*stride:6*stride], x[6*stride:7*stride], x[7*stride:8*stride]
	i0, i1, i2, i3, i4, i5, i6, i7 := r.at, r.at, r.at, r.at, r.at, r.at, r.at, r.at
	for level := int32(0); level < r.depth; level++ {
		b0, b1, b2, b3 := &bs[i0], &bs[i1], &bs[i2], &bs[i3]
		i0, i1, i2, i3 = b0.down(x0[b0.feature]), b1.down(x1[b1.feature]), b2.down(x2[b2.feature]), b3.down(x3[b3.feature])
		b4, b5, b6, b7 := &bs[i4], &bs[i5], &bs[i6], &bs[i7]
		i4, i5, i6, i7 = b4.down(x4[b4.feature]), b5.down(x5[b5.feature]), b6.down(x6[b6.feature]), b7.down(x7[b7.feature])
	}
	*to = [group]int32{i0, i1, i2, i3, i4, i5, i6, i7}
}

// walkOne takes one row by the rules as written, NaN and equality included.
func (e *ensemble[T]) walkOne(r root, x []T) int32 {
	at := r.at
	for e.rules[at].mode != leaf {
		b, rule := &e.branches[at], &e.rules[at]
		v, t, yes := x[b.feature], rule.threshold, false
		switch rule.mode {
		case branchLEQ:
			yes = v <= t
		case branchLT:
			yes = v < t
		case branchGTE:
			yes = v >= t
		case branchGT:
			yes = v > t
		case branchEQ:
			yes = v == t
		case branchNEQ:
			yes = v != t
		}
		if yes = yes || rule.nanYes && v != v; yes == rule.swapped {
			at = b.kids[1]
		} else {
			at = b.kids[0]
		}
	}
	return at
}

// rowScores are what trees have added up for a block of rows.
type rowScores[T real] struct {
	sum []T    // rows × classes
	has []bool // some tree spoke of this class
}

// A gather adds the weights of one leaf to a row.
type gather[T real] func(e *ensemble[T], s *rowScores[T], row int, leaf int32)

func addWeights[T real](e *ensemble[T], s *rowScores[T], row int, at int32) {
	for w := e.first[at]; w < e.first[at+1]; w++ {
		k := row*e.classes + int(e.targets[w])
		s.sum[k] += e.weights[w]
		s.has[k] = true
	}
}

// block runs all trees, in order, over up to BlockRows rows.
func (e *ensemble[T]) block(x []T, stride, rows int, s *rowScores[T], add gather[T]) {
	clear(s.sum)
	clear(s.has)
	full := rows / group * group
	plain := !e.slow
	for _, v := range x[:rows*stride] {
		if v != v {
			plain = false
			break
		}
	}
	if !plain {
		full = 0
	}
	quick := add == nil && e.values != nil
	if add == nil {
		add = addWeights[T]
	}
	var to [group]int32
	for _, r := range e.roots {
		for lo := 0; lo < full; lo += group {
			e.walk(r, x[lo*stride:(lo+group)*stride], stride, &to)
			if quick {
				for i, at := range to {
					s.sum[(lo+i)*e.classes+e.only] += e.values[at]
				}
				continue
			}
			for i, at := range to {
				add(e, s, lo+i, at)
			}
		}
		for i := full; i < rows; i++ {
			add(e, s, i, e.walkOne(r, x[i*stride:(i+1)*stride]))
		}
	}
	if quick {
		for i := range full {
			s.has[i*e.classes+e.only] = true
		}
	}
}

// each runs the ensemble over a matrix and calls finish for every row with its sums.
func (e *ensemble[T]) each(m *machine, x []T, rows, cols int, add gather[T], finish func(row int, sum []T, has []bool) error) error {
	if cols < e.features {
		return fmt.Errorf("input has %d columns, and trees ask for column %d", cols, e.features)
	}
	if err := m.spend(times(rows, e.steps+cols)); err != nil {
		return err
	}
	n := min(rows, BlockRows)
	s := rowScores[T]{make([]T, n*e.classes), make([]bool, n*e.classes)}
	for lo := 0; lo < rows; lo += n {
		hi := min(lo+n, rows)
		e.block(x[lo*cols:hi*cols], cols, hi-lo, &s, add)
		for r := range hi - lo {
			k := r * e.classes
			if err := finish(lo+r, s.sum[k:k+e.classes], s.has[k:k+e.classes]); err != nil {
				return err
			}
		}
	}
	return nil
}
