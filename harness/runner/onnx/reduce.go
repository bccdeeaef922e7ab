package onnx

import (
	"fmt"
	"math"
	"slices"
)

func reduceOps() []operator {
	ops := []operator{core("ArgMax", 1, 1, 1, buildArg(1)), core("ArgMin", 1, 1, 1, buildArg(-1))}
	for _, name := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
		"ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"} {
		axesInput := int64(18)
		if name == "ReduceSum" {
			axesInput = 13
		}
		ops = append(ops, core(name, 1, 1, 2, buildReduce(name, axesInput)))
	}
	return ops
}

// axesOf reads axes from the second input, or from the attribute for versions before
// `input`. none says that neither names any.
func axesOf(b *builder, input int64) func(in []*tensor, rank int) (axes []int, none bool, err error) {
	var fixed []int64
	given := false
	if b.version < input {
		given = b.has("axes")
		fixed = b.integers("axes")
	}
	return func(in []*tensor, rank int) ([]int, bool, error) {
		list, given := fixed, given
		if len(in) > 1 && in[1] != nil {
			v, err := in[1].vector()
			if err != nil {
				return nil, false, fmt.Errorf("axes: %w", err)
			}
			list, given = v, true
		}
		if !given || len(list) == 0 {
			return nil, true, nil
		}
		var axes []int
		for _, a := range list {
			at, err := axisOf(a, rank)
			if err != nil {
				return nil, false, err
			}
			if slices.Contains(axes, at) {
				return nil, false, fmt.Errorf("axis %d is named twice", a)
			}
			axes = append(axes, at)
		}
		slices.Sort(axes)
		return axes, false, nil
	}
}

func buildReduce(name string, axesInput int64) func(*builder) (kernel, error) {
	return func(b *builder) (kernel, error) {
		keep := b.integer("keepdims", 1) != 0
		idle := false
		if b.version >= axesInput {
			idle = b.integer("noop_with_empty_axes", 0) != 0
		}
		axes := axesOf(b, axesInput)
		return func(m *machine, in, out []*tensor) error {
			x := in[0]
			which, none, err := axes(in, len(x.shape))
			if err != nil {
				return err
			}
			if none {
				if idle {
					return duplicate(m, x, out[0], x.shape)
				}
				for i := range x.shape {
					which = append(which, i)
				}
			}
			if err := m.spend(times(8, x.len())); err != nil {
				return err
			}
			shape, group := reduced(x.shape, which, keep)
			if err := m.make(out[0], x.kind, shape); err != nil {
				return err
			}
			switch x.kind {
			case kindFloat:
				return reduce(name, out[0].f32, x.f32, x.shape, group)
			case kindDouble:
				return reduce(name, out[0].f64, x.f64, x.shape, group)
			case kindInt64, kindInt32:
				return reduceWhole(name, out[0], x, group)
			}
			return fmt.Errorf("input is %s, want numbers", x.kind)
		}, nil
	}
}

// reduced gives the output shape, and per input dimension the stride of the output
// element that it belongs to (0 along reduced axes).
func reduced(shape, axes []int, keep bool) (out, group []int) {
	group = make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if !slices.Contains(axes, i) {
			group[i] = step
			step *= shape[i]
		}
	}
	for i, d := range shape {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out, group
}

// visit calls f with each input index and the output index it belongs to, in order.
func visit(shape, group []int, f func(i, o int)) {
	n := count(shape)
	if n == 0 {
		return
	}
	index := make([]int, len(shape))
	o := 0
	for i := range n {
		f(i, o)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			o += group[d]
			if index[d] < shape[d] {
				break
			}
			o -= group[d] * shape[d]
			index[d] = 0
		}
	}
}

func reduce[T real](name string, dst, src []T, shape, group []int) error {
	if len(src) == 0 && len(dst) > 0 {
		return fmt.Errorf("shape %v has nothing to reduce", shape)
	}
	start := T(0)
	switch name {
	case "ReduceMax", "ReduceLogSumExp":
		start = T(math.Inf(-1))
	case "ReduceMin":
		start = T(math.Inf(1))
	case "ReduceProd":
		start = 1
	}
	for i := range dst {
		dst[i] = start
	}
	switch name {
	case "ReduceMax":
		visit(shape, group, func(i, o int) { dst[o] = max(dst[o], src[i]) })
	case "ReduceMin":
		visit(shape, group, func(i, o int) { dst[o] = min(dst[o], src[i]) })
	case "ReduceProd":
		visit(shape, group, func(i, o int) { dst[o] *= src[i] })
	case "ReduceL1":
		visit(shape, group, func(i, o int) { dst[o] += T(math.Abs(float64(src[i]))) })
	case "ReduceL2", "ReduceSumSquare":
		visit(shape, group, func(i, o int) { dst[o] += T(src[i] * src[i]) })
	case "ReduceLogSumExp":
		logSumExp(dst, src, shape, group)
	default:
		visit(shape, group, func(i, o int) { dst[o] += src[i] })
	}
	for i, v := range dst {
		switch name {
		case "ReduceMean":
			dst[i] = v / T(len(src)/len(dst))
		case "ReduceL2":
			dst[i] = T(math.Sqrt(float64(v)))
		case "ReduceLogSum":
			dst[i] = T(log(float64(v)))
		}
	}
	return nil
}

func logSumExp[T real](dst, src []T, shape, group []int) {
	visit(shape, group, func(i, o int) { dst[o] = max(dst[o], src[i]) })
	sum := make([]T, len(dst))
	visit(shape, group, func(i, o int) { sum[o] += T(exp(float64(src[i] - dst[o]))) })
	for i, s := range sum {
		dst[i] += T(log(float64(s)))
	}
}

func reduceWhole(name string, out, x *tensor, group []int) error {
	if len(x.i64) == 0 && len(out.i64) > 0 {
		return fmt.Errorf("shape %v has nothing to reduce", x.shape)
	}
	start := map[string]int64{"ReduceProd": 1, "ReduceMax": math.MinInt64, "ReduceMin": math.MaxInt64}[name]
	for i := range out.i64 {
		out.i64[i] = start
	}
	var f func(a, b int64) int64
	switch name {
	case "ReduceSum":
		f = func(a, b int64) int64 { return a + b }
	case "ReduceProd":
		f = func(a, b int64) int64 { return a * b }
	case "ReduceMax":
		f = func(a, b int64) int64 { return max(a, b) }
	case "ReduceMin":
		f = func(a, b int64) int64 { return min(a, b) }
	default:
		return fmt.Errorf("input is %s, want float or double", x.kind)
	}
	visit(x.shape, group, func(i, o int) { out.i64[o] = f(out.i64[o], x.i64[i]) })
	wrap(out)
	return nil
}

// buildArg finds the place of the largest value (sign 1) or the smallest (-1); the
// first one, or with select_last_index the last one.
func buildArg(sign int) func(*builder) (kernel, error) {
	return func(b *builder) (kernel, error) {
		axis, keep := b.integer("axis", 0), b.integer("keepdims", 1) != 0
		last := b.version >= 12 && b.integer("select_last_index", 0) != 0
		return func(m *machine, in, out []*tensor) error {
			x := in[0]
			at, err := axisOf(axis, len(x.shape))
			if err != nil {
				return err
			}
			n, inner := x.shape[at], count(x.shape[at+1:])
			if n == 0 {
				return fmt.Errorf("shape %v has nothing to compare", x.shape)
			}
			shape, _ := reduced(x.shape, []int{at}, keep)
			if err := m.make(out[0], kindInt64, shape); err != nil {
				return err
			}
			switch x.kind {
			case kindFloat:
				argument(out[0].i64, x.f32, n, inner, sign, last)
			case kindDouble:
				argument(out[0].i64, x.f64, n, inner, sign, last)
			case kindInt64, kindInt32:
				argument(out[0].i64, x.i64, n, inner, sign, last)
			default:
				return fmt.Errorf("input is %s, want numbers", x.kind)
			}
			return m.spend(x.len())
		}, nil
	}
}

func argument[T float32 | float64 | int64](dst []int64, src []T, n, inner, sign int, last bool) {
	for o := range dst {
		base := o/inner*n*inner + o%inner
		best, at := src[base], 0
		for i := 1; i < n; i++ {
			v := src[base+i*inner]
			if sign > 0 && v > best || sign < 0 && v < best || last && v == best {
				best, at = v, i
			}
		}
		dst[o] = int64(at)
	}
}
