package onnx

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

const income = "../../../testdata/income"

func unzip(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// people reads a part of UCI Adult without its answers.
func people(t testing.TB, part string) rows.Table {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(unzip(t, filepath.Join(income, part+".csv.gz")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cols []rows.Column
	for j, name := range records[0] {
		if name == "label" {
			continue
		}
		c := rows.Column{Name: name}
		_, err := strconv.ParseFloat(records[1][j], 64)
		for _, r := range records[1:] {
			if err != nil {
				c.Strings = append(c.Strings, r[j])
				continue
			}
			v, err := strconv.ParseFloat(r[j], 64)
			if err != nil {
				t.Fatal(err)
			}
			c.Floats = append(c.Floats, v)
		}
		cols = append(cols, c)
	}
	tab, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func incomeModels(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(income, "models", "*", "model.onnx"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no models of the demo under %s (%v)", income, err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

// On all 32,562 rows of UCI Adult that the demo seals or keeps, each of its models
// gives onnxruntime's label; probabilities are compared where they were recorded.
func TestIncomeModelsAgree(t *testing.T) {
	parts := []rows.Table{people(t, "sealed"), people(t, "reserve")}
	for _, dir := range incomeModels(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(string(unzip(t, filepath.Join(income, "expected", filepath.Base(dir)+".labels.gz"))))
			b := bind(t, file, parts[0], []string{"<=50K", ">50K"})
			for i, tab := range parts {
				labels, probs, err := b.Predict(tab)
				if err != nil {
					t.Fatal(err)
				}
				if len(want[i]) != len(labels) {
					t.Fatalf("%d labels, want %d", len(labels), len(want[i]))
				}
				wrong := 0
				for r, y := range labels {
					if byte('0'+y) != want[i][r] {
						wrong++
					}
				}
				if wrong > 0 {
					t.Errorf("part %d: %d labels differ", i, wrong)
				}
				if i > 0 {
					continue
				}
				for r, s := range want[2:] {
					p, err := strconv.ParseFloat(s, 64)
					if err != nil || math.Abs(p-probs[2*r+1]) > 1e-6 {
						t.Errorf("row %d: probability %v, want %s", r, probs[2*r+1], s)
					}
				}
			}
		})
	}
}

// The adapter speaks the protocol over a real package, manifest included.
func TestServe(t *testing.T) {
	tab := people(t, "sealed").Slice(0, 50)
	dir := incomeModels(t)[0]
	file, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	labels, _, err := bind(t, file, tab, []string{"<=50K", ">50K"}).Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	for b := range 2 {
		in.WriteString(`{"b":` + strconv.Itoa(b) + `,"rows":[`)
		for r := range 25 {
			if r > 0 {
				in.WriteByte(',')
			}
			in.Write(tab.AppendJSON(nil, 25*b+r))
		}
		in.WriteString("]}\n")
	}
	if err := Serve(dir, &in, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || lines[2] != `{"end":50}` {
		t.Fatalf("answered %q", lines)
	}
	for b, line := range lines[:2] {
		var ys []string
		for _, y := range labels[25*b : 25*b+25] {
			ys = append(ys, strconv.Itoa(int(y)))
		}
		if !strings.HasPrefix(line, `{"b":`+strconv.Itoa(b)+`,"p":[[`) || !strings.HasSuffix(line, `,"y":[`+strings.Join(ys, ",")+"]}") {
			t.Errorf("batch %d: %s", b, line)
		}
	}
}

// What is wrong with a package is said in one line, and nothing is answered.
func TestServeRefuses(t *testing.T) {
	good := `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["a","b"]}`
	for want, files := range map[string]map[string]string{
		"proctor-model.json":    {},
		"m.onnx":                {runner.ManifestFile: good},
		"empty":                 {runner.ManifestFile: good, "m.onnx": ""},
		"read ONNX model":       {runner.ManifestFile: good, "m.onnx": "not a model"},
		`kind is "command"`:     {runner.ManifestFile: `{"protocol":"proctor/1","kind":"command","command":["x"],"task":"classification","classes":["a","b"]}`},
		"there is no such colu": {runner.ManifestFile: good, "m.onnx": string(twoColumns())},
	} {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		err := Serve(dir, strings.NewReader(`{"b":0,"rows":[{"x":1}]}`+"\n"), &out)
		if err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("want %q, got %v and %q", want, err, out.String())
		}
	}
}

// twoColumns wants inputs named after columns.
func twoColumns() []byte {
	return draft{
		nodes:   []message{nodeOf("", "Concat", []string{"age", "pay"}, []string{"scores"}, attrI("axis", 1))},
		inputs:  []message{valueOf("age", kindFloat, -1, 1), valueOf("pay", kindFloat, -1, 1)},
		outputs: []message{valueOf("scores", kindFloat, -1, 2)},
	}.bytes()
}

// BenchmarkIncome is the demo's upgrade on real rows.
func BenchmarkIncome(b *testing.B) {
	file, err := os.ReadFile(filepath.Join(income, "models", "v2", "model.onnx"))
	if err != nil {
		b.Fatal(err)
	}
	tab := people(b, "sealed")
	model := bind(b, file, tab, []string{"<=50K", ">50K"})
	for b.Loop() {
		if _, _, err := model.Predict(tab); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(tab.Len())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
