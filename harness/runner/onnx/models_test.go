package onnx

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

const fixtures = "../../../testdata/models/onnx-ops"

type fixture struct {
	name    string
	file    []byte
	Rows    string
	Classes []string
	Labels  []int32
	Probs   [][]float64
}

func TestMain(m *testing.M) {
	keepPanics = true // here a panic is a failure, not an error
	os.Exit(m.Run())
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readRows(t testing.TB, name string) rows.Table {
	t.Helper()
	var doc struct {
		Columns []rows.Column
	}
	readJSON(t, filepath.Join(fixtures, name+".json"), &doc)
	tab, err := rows.New(doc.Columns...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func readFixture(t testing.TB, name string) fixture {
	t.Helper()
	f := fixture{name: name}
	readJSON(t, filepath.Join(fixtures, name+".json"), &f)
	var err error
	if f.file, err = os.ReadFile(filepath.Join(fixtures, name+".onnx")); err != nil {
		t.Fatal(err)
	}
	return f
}

func readFixtures(t testing.TB) (all []fixture) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures, "*.onnx"))
	if err != nil || len(files) < 12 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, f := range files {
		all = append(all, readFixture(t, strings.TrimSuffix(filepath.Base(f), ".onnx")))
	}
	return all
}

func bind(t testing.TB, file []byte, tab rows.Table, classes []string) *Bound {
	t.Helper()
	m, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bind(tab.Fields(), classes)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every label is onnxruntime's, every probability within 1e-6 of it.
func TestModelsAgree(t *testing.T) {
	tables := map[string]rows.Table{"numbers": readRows(t, "numbers"), "people": readRows(t, "people")}
	for _, f := range readFixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			labels, probs, err := bind(t, f.file, tables[f.Rows], f.Classes).Predict(tables[f.Rows])
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for r, want := range f.Labels {
				if labels[r] != want {
					t.Errorf("row %d: label %d, want %d; scores %v and %v", r, labels[r], want, probs[r*len(f.Classes):(r+1)*len(f.Classes)], f.Probs[r])
				}
				for j, p := range f.Probs[r] {
					worst = max(worst, math.Abs(probs[r*len(f.Classes)+j]-p))
				}
			}
			if worst > 1e-6 {
				t.Errorf("a probability differs by %g", worst)
			}
		})
	}
}
