package intake

import (
	"bufio"
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// decodeArrow reads an Arrow IPC file (Feather version 2), which ends in a footer: a
// stream that was cut between two records would look whole.
func decodeArrow(in *bufio.Reader, opt Options) (*table, *fault) {
	b, f := readAll(in)
	if f != nil {
		return nil, f
	}
	return guarded(func() (*table, *fault) {
		r, err := ipc.NewFileReader(bytes.NewReader(b))
		if err != nil {
			return nil, &fault{code: faultDamaged}
		}
		defer r.Close()
		t := &table{}
		for _, field := range r.Schema().Fields() {
			if _, f := t.addColumn(field.Name, opt); f != nil {
				return nil, f
			}
		}
		for i := range r.NumRecords() {
			rec, err := r.Record(i)
			if err != nil {
				return nil, &fault{code: faultDamaged}
			}
			if f := shape(int64(t.rows)+rec.NumRows(), rec.NumCols()); f != nil {
				return nil, f
			}
			for k, c := range t.cols {
				if f := arrowColumn(c, rec.Column(k), k+1); f != nil {
					return nil, f
				}
			}
			t.rows += int(rec.NumRows())
		}
		return t, shape(int64(t.rows), int64(len(t.cols)))
	})
}

// arrowColumn appends the values of one record.
func arrowColumn(c *column, a arrow.Array, column int) *fault {
	words, isWords := arrowWords(a)
	c.isText = c.isText || isWords
	whole, isWhole := arrowInts(a)
	for r := range a.Len() {
		code := faultType
		switch {
		case a.IsNull(r):
			code = faultNull
		case isWords:
			code = c.addString([]byte(words(r)))
		case isWhole:
			code = c.addInt(whole(r))
		default:
			switch a := a.(type) {
			case *array.Float64:
				code = c.addFloat(a.Value(r))
			case *array.Float32:
				code = c.addFloat(float64(a.Value(r)))
			}
		}
		if code != 0 {
			return c.at(code, column)
		}
	}
	return nil
}

func arrowWords(a arrow.Array) (func(int) string, bool) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, true
	case *array.LargeString:
		return a.Value, true
	case *array.Dictionary:
		words, ok := arrowWords(a.Dictionary())
		return func(r int) string { return words(a.GetValueIndex(r)) }, ok
	}
	return nil, false
}

func arrowInts(a arrow.Array) (func(int) int64, bool) {
	switch a := a.(type) {
	case *array.Int8:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	case *array.Int16:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	case *array.Int32:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	case *array.Int64:
		return a.Value, true
	case *array.Uint8:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	case *array.Uint16:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	case *array.Uint32:
		return func(r int) int64 { return int64(a.Value(r)) }, true
	}
	return nil, false
}
