package rows

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// AppendJSON appends row r as one JSON object with keys in column order, numbers
// in their shortest form that reads back to the same float64:
//
//	{"age":25,"sex":"Male"}
func (t Table) AppendJSON(dst []byte, r int) []byte {
	dst = append(dst, '{')
	for i, c := range t.cols {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, c.Name)
		dst = append(dst, ':')
		if c.IsNumber() {
			dst = strconv.AppendFloat(dst, c.Floats[r], 'g', -1, 64)
		} else {
			dst = appendString(dst, c.Strings[r])
		}
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if b := s[i]; b < 0x20 || b == '"' || b == '\\' || b >= 0x7f {
			q, _ := json.Marshal(s) // a string always marshals
			return append(dst, q...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// AppendCanonical appends the bytes that stand for row r in hashes: per column
// the name, a type byte and the value, each string with its length. Unlike Arrow
// or JSON bytes there is one form only; -0 is written as 0.
func (t Table) AppendCanonical(dst []byte, r int) []byte {
	for i := range t.cols {
		c := &t.cols[i]
		kind := byte('s')
		if c.IsNumber() {
			kind = 'n'
		}
		dst = c.appendValue(append(appendLen(dst, c.Name), kind), r)
	}
	return dst
}

// AppendValues appends the values alone, for hashes of rows whose fields are known
// and bound elsewhere: two rows of the same fields have the same bytes if and only
// if they are equal.
func (t Table) AppendValues(dst []byte, r int) []byte {
	for i := range t.cols {
		dst = t.cols[i].appendValue(dst, r)
	}
	return dst
}

func (c *Column) appendValue(dst []byte, r int) []byte {
	if c.IsNumber() {
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(c.Floats[r]+0))
	}
	return appendLen(dst, c.Strings[r])
}

func appendLen(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}
