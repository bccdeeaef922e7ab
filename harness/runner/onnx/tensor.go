package onnx

import (
	"fmt"
	"math"
)

// A kind is the element type of a tensor, by its ONNX number.
type kind int32

const (
	kindFloat  kind = 1
	kindInt32  kind = 6
	kindInt64  kind = 7
	kindString kind = 8
	kindBool   kind = 9
	kindDouble kind = 11
)

var kindNames = map[kind]string{
	kindFloat: "float", kindInt32: "int32", kindInt64: "int64",
	kindString: "string", kindBool: "bool", kindDouble: "double",
}

func (k kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("type %d", int32(k))
}

func knownKind(n int64) (kind, error) {
	k := kind(n)
	if _, ok := kindNames[k]; !ok || int64(k) != n {
		return 0, fmt.Errorf("element type %d is not supported; supported are float, double, int64, int32, bool and string", n)
	}
	return k, nil
}

// An element is how values are held; int32 is held in int64 and wrapped after each
// operation.
type element interface {
	float32 | float64 | int64 | string | bool
}

// A tensor is a dense row-major array. Exactly one slice, that of its kind, counts.
type tensor struct {
	kind  kind
	shape []int
	f32   []float32
	f64   []float64
	i64   []int64
	str   []string
	bit   []bool
}

// slot returns the slice of t that holds T.
func slot[T element](t *tensor) *[]T {
	var p any
	switch any(*new(T)).(type) {
	case float32:
		p = &t.f32
	case float64:
		p = &t.f64
	case int64:
		p = &t.i64
	case string:
		p = &t.str
	case bool:
		p = &t.bit
	}
	return p.(*[]T)
}

func (t *tensor) len() int { return count(t.shape) }

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// maxElements bounds a single tensor; the machine's budget is usually far lower.
const maxElements = 1 << 28

// sized returns the number of elements of a shape, or an error when it is absurd, and
// the number of steps of a loop over its dimensions: one that is empty still counts
// the others.
func sized(shape []int) (n, steps int, err error) {
	if len(shape) > maxRank {
		return 0, 0, fmt.Errorf("%d dimensions; at most %d are supported", len(shape), maxRank)
	}
	n, steps = 1, 1
	for _, d := range shape {
		if d < 0 || d > maxElements || steps*d > maxElements {
			return 0, 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= d
		steps *= max(d, 1)
	}
	return n, steps, nil
}

// matrix reads a tensor as onnxruntime's table operators do: one dimension is
// one row.
func (t *tensor) matrix() (rows, cols int, err error) {
	switch len(t.shape) {
	case 1:
		return 1, t.shape[0], nil
	case 2:
		return t.shape[0], t.shape[1], nil
	}
	return 0, 0, fmt.Errorf("input has shape %v, want two dimensions", t.shape)
}

// vector returns the values of an int64 or int32 tensor of at most one dimension.
func (t *tensor) vector() ([]int64, error) {
	if (t.kind != kindInt64 && t.kind != kindInt32) || len(t.shape) > 1 {
		return nil, fmt.Errorf("want a list of integers, got %s of shape %v", t.kind, t.shape)
	}
	return t.i64[:t.len()], nil
}

// asFloats gives numbers of any kind as float32, the way onnxruntime casts inputs of
// table operators. The result may alias t.
func (t *tensor) asFloats() ([]float32, error) {
	switch t.kind {
	case kindFloat:
		return t.f32, nil
	case kindDouble:
		out := make([]float32, len(t.f64))
		for i, v := range t.f64 {
			out[i] = float32(v)
		}
		return out, nil
	case kindInt64, kindInt32:
		out := make([]float32, len(t.i64))
		for i, v := range t.i64 {
			out[i] = float32(v)
		}
		return out, nil
	}
	return nil, fmt.Errorf("input is %s, want numbers", t.kind)
}

func axisOf(axis int64, rank int) (int, error) {
	if axis < -int64(rank) || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside of %d dimensions", axis, rank)
	}
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis), nil
}

func finite32(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
