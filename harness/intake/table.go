package intake

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// A table is what the child has read so far.
type table struct {
	cols []*column
	rows int
}

// A column keeps its values as text and, as long as it may be one of numbers, as
// numbers: what it is only its last value decides.
type column struct {
	name   string
	text   []byte // all values, one after the other
	lens   []uint32
	floats []float64

	isText bool
	blank  bool  // every value is empty
	odd    fault // the first value that spoils a column of numbers; line 0: none
}

func newColumn(name string, opt Options) *column {
	return &column{name: name, isText: slices.Contains(opt.Text, name), blank: true}
}

// number says whether the column holds numbers; once all was read.
func (c *column) number() bool { return !c.isText && !c.blank }

// rows counts the values; a column of numbers out of JSON has no text.
func (c *column) rows() int { return max(len(c.lens), len(c.floats)) }

// addText appends a value that is text by declaration.
func (c *column) addText(v []byte) {
	c.text = append(c.text, v...)
	c.lens = append(c.lens, uint32(len(v)))
}

// add appends a value and looks at what it is.
func (c *column) add(v []byte, line int) {
	c.addText(v)
	c.blank = c.blank && len(v) == 0
	if c.isText {
		return
	}
	x, code, ok := parseNumber(v)
	switch {
	case ok:
	case code == 0:
		c.isText, c.floats = true, nil
		return
	case c.odd.line == 0:
		c.odd = fault{code: code, line: line}
	}
	c.floats = append(c.floats, x)
}

// parseNumber reads a finite decimal number. A value that is not one but would be
// expected in a column of numbers gives the code of its fault; other text gives 0.
func parseNumber(v []byte) (x float64, code byte, ok bool) {
	if len(v) == 0 {
		return 0, faultMissing, false
	}
	if c := v[0]; c > '9' && c != 'n' && c != 'N' && c != 'i' && c != 'I' {
		return 0, 0, false // nearly all text ends here
	}
	trimmed := bytes.TrimSpace(v)
	x, err := strconv.ParseFloat(string(trimmed), 64)
	infinite := math.IsInf(x, 0) || math.IsNaN(x) // "NaN", "-inf", 1e400
	switch {
	case err != nil && !infinite || bytes.ContainsAny(trimmed, "xX_"):
		return 0, 0, false
	case infinite:
		return 0, faultInfinite, false
	case len(trimmed) < len(v):
		return 0, faultSpaces, false
	}
	return x, 0, true
}

// check finds what only the whole table shows.
func (t *table) check() *fault {
	for i, c := range t.cols {
		if c.number() && c.odd.line > 0 {
			f := c.odd
			f.column, f.name = i+1, c.name
			return &f
		}
	}
	return nil
}

// fits says whether one more row would.
func (t *table) fits(line int) *fault {
	switch {
	case t.rows == MaxRows:
		return &fault{code: faultRows, line: line, a: MaxRows}
	case (t.rows+1)*len(t.cols) > MaxCells:
		return &fault{code: faultCells, line: line, a: MaxCells}
	}
	return nil
}
