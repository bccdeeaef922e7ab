package metrics

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// newFrame copies checked answers and predictions into Arrow columns.
func newFrame(mem memory.Allocator, a Answers, p Predictions) *Frame {
	f := &Frame{view: view{classes: append([]string(nil), a.Classes...), positive: a.Positive}}
	var cols columns
	defer cols.release()

	f.answers = cols.int32s(mem, "answer", a.Labels)
	f.labels = cols.int32s(mem, "label", p.Labels)
	f.correct = cols.bits(mem, "correct", len(a.Labels), f.answers, f.labels)
	if p.Probs != nil {
		f.probs = cols.lists(mem, "probs", len(a.Classes), p.Probs)
	}
	for _, d := range a.Dimensions {
		f.dims = append(f.dims, cols.dictionary(mem, d))
	}
	f.rec = array.NewRecord(arrow.NewSchema(cols.fields, nil), cols.arrays, int64(len(a.Labels)))
	return f
}

// columns collects the columns of a record and owns them until release. Its
// methods return the values in place.
type columns struct {
	fields []arrow.Field
	arrays []arrow.Array
}

func (c *columns) add(name string, a arrow.Array) {
	c.fields = append(c.fields, arrow.Field{Name: name, Type: a.DataType()})
	c.arrays = append(c.arrays, a)
}

func (c *columns) release() {
	for _, a := range c.arrays {
		a.Release()
	}
}

func (c *columns) int32s(mem memory.Allocator, name string, v []int32) []int32 {
	a := newInt32(mem, v)
	c.add(name, a)
	return a.Int32Values()
}

// bits adds a column that is true where x and y agree.
func (c *columns) bits(mem memory.Allocator, name string, n int, x, y []int32) []byte {
	buf := newBuffer(mem, bytesFor(n))
	defer buf.Release()
	equalBits(buf.Bytes(), x, y)
	data := array.NewData(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	c.add(name, array.NewBooleanData(data))
	return buf.Bytes()
}

// lists adds a column of lists of k numbers. Adding 0 turns -0 into 0, so that
// equal numbers have equal bits.
func (c *columns) lists(mem memory.Allocator, name string, k int, v []float64) []float64 {
	buf := newBuffer(mem, len(v)*arrow.Float64SizeBytes)
	defer buf.Release()
	values := arrow.Float64Traits.CastFromBytes(buf.Bytes())
	for i, x := range v {
		values[i] = x + 0
	}
	flat := array.NewData(arrow.PrimitiveTypes.Float64, len(v), []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer flat.Release()
	list := array.NewData(arrow.FixedSizeListOf(int32(k), arrow.PrimitiveTypes.Float64), len(v)/k,
		[]*memory.Buffer{nil}, []arrow.ArrayData{flat}, 0, 0)
	defer list.Release()
	c.add(name, array.NewFixedSizeListData(list))
	return values
}

func (c *columns) dictionary(mem memory.Allocator, d Dimension) Dimension {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.AppendValues(d.Values, nil)
	values := b.NewArray()
	defer values.Release()
	codes := newInt32(mem, d.Codes)
	defer codes.Release()
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	c.add("slice:"+d.Name, array.NewDictionaryArray(typ, codes, values))
	return Dimension{Name: d.Name, Values: append([]string(nil), d.Values...), Codes: codes.Int32Values()}
}

func newInt32(mem memory.Allocator, v []int32) *array.Int32 {
	buf := newBuffer(mem, len(v)*arrow.Int32SizeBytes)
	defer buf.Release()
	copy(arrow.Int32Traits.CastFromBytes(buf.Bytes()), v)
	data := array.NewData(arrow.PrimitiveTypes.Int32, len(v), []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	return array.NewInt32Data(data)
}

func newBuffer(mem memory.Allocator, size int) *memory.Buffer {
	b := memory.NewResizableBuffer(mem)
	b.Resize(size)
	return b
}
