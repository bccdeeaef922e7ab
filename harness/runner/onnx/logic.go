package onnx

import "fmt"

func logicOps() []operator {
	return []operator{
		core("Equal", 7, 2, 2, compare("Equal")), core("Less", 7, 2, 2, compare("Less")),
		core("Greater", 7, 2, 2, compare("Greater")), core("LessOrEqual", 12, 2, 2, compare("LessOrEqual")),
		core("GreaterOrEqual", 12, 2, 2, compare("GreaterOrEqual")),
		core("And", 7, 2, 2, truth(func(a, b bool) bool { return a && b })),
		core("Or", 7, 2, 2, truth(func(a, b bool) bool { return a || b })),
		core("Xor", 7, 2, 2, truth(func(a, b bool) bool { return a != b })),
		core("Not", 1, 1, 1, buildNot), core("IsNaN", 9, 1, 1, buildIsNaN), core("Where", 9, 3, 3, buildWhere),
	}
}

func relation[T float32 | float64 | int64 | string](name string) func(a, b T) bool {
	switch name {
	case "Less":
		return func(a, b T) bool { return a < b }
	case "Greater":
		return func(a, b T) bool { return a > b }
	case "LessOrEqual":
		return func(a, b T) bool { return a <= b }
	case "GreaterOrEqual":
		return func(a, b T) bool { return a >= b }
	}
	return func(a, b T) bool { return a == b }
}

func compare(name string) func(*builder) (kernel, error) {
	f32, f64, i64, str := relation[float32](name), relation[float64](name), relation[int64](name), relation[string](name)
	return func(*builder) (kernel, error) {
		return func(m *machine, in, out []*tensor) error {
			a, b := in[0], in[1]
			shape, err := pairShape(m, a, b, out[0])
			if err != nil {
				return err
			}
			switch {
			case a.kind == kindFloat:
				zip(out[0].bit, shape, a, b, f32)
			case a.kind == kindDouble:
				zip(out[0].bit, shape, a, b, f64)
			case a.kind == kindInt64 || a.kind == kindInt32:
				zip(out[0].bit, shape, a, b, i64)
			case a.kind == kindString && name == "Equal":
				zip(out[0].bit, shape, a, b, str)
			case a.kind == kindBool && name == "Equal":
				zip(out[0].bit, shape, a, b, func(x, y bool) bool { return x == y })
			default:
				return fmt.Errorf("inputs are %s", a.kind)
			}
			return nil
		}, nil
	}
}

// pairShape checks that two inputs go together and makes a bool output for them.
func pairShape(m *machine, a, b, out *tensor) ([]int, error) {
	if a.kind != b.kind {
		return nil, fmt.Errorf("inputs are %s and %s", a.kind, b.kind)
	}
	shape, err := spread(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	return shape, m.make(out, kindBool, shape)
}

func truth(f func(a, b bool) bool) func(*builder) (kernel, error) {
	return func(*builder) (kernel, error) {
		return func(m *machine, in, out []*tensor) error {
			if in[0].kind != kindBool {
				return fmt.Errorf("input is %s, want bool", in[0].kind)
			}
			shape, err := pairShape(m, in[0], in[1], out[0])
			if err == nil {
				zip(out[0].bit, shape, in[0], in[1], f)
			}
			return err
		}, nil
	}
}

func buildNot(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		if in[0].kind != kindBool {
			return fmt.Errorf("input is %s, want bool", in[0].kind)
		}
		if err := m.make(out[0], kindBool, in[0].shape); err != nil {
			return err
		}
		for i, v := range in[0].bit {
			out[0].bit[i] = !v
		}
		return nil
	}, nil
}

func buildIsNaN(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		if err := m.make(out[0], kindBool, x.shape); err != nil {
			return err
		}
		switch x.kind {
		case kindFloat:
			for i, v := range x.f32 {
				out[0].bit[i] = v != v
			}
		case kindDouble:
			for i, v := range x.f64 {
				out[0].bit[i] = v != v
			}
		default:
			return fmt.Errorf("input is %s, want float or double", x.kind)
		}
		return nil
	}, nil
}

func buildWhere(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		c, a, b := in[0], in[1], in[2]
		if c.kind != kindBool || a.kind != b.kind {
			return fmt.Errorf("inputs are %s, %s and %s", c.kind, a.kind, b.kind)
		}
		shape, err := spread(c.shape, a.shape, b.shape)
		if err != nil {
			return err
		}
		if err := m.make(out[0], a.kind, shape); err != nil {
			return err
		}
		switch a.kind {
		case kindFloat:
			choose[float32](out[0], c, a, b)
		case kindDouble:
			choose[float64](out[0], c, a, b)
		case kindString:
			choose[string](out[0], c, a, b)
		case kindBool:
			choose[bool](out[0], c, a, b)
		default:
			choose[int64](out[0], c, a, b)
		}
		return nil
	}, nil
}

func choose[T element](out, c, a, b *tensor) {
	dst, x, y := *slot[T](out), *slot[T](a), *slot[T](b)
	o := 0
	for w := newWalk(out.shape, c.shape, a.shape, b.shape); w.more; w.next() {
		for k := range w.n {
			if c.bit[w.at[0]+k*w.step[0]] {
				dst[o] = x[w.at[1]+k*w.step[1]]
			} else {
				dst[o] = y[w.at[2]+k*w.step[2]]
			}
			o++
		}
	}
}
