package onnx

import (
	"fmt"
	"slices"
)

// buildArrayFeatureExtractor picks columns. From a list it gives one row, as
// onnxruntime does; classifiers turn indices into labels that way.
func buildArrayFeatureExtractor(b *builder) (kernel, error) {
	if x := b.fixed[0]; x != nil && len(x.shape) <= 2 && x.len() > 0 && x.len() == x.shape[len(x.shape)-1] {
		switch x.kind {
		case kindString:
			b.labels = x.str
		case kindInt64, kindInt32:
			b.labels, b.ints = decimals(x.i64), true
		}
	}
	return func(m *machine, in, out []*tensor) error {
		x, pick := in[0], in[1]
		if len(x.shape) == 0 || pick.kind != kindInt64 || pick.len() == 0 {
			return fmt.Errorf("inputs are %s %v and %s %v", x.kind, x.shape, pick.kind, pick.shape)
		}
		stride, n := x.shape[len(x.shape)-1], pick.len()
		for _, i := range pick.i64 {
			if i < 0 || i >= int64(stride) {
				return fmt.Errorf("index %d is outside of %d", i, stride)
			}
		}
		shape := []int{1, n}
		if len(x.shape) > 1 {
			shape = append(slices.Clone(x.shape[:len(x.shape)-1]), n)
		}
		if err := m.make(out[0], x.kind, shape); err != nil {
			return err
		}
		for r := range count(shape) / n {
			for j, i := range pick.i64 {
				move(out[0], r*n+j, x, r*stride+int(i), 1)
			}
		}
		return nil
	}, nil
}

func buildFeatureVectorizer(b *builder) (kernel, error) {
	sizes, total := b.integers("inputdimensions"), int64(0)
	for _, d := range sizes {
		if d < 0 || d > maxElements {
			return nil, fmt.Errorf("inputdimensions holds %d", d)
		}
		total = min(total+d, maxElements+1)
	}
	return func(m *machine, in, out []*tensor) error {
		if len(in) != len(sizes) || slices.Contains(in, nil) {
			return fmt.Errorf("%d inputs, and %d inputdimensions", len(in), len(sizes))
		}
		n, _, err := in[0].matrix()
		if err != nil {
			return err
		}
		if err := m.make(out[0], kindFloat, []int{n, int(total)}); err != nil {
			return err
		}
		clear(out[0].f32)
		offset := 0
		for i, t := range in {
			rows, cols, err := t.matrix()
			if err != nil {
				return err
			}
			v, err := t.asFloats()
			if err != nil || rows != n {
				return fmt.Errorf("input %d is %s of shape %v, want %d rows of numbers", i+1, t.kind, t.shape, n)
			}
			for r := range n {
				copy(out[0].f32[r*int(total)+offset:][:sizes[i]], v[r*cols:r*cols+cols])
			}
			offset += int(sizes[i])
		}
		return nil
	}, nil
}

// buildZipMap keeps the scores as they are; the labels say what the columns mean.
// Nothing but the graph's output may read it, which Bind sees to.
func buildZipMap(b *builder) (kernel, error) {
	if _, err := b.classes("classlabels_strings", "classlabels_int64s"); err != nil {
		return nil, err
	}
	k := len(b.labels)
	return func(m *machine, in, out []*tensor) error {
		_, cols, err := in[0].matrix()
		if err != nil {
			return err
		}
		if in[0].kind != kindFloat || cols != k {
			return fmt.Errorf("input is %s of shape %v, and there are %d labels", in[0].kind, in[0].shape, k)
		}
		return duplicate(m, in[0], out[0], in[0].shape)
	}, nil
}
