package onnx

import (
	"errors"
	"fmt"
	"slices"
)

func shapeOps() []operator {
	return []operator{
		core("Identity", 1, 1, 1, buildIdentity), core("Cast", 6, 1, 1, buildCast), core("Reshape", 5, 2, 2, buildReshape),
		core("Flatten", 1, 1, 1, buildFlatten), core("Squeeze", 1, 1, 2, buildSqueeze), core("Unsqueeze", 1, 1, 2, buildUnsqueeze),
		core("Transpose", 1, 1, 1, buildTranspose), core("Shape", 1, 1, 1, buildShape), core("Constant", 1, 0, 0, buildConstant),
		core("ConstantOfShape", 9, 1, 1, buildConstantOfShape), core("Expand", 8, 2, 2, buildExpand),
	}
}

// duplicate copies x into out under another shape of the same count.
func duplicate(m *machine, x, out *tensor, shape []int) error {
	if err := m.make(out, x.kind, shape); err != nil {
		return err
	}
	copy(out.f32, x.f32)
	copy(out.f64, x.f64)
	copy(out.i64, x.i64)
	copy(out.str, x.str)
	copy(out.bit, x.bit)
	return nil
}

func buildIdentity(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		return duplicate(m, in[0], out[0], in[0].shape)
	}, nil
}

func buildReshape(b *builder) (kernel, error) {
	zero := b.version >= 14 && b.integer("allowzero", 0) != 0
	return func(m *machine, in, out []*tensor) error {
		want, err := in[1].vector()
		if err != nil {
			return err
		}
		if len(want) > maxRank {
			return fmt.Errorf("%d dimensions; at most %d are supported", len(want), maxRank)
		}
		shape, rest := make([]int, len(want)), -1
		for i, d := range want {
			switch {
			case d == -1 && rest < 0:
				rest, shape[i] = i, 1
			case d == 0 && !zero:
				if i >= len(in[0].shape) {
					return fmt.Errorf("shape %v copies a dimension that %v has not", want, in[0].shape)
				}
				shape[i] = in[0].shape[i]
			case d < 0 || d > maxElements:
				return fmt.Errorf("shape %v is not possible", want)
			default:
				shape[i] = int(d)
			}
		}
		n, _, err := sized(shape)
		if err != nil {
			return err
		}
		if rest >= 0 && n > 0 {
			shape[rest] = in[0].len() / n
		}
		if count(shape) != in[0].len() {
			return fmt.Errorf("%v cannot become %v", in[0].shape, want)
		}
		return duplicate(m, in[0], out[0], shape)
	}, nil
}

func buildFlatten(b *builder) (kernel, error) {
	axis := b.integer("axis", 1)
	return func(m *machine, in, out []*tensor) error {
		s := in[0].shape
		at, err := axisOf(axis, len(s)+1)
		if axis < 0 {
			at, err = axisOf(axis, len(s))
		}
		if err != nil {
			return err
		}
		return duplicate(m, in[0], out[0], []int{count(s[:at]), count(s[at:])})
	}, nil
}

func buildSqueeze(b *builder) (kernel, error) {
	axes := axesOf(b, 13)
	return func(m *machine, in, out []*tensor) error {
		which, none, err := axes(in, len(in[0].shape))
		if err != nil {
			return err
		}
		var shape []int
		for i, d := range in[0].shape {
			drop := slices.Contains(which, i) || none && d == 1
			if drop && d != 1 {
				return fmt.Errorf("dimension %d of %v is not 1", i, in[0].shape)
			}
			if !drop {
				shape = append(shape, d)
			}
		}
		return duplicate(m, in[0], out[0], shape)
	}, nil
}

func buildUnsqueeze(b *builder) (kernel, error) {
	fixed := 0
	if b.version < 13 {
		for _, a := range b.list {
			fixed += len(a.ints)
		}
	}
	axes := axesOf(b, 13)
	return func(m *machine, in, out []*tensor) error {
		extra := fixed
		if len(in) > 1 && in[1] != nil {
			extra = in[1].len()
		}
		rank := len(in[0].shape) + extra
		if rank > maxRank {
			return fmt.Errorf("%d dimensions; at most %d are supported", rank, maxRank)
		}
		which, none, err := axes(in, rank)
		if err != nil {
			return err
		}
		if none {
			return errors.New("it names no axes")
		}
		shape, rest := make([]int, rank), in[0].shape
		for i := range shape {
			if slices.Contains(which, i) {
				shape[i] = 1
			} else {
				shape[i], rest = rest[0], rest[1:]
			}
		}
		return duplicate(m, in[0], out[0], shape)
	}, nil
}

func buildTranspose(b *builder) (kernel, error) {
	perm := b.integers("perm")
	return func(m *machine, in, out []*tensor) error {
		rank := len(in[0].shape)
		order := make([]int, rank)
		seen := map[int]bool{}
		for i := range order {
			order[i] = rank - 1 - i
			if perm != nil {
				if len(perm) != rank || perm[i] < 0 || perm[i] >= int64(rank) || seen[int(perm[i])] {
					return fmt.Errorf("perm %v is no order of %d dimensions", perm, rank)
				}
				order[i] = int(perm[i])
				seen[order[i]] = true
			}
		}
		return transpose(m, in[0], out[0], order)
	}, nil
}

func transpose(m *machine, x, out *tensor, order []int) error {
	shape, step := make([]int, len(order)), make([]int, len(order))
	st := make([]int, len(order))
	for i, n := len(order)-1, 1; i >= 0; i-- {
		st[i] = n
		n *= x.shape[i]
	}
	for i, d := range order {
		shape[i], step[i] = x.shape[d], st[d]
	}
	if err := m.make(out, x.kind, shape); err != nil {
		return err
	}
	switch x.kind {
	case kindFloat:
		visit(shape, step, func(o, i int) { out.f32[o] = x.f32[i] })
	case kindDouble:
		visit(shape, step, func(o, i int) { out.f64[o] = x.f64[i] })
	case kindString:
		visit(shape, step, func(o, i int) { out.str[o] = x.str[i] })
	case kindBool:
		visit(shape, step, func(o, i int) { out.bit[o] = x.bit[i] })
	default:
		visit(shape, step, func(o, i int) { out.i64[o] = x.i64[i] })
	}
	return nil
}

func buildShape(b *builder) (kernel, error) {
	start, end := int64(0), int64(maxRank)
	if b.version >= 15 {
		start, end = b.integer("start", 0), b.integer("end", maxRank)
	}
	return func(m *machine, in, out []*tensor) error {
		rank := int64(len(in[0].shape))
		lo, hi := within(start, rank), within(end, rank)
		part := in[0].shape[lo:max(lo, hi)]
		if err := m.make(out[0], kindInt64, []int{len(part)}); err != nil {
			return err
		}
		for i, d := range part {
			out[0].i64[i] = int64(d)
		}
		return nil
	}, nil
}

// within reads an index that counts from the end when negative, kept inside 0..n.
func within(i, n int64) int64 {
	if i < 0 {
		i = max(i, -n) + n
	}
	return min(max(i, 0), n)
}
