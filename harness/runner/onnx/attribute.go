package onnx

import (
	"errors"
	"fmt"
	"strings"
)

// Attribute types of the ONNX schema that are supported.
const (
	attrFloat   = 1
	attrInt     = 2
	attrString  = 3
	attrTensor  = 4
	attrFloats  = 6
	attrInts    = 7
	attrStrings = 8
)

type attribute struct {
	name    string
	typ     int64
	f       float32
	i       int64
	s       string
	t       *tensor
	floats  []float32
	ints    []int64
	strings []string
	used    bool // some operator asked for it
}

func (a *attribute) decode(v field) error {
	b, err := v.message()
	if err != nil {
		return err
	}
	holds := map[int64]bool{}
	err = each(b, "attribute", set(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 20, 21, 22, 23), set(1, 2, 3, 4, 5, 13, 20), func(v field) (err error) {
		switch v.num {
		case 1:
			a.name, err = v.text()
		case 2:
			a.f, err = v.float()
			holds[attrFloat] = true
		case 3:
			a.i, err = v.integer()
			holds[attrInt] = true
		case 4:
			a.s, err = v.text()
			holds[attrString] = true
		case 5:
			b, wrong := v.message()
			if err = wrong; err != nil {
				return err
			}
			t, wrong := decodeTensor(b)
			a.t, err = t.tensor, wrong
			holds[attrTensor] = true
		case 7:
			a.floats, err = v.floats(a.floats)
			holds[attrFloats] = true
		case 8:
			a.ints, err = v.integers(a.ints)
			holds[attrInts] = true
		case 9:
			a.strings, err = v.texts(a.strings)
			holds[attrStrings] = true
		case 13: // documentation
		case 20:
			a.typ, err = v.integer()
		case 6, 11:
			err = errors.New("subgraphs are not supported")
		default:
			err = fmt.Errorf("field %d is not supported", v.num)
		}
		return err
	})
	if err != nil {
		return err
	}
	for typ := range holds {
		if typ != a.typ {
			return fmt.Errorf("attribute %q declares type %d and holds another", a.name, a.typ)
		}
	}
	switch {
	case a.typ < attrFloat || a.typ > attrStrings || a.typ == 5:
		return fmt.Errorf("attribute %q has type %d, which is not supported", a.name, a.typ)
	case a.typ == attrTensor && a.t == nil:
		return fmt.Errorf("attribute %q declares a tensor and holds none", a.name)
	}
	return nil
}

// attrs gives an operator its attributes by name and type. It keeps the first thing
// that is wrong, so that a builder can ask for all and check once, with done.
type attrs struct {
	list []attribute
	err  error
}

func (as *attrs) find(name string, typ int64) *attribute {
	for i := range as.list {
		a := &as.list[i]
		if a.name != name {
			continue
		}
		if a.typ != typ && as.err == nil {
			as.err = fmt.Errorf("attribute %q has type %d, want %d", name, a.typ, typ)
		}
		a.used = true
		return a
	}
	return nil
}

func (as *attrs) has(name string) bool {
	for _, a := range as.list {
		if a.name == name {
			return true
		}
	}
	return false
}

func (as *attrs) integer(name string, fallback int64) int64 {
	if a := as.find(name, attrInt); a != nil {
		return a.i
	}
	return fallback
}

func (as *attrs) float(name string, fallback float32) float32 {
	if a := as.find(name, attrFloat); a != nil {
		return a.f
	}
	return fallback
}

func (as *attrs) text(name, fallback string) string {
	if a := as.find(name, attrString); a != nil {
		return a.s
	}
	return fallback
}

func (as *attrs) tensor(name string) *tensor {
	if a := as.find(name, attrTensor); a != nil {
		return a.t
	}
	return nil
}

func (as *attrs) floats(name string) []float32 {
	if a := as.find(name, attrFloats); a != nil {
		return a.floats
	}
	return nil
}

func (as *attrs) integers(name string) []int64 {
	if a := as.find(name, attrInts); a != nil {
		return a.ints
	}
	return nil
}

func (as *attrs) texts(name string) []string {
	if a := as.find(name, attrStrings); a != nil {
		return a.strings
	}
	return nil
}

// one returns the text attribute's place among the allowed values.
func (as *attrs) one(name, fallback string, allowed ...string) int {
	s := as.text(name, fallback)
	for i, a := range allowed {
		if s == a {
			return i
		}
	}
	if as.err == nil {
		as.err = fmt.Errorf("%s %q is not supported; supported are %s", name, s, strings.Join(allowed, ", "))
	}
	return 0
}

// done reports the first error, an attribute that nobody asked for, or one given twice.
// An attribute that is ignored could have changed the model's meaning.
func (as *attrs) done() error {
	if as.err != nil {
		return as.err
	}
	seen := map[string]bool{}
	for _, a := range as.list {
		if seen[a.name] {
			return fmt.Errorf("attribute %q appears twice", a.name)
		}
		seen[a.name] = true
		if !a.used {
			return fmt.Errorf("attribute %q is not supported", a.name)
		}
	}
	return nil
}
