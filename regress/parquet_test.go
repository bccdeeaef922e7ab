package regress

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"proctor/holdout/rows"
)

// A binary table is read by the process that was given for it, and never here: it gives
// the suite that the same cases in CSV give.
func TestParquetTables(t *testing.T) {
	const yaml = "suite: s\ntests:\n  - {name: t, kind: MFT, cases: c.%s}\n"
	fsys := fstest.MapFS{
		"p.yaml":    {Data: []byte(strings.Replace(yaml, "%s", "parquet", 1))},
		"c.yaml":    {Data: []byte(strings.Replace(yaml, "%s", "csv", 1))},
		"c.csv":     {Data: []byte("x,text,expect\n1.5,a,yes\n-2,b,no\n")},
		"c.parquet": {Data: []byte("PAR1, as far as this process knows")},
	}
	asked := ""
	decode := func(format string, b []byte) (rows.Table, error) {
		asked = format + " " + string(b)
		return rows.New(rows.Column{Name: "x", Floats: []float64{1.5, -2}}, rows.Column{Name: "text", Strings: []string{"a", "b"}}, rows.Column{Name: "expect", Strings: []string{"yes", "no"}})
	}
	want, err := Load(fsys, "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := LoadWith(fsys, "p.yaml", decode)
	if err != nil || got.Digest() != want.Digest() || asked != "parquet PAR1, as far as this process knows" {
		t.Errorf("%v %q", err, asked)
	}
	if _, err := Load(fsys, "p.yaml"); err == nil || !strings.Contains(err.Error(), "a process of its own") {
		t.Errorf("read without one: %v", err)
	}
	killed := errors.New("the decoder was killed")
	if _, err := LoadWith(fsys, "p.yaml", func(string, []byte) (rows.Table, error) { return rows.Table{}, killed }); !errors.Is(err, killed) {
		t.Errorf("%v", err)
	}
	if _, err := LoadWith(fsys, "p.yaml", func(string, []byte) (rows.Table, error) {
		return rows.New(rows.Column{Name: "x", Floats: []float64{}})
	}); err == nil || !strings.Contains(err.Error(), "has no rows") {
		t.Errorf("empty: %v", err)
	}
}
