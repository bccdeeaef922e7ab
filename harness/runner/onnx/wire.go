package onnx

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// A field is one decoded key and value of a protobuf message.
type field struct {
	num  protowire.Number
	wire protowire.Type
	n    uint64 // of varint, fixed32 and fixed64
	b    []byte // of a length-delimited field; aliases the file
}

// each calls f for every field of a message in order. Groups and reserved wire types
// are refused, and so is a field outside `known`; fields in `once` may not repeat.
func each(message []byte, what string, known, once numbers, f func(field) error) error {
	var seen numbers
	for len(message) > 0 {
		num, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%s: %w", what, protowire.ParseError(n))
		}
		message = message[n:]
		if num > 63 || known&bit(num) == 0 {
			return fmt.Errorf("%s: field %d is not known", what, num)
		}
		if seen&once&bit(num) != 0 {
			return fmt.Errorf("%s: field %d appears twice", what, num)
		}
		seen |= bit(num)
		v := field{num: num, wire: wire}
		switch wire {
		case protowire.VarintType:
			v.n, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			v.b, n = protowire.ConsumeBytes(message)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(message)
			v.n = uint64(x)
		case protowire.Fixed64Type:
			v.n, n = protowire.ConsumeFixed64(message)
		default:
			return fmt.Errorf("%s: field %d has wire type %d", what, num, wire)
		}
		if n < 0 {
			return fmt.Errorf("%s: field %d: %w", what, num, protowire.ParseError(n))
		}
		message = message[n:]
		if err := f(v); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// numbers is a set of field numbers below 64.
type numbers uint64

func bit(n protowire.Number) numbers { return 1 << uint(n&63) }

func set(ns ...protowire.Number) (s numbers) {
	for _, n := range ns {
		s |= bit(n)
	}
	return s
}

func (v field) wrong(want protowire.Type) error {
	if v.wire != want {
		return fmt.Errorf("field %d has wire type %d, want %d", v.num, v.wire, want)
	}
	return nil
}

func (v field) integer() (int64, error) { return int64(v.n), v.wrong(protowire.VarintType) }

func (v field) float() (float32, error) {
	return math.Float32frombits(uint32(v.n)), v.wrong(protowire.Fixed32Type)
}

func (v field) message() ([]byte, error) { return v.b, v.wrong(protowire.BytesType) }

// MaxString is the longest name, category or label in bytes.
const maxString = 1 << 16

func (v field) text() (string, error) {
	if err := v.wrong(protowire.BytesType); err != nil {
		return "", err
	}
	if len(v.b) > maxString || !utf8.Valid(v.b) {
		return "", fmt.Errorf("field %d is not UTF-8 of at most %d bytes", v.num, maxString)
	}
	return intern(v.b), nil
}

// intern saves a copy for the strings that trees repeat for each node.
func intern(b []byte) string {
	switch string(b) {
	case "BRANCH_LEQ":
		return "BRANCH_LEQ"
	case "LEAF":
		return "LEAF"
	}
	return string(b)
}

// integers appends a repeated int64, packed or not.
func (v field) integers(dst []int64) ([]int64, error) {
	if v.wire == protowire.VarintType {
		return append(dst, int64(v.n)), nil
	}
	b, err := v.message()
	for err == nil && len(b) > 0 {
		x, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, fmt.Errorf("field %d: %w", v.num, protowire.ParseError(n))
		}
		dst, b = append(dst, int64(x)), b[n:]
	}
	return dst, err
}

var errRagged = errors.New("packed numbers end in the middle of one")

// floats appends a repeated float, packed or not.
func (v field) floats(dst []float32) ([]float32, error) {
	if v.wire == protowire.Fixed32Type {
		return append(dst, math.Float32frombits(uint32(v.n))), nil
	}
	b, err := v.message()
	if err == nil && len(b)%4 != 0 {
		err = errRagged
	}
	for err == nil && len(b) > 0 {
		x, n := protowire.ConsumeFixed32(b)
		dst, b = append(dst, math.Float32frombits(x)), b[n:]
	}
	return dst, err
}

// doubles appends a repeated double, packed or not.
func (v field) doubles(dst []float64) ([]float64, error) {
	if v.wire == protowire.Fixed64Type {
		return append(dst, math.Float64frombits(v.n)), nil
	}
	b, err := v.message()
	if err == nil && len(b)%8 != 0 {
		err = errRagged
	}
	for err == nil && len(b) > 0 {
		x, n := protowire.ConsumeFixed64(b)
		dst, b = append(dst, math.Float64frombits(x)), b[n:]
	}
	return dst, err
}
