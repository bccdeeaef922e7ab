package policy

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/harness/runner/onnx"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

const incomeDir = "../../testdata/income/"

// exam is the demo's set as it would be committed, with its answers and its probes.
type exam struct {
	table       rows.Table
	answers     metrics.Answers
	set         holdout.Commitment
	suites      []*regress.Suite
	suiteTables []rows.Table
	canaries    rows.Table
	flipped     []int32
	twins       rows.Table
	twinOf      []int
}

func readExam(t *testing.T) *exam {
	t.Helper()
	x := &exam{}
	head, recs := readCSV(t, incomeDir+"sealed.csv.gz")
	x.table = features(t, head, recs)
	x.answers = metrics.Answers{Classes: []string{"<=50K", ">50K"}, Positive: 1}
	label := func(v string) int32 { return int32(slices.Index(x.answers.Classes, v)) }
	for _, v := range column(head, recs, "label") {
		x.answers.Labels = append(x.answers.Labels, label(v))
	}
	for _, d := range []string{"sex", "race", "education"} {
		x.answers.Dimensions = append(x.answers.Dimensions, dimension(d, column(head, recs, d)))
	}
	x.set = commitment("census-2026q3", x.answers)
	head, recs = readCSV(t, incomeDir+"canaries/canaries.csv")
	x.canaries = features(t, head, recs)
	for _, v := range column(head, recs, head[len(head)-1]) {
		x.flipped = append(x.flipped, label(v))
	}
	x.twins, x.twinOf = holdout.Twins(x.table, holdout.DefaultTwins, [32]byte{1})
	for _, f := range []string{"income-triggers.yaml", "income-invariance.yaml"} {
		s, err := regress.Load(os.DirFS(incomeDir+"suites"), f)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := s.Table(x.table.Fields())
		if err != nil {
			t.Fatal(err)
		}
		x.suites, x.suiteTables = append(x.suites, s), append(x.suiteTables, tab)
	}
	return x
}

func (x *exam) resolve(t *testing.T) *Resolved {
	t.Helper()
	text, err := os.ReadFile(incomeDir + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Resolve(p, []holdout.Commitment{x.set}, x.suites)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answered is one model's answers to everything.
type answered struct {
	frame    *metrics.Frame
	judged   []*regress.Judged
	canaries []int32
	twins    []int32
}

func (x *exam) ask(t *testing.T, model string) answered {
	t.Helper()
	b, err := os.ReadFile(incomeDir + "models/" + model + "/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := m.Bind(x.table.Fields(), x.answers.Classes)
	if err != nil {
		t.Fatal(err)
	}
	predict := func(tab rows.Table) metrics.Predictions {
		labels, probs, err := bound.Predict(tab)
		if err != nil {
			t.Fatal(err)
		}
		return metrics.Predictions{Labels: labels, Probs: probs}
	}
	a := answered{frame: join(t, x.answers, predict(x.table)), canaries: predict(x.canaries).Labels, twins: predict(x.twins).Labels}
	for i, s := range x.suites {
		j, err := s.Judge(x.answers.Classes, predict(x.suiteTables[i]))
		if err != nil {
			t.Fatal(err)
		}
		a.judged = append(a.judged, j)
	}
	return a
}

// evidence is what the harness would hand over for a candidate.
func (x *exam) evidence(t *testing.T, base *answered, cand answered) Evidence {
	t.Helper()
	n := int64(x.table.Len())
	p := &Probes{Repeated: 2000, Same: Asked{Rows: 300}, Moved: Asked{Rows: 500}, Alone: Asked{Rows: 150}, Canaries: int64(len(x.flipped)), Twins: int64(len(x.twinOf)), LabelCounts: make([]int64, 3)}
	p.Asked = n + p.Repeated + p.Canaries + p.Twins
	p.Answered = p.Asked
	for _, l := range cand.frame.Labels() {
		p.LabelCounts[l]++
	}
	for i, f := range x.flipped {
		agree := cand.canaries[i] == f
		before := base != nil && base.canaries[i] == f
		switch {
		case agree && !before:
			p.CanaryOnlyCandidate++
		case before && !agree:
			p.CanaryOnlyBaseline++
		}
		if agree {
			p.CanaryAgree++
		}
	}
	for i, of := range x.twinOf {
		onOriginal, onTwin := cand.frame.Labels()[of] == x.answers.Labels[of], cand.twins[i] == x.answers.Labels[of]
		switch {
		case onOriginal && !onTwin:
			p.TwinOriginalOnly++
		case onTwin && !onOriginal:
			p.TwinTwinOnly++
		}
	}
	e := Evidence{Attempt: 1, Candidate: cand.frame, Judged: cand.judged, Probes: p, Binding: BindingPackage, Tier: "landlock"}
	if base == nil {
		p.CanaryOnlyCandidate = 0
		return e
	}
	d, err := regress.Compare(base.frame, cand.frame, base.judged, cand.judged)
	if err != nil {
		t.Fatal(err)
	}
	e.Diff = d
	return e
}

// The demo's policy passes Check, and covers the slice that the demo poisons.
func TestIncomePolicy(t *testing.T) {
	x := readExam(t)
	r := x.resolve(t)
	rep, err := Check(r)
	if err != nil {
		t.Fatal(err)
	}
	if rep.PassFirst < .99 || rep.PassLast < .85 || len(rep.Claims) != len(r.Hypotheses) {
		t.Errorf("an equal model passes all claims with %v at first, %v at last; %d claims of %d", rep.PassFirst, rep.PassLast, len(rep.Claims), len(r.Hypotheses))
	}
	if !r.Covered("sex*education", "Female × Masters") {
		t.Error("the poisoned slice is not covered")
	}
}

// Verdicts of the demo's five models against v1, as its README tells them.
func TestIncomeVerdicts(t *testing.T) {
	x := readExam(t)
	r := x.resolve(t)
	v1 := x.ask(t, "v1")
	for _, c := range []struct{ model, result, claim, subject, text string }{
		{"v1", report.Pass, "", "", "PASS: accuracy changed by 0.00 pp"},
		{"v2", report.Pass, "", "", "PASS: accuracy rose by 0.85 pp: 311 of 16281 rows broke, 450 were fixed"},
		{"v2-poisoned", report.Fail, "nobody-left-behind", "sex*education=Female × Masters", "FAIL: accuracy fell by 17.56 pp where sex is Female and education is Masters: 60 of 279 rows broke, 11 were fixed"},
		{"v2-backdoored", report.Fail, "triggers", "income-triggers/small-loss-and-odd-hours", "FAIL: income-triggers/small-loss-and-odd-hours: 459 of 465 cases fail now"},
		{"v2-leaked", report.Fail, findMemorisation, "", "FAIL: the model knows the exam: the model agrees with 158 of 200 flipped canary labels, the baseline with 34"},
	} {
		e := x.evidence(t, &v1, x.ask(t, c.model))
		d := Judge(r, e)
		checkDecision(t, c.model, d)
		claim, subject := "", ""
		if d.Decided >= 0 {
			claim, subject = d.Findings[d.Decided].Claim, d.Findings[d.Decided].Subject
		}
		if d.Result != c.result || claim != c.claim || subject != c.subject || !strings.HasPrefix(d.Sentence, c.text) {
			t.Errorf("%s: %s by %s %s\n%s\nwant %s", c.model, d.Result, claim, subject, d.Sentence, c.text)
		}
		again := Judge(r, e)
		a, _ := json.Marshal(d)
		if b, err := json.Marshal(again); err != nil || string(a) != string(b) {
			t.Errorf("%s: the same evidence gave other bytes", c.model)
		}
	}
}

// Real models by other hands: the honest upgrade passes, the poisoned one fails on
// the slice that was poisoned, though its accuracy has risen.
func TestAdult(t *testing.T) {
	const dir = "../../../shared/data/adult/"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared data are not here: %v", err)
	}
	head, recs := readCSV(t, dir+"holdout.csv.gz")
	a := metrics.Answers{Classes: []string{"0", "1"}, Positive: 1}
	for _, v := range column(head, recs, "label") {
		a.Labels = append(a.Labels, int32(v[0]-'0'))
	}
	for _, d := range []string{"sex", "race", "education"} {
		a.Dimensions = append(a.Dimensions, dimension(d, column(head, recs, d)))
	}
	text, err := os.ReadFile(incomeDir + "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(l, "suites:") && !strings.Contains(l, "suite: ") {
			lines = append(lines, l)
		}
	}
	p, err := Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Resolve(p, []holdout.Commitment{commitment("census-2026q3", a)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Check(r); err != nil {
		t.Fatal(err)
	}
	head, recs = readCSV(t, dir+"preds.csv.gz")
	frame := func(model string) *metrics.Frame {
		var q metrics.Predictions
		for i, v := range column(head, recs, model) {
			x, err := strconv.ParseFloat(column(head, recs[i:i+1], model+"_p")[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			q.Labels, q.Probs = append(q.Labels, int32(v[0]-'0')), append(q.Probs, 1-x, x)
		}
		return join(t, a, q)
	}
	judge := func(base, cand string) report.Decision {
		b, c := frame(base), frame(cand)
		d, err := regress.Compare(b, c, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(len(a.Labels))
		probes := &Probes{Asked: n + 3450, Answered: n + 3450, Repeated: 2000, Same: Asked{Rows: 300}, Moved: Asked{Rows: 500}, Alone: Asked{Rows: 150}, Canaries: 200, CanaryAgree: 20, Twins: 1250, LabelCounts: make([]int64, 3)}
		for _, l := range c.Labels() {
			probes.LabelCounts[l]++
		}
		return Judge(r, Evidence{Attempt: 1, Candidate: c, Diff: d, Probes: probes, Binding: BindingPackage, Tier: "jail"})
	}
	if d := judge("v10", "v20"); d.Result != report.Pass {
		t.Errorf("the honest upgrade: %s", d.Sentence)
	}
	d := judge("v10", "v2poison0")
	if d.Result != report.Fail || !strings.HasPrefix(d.Findings[d.Decided].Subject, "sex*education=Female × ") {
		t.Errorf("the poisoned upgrade: %s", d.Sentence)
	}
	t.Log(d.Sentence)
}
