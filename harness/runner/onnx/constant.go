package onnx

import (
	"errors"
	"fmt"
)

// buildConstant gives a value instead of a kernel; no node is left to run.
func buildConstant(b *builder) (kernel, error) {
	if len(b.list) != 1 {
		return nil, errors.New("want one attribute that holds the value")
	}
	a := b.list[0]
	switch a.name {
	case "value":
		b.constant = b.tensor("value")
	case "value_float":
		b.constant = &tensor{kind: kindFloat, f32: []float32{b.float(a.name, 0)}}
	case "value_floats":
		b.constant = &tensor{kind: kindFloat, f32: b.floats(a.name), shape: []int{len(a.floats)}}
	case "value_int":
		b.constant = &tensor{kind: kindInt64, i64: []int64{b.integer(a.name, 0)}}
	case "value_ints":
		b.constant = &tensor{kind: kindInt64, i64: b.integers(a.name), shape: []int{len(a.ints)}}
	case "value_string":
		b.constant = &tensor{kind: kindString, str: []string{b.text(a.name, "")}}
	case "value_strings":
		b.constant = &tensor{kind: kindString, str: b.texts(a.name), shape: []int{len(a.strings)}}
	}
	if b.err == nil && b.constant == nil {
		return nil, fmt.Errorf("attribute %q is not supported", a.name)
	}
	return nil, b.err
}

func buildConstantOfShape(b *builder) (kernel, error) {
	value := b.tensor("value")
	if value == nil {
		value = &tensor{kind: kindFloat, shape: []int{1}, f32: []float32{0}}
	}
	if value.len() != 1 {
		return nil, errors.New("value is not a single element")
	}
	return func(m *machine, in, out []*tensor) error {
		return spreadTo(m, &tensor{kind: value.kind, f32: value.f32, f64: value.f64, i64: value.i64, str: value.str, bit: value.bit}, in[0], out[0], false)
	}, nil
}

func buildExpand(*builder) (kernel, error) {
	return func(m *machine, in, out []*tensor) error {
		return spreadTo(m, in[0], in[1], out[0], true)
	}, nil
}

// spreadTo repeats x over the shape that a list of integers gives; mutual lets
// dimensions of x be larger, as Expand does.
func spreadTo(m *machine, x, list, out *tensor, mutual bool) error {
	want, err := list.vector()
	if err != nil {
		return err
	}
	shape := make([]int, len(want))
	for i, d := range want {
		if d < 0 || d > maxElements {
			return fmt.Errorf("shape %v is not possible", want)
		}
		shape[i] = int(d)
	}
	if mutual {
		if shape, err = spread(x.shape, shape); err != nil {
			return err
		}
	}
	if err := m.make(out, x.kind, shape); err != nil {
		return err
	}
	switch x.kind {
	case kindFloat:
		repeat[float32](out, x)
	case kindDouble:
		repeat[float64](out, x)
	case kindString:
		repeat[string](out, x)
	case kindBool:
		repeat[bool](out, x)
	default:
		repeat[int64](out, x)
	}
	return nil
}

func repeat[T element](out, x *tensor) {
	dst, src, o := *slot[T](out), *slot[T](x), 0
	for w := newWalk(out.shape, x.shape); w.more; w.next() {
		for k := range w.n {
			dst[o] = src[w.at[0]+k*w.step[0]]
			o++
		}
	}
}
