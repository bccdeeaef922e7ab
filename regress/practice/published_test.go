package practice

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"proctor/harness/report"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/regress/importer"
)

var standard = Options{Confidence: .95, HarmPP: 1, DetectPP: 10}

// shared reads a file that others made and that the project may not carry.
func shared(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../shared/data", path))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("data by other hands lies outside the repository: ", path)
	}
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

// table reads CSV as the command line does: columns named in text hold text.
func table(t *testing.T, b []byte, text ...string) rows.Table {
	t.Helper()
	recs, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cols := make([]rows.Column, len(recs[0]))
	for c, name := range recs[0] {
		cols[c].Name = name
		isText := strings.Contains(" "+strings.Join(text, " ")+" ", " "+name+" ")
		for _, r := range recs[1:] {
			if isText {
				cols[c].Strings = append(cols[c].Strings, r[c])
				continue
			}
			v, err := strconv.ParseFloat(r[c], 64)
			if err != nil {
				t.Fatal(err)
			}
			cols[c].Floats = append(cols[c].Floats, v)
		}
	}
	tab, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// CheckList's published counts of BERT and RoBERTa on Quora Question Pairs: the average
// improves, ten tests are worse. Shares by capability are those of the notebook.
func TestQQP(t *testing.T) {
	b, err := os.ReadFile("../../testdata/suites/qqp-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	r, err := FromCounts(table(t, b, "test", "capability"), standard)
	if err != nil {
		t.Fatal(err)
	}
	worse, better, hold, undecided := r.Count()
	if worse != 10 || better != 12 || hold != 0 || undecided != 31 || r.Result != report.Fail || r.Pooled.String() != "39.68 -> 36.14 %" {
		t.Errorf("%d worse, %d better, %d undecided, pooled %v: %s", worse, better, undecided, r.Pooled, r.Sentence)
	}
	want := map[string]string{
		"Vocabulary": "30.9 21.8", "Taxonomy": "32.2 46.2", "Robustness": "22.0 11.6", "NER": "21.0 19.7", "Temporal": "74.7 42.0",
		"Negation": "30.5 21.2", "Coref": "88.2 98.4", "SRL": "67.8 77.8", "Logic": "18.2 17.3",
	}
	for _, c := range r.ByCapability {
		got := fmt.Sprintf("%.1f %.1f", percent(c.Pooled.BaselineFailed, c.Pooled.BaselineCases), percent(c.Pooled.CandidateFailed, c.Pooled.CandidateCases))
		if got != want[c.Capability] {
			t.Errorf("%s: pooled %s, published %s", c.Capability, got, want[c.Capability])
		}
		if losing := c.Capability == "Taxonomy" || c.Capability == "Coref" || c.Capability == "SRL"; losing && r.Tests[c.Test].Verdict != Worse {
			t.Errorf("%s is not shown as worse: %+v", c.Capability, c)
		}
	}
	// The control: turned around, what was better is worse, and the other way round.
	turned := table(t, bytes.Replace(b, []byte("baseline_cases,baseline_failed,candidate_cases,candidate_failed"), []byte("candidate_cases,candidate_failed,baseline_cases,baseline_failed"), 1), "test", "capability")
	if r, err = FromCounts(turned, standard); err != nil {
		t.Fatal(err)
	}
	if worse, better, _, undecided = r.Count(); worse != 12 || better != 10 || undecided != 31 {
		t.Errorf("turned around: %d worse, %d better, %d undecided", worse, better, undecided)
	}
}

// The release of an npm package of which the maintainers' accuracy gate said 72.59 ->
// 72.66 %: on six tests of CheckList it lost what a tokenizer no longer did.
func TestSentiment(t *testing.T) {
	s, err := importer.Import("checklist", "sentiment", shared(t, "sentiment-npm/checklist_cases.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for name, b := range s.Files {
		fsys[name] = &fstest.MapFile{Data: b}
	}
	suite, err := regress.Load(fsys, "suite.yaml")
	if err != nil {
		t.Fatal(err)
	}
	suites := []*regress.Suite{suite}
	answers := func(version string) *Answers {
		a, err := ReadAnswers(version, table(t, s.Files["predictions/sentiment_"+version+".csv"], "id", "label"), ExampleIDs(suites))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct{ from, to, result, yes, no, punctuation string }{
		{"3-0-1", "4-2-0", report.Fail, "858 -> 2262 of 7644 worse", "7098 -> 5850 of 7644 better", "0 -> 8 of 500 worse"},
		{"4-2-0", "5-0-2", report.Fail, "2262 -> 858 of 7644 better", "5850 -> 7098 of 7644 worse", "8 -> 3 of 500 ="},
		{"3-0-1", "5-0-2", report.Pass, "858 -> 858 of 7644 =", "7098 -> 7098 of 7644 =", "0 -> 3 of 500 ="},
	} {
		r, err := Run(suites, answers(c.from), answers(c.to), nil, standard)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, x := range r.Tests {
			got[x.Name] = fmt.Sprintf("%d -> %d of %d %s", x.BaselineFailed, x.CandidateFailed, x.CandidateCases, x.Verdict)
		}
		if r.Result != c.result || got["Q & A: yes"] != c.yes || got["Q & A: no"] != c.no || got["punctuation"] != c.punctuation {
			t.Errorf("%s -> %s: %s\n%v", c.from, c.to, r.Sentence, got)
		}
	}
}

// GPT-3.5 of March and June 2023 on whether a number is prime. The average goes up
// because it now says yes; composites go down; 46 answers are neither yes nor no.
func TestPrimes(t *testing.T) {
	var cases [2][]string // composites, primes
	var answered [2]map[string]string
	models := []string{"gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"}
	answered[0], answered[1] = map[string]string{}, map[string]string{}
	for line := range bytes.Lines(shared(t, "llmdrift-prime-gpt35/generations.jsonl.gz")) {
		var g struct {
			Query, Label string
			Parsed       map[string]string
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		k := map[string]int{"no": 0, "yes": 1}[g.Label]
		row, _ := json.Marshal(map[string]string{"prompt": g.Query, "expect": g.Label})
		cases[k] = append(cases[k], string(row))
		id := fmt.Sprintf("%s/%d", []string{"composites", "primes"}[k], len(cases[k]))
		for m, name := range models {
			answered[m][id] = g.Parsed[name]
		}
	}
	suite, err := regress.Load(fstest.MapFS{
		"s.yaml":  {Data: []byte("suite: primes\ntests:\n  - {name: composites, capability: arithmetic, kind: MFT, cases: c.jsonl}\n  - {name: primes, capability: arithmetic, kind: MFT, cases: p.jsonl}\n")},
		"c.jsonl": {Data: []byte(strings.Join(cases[0], "\n"))}, "p.jsonl": {Data: []byte(strings.Join(cases[1], "\n"))},
	}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	suites := []*regress.Suite{suite}
	ids := ExampleIDs(suites)
	var as [2]*Answers
	for m := range models {
		labels := make([]string, len(ids))
		for i, id := range ids {
			labels[i] = answered[m][id]
		}
		tab, err := rows.New(rows.Column{Name: "id", Strings: ids}, rows.Column{Name: "label", Strings: labels})
		if err != nil {
			t.Fatal(err)
		}
		if as[m], err = ReadAnswers(models[m], tab, ids); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run(suites, as[0], as[1], nil, standard)
	if err != nil {
		t.Fatal(err)
	}
	c, p := r.Tests[0], r.Tests[1]
	if got := fmt.Sprintf("%s %v; composites %d -> %d %s, primes %d -> %d %s", r.Result, r.Pooled, c.BaselineFailed, c.CandidateFailed, c.Verdict, p.BaselineFailed, p.CandidateFailed, p.Verdict); got !=
		"FAIL 50.40 -> 23.80 %; composites 78 -> 172 worse, primes 426 -> 66 better" {
		t.Errorf("%s", got)
	}
	f := r.Findings[0]
	if f.Rule != "unanswered" || f.Outcome != report.Violated || !strings.HasPrefix(f.Sentence, "46 of 1000 answers of the candidate are none of the classes, or empty; 0 of the baseline") || len(f.Cases) != MaxNamed {
		t.Errorf("%+v", f)
	}
}
