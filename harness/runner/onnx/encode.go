package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

func encodeOps() []operator {
	return []operator{
		ml("OneHotEncoder", 1, 1, 1, buildOneHot), ml("LabelEncoder", 1, 1, 1, buildLabelEncoder),
		ml("CategoryMapper", 1, 1, 1, buildCategoryMapper),
	}
}

// A vocabulary finds the place of a value in a list of keys.
type vocabulary struct {
	kind  kind
	texts map[string]int
	whole map[int64]int
	exact map[float64]int
	nan   int // the place of NaN, or -1
	n     int
}

func newVocabulary(keys *tensor) (*vocabulary, error) {
	v := &vocabulary{kind: keys.kind, nan: -1, n: keys.len()}
	size := 0
	switch keys.kind {
	case kindString:
		v.texts = make(map[string]int, v.n)
		for i, k := range keys.str {
			v.texts[k] = i
		}
		size = len(v.texts)
	case kindInt64, kindInt32:
		v.whole = make(map[int64]int, v.n)
		for i, k := range keys.i64 {
			v.whole[k] = i
		}
		size = len(v.whole)
	case kindFloat, kindDouble:
		v.exact = make(map[float64]int, v.n)
		for i := range v.n {
			k := 0.0
			if keys.kind == kindFloat {
				k = float64(keys.f32[i])
			} else {
				k = keys.f64[i]
			}
			if math.IsNaN(k) && v.nan < 0 {
				v.nan, size = i, size+1
			}
			v.exact[k] = i // a NaN is never found again
		}
		size = len(v.exact)
	default:
		return nil, fmt.Errorf("keys are %s", keys.kind)
	}
	switch {
	case v.n == 0:
		return nil, errors.New("it has no keys")
	case size != v.n:
		return nil, errors.New("a key appears twice")
	}
	return v, nil
}

// find calls f with the place of each element of x, or -1.
func (v *vocabulary) find(m *machine, x *tensor, f func(i, at int)) error {
	if err := m.spend(times(16, x.len())); err != nil {
		return err
	}
	place := func(at int, ok bool) int {
		if !ok {
			return -1
		}
		return at
	}
	number := func(k float64) int {
		if math.IsNaN(k) {
			return v.nan
		}
		at, ok := v.exact[k]
		return place(at, ok)
	}
	switch {
	case x.kind == kindString && v.texts != nil:
		for i, k := range x.str {
			at, ok := v.texts[k]
			f(i, place(at, ok))
		}
	case (x.kind == kindInt64 || x.kind == kindInt32) && v.whole != nil:
		for i, k := range x.i64 {
			at, ok := v.whole[k]
			f(i, place(at, ok))
		}
	case x.kind == kindFloat && v.exact != nil:
		for i, k := range x.f32 {
			f(i, number(float64(k)))
		}
	case x.kind == kindDouble && v.exact != nil:
		for i, k := range x.f64 {
			f(i, number(k))
		}
	default:
		return fmt.Errorf("input is %s, and the keys are %s", x.kind, v.kind)
	}
	return nil
}

// keysOf makes a list of whichever attribute is there.
func keysOf(b *builder, texts, ints, floats string) *tensor {
	switch {
	case b.has(texts):
		s := b.texts(texts)
		return &tensor{kind: kindString, shape: []int{len(s)}, str: s}
	case b.has(ints):
		n := b.integers(ints)
		return &tensor{kind: kindInt64, shape: []int{len(n)}, i64: n}
	case floats != "" && b.has(floats):
		f := b.floats(floats)
		return &tensor{kind: kindFloat, shape: []int{len(f)}, f32: f}
	}
	return nil
}

// buildOneHot sets a one in the category's column. Unknown categories give zeros, or
// with zeros=0 end the run. Numbers are cut to integers first.
func buildOneHot(b *builder) (kernel, error) {
	zeros := b.integer("zeros", 1) != 0
	keys := keysOf(b, "cats_strings", "cats_int64s", "")
	if keys == nil {
		return nil, errors.New("it has no categories")
	}
	words, err := newVocabulary(keys)
	if err != nil {
		return nil, err
	}
	return func(m *machine, in, out []*tensor) error {
		x := in[0]
		if len(x.shape) > 2 {
			return fmt.Errorf("input has shape %v, want at most two dimensions", x.shape)
		}
		if x.kind == kindFloat || x.kind == kindDouble {
			var whole tensor
			if err := castTo(m, x, &whole, kindInt64); err != nil {
				return err
			}
			defer m.release(&whole)
			x = &whole
		}
		if err := m.make(out[0], kindFloat, append(slices.Clone(x.shape), words.n)); err != nil {
			return err
		}
		clear(out[0].f32)
		missing := false
		err := words.find(m, x, func(i, at int) {
			if at < 0 {
				missing = true
				return
			}
			out[0].f32[i*words.n+at] = 1
		})
		if err == nil && missing && !zeros && !m.trial {
			return errors.New("a category is not in its list, and zeros is 0")
		}
		return err
	}, nil
}

// buildLabelEncoder maps keys to values, the rest to a default. Version 1 maps texts to
// their places and back.
func buildLabelEncoder(b *builder) (kernel, error) {
	if b.version < 2 {
		s := b.texts("classes_strings")
		return mapper(b, s, int64(len(s)), nil)
	}
	var keys, values, fallback *tensor
	if b.version >= 4 {
		keys, values, fallback = b.tensor("keys_tensor"), b.tensor("values_tensor"), b.tensor("default_tensor")
	}
	if keys == nil {
		keys = keysOf(b, "keys_strings", "keys_int64s", "keys_floats")
	}
	if values == nil {
		values = keysOf(b, "values_strings", "values_int64s", "values_floats")
	}
	text, whole, number := b.text("default_string", "_Unused"), b.integer("default_int64", -1), b.float("default_float", float32(math.Copysign(0, -1)))
	if keys == nil || values == nil || keys.len() != values.len() {
		return nil, errors.New("keys and values are missing or differ in length")
	}
	table := &tensor{kind: values.kind, shape: []int{values.len() + 1}}
	table.str = append(slices.Clone(values.str), text)
	table.i64 = append(slices.Clone(values.i64), whole)
	table.f32 = append(slices.Clone(values.f32), number)
	table.f64 = append(slices.Clone(values.f64), float64(number))
	if fallback != nil {
		if fallback.kind != values.kind || fallback.len() != 1 {
			return nil, errors.New("default_tensor is not one value of the kind of the others")
		}
		move(table, values.len(), fallback, 0, 1)
	}
	return encoder(b, keys, table)
}

func buildCategoryMapper(b *builder) (kernel, error) {
	return mapper(b, b.texts("cats_strings"), int64(len(b.texts("cats_strings"))), b.integers("cats_int64s"))
}

// mapper maps texts to whole numbers, or whole numbers to texts, by what comes in. The
// numbers are the texts' places when ints is nil.
func mapper(b *builder, texts []string, n int64, ints []int64) (kernel, error) {
	if ints == nil {
		for i := range n {
			ints = append(ints, i)
		}
	}
	text, whole := b.text("default_string", "_Unused"), b.integer("default_int64", -1)
	if len(ints) != len(texts) {
		return nil, errors.New("categories differ in length")
	}
	words := &tensor{kind: kindString, shape: []int{len(texts)}, str: texts}
	places := &tensor{kind: kindInt64, shape: []int{len(ints)}, i64: ints}
	to, err := encoder(b, words, &tensor{kind: kindInt64, i64: append(slices.Clone(ints), whole)})
	if err != nil {
		return nil, err
	}
	from, err := encoder(b, places, &tensor{kind: kindString, str: append(slices.Clone(texts), text)})
	if err != nil {
		return nil, err
	}
	return func(m *machine, in, out []*tensor) error {
		if in[0].kind == kindString {
			return to(m, in, out)
		}
		return from(m, in, out)
	}, nil
}

// encoder looks each element up; the last entry of table is for what is not found.
func encoder(b *builder, keys, table *tensor) (kernel, error) {
	words, err := newVocabulary(keys)
	if err != nil {
		return nil, err
	}
	if words.whole != nil { // labels that pass through are renamed alike
		b.rename = func(label string) (string, bool) {
			k, err := strconv.ParseInt(label, 10, 64)
			at, ok := words.whole[k]
			if err != nil || !ok {
				return "", false
			}
			switch table.kind {
			case kindString:
				return table.str[at], true
			case kindInt64:
				return strconv.FormatInt(table.i64[at], 10), true
			}
			return "", false
		}
	}
	return func(m *machine, in, out []*tensor) error {
		if err := m.make(out[0], table.kind, in[0].shape); err != nil {
			return err
		}
		return words.find(m, in[0], func(i, at int) {
			if at < 0 {
				at = words.n
			}
			move(out[0], i, table, at, 1)
		})
	}, nil
}
