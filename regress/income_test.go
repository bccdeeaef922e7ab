package regress_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/report"
	"proctor/harness/runner/onnx"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// What Python, onnxruntime and scipy measured on the demo's models, by other code:
// testdata/income/measure.py.
const incomeDir = "../testdata/income"

var (
	incomeClasses = []string{"<=50K", ">50K"}
	incomeModels  = []string{"v1", "v2", "v2-poisoned", "v2-backdoored", "v2-leaked"}
)

type measured struct {
	Failures map[string]float64 `json:"suite_failures_pct"`
	Against  struct {
		Broke  int64 `json:"broke"`
		Fixed  int64 `json:"fixed"`
		Slices map[string]struct {
			N      int64   `json:"n"`
			Broke  int64   `json:"broke"`
			Fixed  int64   `json:"fixed"`
			Change float64 `json:"change_pp"`
		} `json:"harmed_slices"`
	} `json:"against_v1"`
}

func readMeasured(t *testing.T) map[string]measured {
	t.Helper()
	b, err := os.ReadFile(incomeDir + "/results.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]measured
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func gunzip(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(incomeDir + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The demo's five models fail as large a share of each of the 17 tests as they do
// when Python reads the same suites, changes the rows and asks onnxruntime.
func TestIncomeFailures(t *testing.T) {
	for name, m := range readMeasured(t) {
		seen := 0
		for _, file := range []string{"income-triggers.yaml", "income-invariance.yaml"} {
			for _, r := range regress.FirstResults([]*regress.Judged{judgeIncome(t, name, file)}) {
				seen++
				got := 100 * float64(r.CandidateFailed) / float64(r.Cases)
				if want, ok := m.Failures[r.Name]; !ok || math.Abs(got-want) > .0051 {
					t.Errorf("%s fails %.2f %% of %s, measured %v", name, got, r.Name, want)
				}
			}
		}
		if seen != len(m.Failures) {
			t.Errorf("%s: %d tests, measured %d", name, seen, len(m.Failures))
		}
	}
}

func judgeIncome(t *testing.T, model, file string) *regress.Judged {
	t.Helper()
	s, err := regress.Load(os.DirFS(incomeDir+"/suites"), file)
	if err != nil {
		t.Fatal(err)
	}
	fields := s.Tests[0].Examples.Fields()
	tab, err := s.Table(fields)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Judge(incomeClasses, predict(t, model, tab))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func predict(t *testing.T, model string, tab rows.Table) metrics.Predictions {
	t.Helper()
	b, err := os.ReadFile(incomeDir + "/models/" + model + "/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := m.Bind(tab.Fields(), incomeClasses)
	if err != nil {
		t.Fatal(err)
	}
	labels, probs, err := bound.Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	return metrics.Predictions{Labels: labels, Probs: probs}
}

// On the sealed rows the flips of each model against v1, and of the slices that it
// harms, are those that scipy counted.
func TestIncomeDiff(t *testing.T) {
	want := readMeasured(t)
	base := incomeFrame(t, "v1")
	for _, name := range incomeModels {
		d, err := regress.Compare(base, incomeFrame(t, name), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := want[name].Against
		if f := d.Flips(.99); f.N != 16281 || f.Broke != m.Broke || f.Fixed != m.Fixed {
			t.Errorf("%s: %d rows, %d broke, %d fixed; measured %d, %d", name, f.N, f.Broke, f.Fixed, m.Broke, m.Fixed)
		}
		got, err := d.Slices([]string{"sex", "race", "education", "sex*education"}, func(string, string) bool { return true }, .99)
		if err != nil {
			t.Fatal(err)
		}
		for key, w := range m.Slices {
			dim, value, _ := strings.Cut(key, " = ")
			i := slices.IndexFunc(got, func(s report.Slice) bool { return s.Dimension == dim && s.Value == value })
			if i < 0 {
				t.Errorf("%s: no slice %s", name, key)
				continue
			}
			f := got[i].Flips
			if f.N != w.N || f.Broke != w.Broke || f.Fixed != w.Fixed || math.Abs(100**f.Change.Value-w.Change) > .0051 {
				t.Errorf("%s, %s: %+v, measured %+v", name, key, f, w)
			}
		}
	}
}

// incomeFrame joins onnxruntime's recorded labels to the sealed answers.
func incomeFrame(t *testing.T, model string) *metrics.Frame {
	t.Helper()
	recs, err := csv.NewReader(bytes.NewReader(gunzip(t, "sealed.csv.gz"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, recs := recs[0], recs[1:]
	a := metrics.Answers{Classes: incomeClasses, Positive: 1}
	for _, dim := range []string{"sex", "race", "education"} {
		a.Dimensions = append(a.Dimensions, encode(dim, recs, slices.Index(head, dim)))
	}
	for _, r := range recs {
		a.Labels = append(a.Labels, int32(slices.Index(incomeClasses, r[slices.Index(head, "label")])))
	}
	line, _, _ := strings.Cut(string(gunzip(t, "expected/"+model+".labels.gz")), "\n")
	labels := make([]int32, len(line))
	for i, l := range line {
		labels[i] = l - '0'
	}
	f, err := metrics.Join(memory.DefaultAllocator, a, metrics.Predictions{Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

func encode(name string, recs [][]string, col int) metrics.Dimension {
	d := metrics.Dimension{Name: name}
	for _, r := range recs {
		d.Values = append(d.Values, r[col])
	}
	slices.Sort(d.Values)
	d.Values = slices.Compact(d.Values)
	for _, r := range recs {
		d.Codes = append(d.Codes, int32(slices.Index(d.Values, r[col])))
	}
	return d
}
