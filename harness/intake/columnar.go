package intake

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// readAll holds a columnar file in memory: it is read from its end.
func readAll(in *bufio.Reader) ([]byte, *fault) {
	b, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil || len(b) == 0 {
		return nil, &fault{code: faultEmpty}
	}
	return b, nil
}

// shape checks the size that a columnar file claims, before its values are read.
func shape(rows, cols int64) *fault {
	switch {
	case rows == 0:
		return &fault{code: faultNoRows}
	case cols > MaxColumns:
		return &fault{code: faultColumns, a: MaxColumns}
	case rows < 0 || rows > MaxRows:
		return &fault{code: faultRows, a: MaxRows}
	case cols < 1 || rows*cols > MaxCells:
		return &fault{code: faultCells, a: MaxCells}
	}
	return nil
}

// addColumn begins a column, if its name is one.
func (t *table) addColumn(name string, opt Options) (*column, *fault) {
	n := len(t.cols) + 1
	switch at := slices.IndexFunc(t.cols, func(c *column) bool { return c.name == name }); {
	case len(name) > MaxName:
		return nil, &fault{code: faultLongName, column: n, a: MaxName}
	case !utf8.ValidString(name):
		return nil, &fault{code: faultUTF8, column: n}
	case len(bytes.TrimSpace([]byte(name))) == 0:
		return nil, &fault{code: faultNoName, column: n}
	case at >= 0:
		return nil, &fault{code: faultRepeatedName, column: n, name: name, a: at + 1}
	}
	c := newColumn(name, opt)
	c.blank = false
	t.cols = append(t.cols, c)
	return c, nil
}

// exactInts is up to where every whole number is a float64.
const exactInts = 1 << 53

// addInt appends a whole number to a typed column; code 0: it was taken.
func (c *column) addInt(v int64) (code byte) {
	switch {
	case c.isText:
		c.addText(strconv.AppendInt(nil, v, 10))
	case v > exactInts || v < -exactInts:
		return faultLargeInt
	default:
		c.floats = append(c.floats, float64(v))
	}
	return 0
}

func (c *column) addFloat(v float64) (code byte) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return faultInfinite
	case c.isText:
		c.addText(strconv.AppendFloat(nil, v, 'g', -1, 64))
	default:
		c.floats = append(c.floats, v)
	}
	return 0
}

func (c *column) addString(v []byte) (code byte) {
	switch {
	case len(v) > MaxValue:
		return faultLongValue
	case !utf8.Valid(v):
		return faultUTF8
	}
	c.addText(v)
	return 0
}

// at places a fault of a typed column at its last value.
func (c *column) at(code byte, column int) *fault {
	f := &fault{code: code, line: c.rows() + 1, column: column, name: c.name}
	if code == faultLongValue {
		f.a = MaxValue
	}
	return f
}

// guarded turns a panic of a library over a damaged file into a fault. Some die in
// ways that cannot be recovered: that is what the child is for.
func guarded(decode func() (*table, *fault)) (t *table, f *fault) {
	defer func() {
		if recover() != nil {
			t, f = nil, &fault{code: faultDamaged}
		}
	}()
	return decode()
}
