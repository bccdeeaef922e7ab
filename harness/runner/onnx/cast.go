package onnx

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

func buildCast(b *builder) (kernel, error) {
	to, err := knownKind(b.integer("to", 0))
	if err != nil {
		return nil, err
	}
	b.integer("saturate", 1) // speaks of 8-bit floats only
	return func(m *machine, in, out []*tensor) error {
		return castTo(m, in[0], out[0], to)
	}, nil
}

func castTo(m *machine, x, out *tensor, to kind) error {
	if x.kind == to {
		return duplicate(m, x, out, x.shape)
	}
	if x.kind == kindString || to == kindString {
		if err := m.spend(times(32, x.len())); err != nil {
			return err
		}
	}
	if err := m.make(out, to, x.shape); err != nil {
		return err
	}
	switch x.kind {
	case kindFloat:
		return castFrom(m, x.f32, out, to)
	case kindDouble:
		return castFrom(m, x.f64, out, to)
	case kindInt64, kindInt32:
		return castFrom(m, x.i64, out, to)
	case kindBool:
		return castFrom(m, x.bit, out, to)
	}
	return castFrom(m, x.str, out, to)
}

func castFrom[T element](m *machine, src []T, out *tensor, to kind) error {
	for i, v := range src {
		var err error
		switch to {
		case kindFloat:
			var f float64
			if n, ok := any(v).(int64); ok {
				out.f32[i] = float32(n) // once rounded, not twice
				continue
			}
			f, err = toDouble(v, 32)
			out.f32[i] = float32(f)
		case kindDouble:
			out.f64[i], err = toDouble(v, 64)
		case kindInt64:
			out.i64[i], err = toWhole(v, math.MinInt64, math.MaxInt64)
		case kindInt32:
			out.i64[i], err = toWhole(v, math.MinInt32, math.MaxInt32)
		case kindBool:
			var f float64
			f, err = toDouble(v, 64)
			out.bit[i] = f != 0
		case kindString:
			out.str[i] = toText(v)
		}
		if err != nil && !m.trial {
			return err
		}
	}
	return nil
}

func toDouble[T element](v T, bits int) (float64, error) {
	switch v := any(v).(type) {
	case float32:
		return float64(v), nil
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), bits)
		if err != nil {
			return 0, fmt.Errorf("a text is not a number")
		}
		return f, nil
	}
	return 0, nil
}

// toWhole truncates towards zero. What does not fit becomes the smallest integer, as
// on x86; elsewhere C leaves it open.
func toWhole[T element](v T, low, high int64) (int64, error) {
	switch v := any(v).(type) {
	case int64:
		if low == math.MinInt32 {
			return int64(int32(v)), nil
		}
		return v, nil
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("a text is not an integer")
		}
		return n, nil
	}
	f, err := toDouble(v, 64)
	f = math.Trunc(f)
	if math.IsNaN(f) || f < float64(low) || f > float64(high) || f >= 1<<63 {
		return low, err
	}
	return int64(f), err
}

func toText[T element](v T) string {
	switch v := any(v).(type) {
	case float32:
		return floatText(float64(v))
	case float64:
		return floatText(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		if v {
			return "1"
		}
		return "0"
	case string:
		return v
	}
	return ""
}

// floatText has eight digits, for double too, as onnxruntime writes them.
func floatText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	}
	return strconv.FormatFloat(v, 'g', 8, 64)
}
