package intake

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"proctor/holdout/rows"
)

// The child's answer. Integers are little-endian; a name is a u32 length and its
// bytes.
//
//	"proctor-intake/1\n"
//	'F'  code u8, line u32, column u32, a u32, b u32, name     a fault, or
//	'T'  columns u32, rows u32, and for each column            a table
//	     'n', name, rows × float64                             numbers
//	     's', name, rows × length u32, bytes of all values     text
//	'.'  and the end of the stream
const (
	frameMagic = "proctor-intake/1\n"
	frameFault = 'F'
	frameTable = 'T'
	frameEnd   = '.'
	isNumber   = 'n'
	isText     = 's'
)

// A frameWriter keeps the first error of its writer.
type frameWriter struct{ *bufio.Writer }

func (w frameWriter) u32(v int) {
	w.Write(binary.LittleEndian.AppendUint32(nil, uint32(v)))
}

func (w frameWriter) name(s string) {
	w.u32(len(s))
	w.WriteString(s)
}

// writeFrame writes what was decoded, or the fault.
func writeFrame(out io.Writer, t *table, f *fault) error {
	w := frameWriter{bufio.NewWriterSize(out, 1<<16)}
	w.WriteString(frameMagic)
	if f != nil {
		w.WriteByte(frameFault)
		w.WriteByte(f.code)
		for _, v := range []int{f.line, f.column, f.a, f.b} {
			w.u32(v)
		}
		w.name(f.name)
	} else {
		w.WriteByte(frameTable)
		w.u32(len(t.cols))
		w.u32(t.rows)
		for _, c := range t.cols {
			w.column(c)
		}
	}
	w.WriteByte(frameEnd)
	return w.Flush()
}

func (w frameWriter) column(c *column) {
	var b [8]byte
	if c.number() {
		w.WriteByte(isNumber)
		w.name(c.name)
		for _, v := range c.floats {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			w.Write(b[:])
		}
		return
	}
	w.WriteByte(isText)
	w.name(c.name)
	for _, n := range c.lens {
		binary.LittleEndian.PutUint32(b[:4], n)
		w.Write(b[:4])
	}
	w.Write(c.text)
}

// A frameReader trusts no length: memory grows as bytes arrive.
type frameReader struct {
	*bufio.Reader
	text int64 // bytes of text that may still come
}

var errFrame = errors.New("garbage")

// readFrame reads one answer to the end of the stream. The error is a *FileError
// that the child reports, or says why the bytes are no answer.
func readFrame(in io.Reader) (rows.Table, error) {
	r := &frameReader{bufio.NewReaderSize(in, 1<<16), MaxBytes}
	magic := make([]byte, len(frameMagic)+1)
	if _, err := io.ReadFull(r, magic); err != nil {
		return rows.Table{}, fmt.Errorf("it gave no answer: %w", err)
	}
	kind := magic[len(frameMagic)]
	if string(magic[:len(frameMagic)]) != frameMagic || kind != frameFault && kind != frameTable {
		return rows.Table{}, errFrame
	}
	var t rows.Table
	var file *FileError
	var err error
	if kind == frameFault {
		file, err = r.fault()
	} else {
		t, err = r.table()
	}
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return rows.Table{}, err
	}
	if file != nil {
		return rows.Table{}, file
	}
	return t, nil
}

func (r *frameReader) end() error {
	if b, err := r.ReadByte(); err != nil || b != frameEnd {
		return errFrame
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return errFrame
	}
	return nil
}

func (r *frameReader) u32() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func (r *frameReader) name() (string, error) {
	n, err := r.u32()
	if err != nil {
		return "", err
	}
	if n > MaxName {
		return "", errFrame
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", errFrame
	}
	return string(b), nil
}

func (r *frameReader) fault() (*FileError, error) {
	code, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	var v [4]uint32
	for i := range v {
		if v[i], err = r.u32(); err != nil {
			return nil, err
		}
	}
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	f, ok := fault{code, int(v[0]), int(v[1]), name, int(v[2]), int(v[3])}.sentence()
	if !ok {
		return nil, errFrame
	}
	return f, nil
}

func (r *frameReader) table() (rows.Table, error) {
	cols, err := r.u32()
	if err != nil {
		return rows.Table{}, err
	}
	n, err := r.u32()
	if err != nil {
		return rows.Table{}, err
	}
	if cols < 1 || cols > MaxColumns || n < 1 || n > MaxRows || uint64(cols)*uint64(n) > MaxCells {
		return rows.Table{}, errFrame
	}
	var out []rows.Column
	for range cols {
		c, err := r.column(int(n))
		if err != nil {
			return rows.Table{}, err
		}
		out = append(out, c)
	}
	t, err := rows.New(out...)
	if err != nil { // a number that is not finite, bytes that are not UTF-8, a name twice
		return rows.Table{}, errFrame
	}
	return t, nil
}

func (r *frameReader) column(n int) (c rows.Column, err error) {
	kind, err := r.ReadByte()
	if err != nil {
		return c, err
	}
	if c.Name, err = r.name(); err != nil {
		return c, err
	}
	switch kind {
	case isNumber:
		c.Floats, err = r.floats(n)
	case isText:
		c.Strings, err = r.strings(n)
	default:
		err = errFrame
	}
	return c, err
}

// ahead bounds what is allocated for bytes that were only announced.
const ahead = 1 << 16

func (r *frameReader) floats(n int) ([]float64, error) {
	out := make([]float64, 0, min(n, ahead))
	var b [8]byte
	for range n {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, err
		}
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(b[:])))
	}
	return out, nil
}

// strings reads n values; they share one allocation.
func (r *frameReader) strings(n int) ([]string, error) {
	lens := make([]uint32, 0, min(n, ahead))
	sum := int64(0)
	for range n {
		v, err := r.u32()
		if err != nil {
			return nil, err
		}
		if sum += int64(v); v > MaxValue || sum > r.text {
			return nil, errFrame
		}
		lens = append(lens, v)
	}
	r.text -= sum
	var all strings.Builder
	all.Grow(int(min(sum, ahead)))
	if _, err := io.CopyN(&all, r, sum); err != nil {
		return nil, err
	}
	rest, out := all.String(), make([]string, n)
	for i, v := range lens {
		out[i], rest = rest[:v], rest[v:]
	}
	return out, nil
}
