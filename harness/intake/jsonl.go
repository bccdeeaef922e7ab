package intake

import (
	"bufio"
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxLine is the longest line of a JSONL file.
const maxLine = 16 << 20

// decodeJSONL reads a file of one JSON object a line. The first line fixes the
// columns, their order and types; later lines may order their keys differently.
func decodeJSONL(in *bufio.Reader, opt Options) (*table, *fault) {
	f := &jsonlFile{in: in, opt: opt, index: map[string]int{}}
	for {
		more, fl := f.next()
		if fl == nil && !more {
			break
		}
		if fl == nil {
			fl = f.row()
		}
		if fl != nil {
			fl.line = f.line
			return nil, fl
		}
	}
	if f.t.rows == 0 {
		return nil, &fault{code: faultEmpty}
	}
	return &f.t, nil
}

type jsonlFile struct {
	in    *bufio.Reader
	opt   Options
	t     table
	index map[string]int // of t.cols
	line  int

	jsonLine
	value []byte
}

// next reads a line.
func (f *jsonlFile) next() (more bool, fl *fault) {
	f.b, f.i = f.b[:0], 0
	f.line++
	for {
		part, err := f.in.ReadSlice('\n')
		if len(f.b)+len(part) > maxLine {
			return false, &fault{code: faultLongLine, a: maxLine}
		}
		f.b = append(f.b, part...)
		if err == nil {
			break
		}
		if err != bufio.ErrBufferFull {
			if len(f.b) == 0 {
				return false, nil
			}
			break
		}
	}
	switch {
	case !utf8.Valid(f.b):
		return false, &fault{code: faultUTF8}
	case len(bytes.TrimSpace(f.b)) == 0:
		return false, &fault{code: faultBlank}
	}
	return true, nil
}

// row reads the line's object.
func (f *jsonlFile) row() *fault {
	if fl := f.t.fits(f.line); fl != nil {
		return fl
	}
	if !f.take('{') {
		return &fault{code: faultNotObject}
	}
	n := 0
	for done := f.take('}'); !done; n++ {
		if fl := f.pair(n); fl != nil {
			return fl
		}
		if done = f.take('}'); !done && !f.take(',') {
			return f.bad()
		}
	}
	if f.space(); f.i != len(f.b) {
		return f.bad()
	}
	return f.close(n)
}

// close makes sure that the row is complete: n keys were read, none twice.
func (f *jsonlFile) close(n int) *fault {
	if n == 0 {
		return &fault{code: faultNotObject}
	}
	for i, c := range f.t.cols {
		if c.rows() == f.t.rows {
			return &fault{code: faultKeyMissing, column: i + 1, name: c.name}
		}
	}
	f.t.rows++
	return nil
}

// pair reads the n-th key of the line and its value.
func (f *jsonlFile) pair(n int) *fault {
	key, code := f.str(f.value[:0], MaxName)
	f.value = key
	switch code {
	case 0:
	case faultLongValue:
		return &fault{code: faultLongName, column: n + 1, a: MaxName}
	default:
		return f.badCode(code)
	}
	i, fl := f.columnOf(n)
	if fl != nil {
		return fl
	}
	if !f.take(':') {
		return f.bad()
	}
	c := f.t.cols[i]
	code = f.read(c)
	fl = &fault{code: code, column: i + 1, name: c.name, a: MaxValue}
	switch code {
	case 0:
		return nil
	case faultJSON:
		fl.a = f.i + 1
	}
	return fl
}

// columnOf finds the column of the key in f.value, mostly the n-th; the first
// line makes it.
func (f *jsonlFile) columnOf(n int) (int, *fault) {
	if n < len(f.t.cols) && string(f.value) == f.t.cols[n].name && f.t.cols[n].rows() == f.t.rows {
		return n, nil
	}
	i, known := f.index[string(f.value)]
	switch {
	case known && f.t.cols[i].rows() > f.t.rows:
		return 0, &fault{code: faultKeyTwice, column: i + 1, name: f.t.cols[i].name}
	case known:
		return i, nil
	case f.t.rows > 0:
		return 0, &fault{code: faultKeyNew}
	case len(bytes.TrimSpace(f.value)) == 0:
		return 0, &fault{code: faultNoName, column: n + 1}
	case n == MaxColumns:
		return 0, &fault{code: faultColumns, a: MaxColumns}
	}
	name := string(f.value)
	c := &column{name: name, isText: slices.Contains(f.opt.Text, name)}
	f.index[name] = n
	f.t.cols = append(f.t.cols, c)
	return n, nil
}

// read reads a value into its column.
func (f *jsonlFile) read(c *column) (code byte) {
	f.space()
	if f.i == len(f.b) {
		return faultJSON
	}
	first := c.rows() == 0
	switch b := f.b[f.i]; {
	case b == '"':
		c.isText = c.isText || first
		if !c.isText {
			return faultWantNumber
		}
		if f.value, code = f.str(f.value[:0], MaxValue); code == 0 {
			c.addText(f.value)
		}
		return code
	case b == '-' || b >= '0' && b <= '9':
		return f.number(c)
	case b == '{' || b == '[':
		return faultNested
	}
	return f.word()
}

func (f *jsonlFile) number(c *column) (code byte) {
	literal := f.literal()
	if literal == nil {
		return faultJSON
	}
	x, err := strconv.ParseFloat(string(literal), 64)
	switch {
	case c.isText && !slices.Contains(f.opt.Text, c.name):
		return faultWantText
	case len(literal) > MaxValue:
		return faultLongValue
	case c.isText:
		c.addText(literal)
	case math.IsInf(x, 0) || err != nil:
		return faultInfinite
	default:
		c.floats = append(c.floats, x)
	}
	return 0
}

func (f *jsonlFile) word() (code byte) {
	for word, code := range map[string]byte{"null": faultNull, "true": faultBool, "false": faultBool,
		"NaN": faultInfinite, "Infinity": faultInfinite} {
		if bytes.HasPrefix(f.b[f.i:], []byte(word)) {
			return code
		}
	}
	return faultJSON
}

func (f *jsonlFile) bad() *fault { return &fault{code: faultJSON, a: f.i + 1} }

func (f *jsonlFile) badCode(code byte) *fault {
	if code == faultJSON {
		return f.bad()
	}
	return &fault{code: code}
}
