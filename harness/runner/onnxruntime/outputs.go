package onnxruntime

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

// answers reads a model's outputs for n rows: labels are the first output of whole
// numbers or words with one a row, probabilities the first of shape rows x classes or
// the first list of maps, which name their classes (a ZipMap). Whole numbers, and the
// columns of a matrix, are places in the order of the manifest's classes.
func answers(names []string, outputs []ort.Value, n int, classes []string) (labels []int32, probs []float64, err error) {
	words := false
	for i, o := range outputs {
		switch v := o.(type) {
		case *ort.Tensor[float32]:
			probs, err = matrix(probs, v.GetData(), v.GetShape(), n, len(classes))
		case *ort.Tensor[float64]:
			probs, err = matrix(probs, v.GetData(), v.GetShape(), n, len(classes))
		case *ort.Tensor[int64]:
			labels, err = places(labels, v.GetData(), n, classes)
		case *ort.Tensor[int32]:
			labels, err = places(labels, v.GetData(), n, classes)
		case *ort.StringTensor:
			if labels == nil && v.GetShape().FlattenedSize() == int64(n) {
				words = true
				labels, err = wordLabels(v, classes)
			}
		case *ort.Sequence:
			if probs == nil {
				probs, err = maps(v, n, classes)
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("output %q: %w", names[i], err)
		}
	}
	if labels == nil && probs == nil {
		return nil, nil, fmt.Errorf("no output of the model has %d rows of %d probabilities, or %d labels", n, len(classes), n)
	}
	if words && probs != nil {
		err = agree(labels, probs, classes)
	}
	return labels, probs, err
}

func matrix[T float32 | float64](have []float64, data []T, shape ort.Shape, n, k int) ([]float64, error) {
	if have != nil || len(shape) != 2 || shape[0] != int64(n) || shape[1] != int64(k) || len(data) != n*k {
		return have, nil
	}
	out := make([]float64, len(data))
	for i, v := range data {
		out[i] = float64(v)
	}
	return out, nil
}

func places[T int32 | int64](have []int32, data []T, n int, classes []string) ([]int32, error) {
	if have != nil || len(data) != n {
		return have, nil
	}
	out := make([]int32, n)
	for i, v := range data {
		if at := slices.Index(classes, strconv.FormatInt(int64(v), 10)); at >= 0 {
			out[i] = int32(at) // the classes are numbers themselves
		} else if v >= 0 && int64(v) < int64(len(classes)) && !numeric(classes) {
			out[i] = int32(v)
		} else {
			return nil, fmt.Errorf("row %d: label %d is none of the classes %q", i+1, v, classes)
		}
	}
	return out, nil
}

func numeric(classes []string) bool {
	return slices.ContainsFunc(classes, func(c string) bool {
		_, err := strconv.ParseInt(c, 10, 64)
		return err == nil
	})
}

func wordLabels(v *ort.StringTensor, classes []string) ([]int32, error) {
	words, err := v.GetContents()
	if err != nil {
		return nil, err
	}
	out := make([]int32, len(words))
	for i, w := range words {
		if out[i] = int32(slices.Index(classes, w)); out[i] < 0 {
			return nil, fmt.Errorf("row %d: label %.100q is none of the classes %q", i+1, w, classes)
		}
	}
	return out, nil
}

// agree checks that the columns of a matrix are in the manifest's order, where words
// tell: each row's label must be its most probable class.
func agree(labels []int32, probs []float64, classes []string) error {
	k := len(classes)
	for r, y := range labels {
		row := probs[r*k : (r+1)*k]
		if top := slices.Max(row); row[y] < top-1e-6 {
			return fmt.Errorf("row %d: the label is %q, and its probability %g is not the largest: write the manifest's classes in the order of the model's probabilities, or export it with a ZipMap", r+1, classes[y], row[y])
		}
	}
	return nil
}

// maps reads one map a row from classes to probabilities.
func maps(s *ort.Sequence, n int, classes []string) ([]float64, error) {
	values, err := s.GetValues()
	if err != nil {
		return nil, err
	}
	if len(values) != n {
		return nil, fmt.Errorf("%d maps for %d rows", len(values), n)
	}
	out := make([]float64, n*len(classes))
	for r, v := range values {
		m, ok := v.(*ort.Map)
		if !ok {
			return nil, errors.New("a list of something else than maps")
		}
		if err := mapRow(m, out[r*len(classes):(r+1)*len(classes)], classes); err != nil {
			return nil, fmt.Errorf("row %d: %w", r+1, err)
		}
	}
	return out, nil
}

func mapRow(m *ort.Map, into []float64, classes []string) error {
	keys, values, err := m.GetKeysAndValues()
	if err != nil {
		return err
	}
	var at []int32
	switch k := keys.(type) {
	case *ort.StringTensor:
		at, err = wordLabels(k, classes)
	case *ort.Tensor[int64]:
		at, err = places(nil, k.GetData(), len(k.GetData()), classes)
	default:
		err = errors.New("its keys are no classes")
	}
	if err != nil {
		return err
	}
	p, ok := values.(*ort.Tensor[float32])
	if !ok || len(p.GetData()) != len(at) || len(at) != len(classes) {
		return fmt.Errorf("a map does not give each of the classes %q a probability", classes)
	}
	for i := range into {
		into[i] = math.NaN() // a class that is not named
	}
	for i, v := range p.GetData() {
		into[at[i]] = float64(v)
	}
	return nil
}
