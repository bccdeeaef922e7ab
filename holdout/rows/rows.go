// Package rows holds examples column by column: the features of a sealed set, of
// a suite, of a batch on the way to a model.
//
// A [Table] is immutable and dense: every column is float64 or string, every
// value is present, every number is finite, no two columns share a name. Only
// [New] makes one, so code that has a Table need not check again. Names and
// order of columns are part of a Table's meaning and of its canonical bytes.
package rows

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A Column is a named vector; exactly one of Floats and Strings is not nil.
type Column struct {
	Name    string
	Floats  []float64
	Strings []string
}

// Len returns the number of values.
func (c Column) Len() int { return max(len(c.Floats), len(c.Strings)) }

// IsNumber says whether the column holds numbers.
func (c Column) IsNumber() bool { return c.Floats != nil }

// A Field names a column and its type.
type Field struct {
	Name   string `json:"name"`
	Number bool   `json:"number"` // float64; otherwise a string
}

// A Table is a set of examples. The zero Table has no columns and no rows.
type Table struct {
	cols []Column
	n    int
}

// MaxString is the longest string value, in bytes, that a Table holds.
const MaxString = 1 << 20

// New checks columns and makes a Table of them. The caller gives the slices away.
func New(cols ...Column) (Table, error) {
	t := Table{cols: cols}
	seen := map[string]bool{}
	for i, c := range cols {
		if c.Name == "" || !utf8.ValidString(c.Name) {
			return Table{}, fmt.Errorf("column %d has no valid name", i+1)
		}
		if seen[c.Name] {
			return Table{}, fmt.Errorf("column %q appears twice", c.Name)
		}
		seen[c.Name] = true
		if (c.Floats == nil) == (c.Strings == nil) {
			return Table{}, fmt.Errorf("column %q is neither numbers nor strings", c.Name)
		}
		if i == 0 {
			t.n = c.Len()
		} else if c.Len() != t.n {
			return Table{}, fmt.Errorf("column %q has %d values, column %q has %d", c.Name, c.Len(), cols[0].Name, t.n)
		}
		for r, v := range c.Floats {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return Table{}, fmt.Errorf("column %q, row %d: %v is not a finite number", c.Name, r+1, v)
			}
		}
		for r, s := range c.Strings {
			if len(s) > MaxString || !utf8.ValidString(s) {
				return Table{}, fmt.Errorf("column %q, row %d: not valid UTF-8 of at most %d bytes", c.Name, r+1, MaxString)
			}
		}
	}
	return t, nil
}

// Len returns the number of rows.
func (t Table) Len() int { return t.n }

// Columns returns the columns; callers must not change their values.
func (t Table) Columns() []Column { return t.cols }

// Fields returns names and types in column order.
func (t Table) Fields() []Field {
	fs := make([]Field, len(t.cols))
	for i, c := range t.cols {
		fs[i] = Field{c.Name, c.IsNumber()}
	}
	return fs
}

// Column returns the column of that name.
func (t Table) Column(name string) (Column, bool) {
	for _, c := range t.cols {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Select returns the named columns in the given order.
func (t Table) Select(names ...string) (Table, error) {
	out := Table{n: t.n}
	for _, name := range names {
		c, ok := t.Column(name)
		if !ok {
			return Table{}, fmt.Errorf("there is no column %q; there are %s", name, strings.Join(t.names(), ", "))
		}
		out.cols = append(out.cols, c)
	}
	return out, nil
}

func (t Table) names() []string {
	var s []string
	for _, c := range t.cols {
		s = append(s, c.Name)
	}
	return s
}

// Slice returns rows [lo, hi) without copying.
func (t Table) Slice(lo, hi int) Table {
	out := Table{n: hi - lo, cols: make([]Column, len(t.cols))}
	for i, c := range t.cols {
		if c.IsNumber() {
			out.cols[i] = Column{Name: c.Name, Floats: c.Floats[lo:hi:hi]}
		} else {
			out.cols[i] = Column{Name: c.Name, Strings: c.Strings[lo:hi:hi]}
		}
	}
	return out
}

// Take returns the rows at the given indices, in that order; an index may repeat.
func (t Table) Take(index []int) Table {
	out := Table{n: len(index), cols: make([]Column, len(t.cols))}
	for i, c := range t.cols {
		if c.IsNumber() {
			v := make([]float64, len(index))
			for k, r := range index {
				v[k] = c.Floats[r]
			}
			out.cols[i] = Column{Name: c.Name, Floats: v}
		} else {
			v := make([]string, len(index))
			for k, r := range index {
				v[k] = c.Strings[r]
			}
			out.cols[i] = Column{Name: c.Name, Strings: v}
		}
	}
	return out
}

// SameFields reports an error that names the first difference in columns, or nil.
func (t Table) SameFields(want []Field) error {
	got := t.Fields()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("column %q is missing", want[i].Name)
		case i >= len(want):
			return fmt.Errorf("column %q is not expected", got[i].Name)
		case got[i] != want[i]:
			return fmt.Errorf("column %d is %s, want %s", i+1, got[i], want[i])
		}
	}
	return nil
}

// String gives a field as people read it.
func (f Field) String() string {
	if f.Number {
		return fmt.Sprintf("%q (number)", f.Name)
	}
	return fmt.Sprintf("%q (text)", f.Name)
}

// Concat appends tables of equal fields.
func Concat(tables ...Table) (Table, error) {
	if len(tables) == 0 {
		return Table{}, nil
	}
	fields := tables[0].Fields()
	out := Table{cols: make([]Column, len(fields))}
	for _, t := range tables {
		if err := t.SameFields(fields); err != nil {
			return Table{}, err
		}
		out.n += t.n
	}
	for i, f := range fields {
		c := Column{Name: f.Name}
		if f.Number {
			c.Floats = make([]float64, 0, out.n)
		} else {
			c.Strings = make([]string, 0, out.n)
		}
		for _, t := range tables {
			c.Floats = append(c.Floats, t.cols[i].Floats...)
			c.Strings = append(c.Strings, t.cols[i].Strings...)
		}
		out.cols[i] = c
	}
	return out, nil
}

// Record returns the table as an Arrow record of float64 and utf8 columns
// without nulls. The caller releases it.
func (t Table) Record(mem memory.Allocator) arrow.Record {
	fields := make([]arrow.Field, len(t.cols))
	arrays := make([]arrow.Array, len(t.cols))
	for i, c := range t.cols {
		if c.IsNumber() {
			fields[i] = arrow.Field{Name: c.Name, Type: arrow.PrimitiveTypes.Float64}
			b := array.NewFloat64Builder(mem)
			b.AppendValues(c.Floats, nil)
			arrays[i] = b.NewArray()
			b.Release()
		} else {
			fields[i] = arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String}
			b := array.NewStringBuilder(mem)
			b.AppendValues(c.Strings, nil)
			arrays[i] = b.NewArray()
			b.Release()
		}
	}
	rec := array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(t.n))
	for _, a := range arrays {
		a.Release()
	}
	return rec
}

// FromRecord reads back what Record wrote: tests hold what models are sent by it.
// Never give it one that a stranger wrote: decoding such bytes can end the process.
func FromRecord(rec arrow.Record) (Table, error) {
	cols := make([]Column, rec.NumCols())
	for i := range cols {
		name := rec.ColumnName(i)
		if rec.Column(i).NullN() > 0 {
			return Table{}, fmt.Errorf("column %q has missing values", name)
		}
		switch a := rec.Column(i).(type) {
		case *array.Float64:
			cols[i] = Column{Name: name, Floats: append(make([]float64, 0, a.Len()), a.Float64Values()...)}
		case *array.String:
			cols[i] = Column{Name: name, Strings: copyStrings(a)}
		default:
			return Table{}, fmt.Errorf("column %q has type %s; only float64 and utf8 are known", name, rec.Column(i).DataType())
		}
	}
	if len(cols) == 0 {
		return Table{}, errors.New("the record has no columns")
	}
	return New(cols...)
}

// copyStrings copies all values at once; they share one allocation.
func copyStrings(a *array.String) []string {
	all := string(a.ValueBytes())
	v := make([]string, a.Len())
	if len(v) == 0 {
		return v
	}
	first := a.ValueOffset(0)
	for r := range v {
		v[r] = all[a.ValueOffset(r)-first : a.ValueOffset(r+1)-first]
	}
	return v
}
