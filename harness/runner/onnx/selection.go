package onnx

import (
	"errors"
	"fmt"
	"slices"
)

func selectOps() []operator {
	split := core("Split", 2, 1, 2, buildSplit)
	split.out = many
	return []operator{
		core("Concat", 4, 1, many, buildConcat), core("Gather", 1, 2, 2, buildGather), core("Slice", 1, 1, 5, buildSlice), split,
		ml("ArrayFeatureExtractor", 2, 2, 1, buildArrayFeatureExtractor), ml("FeatureVectorizer", 1, many, 1, buildFeatureVectorizer),
		ml("ZipMap", 1, 1, 1, buildZipMap),
	}
}

// move copies a run of n elements between tensors of one kind.
func move(dst *tensor, d int, src *tensor, s, n int) {
	switch dst.kind {
	case kindFloat:
		copy(dst.f32[d:d+n], src.f32[s:s+n])
	case kindDouble:
		copy(dst.f64[d:d+n], src.f64[s:s+n])
	case kindString:
		copy(dst.str[d:d+n], src.str[s:s+n])
	case kindBool:
		copy(dst.bit[d:d+n], src.bit[s:s+n])
	default:
		copy(dst.i64[d:d+n], src.i64[s:s+n])
	}
}

func buildConcat(b *builder) (kernel, error) {
	if !b.has("axis") {
		return nil, errors.New("it names no axis")
	}
	axis := b.integer("axis", 0)
	return func(m *machine, in, out []*tensor) error {
		if slices.Contains(in, nil) {
			return errors.New("an input is missing")
		}
		first := in[0]
		at, err := axisOf(axis, len(first.shape))
		if err != nil {
			return err
		}
		shape := slices.Clone(first.shape)
		for _, t := range in[1:] {
			if t.kind != first.kind || len(t.shape) != len(shape) {
				return fmt.Errorf("inputs are %s %v and %s %v", first.kind, first.shape, t.kind, t.shape)
			}
			for d := range shape {
				if d != at && t.shape[d] != shape[d] {
					return fmt.Errorf("shapes %v and %v do not fit each other", first.shape, t.shape)
				}
			}
			shape[at] = min(shape[at]+t.shape[at], maxElements+1)
		}
		if err := m.make(out[0], first.kind, shape); err != nil {
			return err
		}
		outer, whole, offset := count(shape[:at]), count(shape[at:]), 0
		for _, t := range in {
			n := count(t.shape[at:])
			for o := range outer {
				move(out[0], o*whole+offset, t, o*n, n)
			}
			offset += n
		}
		return nil
	}, nil
}

func buildGather(b *builder) (kernel, error) {
	axis := b.integer("axis", 0)
	return func(m *machine, in, out []*tensor) error {
		x, pick := in[0], in[1]
		if pick.kind != kindInt64 && pick.kind != kindInt32 {
			return fmt.Errorf("indices are %s, want integers", pick.kind)
		}
		at, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		d, inner, outer := x.shape[at], count(x.shape[at+1:]), count(x.shape[:at])
		shape := slices.Concat(x.shape[:at], pick.shape, x.shape[at+1:])
		if err := m.make(out[0], x.kind, shape); err != nil {
			return err
		}
		to := 0
		for o := range outer {
			for _, i := range pick.i64 {
				k, err := axisOf(i, d)
				if err != nil {
					return fmt.Errorf("index %d is outside of %d", i, d)
				}
				move(out[0], to, x, (o*d+k)*inner, inner)
				to += inner
			}
		}
		return nil
	}, nil
}

// buildSlice takes starts, ends, axes and steps from attributes before opset 10.
func buildSlice(b *builder) (kernel, error) {
	var fixed [4]*tensor
	if b.version < 10 {
		for i, name := range []string{"starts", "ends", "axes"} {
			if b.has(name) {
				v := b.integers(name)
				fixed[i] = &tensor{kind: kindInt64, shape: []int{len(v)}, i64: v}
			}
		}
	}
	return func(m *machine, in, out []*tensor) error {
		list := fixed
		copy(list[:], in[1:])
		x := in[0]
		if list[0] == nil || list[1] == nil {
			return errors.New("starts or ends are missing")
		}
		var v [4][]int64
		for i, t := range list {
			if t == nil {
				continue
			}
			var err error
			if v[i], err = t.vector(); err != nil {
				return err
			}
			if len(v[i]) != len(v[0]) {
				return errors.New("starts, ends, axes and steps differ in length")
			}
		}
		from, step, shape := make([]int, len(x.shape)), make([]int, len(x.shape)), slices.Clone(x.shape)
		for i := range step {
			step[i] = 1
		}
		seen := map[int]bool{}
		for i := range v[0] {
			axis, by := int64(i), int64(1)
			if v[2] != nil {
				axis = v[2][i]
			}
			if v[3] != nil {
				by = v[3][i]
			}
			at, err := axisOf(axis, len(shape))
			if err != nil {
				return err
			}
			if seen[at] || by == 0 || by < -maxElements || by > maxElements {
				return fmt.Errorf("axis %d has two slices or a step of %d", axis, by)
			}
			seen[at] = true
			from[at], shape[at] = cut(v[0][i], v[1][i], by, int64(x.shape[at]))
			step[at] = int(by)
		}
		return slice(m, x, out[0], shape, from, step)
	}, nil
}

// cut gives the first index and the number of elements of start:end:by over n.
func cut(start, end, by, n int64) (int, int) {
	if by > 0 {
		lo, hi := within(start, n), within(end, n)
		return int(lo), int(max(0, (hi-lo+by-1)/by))
	}
	last := func(i int64) int64 { // -1 stands for "before the first"
		if i < 0 {
			i = max(i, -n-1) + n
		}
		return min(i, n-1)
	}
	lo, hi := last(start), last(end)
	return int(lo), int(max(0, (lo-hi-by-1)/-by))
}

func slice(m *machine, x, out *tensor, shape, from, step []int) error {
	if err := m.make(out, x.kind, shape); err != nil {
		return err
	}
	base, st := 0, make([]int, len(shape))
	for i, n := len(shape)-1, 1; i >= 0; i-- {
		base += from[i] * n
		st[i] = step[i] * n
		n *= x.shape[i]
	}
	visit(shape, st, func(o, i int) { move(out, o, x, base+i, 1) })
	return nil
}

func buildSplit(b *builder) (kernel, error) {
	axis := b.integer("axis", 0)
	var fixed []int64
	if b.version < 13 {
		fixed = b.integers("split")
	}
	if b.version >= 18 {
		if n := b.integer("num_outputs", int64(b.outputs)); n != int64(b.outputs) {
			return nil, fmt.Errorf("num_outputs is %d, and there are %d", n, b.outputs)
		}
	}
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		at, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		parts := fixed
		if len(in) > 1 && in[1] != nil {
			if parts, err = in[1].vector(); err != nil {
				return err
			}
		}
		d := int64(x.shape[at])
		if parts == nil {
			each := (d + int64(len(out)) - 1) / int64(len(out))
			for i := range out {
				parts = append(parts, max(0, min(each, d-int64(i)*each)))
			}
		}
		total := int64(0)
		for _, p := range parts {
			if p < 0 || p > d {
				return fmt.Errorf("part %d of dimension %d", p, d)
			}
			total += p
		}
		if len(parts) != len(out) || total != d {
			return fmt.Errorf("parts %v do not make up %d in %d outputs", parts, d, len(out))
		}
		from, step := make([]int, len(x.shape)), make([]int, len(x.shape))
		for i := range step {
			step[i] = 1
		}
		for i, t := range out {
			shape := slices.Clone(x.shape)
			shape[at] = int(parts[i])
			if err := slice(m, x, t, shape, from, step); err != nil {
				return err
			}
			from[at] += int(parts[i])
		}
		return nil
	}, nil
}
