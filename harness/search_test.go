package harness

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"proctor/harness/intake"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout/rows"
	"proctor/web/api"
)

// readFile decodes a CSV file as the command does.
func readFile(t *testing.T, name string) rows.Table {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := intake.Decode(context.Background(), "csv", f, intake.Options{Text: []string{"id", "label"}})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// The documentation's example: the search names women with a Masters, whether or not
// the policy watches that slice, and never decides. A column of numbers is searched
// in groups, one of few numbers as it is.
func TestSearchOfFiles(t *testing.T) {
	const dir = "../docs/compare/"
	text, err := os.ReadFile(dir + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var blind []byte // the same policy without slices
	for _, l := range bytes.SplitAfter(text, []byte("\n")) {
		if !bytes.Contains(l, []byte("over:")) && !bytes.HasPrefix(l, []byte("watch:")) {
			blind = append(blind, l...)
		}
	}
	answers := readFile(t, dir+"answers.csv")
	for name, text := range map[string][]byte{"watching": text, "blind": blind} {
		p, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c := Comparison{Answers: answers, Baseline: readFile(t, dir+"baseline.csv"), Candidate: readFile(t, dir+"candidate.csv"), Policy: p}
		r, err := Compare(c)
		if err != nil {
			t.Fatal(err)
		}
		s := r.Search
		if s == nil || s.Shown == 0 || !strings.Contains(s.Slices[0].Sentence, "sex is Female and education is Masters") || s.Slices[0].Within != -1 {
			t.Fatalf("%s: %+v", name, s)
		}
		c.Answers = withNumbers(t, answers)
		wider, err := Compare(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(wider.Search.Features, " "); got != "sex education few many" || wider.Search.Tested <= s.Tested || len(wider.Search.Slices) > report.MaxFound {
			t.Errorf("%s: searched %s, %d slices and %d", name, got, s.Tested, wider.Search.Tested)
		}
		c.Answers = answers
		if want := map[string]string{"watching": report.Fail, "blind": report.Pass}[name]; r.Decision.Result != want {
			t.Errorf("%s: %s", name, r.Decision.Sentence)
		}
		again, err := Compare(c)
		if err != nil {
			t.Fatal(err)
		}
		_, d1, err1 := report.Encode(r)
		_, d2, err2 := report.Encode(again)
		if d1 != d2 || err1 != nil || err2 != nil {
			t.Errorf("%s: twice is not the same", name)
		}
	}
}

func withNumbers(t *testing.T, answers rows.Table) rows.Table {
	t.Helper()
	few, many := rows.Column{Name: "few"}, rows.Column{Name: "many"}
	for i := range answers.Len() {
		few.Floats, many.Floats = append(few.Floats, float64(i%3)), append(many.Floats, float64(i))
	}
	tab, err := rows.New(append(answers.Columns(), few, many)...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Every run that compares is searched, over the sealed set's slice columns and its
// columns of numbers, and says how calibration changed; a first model is not and does not.
func TestSearchOfRuns(t *testing.T) {
	w := newWorld(t).begin()
	first := w.run("v1", model(0, ""))
	if r := reportOf(w, first.ID); r.Search != nil || r.Calibration != nil {
		t.Errorf("a first model was searched or compared: %+v %+v", r.Search, r.Calibration)
	}
	for _, who := range []string{"rev1", "rev2"} {
		if _, err := w.review(who, first.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	c, err := w.s.ProposeBaseline(context.Background(), person("rev1"), api.Baseline{Lineage: "line", Run: first.ID})
	w.activate(c, err, "rev2")
	r := reportOf(w, w.run("v2", model(0.02, "s")).ID)
	if s := r.Search; s == nil || s.Method == "" || s.Tested == 0 || s.Rows != r.Flips.N || strings.Join(s.Features, " ") != "group x" {
		t.Errorf("%+v", s)
	}
	if c := r.Calibration; c == nil || c.Smooth.Value == nil || c.Smooth.Low == nil || c.Smooth.N != r.Flips.N || !strings.HasPrefix(c.Sentence, "Calibration is ") {
		t.Errorf("the report does not say how calibration changed: %+v", c)
	}
}

func reportOf(w *world, id string) *report.Report {
	w.t.Helper()
	v, err := w.s.Report(context.Background(), person("rev1"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Report
}

// A policy's costs weigh the flips in the report; who bears what broke stands there
// without them too.
func TestCostsInReport(t *testing.T) {
	const dir = "../docs/compare/"
	text, err := os.ReadFile(dir + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	costs := append(bytes.Clone(text), "costs:\n  - {answer: \">50K\", given: \"<=50K\", cost: 4}\n"...)
	for i, text := range [][]byte{text, costs} {
		p, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Compare(Comparison{Answers: readFile(t, dir+"answers.csv"), Baseline: readFile(t, dir+"baseline.csv"), Candidate: readFile(t, dir+"candidate.csv"), Policy: p})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Cost != nil) != (i == 1) || len(r.Burden) != 3 || r.Burden[2].Dimension != "class" || r.Flips.Log10P == nil {
			t.Errorf("%+v %+v", r.Cost, r.Burden)
		}
		if i == 1 && !(*r.Cost.Broke.Value > *r.Flips.NFR.Value) {
			t.Errorf("broken rows cost %v, they are %v", *r.Cost.Broke.Value, *r.Flips.NFR.Value)
		}
	}
}
