package intake

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"
)

type parquetSpec struct {
	name   string
	typ    parquet.Type
	logic  schema.LogicalType
	repeat parquet.Repetition
	values any
	levels []int16
}

// parquetFile writes columns as two row groups of the same values.
func parquetFile(t testing.TB, specs ...parquetSpec) []byte {
	t.Helper()
	var nodes schema.FieldList
	for _, s := range specs {
		n, err := schema.NewPrimitiveNodeLogical(s.name, s.repeat, s.logic, s.typ, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root, file.WithWriterProps(parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy))))
	for range 2 {
		g := w.AppendRowGroup()
		for _, s := range specs {
			c, err := g.NextColumn()
			if err == nil {
				switch c := c.(type) {
				case *file.Int32ColumnChunkWriter:
					_, err = c.WriteBatch(s.values.([]int32), s.levels, nil)
				case *file.Int64ColumnChunkWriter:
					_, err = c.WriteBatch(s.values.([]int64), s.levels, nil)
				case *file.Float64ColumnChunkWriter:
					_, err = c.WriteBatch(s.values.([]float64), s.levels, nil)
				case *file.BooleanColumnChunkWriter:
					_, err = c.WriteBatch(s.values.([]bool), s.levels, nil)
				case *file.ByteArrayColumnChunkWriter:
					_, err = c.WriteBatch(s.values.([]parquet.ByteArray), s.levels, nil)
				default:
					err = fmt.Errorf("no writer for %T", c)
				}
			}
			if err = errors.Join(err, c.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var required, optional = parquet.Repetitions.Required, parquet.Repetitions.Optional

func goodParquet(t testing.TB) []byte {
	return parquetFile(t,
		parquetSpec{"age", parquet.Types.Int64, nil, required, []int64{38, -2, 1 << 53}, nil},
		parquetSpec{"zip", parquet.Types.Int32, nil, optional, []int32{139, 2, 3}, []int16{1, 1, 1}},
		parquetSpec{"pay", parquet.Types.Double, nil, required, []float64{1.5, -0.25, 3e300}, nil},
		parquetSpec{"sex", parquet.Types.ByteArray, schema.StringLogicalType{}, required, []parquet.ByteArray{[]byte("Male"), []byte(""), []byte("é")}, nil})
}

// arrowFile writes columns as an IPC file of two records.
func arrowFile(t testing.TB, build map[string]func(array.Builder), types ...arrow.Field) []byte {
	t.Helper()
	s := arrow.NewSchema(types, nil)
	out, err := os.Create(filepath.Join(t.TempDir(), "x.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(s))
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for range 2 {
		for i, f := range types {
			build[f.Name](b.Field(i))
		}
		rec := b.NewRecord()
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var arrowBuild = map[string]func(array.Builder){
	"age": func(b array.Builder) { b.(*array.Int64Builder).AppendValues([]int64{38, -2, 1 << 53}, nil) },
	"zip": func(b array.Builder) { b.(*array.Int16Builder).AppendValues([]int16{139, 2, 3}, nil) },
	"pay": func(b array.Builder) { b.(*array.Float64Builder).AppendValues([]float64{1.5, -0.25, 3e300}, nil) },
	"sex": func(b array.Builder) { b.(*array.StringBuilder).AppendValues([]string{"Male", "", "é"}, nil) },
	"kind": func(b array.Builder) {
		for _, v := range []string{"a", "b", "a"} {
			if err := b.(*array.BinaryDictionaryBuilder).AppendString(v); err != nil {
				panic(err)
			}
		}
	},
}

func goodArrow(t testing.TB) []byte {
	return arrowFile(t, arrowBuild, arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: "zip", Type: arrow.PrimitiveTypes.Int16},
		arrow.Field{Name: "pay", Type: arrow.PrimitiveTypes.Float64}, arrow.Field{Name: "sex", Type: arrow.BinaryTypes.String})
}

// Both formats give the same table, numbers and declared text as written.
func TestColumnar(t *testing.T) {
	for format, b := range map[string][]byte{"parquet": goodParquet(t), "arrow": goodArrow(t)} {
		tab, err := Decode(t.Context(), format, bytes.NewReader(b), Options{Text: []string{"zip"}})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		var all []string
		for r := range tab.Len() {
			all = append(all, string(tab.AppendJSON(nil, r)))
		}
		want := []string{`{"age":38,"zip":"139","pay":1.5,"sex":"Male"}`, `{"age":-2,"zip":"2","pay":-0.25,"sex":""}`, `{"age":9007199254740992,"zip":"3","pay":3e+300,"sex":"é"}`}
		if got := strings.Join(all, "\n"); !strings.EqualFold(got, strings.Join(append(want, want...), "\n")) && got != strings.ReplaceAll(strings.Join(append(want, want...), "\n"), "9007199254740992", "9.007199254740992e+15") {
			t.Errorf("%s:\n%s", format, got)
		}
	}
	words := arrowFile(t, arrowBuild, arrow.Field{Name: "kind", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}})
	if tab, err := Decode(t.Context(), "arrow", bytes.NewReader(words), Options{}); err != nil || tab.Len() != 6 || tab.Columns()[0].Strings[4] != "b" {
		t.Errorf("dictionary: %v", err)
	}
}

// What is no plain number or text is refused, by column and row.
func TestColumnarRefuses(t *testing.T) {
	one := func(s parquetSpec) []byte { return parquetFile(t, s) }
	null := arrowFile(t, map[string]func(array.Builder){"age": func(b array.Builder) { b.AppendNull() }}, arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	for want, c := range map[string]struct {
		format string
		file   []byte
	}{
		`line 3, column 1 ("a"): not a finite number`: {"parquet", one(parquetSpec{"a", parquet.Types.Double, nil, required, []float64{1, 2, math.NaN()}, nil})},
		`("a"): the value is null`:                    {"parquet", one(parquetSpec{"a", parquet.Types.Double, nil, optional, []float64{1, 2}, []int16{1, 0, 1}})},
		`("a"): a whole number beyond 2^53`:           {"parquet", one(parquetSpec{"a", parquet.Types.Int64, nil, required, []int64{1 << 60}, nil})},
		`("a"): the column has a type`:                {"parquet", one(parquetSpec{"a", parquet.Types.Boolean, nil, required, []bool{true}, nil})},
		`("d"): the column has a type`:                {"parquet", one(parquetSpec{"d", parquet.Types.Int32, schema.DateLogicalType{}, required, []int32{1}, nil})},
		`column 1: not valid UTF-8`:                   {"parquet", one(parquetSpec{"\xff", parquet.Types.Int32, nil, required, []int32{1}, nil})},
		`("a"): not valid UTF-8`:                      {"parquet", one(parquetSpec{"a", parquet.Types.ByteArray, nil, required, []parquet.ByteArray{[]byte("\xff")}, nil})},
		`("age"): the value is null`:                  {"arrow", null},
		"is damaged":                                  {"parquet", []byte("PAR1 and then text, PAR1")},
		"the file is damaged":                         {"arrow", []byte("a,b\n1,2\n")},
		"the file is empty":                           {"arrow", nil},
	} {
		tab, err := Decode(t.Context(), c.format, bytes.NewReader(c.file), Options{})
		var bad *FileError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) || tab.Len() != 0 {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A file that is cut anywhere, or changed by one bit, gives an error or a table, and
// never ends this process: at most the child dies.
func TestColumnarDamage(t *testing.T) {
	d := standard
	d.memory, d.total, d.cpu = 512<<20, 20*time.Second, 10*time.Second
	rng := rand.New(rand.NewPCG(7, 7))
	for format, good := range map[string][]byte{"parquet": goodParquet(t), "arrow": goodArrow(t)} {
		died := 0
		for i := range 24 {
			b := bytes.Clone(good)
			if i%4 == 0 {
				b = b[:rng.IntN(len(b))]
			} else {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			}
			tab, err := d.decode(t.Context(), format, bytes.NewReader(b), Options{})
			var bad *FileError
			var dead *DecoderError
			switch {
			case errors.As(err, &dead):
				died++
			case i%4 == 0 && !errors.As(err, &bad):
				t.Errorf("%s: a cut file gave %d rows, %v", format, tab.Len(), err)
			case err != nil && (!errors.As(err, &bad) || tab.Len() != 0):
				t.Errorf("%s: %v", format, err)
			}
		}
		t.Logf("%s: %d children died", format, died)
	}
}
