package rows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// AppendBlock appends all rows column by column, without names or types: who reads
// them back has the fields. Integers are little-endian.
//
//	rows × float64                              a column of numbers
//	rows × length u32, bytes of all values      a column of text
func (t Table) AppendBlock(dst []byte) []byte {
	for _, c := range t.cols {
		for _, v := range c.Floats {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
		for _, s := range c.Strings {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		}
		for _, s := range c.Strings {
			dst = append(dst, s...)
		}
	}
	return dst
}

// A Builder makes one table out of blocks.
type Builder struct {
	cols []Column
	n    int
}

// NewBuilder makes a Builder for tables of these fields, with room for n rows.
func NewBuilder(fields []Field, n int) (*Builder, error) {
	b := &Builder{cols: make([]Column, len(fields))}
	for i, f := range fields {
		b.cols[i].Name = f.Name
		if f.Number {
			b.cols[i].Floats = []float64{}
		} else {
			b.cols[i].Strings = []string{}
		}
	}
	if _, err := New(b.cols...); err != nil {
		return nil, err
	}
	for i := range b.cols {
		if c := &b.cols[i]; c.IsNumber() {
			c.Floats = make([]float64, 0, n)
		} else {
			c.Strings = make([]string, 0, n)
		}
	}
	return b, nil
}

var errBlock = errors.New("the block is not one of these columns and rows")

// Append reads a block of n rows. It takes what AppendBlock writes of a Table and
// nothing else; after an error the Builder is of no use.
func (b *Builder) Append(block []byte, n int) error {
	if n < 0 {
		return errBlock
	}
	for i := range b.cols {
		c, err := &b.cols[i], error(nil)
		if c.IsNumber() {
			block, err = c.appendFloats(block, n)
		} else {
			block, err = c.appendStrings(block, n)
		}
		if err != nil {
			return err
		}
	}
	if len(block) > 0 {
		return errBlock
	}
	b.n += n
	return nil
}

// Table returns the rows so far. The Builder must not be used afterwards.
func (b *Builder) Table() Table { return Table{cols: b.cols, n: b.n} }

func (c *Column) appendFloats(block []byte, n int) (rest []byte, err error) {
	if len(block)/8 < n {
		return nil, errBlock
	}
	const exponent = 0x7ff << 52 // all its bits are set in NaN and infinity, and only there
	for b := block[:8*n]; len(b) > 0; b = b[8:] {
		bits := binary.LittleEndian.Uint64(b)
		if bits&exponent == exponent {
			return nil, fmt.Errorf("column %q, row %d is not a finite number", c.Name, len(c.Floats)+1)
		}
		c.Floats = append(c.Floats, math.Float64frombits(bits))
	}
	return block[8*n:], nil
}

// appendStrings makes one allocation for the text of all values. Text that is UTF-8
// as a whole is so in all of its values if each begins where a character does.
func (c *Column) appendStrings(block []byte, n int) (rest []byte, err error) {
	if len(block)/4 < n {
		return nil, errBlock
	}
	lens, block, sum := block[:4*n], block[4*n:], 0
	for b := lens; len(b) > 0; b = b[4:] {
		v := int(binary.LittleEndian.Uint32(b))
		if sum += v; v > MaxString || sum > len(block) {
			return nil, errBlock
		}
	}
	text := string(block[:sum])
	whole := utf8.ValidString(text)
	for at := 0; len(lens) > 0; lens = lens[4:] {
		end := at + int(binary.LittleEndian.Uint32(lens))
		if !whole || end > at && !utf8.RuneStart(text[at]) {
			return nil, fmt.Errorf("column %q, row %d: not valid UTF-8", c.Name, len(c.Strings)+1)
		}
		c.Strings = append(c.Strings, text[at:end])
		at = end
	}
	return block[sum:], nil
}
