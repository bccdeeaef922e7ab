package onnxruntime

import (
	"fmt"
	"math"
	"slices"

	ort "github.com/yalue/onnxruntime_go"

	"proctor/holdout/rows"
)

// A feed is one input of a model and the columns that it takes.
type feed struct {
	ort.InputOutputInfo
	columns []int
}

// bind joins inputs and columns: either there is one input, which takes all columns in
// their order, or each input takes the column of its name.
func (s *session) bind(fields []rows.Field) error {
	s.fields = fields
	for _, in := range s.inputs {
		f := feed{InputOutputInfo: in}
		at := slices.IndexFunc(fields, func(f rows.Field) bool { return f.Name == in.Name })
		want := int64(1)
		switch {
		case at >= 0:
			f.columns = []int{at}
		case len(s.inputs) == 1:
			for i := range fields {
				f.columns = append(f.columns, i)
			}
			want = int64(len(fields))
		default:
			return fmt.Errorf("the model has an input %q, and there is no such column", in.Name)
		}
		if err := f.fits(fields, want); err != nil {
			return err
		}
		s.feeds = append(s.feeds, f)
	}
	return nil
}

func (f feed) fits(fields []rows.Field, want int64) error {
	d := f.Dimensions
	if f.OrtValueType != ort.ONNXTypeTensor || len(d) < 1 || len(d) > 2 || len(d) == 1 && want > 1 || len(d) == 2 && d[1] > 0 && d[1] != want {
		return fmt.Errorf("the model's input %q is not a tensor of rows and %d columns: %v", f.Name, want, &f.InputOutputInfo)
	}
	if d[0] > 0 {
		return fmt.Errorf("input %q has a fixed first dimension of %d; export the model with a free batch dimension", f.Name, d[0])
	}
	switch f.DataType {
	case ort.TensorElementDataTypeFloat, ort.TensorElementDataTypeDouble, ort.TensorElementDataTypeInt64, ort.TensorElementDataTypeInt32, ort.TensorElementDataTypeString:
	default:
		return fmt.Errorf("input %q is of type %v; known are float, double, int64, int32, string", f.Name, f.DataType)
	}
	for _, c := range f.columns {
		if fields[c].Number == (f.DataType == ort.TensorElementDataTypeString) {
			return fmt.Errorf("input %q is of type %v, and column %s does not hold that", f.Name, f.DataType, fields[c])
		}
	}
	return nil
}

// value fills the input with a table's rows. The caller destroys it.
func (f feed) value(t rows.Table) (ort.Value, error) {
	switch f.DataType {
	case ort.TensorElementDataTypeString:
		v, err := ort.NewStringTensor(f.shape(t.Len()))
		if err != nil {
			return nil, err
		}
		var all []string
		for r := range t.Len() {
			for _, c := range f.columns {
				all = append(all, t.Columns()[c].Strings[r])
			}
		}
		if err := v.SetContents(all); err != nil {
			v.Destroy()
			return nil, err
		}
		return v, nil
	case ort.TensorElementDataTypeDouble:
		return fill(f, t, func(v float64) (float64, bool) { return v, true })
	case ort.TensorElementDataTypeInt64:
		return fill(f, t, func(v float64) (int64, bool) { return int64(v), v == math.Trunc(v) && math.Abs(v) <= 1<<53 })
	case ort.TensorElementDataTypeInt32:
		return fill(f, t, func(v float64) (int32, bool) { return int32(v), v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32 })
	}
	return fill(f, t, func(v float64) (float32, bool) { return float32(v), math.Abs(v) <= math.MaxFloat32 })
}

func (f feed) shape(n int) ort.Shape {
	if len(f.Dimensions) == 1 {
		return ort.NewShape(int64(n))
	}
	return ort.NewShape(int64(n), int64(len(f.columns)))
}

func fill[T ort.TensorData](f feed, t rows.Table, to func(float64) (T, bool)) (ort.Value, error) {
	data := make([]T, 0, t.Len()*len(f.columns))
	for r := range t.Len() {
		for _, c := range f.columns {
			v := t.Columns()[c].Floats[r]
			x, ok := to(v)
			if !ok {
				return nil, fmt.Errorf("input %q is of type %v, and column %q has the value %v", f.Name, f.DataType, t.Columns()[c].Name, v)
			}
			data = append(data, x)
		}
	}
	return ort.NewTensor(f.shape(t.Len()), data)
}
