package intake

import (
	"bufio"
	"bytes"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"
)

// parquetBatch is how many values of a column are read at once.
const parquetBatch = 4096

// decodeParquet reads a flat Parquet file: columns of whole numbers, floats and
// UTF-8 text. What else the format can hold is refused by name of the column.
func decodeParquet(in *bufio.Reader, opt Options) (*table, *fault) {
	b, f := readAll(in)
	if f != nil {
		return nil, f
	}
	return guarded(func() (*table, *fault) {
		r, err := file.NewParquetReader(bytes.NewReader(b))
		if err != nil {
			return nil, &fault{code: faultDamaged}
		}
		defer r.Close()
		sc := r.MetaData().Schema
		if f := shape(r.NumRows(), int64(sc.NumColumns())); f != nil {
			return nil, f
		}
		t := &table{rows: int(r.NumRows())}
		for i := range sc.NumColumns() {
			if f := parquetColumn(t, r, sc.Column(i), i, opt); f != nil {
				return nil, f
			}
		}
		return t, nil
	})
}

func parquetColumn(t *table, r *file.Reader, d *schema.Column, i int, opt Options) *fault {
	c, f := t.addColumn(d.Name(), opt)
	if f != nil {
		return f
	}
	if d.MaxRepetitionLevel() > 0 || len(d.ColumnPath()) != 1 {
		return &fault{code: faultNested, column: i + 1, name: c.name}
	}
	isText := d.PhysicalType() == parquet.Types.ByteArray
	if !parquetPlain(d) {
		return &fault{code: faultType, column: i + 1, name: c.name}
	}
	c.isText = c.isText || isText
	for g := range r.NumRowGroups() {
		chunk, err := r.RowGroup(g).Column(i)
		if err != nil {
			return &fault{code: faultDamaged, column: i + 1, name: c.name}
		}
		if f := parquetChunk(c, chunk, i); f != nil {
			return f
		}
	}
	if c.rows() != t.rows {
		return &fault{code: faultDamaged, column: i + 1, name: c.name}
	}
	return nil
}

// parquetPlain says whether a column holds plain numbers or text, and not dates,
// decimals or bytes that only look like them.
func parquetPlain(d *schema.Column) bool {
	l := d.LogicalType()
	none := l == nil || l.IsNone()
	_, isInt := l.(schema.IntLogicalType)
	if p, ok := l.(*schema.IntLogicalType); ok && p != nil {
		isInt = true
	}
	switch d.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Int64:
		return none || isInt
	case parquet.Types.Float, parquet.Types.Double:
		return none
	case parquet.Types.ByteArray:
		return none || l.Equals(schema.StringLogicalType{}) || l.Equals(schema.EnumLogicalType{})
	}
	return false
}

// parquetChunk appends the values of one row group.
func parquetChunk(c *column, chunk file.ColumnChunkReader, i int) *fault {
	levels := make([]int16, parquetBatch)
	for chunk.HasNext() {
		total, read, code, err := parquetValues(c, chunk, levels)
		switch {
		case code != 0:
			return c.at(code, i+1)
		case err != nil || total == 0:
			return &fault{code: faultDamaged, column: i + 1, name: c.name}
		case int64(read) != total:
			return c.at(faultNull, i+1)
		case c.rows() > MaxRows:
			return &fault{code: faultRows, a: MaxRows}
		}
	}
	if chunk.Err() != nil {
		return &fault{code: faultDamaged, column: i + 1, name: c.name}
	}
	return nil
}

// parquetValues reads one batch: total rows, of which read have a value.
func parquetValues(c *column, chunk file.ColumnChunkReader, levels []int16) (total int64, read int, code byte, err error) {
	switch r := chunk.(type) {
	case *file.Int32ColumnChunkReader:
		v := make([]int32, parquetBatch)
		total, read, err = r.ReadBatch(parquetBatch, v, levels, nil)
		code = each(v[:read], func(x int32) byte { return c.addInt(int64(x)) })
	case *file.Int64ColumnChunkReader:
		v := make([]int64, parquetBatch)
		total, read, err = r.ReadBatch(parquetBatch, v, levels, nil)
		code = each(v[:read], c.addInt)
	case *file.Float32ColumnChunkReader:
		v := make([]float32, parquetBatch)
		total, read, err = r.ReadBatch(parquetBatch, v, levels, nil)
		code = each(v[:read], func(x float32) byte { return c.addFloat(float64(x)) })
	case *file.Float64ColumnChunkReader:
		v := make([]float64, parquetBatch)
		total, read, err = r.ReadBatch(parquetBatch, v, levels, nil)
		code = each(v[:read], c.addFloat)
	case *file.ByteArrayColumnChunkReader:
		v := make([]parquet.ByteArray, parquetBatch)
		total, read, err = r.ReadBatch(parquetBatch, v, levels, nil)
		code = each(v[:read], func(x parquet.ByteArray) byte { return c.addString(x) })
	default:
		code = faultType
	}
	return total, read, code, err
}

func each[T any](values []T, add func(T) byte) byte {
	for _, v := range values {
		if code := add(v); code != 0 {
			return code
		}
	}
	return 0
}
