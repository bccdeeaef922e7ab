package onnx

import (
	"errors"
	"fmt"
	"math"
)

func scaleOps() []operator {
	return []operator{
		ml("Scaler", 1, 1, 1, buildScaler), ml("Normalizer", 1, 1, 1, buildNormalizer),
		ml("Imputer", 1, 1, 1, buildImputer), ml("Binarizer", 1, 1, 1, buildBinarizer),
	}
}

// buildScaler computes (x - offset)·scale, in the input's precision, then as float.
func buildScaler(b *builder) (kernel, error) {
	offset, scale := b.floats("offset"), b.floats("scale")
	if len(scale) == 0 || len(scale) != len(offset) {
		return nil, fmt.Errorf("%d scales and %d offsets", len(scale), len(offset))
	}
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		_, cols, err := x.matrix()
		if err != nil {
			return err
		}
		if len(scale) != cols && len(scale) != 1 {
			return fmt.Errorf("input has %d columns, and there are %d scales", cols, len(scale))
		}
		if err := m.make(out[0], kindFloat, x.shape); err != nil {
			return err
		}
		y, k := out[0].f32, len(scale)
		if x.kind == kindDouble {
			for i, v := range x.f64 {
				y[i] = float32((v - float64(offset[i%k])) * float64(scale[i%k]))
			}
			return nil
		}
		v, err := x.asFloats()
		if err != nil {
			return err
		}
		for i, j := 0, 0; i < len(v); i++ {
			y[i] = (v[i] - offset[j]) * scale[j]
			if j++; j == k {
				j = 0
			}
		}
		return nil
	}, nil
}

func buildNormalizer(b *builder) (kernel, error) {
	norm := b.one("norm", "MAX", "MAX", "L1", "L2")
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		rows, cols, err := x.matrix()
		if err != nil {
			return err
		}
		v, err := x.asFloats()
		if err != nil {
			return err
		}
		if err := m.make(out[0], kindFloat, x.shape); err != nil {
			return err
		}
		for r := range rows {
			normalize(norm, out[0].f32[r*cols:(r+1)*cols], v[r*cols:(r+1)*cols])
		}
		return nil
	}, nil
}

// normalize divides a row by its largest value, the sum of magnitudes, or its length.
// A row whose norm is 0 stays as it is. L2 goes by way of squares, as onnxruntime does.
func normalize(norm int, dst, src []float32) {
	total := float32(0)
	if norm == 0 {
		total = -math.MaxFloat32
	}
	for _, v := range src {
		switch norm {
		case 0:
			total = max(total, v)
		case 1:
			total += float32(math.Abs(float64(v)))
		default:
			total += float32(v * v)
		}
	}
	for i, v := range src {
		switch {
		case total == 0:
			dst[i] = v
		case norm < 2:
			dst[i] = v / total
		default:
			dst[i] = float32(math.Copysign(float64(float32(math.Sqrt(float64(float32(v*v)/total)))), float64(v)))
		}
	}
}

func buildImputer(b *builder) (kernel, error) {
	floats, ints := b.floats("imputed_value_floats"), b.integers("imputed_value_int64s")
	oldFloat, oldInt := b.float("replaced_value_float", 0), b.integer("replaced_value_int64", 0)
	if (len(floats) == 0) == (len(ints) == 0) {
		return nil, errors.New("want imputed_value_floats or imputed_value_int64s")
	}
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		_, cols, err := x.matrix()
		if err != nil {
			return err
		}
		if err := duplicate(m, x, out[0], x.shape); err != nil {
			return err
		}
		switch {
		case x.kind == kindFloat && len(floats) > 0:
			impute(out[0].f32, floats, oldFloat, cols)
		case x.kind == kindInt64 && len(ints) > 0:
			impute(out[0].i64, ints, oldInt, cols)
		default:
			return fmt.Errorf("input is %s, which is not what it replaces", x.kind)
		}
		return nil
	}, nil
}

func impute[T float32 | int64](v, by []T, old T, cols int) {
	for i, x := range v {
		if x == old || x != x && old != old {
			v[i] = by[0]
			if len(by) == cols {
				v[i] = by[i%cols]
			}
		}
	}
}

func buildBinarizer(b *builder) (kernel, error) {
	threshold := b.float("threshold", 0)
	return func(m *machine, in, out []*tensor) error {
		if in[0].kind != kindFloat {
			return fmt.Errorf("input is %s, want float", in[0].kind)
		}
		if err := m.make(out[0], kindFloat, in[0].shape); err != nil {
			return err
		}
		for i, v := range in[0].f32 {
			out[0].f32[i] = 0
			if v > threshold {
				out[0].f32[i] = 1
			}
		}
		return nil
	}, nil
}
