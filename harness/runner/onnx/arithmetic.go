package onnx

import (
	"errors"
	"fmt"
	"math"
)

// A pairwise operation works on two numbers of one kind. A nil function means that the kind is
// not supported.
type pairwise struct {
	f32 func(a, b float32) float32
	f64 func(a, b float64) float64
	i64 func(a, b int64) int64
}

var (
	addition       = pairwise{func(a, b float32) float32 { return a + b }, func(a, b float64) float64 { return a + b }, func(a, b int64) int64 { return a + b }}
	subtraction    = pairwise{func(a, b float32) float32 { return a - b }, func(a, b float64) float64 { return a - b }, func(a, b int64) int64 { return a - b }}
	multiplication = pairwise{func(a, b float32) float32 { return a * b }, func(a, b float64) float64 { return a * b }, func(a, b int64) int64 { return a * b }}
	division       = pairwise{func(a, b float32) float32 { return a / b }, func(a, b float64) float64 { return a / b }, divide}
	larger         = pairwise{func(a, b float32) float32 { return max(a, b) }, func(a, b float64) float64 { return max(a, b) }, func(a, b int64) int64 { return max(a, b) }}
	smaller        = pairwise{func(a, b float32) float32 { return min(a, b) }, func(a, b float64) float64 { return min(a, b) }, func(a, b int64) int64 { return min(a, b) }}
)

// divide is C's: towards zero. Zero divisors are refused before it is called.
func divide(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func arithmeticOps() []operator {
	ops := []operator{
		core("Add", 7, 2, 2, fold(addition)), core("Sub", 7, 2, 2, fold(subtraction)),
		core("Mul", 7, 2, 2, fold(multiplication)), core("Div", 7, 2, 2, buildDiv), core("Pow", 7, 2, 2, buildPow),
		core("Sum", 8, 1, many, fold(addition)), core("Max", 8, 1, many, fold(larger)), core("Min", 8, 1, many, fold(smaller)),
		core("Neg", 6, 1, 1, signed(func(v float64) float64 { return -v }, func(v int64) int64 { return -v })),
		core("Abs", 6, 1, 1, signed(math.Abs, func(v int64) int64 { return max(v, -v) })),
		core("Clip", 6, 1, 3, buildClip),
	}
	for name, f := range map[string]func(float64) float64{
		"Exp": exp, "Log": log, "Sqrt": math.Sqrt, "Reciprocal": func(v float64) float64 { return 1 / v },
		"Sigmoid": logistic, "Tanh": tanh,
		"Relu": func(v float64) float64 {
			if v < 0 {
				return 0
			}
			return v
		},
	} {
		ops = append(ops, core(name, 6, 1, 1, signed(f, nil)))
	}
	return ops
}

// fold applies a binary operation from left to right over one or more inputs.
func fold(op pairwise) func(*builder) (kernel, error) {
	return func(b *builder) (kernel, error) {
		return func(m *machine, in, out []*tensor) error {
			if len(in) == 1 {
				return duplicate(m, in[0], out[0], in[0].shape)
			}
			left := in[0]
			for i, right := range in[1:] {
				into := out[0]
				if i < len(in)-2 {
					into = &tensor{}
				}
				if right == nil || left == nil {
					return errors.New("an input is missing")
				}
				if err := op.apply(m, left, right, into); err != nil {
					return err
				}
				if i > 0 {
					m.release(left)
				}
				left = into
			}
			return nil
		}, nil
	}
}

func (op pairwise) apply(m *machine, a, b, out *tensor) error {
	if a.kind != b.kind {
		return fmt.Errorf("inputs are %s and %s", a.kind, b.kind)
	}
	shape, err := spread(a.shape, b.shape)
	if err != nil {
		return err
	}
	if err := m.make(out, a.kind, shape); err != nil {
		return err
	}
	switch {
	case a.kind == kindFloat && op.f32 != nil:
		zip(out.f32, shape, a, b, op.f32)
	case a.kind == kindDouble && op.f64 != nil:
		zip(out.f64, shape, a, b, op.f64)
	case (a.kind == kindInt64 || a.kind == kindInt32) && op.i64 != nil:
		zip(out.i64, shape, a, b, op.i64)
		wrap(out)
	default:
		return fmt.Errorf("inputs are %s, want numbers", a.kind)
	}
	return nil
}

// wrap brings int32 results back into their range, as the hardware would.
func wrap(t *tensor) {
	if t.kind == kindInt32 {
		for i, v := range t.i64 {
			t.i64[i] = int64(int32(v))
		}
	}
}

func buildDiv(b *builder) (kernel, error) {
	apply := division
	return func(m *machine, in, out []*tensor) error {
		if d := in[1]; (d.kind == kindInt64 || d.kind == kindInt32) && !m.trial {
			for _, v := range d.i64 {
				if v == 0 {
					return errors.New("integer division by zero")
				}
			}
		}
		return apply.apply(m, in[0], in[1], out[0])
	}, nil
}

// buildPow gives the kind of the base; the exponent may be of another.
func buildPow(b *builder) (kernel, error) {
	op := pairwise{
		f32: func(a, b float32) float32 { return float32(pow(float64(a), float64(b))) },
		f64: pow,
	}
	return func(m *machine, in, out []*tensor) error {
		base, exponent := in[0], in[1]
		if base.kind != kindFloat && base.kind != kindDouble {
			return fmt.Errorf("base is %s, want float or double", base.kind)
		}
		if err := m.spend(times(16, max(base.len(), exponent.len()))); err != nil {
			return err
		}
		if exponent.kind != base.kind {
			var cast tensor
			if err := castTo(m, exponent, &cast, base.kind); err != nil {
				return err
			}
			defer m.release(&cast)
			exponent = &cast
		}
		return op.apply(m, base, exponent, out[0])
	}, nil
}

// signed maps each number; integers only where i64 is given.
func signed(f func(float64) float64, i64 func(int64) int64) func(*builder) (kernel, error) {
	return func(b *builder) (kernel, error) {
		return func(m *machine, in, out []*tensor) error {
			x, y := in[0], out[0]
			if err := m.spend(times(8, x.len())); err != nil {
				return err
			}
			if err := m.make(y, x.kind, x.shape); err != nil {
				return err
			}
			switch {
			case x.kind == kindFloat:
				for i, v := range x.f32 {
					y.f32[i] = float32(f(float64(v)))
				}
			case x.kind == kindDouble:
				for i, v := range x.f64 {
					y.f64[i] = f(v)
				}
			case (x.kind == kindInt64 || x.kind == kindInt32) && i64 != nil:
				for i, v := range x.i64 {
					y.i64[i] = i64(v)
				}
				wrap(y)
			default:
				return fmt.Errorf("input is %s", x.kind)
			}
			return nil
		}, nil
	}
}

// buildClip takes its limits from attributes before opset 11 and from inputs since.
func buildClip(b *builder) (kernel, error) {
	var low, high *tensor
	if b.version < 11 {
		low = &tensor{kind: kindFloat, f32: []float32{b.float("min", -math.MaxFloat32)}}
		high = &tensor{kind: kindFloat, f32: []float32{b.float("max", math.MaxFloat32)}}
	}
	return func(m *machine, in, out []*tensor) error {
		low, high := low, high
		if len(in) > 1 && in[1] != nil {
			low = in[1]
		}
		if len(in) > 2 && in[2] != nil {
			high = in[2]
		}
		x := in[0]
		for i, limit := range []*tensor{low, high} {
			if limit == nil {
				continue
			}
			if limit.len() != 1 {
				return errors.New("a limit is not a single number")
			}
			op, into := []pairwise{larger, smaller}[i], out[0]
			if i == 0 && high != nil {
				into = &tensor{}
				defer m.release(into)
			}
			limit = &tensor{kind: limit.kind, f32: limit.f32, f64: limit.f64, i64: limit.i64}
			if err := op.apply(m, x, limit, into); err != nil {
				return err
			}
			x = into
		}
		if low == nil && high == nil {
			return duplicate(m, x, out[0], x.shape)
		}
		return nil
	}, nil
}
