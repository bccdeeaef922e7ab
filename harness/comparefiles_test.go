package harness

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"proctor/harness/intake"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout/rows"
)

const comparePolicy = `policy: files
lineage: line
holdouts: [answers]
confidence: 0.9
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -10}
%stier_at_least: none
budget_runs: 1
review: {people: 1}
valid_days: 7
on_missing: fail
`

func policyOf(t *testing.T, watch string) *policy.Policy {
	t.Helper()
	if watch != "" {
		watch = "watch:\n  - {" + watch + "}\n"
	}
	text := fmt.Sprintf(comparePolicy, watch)
	if strings.Contains(watch, "suite: cases") {
		text = strings.Replace(text, "confidence:", "suites: [cases]\nconfidence:", 1)
	}
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decode reads CSV as the command does: in a jailed child.
func decode(t *testing.T, text string) rows.Table {
	t.Helper()
	tab, err := intake.Decode(context.Background(), "csv", strings.NewReader(text), intake.Options{Text: []string{"id", "label", "expect", "test", "capability", "critical"}})
	if err != nil {
		t.Fatalf("%v\n%.200s", err, text)
	}
	return tab
}

// files are answers and two prediction files over n rows; wrong says on which rows
// each model errs.
func files(t *testing.T, n int, base, cand func(i int) bool) Comparison {
	t.Helper()
	var a, b, c strings.Builder
	a.WriteString("id,label,sex\n")
	b.WriteString("id,label,p:no,p:yes\n")
	c.WriteString("label,id,p:yes,p:no\n")
	class := []string{"no", "yes"}
	for i := range n {
		k := i % 2
		fmt.Fprintf(&a, "r%d,%s,%s\n", i, class[k], []string{"f", "m"}[i/2%2])
		w := k
		if base(i) {
			w = 1 - k
		}
		fmt.Fprintf(&b, "r%d,%s,%d,%d\n", i, class[w], 1-w, w)
	}
	for i := n - 1; i >= 0; i-- { // another order of rows and columns
		w := i % 2
		if cand(i) {
			w = 1 - w
		}
		fmt.Fprintf(&c, "%s,r%d,%d,%d\n", class[w], i, w, 1-w)
	}
	return Comparison{Answers: decode(t, a.String()), Baseline: decode(t, b.String()), Candidate: decode(t, c.String()), Positive: "yes", Policy: policyOf(t, "")}
}

// Rows and columns may come in any order; every count is that of the pair.
func TestCompareCounts(t *testing.T) {
	c := files(t, 400, func(i int) bool { return i < 40 }, func(i int) bool { return i >= 30 && i < 60 })
	c.Policy = policyOf(t, "id: groups, metric: accuracy, over: [sex], harm_pp: 20, detect_pp: 40")
	r, err := Compare(c)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Flips; f.N != 400 || f.Broke != 20 || f.Fixed != 30 || f.BothWrong != 10 || f.BothRight != 340 {
		t.Errorf("flips %+v", f)
	}
	n, broke := int64(0), int64(0)
	for _, s := range r.Slices {
		if s.Dimension == "sex" {
			n, broke = n+s.Flips.N, broke+s.Flips.Broke
		}
	}
	if n != 400 || broke != 20 || len(r.BrokeRows) != 20 || r.BrokeRows[0].Row != 40 {
		t.Errorf("slices of sex: %d rows, %d broke; first broken rows %+v", n, broke, r.BrokeRows[:1])
	}
	if r.Binding != "none" || r.Decision.Result != report.Pass && r.Decision.Result != report.Inconclusive {
		t.Errorf("binding %s, %s: %s", r.Binding, r.Decision.Result, r.Decision.Sentence)
	}
	first, _, err := report.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := Compare(c)
		if err != nil {
			t.Fatal(err)
		}
		if b, _, _ := report.Encode(again); string(b) != string(first) {
			t.Fatal("the same files gave other bytes")
		}
	}
}

// What is wrong with files is named: how many ids, and the first of them.
func TestCompareRefuses(t *testing.T) {
	none := func(int) bool { return false }
	answers := "id,label\na,no\nb,yes\nc,no\nd,yes\ne,no\n"
	good := "id,label\na,no\nb,yes\nc,no\nd,yes\ne,no\n"
	for _, c := range []struct{ name, answers, candidate, want string }{
		{"missing", answers, "id,label\na,no\n", "candidate: ids do not match one to one: 4 missing (b, c, d, ...), 0 unknown, 0 repeated"},
		{"unknown", answers, good + "x,no\ny,no\n", "0 missing, 2 unknown (x, y), 0 repeated"},
		{"repeated", answers, good + "a,yes\na,no\n", "0 missing, 0 unknown, 2 repeated (a, a)"},
		{"answers repeated", answers + "a,no\n", good, "answers: ids do not match one to one: 0 missing, 0 unknown, 1 repeated (a)"},
		{"no id", answers, "row,label\na,no\n", `candidate: there is no column "id"`},
		{"no label", answers, "id,answer\na,no\nb,yes\nc,no\nd,yes\ne,no\n", `candidate: there is no column "label"`},
		{"answers no label", "id,truth\na,no\n", good, `answers: there is no column "label"`},
		{"sum", answers, "id,label,p:no,p:yes\na,no,.9,.1\nb,yes,.9,.3\nc,no,1,0\nd,yes,0,1\ne,no,1,0\n", `candidate: the probabilities of id "b"`},
		{"beyond", answers, "id,label,p:yes\na,no,.1\nb,yes,1.1\nc,no,0\nd,yes,1\ne,no,0\n", `id "b"`},
		{"text", answers, "id,label,p:yes\na,no,x\nb,yes,1\nc,no,0\nd,yes,1\ne,no,0\n", `"p:yes" holds something that is no number`},
		{"other class", answers, "id,label,p:maybe\na,no,.1\nb,yes,1\nc,no,0\nd,yes,1\ne,no,0\n", "for a class that no file has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Comparison{Answers: decode(t, c.answers), Baseline: decode(t, good), Candidate: decode(t, c.candidate), Policy: policyOf(t, "")}
			if _, err := Compare(in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	in := files(t, 40, none, none)
	in.Positive = "maybe"
	if _, err := Compare(in); err == nil || !strings.Contains(err.Error(), `positive class "maybe"`) {
		t.Errorf("an unknown positive class: %v", err)
	}
	one := decode(t, "id,label\na,no\nb,no\n")
	if _, err := Compare(Comparison{Answers: one, Baseline: one, Candidate: one, Policy: policyOf(t, "")}); err == nil || !strings.Contains(err.Error(), "one class only") {
		t.Errorf("one class: %v", err)
	}
	in = files(t, 40, none, none)
	in.Policy = policyOf(t, "id: groups, metric: accuracy, over: [race], harm_pp: 5, detect_pp: 40")
	if _, err := Compare(in); err == nil || !strings.Contains(err.Error(), `no slice column "race"`) {
		t.Errorf("an unknown slice: %v", err)
	}
	for _, p := range [][]float64{{math.NaN(), 1}, {.5, .4}, {-.1, 1.1}, {math.Inf(1), 0}} {
		if checkSum(p) {
			t.Errorf("%v are probabilities", p)
		}
	}
}

// Cases are rows of the prediction files that are not scored.
func TestCompareCases(t *testing.T) {
	a := decode(t, "id,label\na,no\nb,yes\nc,no\nd,yes\n")
	base := decode(t, "id,label\na,no\nb,yes\nc,no\nd,yes\nq1,yes\nq2,yes\nq3,no\n")
	cand := decode(t, "id,label\na,no\nb,yes\nc,no\nd,yes\nq1,no\nq2,yes\nq3,no\n")
	cases := decode(t, "test,id,expect,capability,critical\nclear,q1,yes,basics,true\nclear,q2,yes,basics,true\nother,q3,yes,basics,\n")
	p := policyOf(t, "id: behaviour, suite: cases, harm_pp: 2, detect_pp: 10")
	in := Comparison{Answers: a, Baseline: base, Candidate: cand, Cases: &cases, Policy: p}
	r, err := Compare(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tests) != 2 || r.Tests[0].Broke != 1 || r.Tests[0].CandidateFailed != 1 || r.Tests[1].BaselineFailed != 1 || r.Tests[1].CandidateFailed != 1 {
		t.Errorf("tests %+v", r.Tests)
	}
	if r.Decision.Result != report.Fail { // a critical case
		t.Errorf("%s: %s", r.Decision.Result, r.Decision.Sentence)
	}
	for want, text := range map[string]string{
		"scored row too":     "test,id,expect\nclear,a,yes\n",
		"1 repeated (q1)":    "test,id,expect\nclear,q1,yes\nother,q1,no\n",
		`no column "expect"`: "test,id\nclear,q1\n",
		"1 missing (q9)":     "test,id,expect\nclear,q1,yes\nclear,q2,yes\nclear,q3,no\nclear,q9,yes\n",
		"1 unknown (q3)":     "test,id,expect\nclear,q1,yes\nclear,q2,yes\n",
	} {
		bad := decode(t, text)
		in.Cases = &bad
		if _, err := Compare(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// shared opens a CSV of real data, or skips with a notice.
func shared(t *testing.T, name string) (head []string, lines [][]string) {
	t.Helper()
	f, err := os.Open("../../shared/data/" + name)
	if err != nil {
		t.Skip("real data is absent: ", name)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func sharedJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("../../shared/data/" + name)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// An expected is what expected.json says of a pair or slice.
type expected struct {
	N        int64   `json:"n"`
	Negative int64   `json:"negative_flips"`
	Positive int64   `json:"positive_flips"`
	Right    int64   `json:"correct_base"`
	P        float64 `json:"mcnemar_exact_two_sided_p"`
}

func (want expected) check(t *testing.T, what string, f report.Flips) {
	t.Helper()
	if f.N != want.N || f.Broke != want.Negative || f.Fixed != want.Positive || f.BothRight+f.Broke != want.Right {
		t.Errorf("%s: %+v, expected %+v", what, f, want)
	}
	if f.P == nil || math.Abs(*f.P-want.P) > 1e-3*want.P {
		t.Errorf("%s: p is not %g", what, want.P)
	}
}

func column(t *testing.T, name string, head []string, lines [][]string) rows.Column {
	t.Helper()
	for i, h := range head {
		if h != name {
			continue
		}
		c := rows.Column{Name: name, Strings: make([]string, len(lines))}
		for r, l := range lines {
			c.Strings[r] = l[i]
		}
		return c
	}
	t.Fatalf("no column %q in %q", name, head)
	return rows.Column{}
}

func named(name string, c rows.Column) rows.Column { c.Name = name; return c }

func tableOf(t *testing.T, cs ...rows.Column) rows.Table {
	t.Helper()
	tab, err := rows.New(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// The counts of real models on census data are those that expected.json has.
func TestCompareAdult(t *testing.T) {
	head, lines := shared(t, "adult/preds.csv.gz")
	setHead, set := shared(t, "adult/holdout.csv.gz")
	var want struct {
		Pairs map[string]map[string]json.RawMessage
	}
	sharedJSON(t, "adult/expected.json", &want)
	id := column(t, "id", head, lines)
	c := Comparison{Positive: "1", Policy: policyOf(t, "id: groups, metric: accuracy, over: [sex, education, race], harm_pp: 5, detect_pp: 20"),
		Answers: tableOf(t, column(t, "id", setHead, set), column(t, "label", setHead, set), column(t, "sex", setHead, set), column(t, "education", setHead, set), column(t, "race", setHead, set))}
	for _, pair := range []string{"v10 -> v20", "v10 -> v2poison0"} {
		base, cand, _ := strings.Cut(pair, " -> ")
		c.Baseline = tableOf(t, id, named("label", column(t, base, head, lines)))
		c.Candidate = tableOf(t, id, named("label", column(t, cand, head, lines)))
		r, err := Compare(c)
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := json.Marshal(want.Pairs[pair])
		var all expected
		if err := json.Unmarshal(whole, &all); err != nil {
			t.Fatal(err)
		}
		all.check(t, pair, r.Flips)
		checked := 0
		for _, s := range r.Slices {
			raw, ok := want.Pairs[pair]["slice "+s.Dimension+"="+s.Value]
			if !ok {
				continue
			}
			var e expected
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			e.check(t, pair+" "+s.Dimension+"="+s.Value, s.Flips)
			checked++
		}
		if checked < 4 {
			t.Errorf("%s: only %d slices are in expected.json", pair, checked)
		}
	}
}

// Two releases of one package on real sentences.
func TestCompareSentiment(t *testing.T) {
	head, lines := shared(t, "sentiment-npm/uci3003.csv.gz")
	var want struct {
		Pairs map[string]json.RawMessage `json:"pairs_uci3003"`
	}
	sharedJSON(t, "sentiment-npm/expected.json", &want)
	label := func(version string) rows.Column { // positive at a score of 0 and more
		c := column(t, "score_"+version, head, lines)
		for i, s := range c.Strings {
			if strings.HasPrefix(s, "-") {
				c.Strings[i] = "0"
			} else {
				c.Strings[i] = "1"
			}
		}
		return named("label", c)
	}
	id, source, truth := column(t, "id", head, lines), column(t, "source", head, lines), column(t, "label", head, lines)
	for i, l := range truth.Strings {
		if l == "" { // three blank lines of the original, which every version has wrong
			truth.Strings[i] = "blank"
		}
	}
	for _, pair := range []string{"3.0.1 -> 4.2.0", "4.2.0 -> 5.0.2"} {
		base, cand, _ := strings.Cut(pair, " -> ")
		r, err := Compare(Comparison{Answers: tableOf(t, id, truth, source), Positive: "1",
			Baseline: tableOf(t, id, label(base)), Candidate: tableOf(t, id, label(cand)),
			Policy: policyOf(t, "id: sources, metric: accuracy, over: [source], harm_pp: 5, detect_pp: 20")})
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			expected
			Source map[string]expected `json:"by_source"`
		}
		if err := json.Unmarshal(want.Pairs[pair], &e); err != nil {
			t.Fatal(err)
		}
		e.check(t, pair, r.Flips)
		for _, s := range r.Slices {
			if x, ok := e.Source[s.Value]; ok {
				x.check(t, pair+" "+s.Value, s.Flips)
				delete(e.Source, s.Value)
			}
		}
		if len(e.Source) > 0 {
			t.Errorf("%s: no slices %v", pair, e.Source)
		}
	}
}
