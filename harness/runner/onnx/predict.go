package onnx

import (
	"fmt"
	"math"
	"strconv"

	"proctor/holdout/rows"
)

// What a block may hold and a row may take, beside four times the model's file. The
// tests raise them to see that it is they which stop a model.
var (
	blockBytes = 64 << 20
	rowSteps   = 256 << 10
)

// Predict answers for every row of a table with the columns that Bind was told: class
// indices, and probabilities row by row with one column a class, or nil when the model
// gives none. A score that is not finite, lies outside of [0,1] by more than 1e-5, or
// a row whose scores do not sum to 1 within 1e-3, is an error that names the row.
func (b *Bound) Predict(t rows.Table) (labels []int32, probs []float64, err error) {
	defer calm(&err)
	if err := t.SameFields(b.fields); err != nil {
		return nil, nil, fmt.Errorf("rows for the ONNX model: %w", err)
	}
	n, k := t.Len(), len(b.classes)
	labels = make([]int32, n)
	if b.score >= 0 {
		probs = make([]float64, n*k)
	}
	for lo := 0; lo < n; lo += BlockRows {
		hi := min(lo+BlockRows, n)
		var p []float64
		if probs != nil {
			p = probs[lo*k : hi*k]
		}
		if err := b.block(t, lo, hi, labels[lo:hi], p); err != nil {
			return nil, nil, fmt.Errorf("rows %d to %d: %w", lo+1, hi, err)
		}
	}
	return labels, probs, nil
}

func (b *Bound) block(t rows.Table, lo, hi int, labels []int32, probs []float64) error {
	defer b.drop()
	if err := b.run(t, lo, hi, false); err != nil {
		return err
	}
	if probs != nil {
		if err := b.readScores(probs, hi-lo); err != nil {
			return err
		}
	}
	if b.label < 0 {
		best(labels, probs, len(b.classes))
		return nil
	}
	return b.readLabels(labels, probs)
}

// best takes the largest probability, the first one when several are equal.
func best(labels []int32, probs []float64, k int) {
	for r := range labels {
		row := probs[r*k : r*k+k]
		at := 0
		for j, p := range row {
			if p > row[at] {
				at = j
			}
		}
		labels[r] = int32(at)
	}
}

// try runs the model on made-up rows (zeros and empty texts), so that types and shapes
// that do not fit each other show before any row is given.
func (b *Bound) try() error {
	const n = 2
	cols := make([]rows.Column, len(b.fields))
	for i, f := range b.fields {
		cols[i] = rows.Column{Name: f.Name}
		if f.Number {
			cols[i].Floats = make([]float64, n)
		} else {
			cols[i].Strings = make([]string, n)
		}
	}
	t, err := rows.New(cols...)
	if err != nil {
		return err
	}
	defer b.drop()
	if err := b.run(t, 0, n, true); err != nil {
		return err
	}
	if b.label >= 0 {
		if v := &b.values[b.label]; v.len() != n {
			return fmt.Errorf("labels of %d rows have shape %v", n, v.shape)
		}
	}
	if b.score >= 0 {
		_, err = b.scoreColumns(n)
	}
	return err
}

// run evaluates rows [lo, hi); the answers stay in b.values until drop.
func (b *Bound) run(t rows.Table, lo, hi int, trial bool) error {
	m := &b.machine
	m.trial = trial
	m.maxBytes = blockBytes + 4*b.model.size
	m.work = times(hi-lo+1, rowSteps+4*b.model.size)
	for _, f := range b.feeds {
		if err := f.fill(m, &b.values[f.id], t, lo, hi); err != nil {
			return err
		}
	}
	for i := range b.steps {
		s := &b.steps[i]
		b.in, b.out = b.in[:0], b.out[:0]
		for _, id := range s.in {
			b.in = append(b.in, b.value(id))
		}
		for _, id := range s.out {
			if id < 0 {
				b.out = append(b.out, &tensor{})
			} else {
				b.out = append(b.out, &b.values[id])
			}
		}
		if err := s.run(m, b.in, b.out); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		for _, id := range b.last[i] {
			m.release(&b.values[id])
		}
	}
	return nil
}

func (b *Bound) value(id int) *tensor {
	if id < 0 {
		return nil
	}
	if c := b.model.graph.consts[id]; c != nil {
		return c
	}
	return &b.values[id]
}

// drop gives back what a block still holds.
func (b *Bound) drop() {
	for i := range b.values {
		b.machine.release(&b.values[i])
	}
	b.machine.live = 0
}

// fill writes columns into the input tensor, row by row.
func (f feed) fill(m *machine, to *tensor, t rows.Table, lo, hi int) error {
	k := len(f.columns)
	shape := []int{hi - lo, k}
	if len(f.dims) == 1 {
		shape = shape[:1]
	}
	if err := m.make(to, f.kind, shape); err != nil {
		return err
	}
	for j, at := range f.columns {
		c := t.Columns()[at]
		switch f.kind {
		case kindFloat:
			for r, v := range c.Floats[lo:hi] {
				w := float32(v)
				if !finite32(w) {
					return fmt.Errorf("column %q, row %d: %v is too large for float32", c.Name, lo+r+1, v)
				}
				to.f32[r*k+j] = w
			}
		case kindDouble:
			for r, v := range c.Floats[lo:hi] {
				to.f64[r*k+j] = v
			}
		case kindString:
			for r, v := range c.Strings[lo:hi] {
				to.str[r*k+j] = v
			}
		default:
			for r, v := range c.Floats[lo:hi] {
				w := int64(v)
				if v != math.Trunc(v) || math.Abs(v) > 1<<53 || f.kind == kindInt32 && w != int64(int32(w)) {
					return fmt.Errorf("column %q, row %d: %v is not an %s, which the model takes", c.Name, lo+r+1, v, f.kind)
				}
				to.i64[r*k+j] = w
			}
		}
	}
	return nil
}

// scoreColumns checks the shape of the scores: one column a class, or for two classes
// one column with the probability of the second.
func (b *Bound) scoreColumns(n int) (int, error) {
	v, k := &b.values[b.score], len(b.classes)
	if v.kind != kindFloat && v.kind != kindDouble {
		return 0, fmt.Errorf("scores are %s, want float or double", v.kind)
	}
	switch {
	case v.len() == n*k && len(v.shape) == 2 && v.shape[0] == n:
		return k, nil
	case v.len() == n && k == 2 && (len(v.shape) == 1 || len(v.shape) == 2 && v.shape[0] == n):
		return 1, nil
	}
	return 0, fmt.Errorf("scores of %d rows have shape %v, and %d classes are declared", n, v.shape, k)
}

func (b *Bound) readScores(probs []float64, n int) error {
	width, err := b.scoreColumns(n)
	if err != nil {
		return err
	}
	v, k := &b.values[b.score], len(b.classes)
	at := func(i int) float64 { return v.f64[i] }
	if v.kind == kindFloat {
		at = func(i int) float64 { return float64(v.f32[i]) }
	}
	for r := range n {
		row, sum := probs[r*k:r*k+k], 0.0
		for j := range width {
			p := at(r*width + j)
			if math.IsNaN(p) || p < -1e-5 || p > 1+1e-5 {
				return fmt.Errorf("row %d of these has the score %v, which is no probability", r+1, p)
			}
			to := j
			if b.column != nil {
				to = b.column[j]
			}
			p = min(max(p, 0), 1)
			if width == 1 {
				row[0], row[1], sum = 1-p, p, 1
				if b.column != nil {
					row[b.column[0]], row[b.column[1]] = 1-p, p
				}
				continue
			}
			row[to] = p
			sum += p
		}
		if math.Abs(sum-1) > 1e-3 {
			return fmt.Errorf("row %d of these has scores that sum to %v, want 1", r+1, sum)
		}
	}
	return nil
}

// readLabels turns the model's labels into class indices. Where the order of its scores
// could not be seen in the graph, a label must be the class with the largest score.
func (b *Bound) readLabels(labels []int32, probs []float64) error {
	v, k := &b.values[b.label], len(b.classes)
	if v.len() != len(labels) {
		return fmt.Errorf("labels of %d rows have shape %v", len(labels), v.shape)
	}
	for r := range labels {
		at, ok := int32(0), false
		switch {
		case v.kind == kindString:
			at, ok = b.names[v.str[r]]
		case v.kind != kindInt64 && v.kind != kindInt32:
			return fmt.Errorf("labels are %s, want strings or integers", v.kind)
		case b.index:
			at, ok = int32(v.i64[r]), v.i64[r] >= 0 && v.i64[r] < int64(k)
		default:
			at, ok = b.names[strconv.FormatInt(v.i64[r], 10)]
		}
		if !ok {
			return fmt.Errorf("row %d of these has a label that is not among the declared classes %q", r+1, b.classes)
		}
		labels[r] = at
		if probs == nil || b.ordered {
			continue
		}
		row := probs[r*k : r*k+k]
		for _, p := range row {
			if p > row[at]+1e-6 {
				return fmt.Errorf("row %d of these: the label is %q and another class has a larger score; declare classes in the model's order", r+1, b.classes[at])
			}
		}
	}
	return nil
}
