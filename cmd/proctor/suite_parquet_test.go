package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"
)

// texts is a Parquet file of two columns of text.
func texts(t *testing.T, names [2]string, columns [2][]string) []byte {
	t.Helper()
	var nodes schema.FieldList
	for _, name := range names {
		n, err := schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Required, schema.StringLogicalType{}, parquet.Types.ByteArray, 0, -1)
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
	w := file.NewParquetWriter(&out, root)
	g := w.AppendRowGroup()
	for _, column := range columns {
		c, err := g.NextColumn()
		if err != nil {
			t.Fatal(err)
		}
		var values []parquet.ByteArray
		for _, v := range column {
			values = append(values, []byte(v))
		}
		if _, err := c.(*file.ByteArrayColumnChunkWriter).WriteBatch(values, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A suite with its cases in Parquet is the suite with its cases in CSV, and a file that is
// broken anywhere ends in a usage error: the child that reads it may die, this process not.
func TestSuiteParquet(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := texts(t, [2]string{"text", "expect"}, [2][]string{{"good", "bad", "ugly"}, {"yes", "no", "no"}})
	for _, form := range []string{"csv", "parquet"} {
		write(form+".yaml", []byte("suite: s\ntests:\n  - {name: t, kind: MFT, cases: c."+form+"}\n"))
	}
	write("c.csv", []byte("text,expect\ngood,yes\nbad,no\nugly,no\n"))
	write("c.parquet", good)
	lint := func(form string) (int, string) {
		var out bytes.Buffer
		code := run(t.Context(), []string{"suite", "lint", filepath.Join(dir, form+".yaml")}, &out, &out)
		return code, out.String()
	}
	code, want := lint("csv")
	if got, said := lint("parquet"); code != 0 || got != 0 || said != want {
		t.Fatalf("%d %s\nwant %s", got, said, want)
	}
	for _, bad := range [][]byte{nil, good[:len(good)/2], []byte("PAR1PAR1"), bytes.ReplaceAll(good, []byte("good"), []byte("g\xff\xfed")), append([]byte("PK\x03\x04"), good...)} {
		write("c.parquet", bad)
		if got, said := lint("parquet"); got != exitUsage || strings.Contains(said, "panic") {
			t.Errorf("%.20q: exit code %d, %s", bad, got, said)
		}
	}
}
