package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// tensorData is what a TensorProto may hold its numbers in; exactly one is used.
type tensorData struct {
	dims   []int64
	kind   kind
	raw    []byte
	isRaw  bool
	f32    []float32
	i32    []int64
	i64    []int64
	f64    []float64
	str    []string
	unused int // values in fields that no supported type uses
}

// decodeTensor reads a constant. Its shape must call for exactly the values that are
// there, so no dimension, however large, costs memory that the file does not pay for.
func decodeTensor(b []byte) (namedTensor, error) {
	var d tensorData
	var name string
	err := each(b, "tensor", set(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16), set(2, 3, 8, 9, 12, 14), func(v field) (err error) {
		switch v.num {
		case 1:
			d.dims, err = v.integers(d.dims)
		case 2:
			n, wrong := v.integer()
			if err = wrong; err == nil {
				d.kind, err = knownKind(n)
			}
		case 3:
			err = errors.New("segments are not supported")
		case 4:
			d.f32, err = v.floats(d.f32)
		case 5:
			d.i32, err = v.integers(d.i32)
		case 6:
			d.str, err = v.texts(d.str)
		case 7:
			d.i64, err = v.integers(d.i64)
		case 8:
			name, err = v.text()
		case 9:
			d.isRaw = true
			d.raw, err = v.message()
		case 10:
			d.f64, err = v.doubles(d.f64)
		case 11:
			d.unused++
		case 13:
			err = errors.New("external_data is not supported: a model must be one file")
		case 14:
			n, wrong := v.integer()
			if err = wrong; err == nil && n != 0 {
				err = errors.New("external_data is not supported: a model must be one file")
			}
		}
		return err
	})
	if err != nil {
		return namedTensor{}, err
	}
	t, err := d.tensor()
	if err != nil {
		return namedTensor{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	return namedTensor{name, t}, nil
}

func (d *tensorData) tensor() (*tensor, error) {
	if len(d.dims) > maxRank {
		return nil, fmt.Errorf("%d dimensions; at most %d are supported", len(d.dims), maxRank)
	}
	t := &tensor{kind: d.kind, shape: make([]int, len(d.dims))}
	n := int64(1)
	for i, dim := range d.dims {
		if dim < 0 || dim > MaxFile || n*dim > MaxFile {
			return nil, fmt.Errorf("dimension %d is %d", i, dim)
		}
		n *= dim
		t.shape[i] = int(dim)
	}
	held := len(d.f32) + len(d.i32) + len(d.i64) + len(d.f64) + len(d.str) + d.unused
	if d.isRaw {
		if held > 0 {
			return nil, errors.New("it has both raw and typed values")
		}
		return t, d.fromRaw(t, int(n))
	}
	got := 0
	switch d.kind {
	case kindFloat:
		t.f32, got = d.f32, len(d.f32)
	case kindDouble:
		t.f64, got = d.f64, len(d.f64)
	case kindInt64:
		t.i64, got = d.i64, len(d.i64)
	case kindInt32:
		for _, v := range d.i32 {
			if v != int64(int32(v)) {
				return nil, fmt.Errorf("%d is not an int32", v)
			}
		}
		t.i64, got = d.i32, len(d.i32)
	case kindString:
		t.str, got = d.str, len(d.str)
	case kindBool:
		for _, v := range d.i32 {
			t.bit = append(t.bit, v != 0)
		}
		got = len(d.i32)
	default:
		return nil, errors.New("it has no type")
	}
	if got != held || int64(got) != n {
		return nil, fmt.Errorf("its shape %v calls for %d values of type %s; it has %d and %d of other types", t.shape, n, d.kind, got, held-got)
	}
	return t, nil
}

func (d *tensorData) fromRaw(t *tensor, n int) error {
	width := map[kind]int{kindFloat: 4, kindInt32: 4, kindDouble: 8, kindInt64: 8, kindBool: 1}[d.kind]
	if width == 0 {
		return fmt.Errorf("raw values of type %s are not supported", d.kind)
	}
	if len(d.raw) != n*width {
		return fmt.Errorf("its shape %v calls for %d bytes; it has %d", t.shape, n*width, len(d.raw))
	}
	le := binary.LittleEndian
	switch d.kind {
	case kindFloat:
		t.f32 = make([]float32, n)
		for i := range t.f32 {
			t.f32[i] = math.Float32frombits(le.Uint32(d.raw[4*i:]))
		}
	case kindDouble:
		t.f64 = make([]float64, n)
		for i := range t.f64 {
			t.f64[i] = math.Float64frombits(le.Uint64(d.raw[8*i:]))
		}
	case kindInt64:
		t.i64 = make([]int64, n)
		for i := range t.i64 {
			t.i64[i] = int64(le.Uint64(d.raw[8*i:]))
		}
	case kindInt32:
		t.i64 = make([]int64, n)
		for i := range t.i64 {
			t.i64[i] = int64(int32(le.Uint32(d.raw[4*i:])))
		}
	case kindBool:
		t.bit = make([]bool, n)
		for i := range t.bit {
			t.bit[i] = d.raw[i] != 0
		}
	}
	return nil
}
