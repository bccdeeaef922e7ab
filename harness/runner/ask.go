package runner

import (
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/holdout/rows"
)

// A batchWriter puts batches on a model's standard input, in one of the forms that a
// manifest may ask for. Batches are numbered from 1.
type batchWriter interface {
	write(b int, t rows.Table) error
	end() error // after the last batch
}

func newBatchWriter(input string, w io.Writer) batchWriter {
	if input == InputArrow {
		return &arrowWriter{out: &gather{w: w}}
	}
	return &jsonlWriter{w: w}
}

// A jsonlWriter writes a line a batch.
type jsonlWriter struct {
	w   io.Writer
	buf []byte
}

func (j *jsonlWriter) write(b int, t rows.Table) error {
	j.buf = appendBatch(j.buf[:0], b, t, 0, t.Len())
	_, err := j.w.Write(j.buf)
	return err
}

func (j *jsonlWriter) end() error { return nil }

// An arrowWriter writes an Arrow IPC stream: the schema, one record batch a batch in
// order, the mark of the end. Columns are float64 and utf8 without nulls.
//
// Rows go out as Arrow and never come back as such: a reader of the format can be
// brought to its knees by one wrong bit, and the service would be that reader.
type arrowWriter struct {
	out *gather
	w   *ipc.Writer
}

func (a *arrowWriter) write(_ int, t rows.Table) error {
	rec := record(t)
	defer rec.Release()
	if a.w == nil {
		a.w = ipc.NewWriter(a.out, ipc.WithSchema(rec.Schema()))
	}
	if err := a.w.Write(rec); err != nil {
		return err
	}
	return a.out.flush()
}

func (a *arrowWriter) end() error {
	if a.w == nil {
		return nil
	}
	if err := a.w.Close(); err != nil {
		return err
	}
	return a.out.flush()
}

// A gather puts many small writes together and lets large ones, which are columns,
// through as they are.
type gather struct {
	w   io.Writer
	buf []byte
}

func (g *gather) Write(p []byte) (int, error) {
	if len(p) < 4096 {
		g.buf = append(g.buf, p...)
		return len(p), nil
	}
	if err := g.flush(); err != nil {
		return 0, err
	}
	return g.w.Write(p)
}

func (g *gather) flush() error {
	if len(g.buf) == 0 {
		return nil
	}
	_, err := g.w.Write(g.buf)
	g.buf = g.buf[:0]
	return err
}

// record is a table as an Arrow record. Numbers are not copied.
func record(t rows.Table) arrow.Record {
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range t.Columns() {
		if c.IsNumber() {
			fields = append(fields, arrow.Field{Name: c.Name, Type: arrow.PrimitiveTypes.Float64})
			values := memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(c.Floats))
			arrays = append(arrays, array.NewFloat64Data(array.NewData(arrow.PrimitiveTypes.Float64, t.Len(), []*memory.Buffer{nil, values}, nil, 0, 0)))
			continue
		}
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String})
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(c.Strings, nil)
		arrays = append(arrays, b.NewArray())
		b.Release()
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(t.Len()))
}
