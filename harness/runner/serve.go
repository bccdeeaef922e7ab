package runner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"proctor/holdout/rows"
)

// Serve is a model's side of the protocol, for our own adapters: it reads batches
// from in, asks predict, writes answers to out, and closes with the end line when
// in ends. predict gives a class index per row, or nil; and probabilities row by
// row in the order of m.Classes, or nil; not nil twice. The columns are learned
// from the first row; each later row must have the same.
func Serve(in io.Reader, out io.Writer, m Manifest, predict func(rows.Table) (labels []int32, probs []float64, err error)) error {
	r := bufio.NewReaderSize(in, 1<<16)
	w := bufio.NewWriterSize(out, 1<<16)
	var read batchReader
	var buf []byte
	total := 0
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		b, t, err := read.batch(line, m.BatchMax)
		if err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		labels, probs, err := predict(t)
		if err != nil {
			return fmt.Errorf("batch %d: %w", b, err)
		}
		if buf, err = appendAnswer(buf[:0], b, t.Len(), len(m.Classes), labels, probs); err != nil {
			return fmt.Errorf("batch %d: %w", b, err)
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		total += t.Len()
	}
	fmt.Fprintf(w, "{\"end\":%d}\n", total)
	return w.Flush()
}

func appendAnswer(dst []byte, b, n, k int, labels []int32, probs []float64) ([]byte, error) {
	if labels == nil && probs == nil || labels != nil && len(labels) != n || probs != nil && len(probs) != n*k {
		return nil, fmt.Errorf("predict gave %d labels and %d probabilities for %d rows of %d classes", len(labels), len(probs), n, k)
	}
	dst = append(dst, `{"b":`...)
	dst = strconv.AppendInt(dst, int64(b), 10)
	if probs != nil {
		dst = append(dst, `,"p":[`...)
		for i, p := range probs {
			if math.IsNaN(p) || math.IsInf(p, 0) {
				return nil, fmt.Errorf("row %d: probability %v", i/k+1, p)
			}
			switch {
			case i == 0:
				dst = append(dst, '[')
			case i%k == 0:
				dst = append(dst, "],["...)
			default:
				dst = append(dst, ',')
			}
			dst = strconv.AppendFloat(dst, p, 'g', -1, 64)
		}
		if n > 0 {
			dst = append(dst, ']')
		}
		dst = append(dst, ']')
	}
	if labels != nil {
		dst = append(dst, `,"y":[`...)
		for i, y := range labels {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(dst, int64(y), 10)
		}
		dst = append(dst, ']')
	}
	return append(dst, "}\n"...), nil
}

// appendBatch appends the line that asks for rows [lo, hi) of t.
func appendBatch(dst []byte, b int, t rows.Table, lo, hi int) []byte {
	dst = append(dst, `{"b":`...)
	dst = strconv.AppendInt(dst, int64(b), 10)
	dst = append(dst, `,"rows":[`...)
	for r := lo; r < hi; r++ {
		if r > lo {
			dst = append(dst, ',')
		}
		dst = t.AppendJSON(dst, r)
	}
	return append(dst, "]}\n"...)
}

// A batchReader reads the lines that appendBatch writes. It learns the columns from the
// first row.
type batchReader struct {
	fields []rows.Field
	keys   []string // each field's name as nearly every row has it: quoted, with its colon
	rows   int      // of the last batch: the next is likely as long
}

func (r *batchReader) batch(line []byte, most int) (int, rows.Table, error) {
	none := rows.Table{}
	s := scanner{b: bytes.TrimSuffix(line, []byte("\n"))}
	if !s.skip(`{"b":`) {
		return 0, none, errors.New(`want {"b":`)
	}
	b, err := s.integer()
	if err != nil {
		return 0, none, err
	}
	if !s.skip(`,"rows":[`) {
		return 0, none, errors.New(`want "rows"`)
	}
	if r.fields == nil {
		if err := r.learn(scanner{b: s.b, i: s.i}); err != nil {
			return 0, none, err
		}
	}
	cols := r.columns()
	n := 0
	for more := true; more; n++ {
		if n == most {
			return 0, none, fmt.Errorf("batch %d has more than %d rows", b, most)
		}
		if err := s.row(cols, r.keys); err != nil {
			return 0, none, fmt.Errorf("batch %d, row %d: %w", b, n+1, err)
		}
		more = s.take(',')
	}
	if !s.skip("]}") || s.i != len(s.b) {
		return 0, none, errors.New("want the end of the batch")
	}
	r.rows = n
	t, err := rows.New(cols...)
	return b, t, err
}

func (r *batchReader) learn(first scanner) (err error) {
	if r.fields, err = first.fields(); err != nil {
		return err
	}
	for _, f := range r.fields {
		key := `"` + f.Name + `":`
		if strings.ContainsAny(f.Name, `"\`) {
			key = "" // a name whose quoted form is another: read as any string
		}
		r.keys = append(r.keys, key)
	}
	return nil
}

func (r *batchReader) columns() []rows.Column {
	cols := make([]rows.Column, len(r.fields))
	for i, f := range r.fields {
		if cols[i].Name = f.Name; f.Number {
			cols[i].Floats = make([]float64, 0, r.rows)
		} else {
			cols[i].Strings = make([]string, 0, r.rows)
		}
	}
	return cols
}

func (s *scanner) skip(text string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(text)) {
		return false
	}
	s.i += len(text)
	return true
}

// fields reads names and types off the next row.
func (s *scanner) fields() (fs []rows.Field, err error) {
	for c := byte('{'); s.take(c); c = ',' {
		name, err := s.str()
		if err != nil {
			return nil, err
		}
		if err := s.want(':'); err != nil {
			return nil, err
		}
		text := s.i < len(s.b) && s.b[s.i] == '"'
		if text {
			_, err = s.str()
		} else {
			_, err = s.number()
		}
		if err != nil {
			return nil, err
		}
		fs = append(fs, rows.Field{Name: name, Number: !text})
	}
	if fs == nil {
		return nil, errors.New("the first row has no columns")
	}
	return fs, nil
}

// row reads one row into the columns, whose keys are as in batchReader.
func (s *scanner) row(cols []rows.Column, keys []string) error {
	c := byte('{')
	for i := range cols {
		if err := s.want(c); err != nil {
			return err
		}
		c = ','
		if key := keys[i]; key == "" || !s.skip(key) {
			if err := s.name(i, cols[i].Name); err != nil {
				return err
			}
		}
		if cols[i].IsNumber() {
			v, err := s.number()
			if err != nil {
				return err
			}
			cols[i].Floats = append(cols[i].Floats, v)
		} else {
			v, err := s.str()
			if err != nil {
				return err
			}
			cols[i].Strings = append(cols[i].Strings, v)
		}
	}
	return s.want('}')
}

// name wants the name of column i and a colon.
func (s *scanner) name(i int, want string) error {
	name, err := s.str()
	if err == nil && name != want {
		err = fmt.Errorf("column %d is %q, want %q", i+1, name, want)
	}
	if err == nil {
		err = s.want(':')
	}
	return err
}

// str takes a JSON string. Strings without a backslash, nearly all, are cut out
// as they are.
func (s *scanner) str() (string, error) {
	s.space()
	start := s.i
	if s.i == len(s.b) || s.b[s.i] != '"' {
		return "", errors.New("want a string")
	}
	plain := true
	for s.i++; s.i < len(s.b) && s.b[s.i] != '"'; s.i++ {
		if s.b[s.i] == '\\' {
			plain = false
			s.i++
		}
	}
	if s.i >= len(s.b) {
		return "", errors.New("a string does not end")
	}
	s.i++
	if plain {
		return string(s.b[start+1 : s.i-1]), nil
	}
	var v string
	err := json.Unmarshal(s.b[start:s.i], &v)
	return v, err
}
