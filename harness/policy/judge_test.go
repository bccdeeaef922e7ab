package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// A world is a set with two slice columns, and what two models make of it.
type world struct {
	t          *testing.T
	policy     string // lines that replace the claims of a small policy
	extra      string
	answers    metrics.Answers
	base, cand []int32
	attempt    int
	probs      bool
	edit       []func(*Evidence)
}

func newWorld(t *testing.T) *world {
	return &world{t: t, attempt: 1, answers: metrics.Answers{Classes: []string{"no", "yes"}, Positive: 1,
		Dimensions: []metrics.Dimension{{Name: "sex", Values: []string{"F", "M"}}, {Name: "age", Values: []string{"old", "young"}}}}}
}

// rows adds n rows of a slice: so many broke, were fixed, are wrong under both.
func (w *world) rows(sex, age int32, n, broke, fixed, wrong int) {
	for i := range n {
		y := int32(i % 2)
		b, c := y, y
		switch {
		case i < broke:
			c = 1 - y
		case i < broke+fixed:
			b = 1 - y
		case i < broke+fixed+wrong:
			b, c = 1-y, 1-y
		}
		w.answers.Labels, w.base, w.cand = append(w.answers.Labels, y), append(w.base, b), append(w.cand, c)
		w.answers.Dimensions[0].Codes = append(w.answers.Dimensions[0].Codes, sex)
		w.answers.Dimensions[1].Codes = append(w.answers.Dimensions[1].Codes, age)
	}
}

func (w *world) resolve() *Resolved {
	w.t.Helper()
	text := "policy: p\nlineage: l\nholdouts: [s]\nconfidence: 0.99\n" + w.policy +
		"tier_at_least: jail\nbudget_runs: 6\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n" + w.extra
	p, err := Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := Resolve(p, []holdout.Commitment{commitment("s", w.answers)}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) evidence() Evidence {
	w.t.Helper()
	probs := func(labels []int32) metrics.Predictions {
		p := metrics.Predictions{Labels: labels}
		for _, l := range labels {
			if w.probs {
				p.Probs = append(p.Probs, .8-.6*float64(l), .2+.6*float64(l))
			}
		}
		return p
	}
	b, c := join(w.t, w.answers, probs(w.base)), join(w.t, w.answers, probs(w.cand))
	d, err := regress.Compare(b, c, nil, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	n := int64(len(w.cand))
	p := &Probes{Asked: n + 3450, Answered: n + 3450, Repeated: 2000, Same: Asked{Rows: 300}, Moved: Asked{Rows: 500}, Alone: Asked{Rows: 150}, Canaries: 200, CanaryAgree: 20, Twins: 1250, LabelCounts: make([]int64, 3)}
	for _, l := range w.cand {
		p.LabelCounts[l]++
	}
	e := Evidence{Attempt: w.attempt, Candidate: c, Diff: d, Probes: p, Binding: BindingPackage, Tier: "jail", Code: true}
	for _, f := range w.edit {
		f(&e)
	}
	return e
}

// change reads "key=value ..." into evidence.
func (w *world) change(t *testing.T, words []string) {
	for _, word := range words {
		key, v, _ := strings.Cut(word, "=")
		n, _ := strconv.ParseInt(v, 10, 64)
		w.edit = append(w.edit, func(e *Evidence) {
			counts := map[string]*int64{}
			if p := e.Probes; p != nil {
				counts = map[string]*int64{"asked": &p.Asked, "answered": &p.Answered, "repeated": &p.Repeated, "differ": &p.RepeatsDiffer, "canaries": &p.Canaries,
					"agree": &p.CanaryAgree, "only-candidate": &p.CanaryOnlyCandidate, "only-baseline": &p.CanaryOnlyBaseline, "twins": &p.Twins,
					"original-only": &p.TwinOriginalOnly, "twin-only": &p.TwinTwinOnly, "same": &p.Same.Rows, "same-differ": &p.Same.Differ, "moved": &p.Moved.Rows, "moved-differ": &p.Moved.Differ,
					"alone": &p.Alone.Rows, "alone-differ": &p.Alone.Differ, "clock": &p.Clock.Rows, "clock-differ": &p.Clock.Differ, "no": &p.LabelCounts[0], "yes": &p.LabelCounts[1], "none": &p.LabelCounts[2]}
			}
			switch {
			case counts[key] != nil:
				*counts[key] = n
			case key == "binding":
				e.Binding = v
			case key == "tier":
				e.Tier = v
			case key == "runs":
				e.Probes.Runs = int(n)
			case key == "clock-missing":
				e.Probes.Clock.Missing = v
			case key == "code":
				e.Code = v == "true"
			case key == "probes":
				e.Probes = nil
			case key == "candidate":
				e.Candidate = nil
			case key == "diff":
				e.Diff = nil
			default:
				t.Fatalf("unknown word %q", word)
			}
		})
	}
}

// testdata/judge.txt: claims, rows and changes of the evidence, then the result, the
// finding that decided, and outcomes of other findings.
func TestJudge(t *testing.T) {
	file, err := os.ReadFile("testdata/judge.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(strings.TrimSpace(string(file)), "\n\n") {
		w := newWorld(t)
		lists := map[string]string{}
		var want []string
		name := ""
		for _, l := range strings.Split(c, "\n") {
			verb, rest, _ := strings.Cut(l, " ")
			switch verb {
			case "#":
				name = rest
			case "prove", "watch":
				lists[verb] += "  - {" + strings.TrimSpace(rest) + "}\n"
			case "policy":
				w.extra += rest + "\n"
			case "rows":
				var sex, age int32
				var n, broke, fixed, wrong int
				if _, err := fmt.Sscanf(rest, "sex=%d age=%d n=%d broke=%d fixed=%d wrong=%d", &sex, &age, &n, &broke, &fixed, &wrong); err != nil {
					t.Fatalf("%s: %v", l, err)
				}
				w.rows(sex, age, n, broke, fixed, wrong)
			case "attempt":
				w.attempt, _ = strconv.Atoi(rest)
			case "probabilities":
				w.probs = true
			case "set":
				w.change(t, strings.Fields(rest))
			case "want":
				want = append(want, rest)
			default:
				t.Fatalf("unknown line %q", l)
			}
		}
		for _, list := range []string{"prove", "watch"} {
			if lists[list] != "" {
				w.policy += list + ":\n" + lists[list]
			}
		}
		d := Judge(w.resolve(), w.evidence())
		checkDecision(t, name, d)
		for _, line := range want {
			if got := tell(d, line); got != line {
				t.Errorf("%s\ngot  %s\nwant %s\n%s", name, got, line, d.Sentence)
			}
		}
	}
}

// tell says what a line asks for: the result and what decided, or one outcome.
func tell(d report.Decision, line string) string {
	first, id, _ := strings.Cut(line, " ")
	switch first {
	case report.Pass, report.Fail, report.Inconclusive:
		if d.Decided < 0 {
			return d.Result
		}
		return strings.TrimSpace(d.Result + " by " + d.Findings[d.Decided].Claim + " " + d.Findings[d.Decided].Subject)
	case "says":
		if strings.Contains(d.Sentence, id) {
			return line
		}
		return "says " + d.Sentence
	case "not-covered":
		for _, s := range d.NotCovered {
			if strings.Contains(s, id) {
				return line
			}
		}
		return "not-covered " + strings.Join(d.NotCovered, " | ")
	}
	for _, f := range d.Findings {
		if strings.TrimSpace(f.Claim+" "+f.Subject) == id {
			return f.Outcome + " " + id
		}
	}
	return "none " + id
}

// checkDecision checks what is so of every decision.
func checkDecision(t *testing.T, name string, d report.Decision) {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil || strings.Contains(d.Sentence, "\n") || !strings.HasPrefix(d.Sentence, d.Result+": ") || len(d.NotCovered) == 0 {
		t.Errorf("%s: %v\n%s", name, err, b)
	}
	if (d.Decided < 0) != (d.Result == report.Pass) || d.Decided >= len(d.Findings) {
		t.Errorf("%s: %s, decided by %d", name, d.Result, d.Decided)
	}
	for _, f := range d.Findings {
		if f.Sentence == "" || f.Claim == "" || f.List == "" || d.Result == report.Pass && f.Outcome != report.Holds && f.Outcome != report.NotApplicable {
			t.Errorf("%s: finding %+v", name, f)
		}
	}
}

// The limit that decides is the one of metrics, strictly: one broken row more, and
// the claim no longer holds.
func TestBoundary(t *testing.T) {
	const n, bound = 2000, -.03
	most := -1
	for b := 0; b < n; b++ {
		if low, _ := metrics.TangoLimits(int64(b), 0, n, .01); low > bound {
			most = b
		}
	}
	outcome := func(broke, attempt int) string {
		w := newWorld(t)
		w.attempt = attempt
		w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n"
		w.rows(0, 0, n, broke, 0, 100)
		d := Judge(w.resolve(), w.evidence())
		return d.Result
	}
	if most < 5 || outcome(most, 1) != report.Pass || outcome(most+1, 1) != report.Inconclusive {
		t.Errorf("%d broken rows: %s, %d: %s", most, outcome(most, 1), most+1, outcome(most+1, 1))
	}
	// The same rows on the second run need a wider limit.
	if got := outcome(most, 2); got != report.Inconclusive {
		t.Errorf("second run: %s", got)
	}
}

// What is stored when a policy is activated judges like the original, and the same
// evidence gives the same bytes.
func TestResolvedRoundTrip(t *testing.T) {
	w := newWorld(t)
	w.policy = "watch:\n  - {id: slices, metric: accuracy, over: [sex, age, sex*age, class], harm_pp: 5, detect_pp: 20}\n"
	w.rows(0, 0, 900, 30, 10, 50)
	w.rows(1, 1, 900, 10, 10, 50)
	w.rows(1, 0, 20, 2, 0, 1)
	r := w.resolve()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Resolved
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*r, back) {
		t.Errorf("%+v\n%+v", *r, back)
	}
	one, _ := json.Marshal(Judge(r, w.evidence()))
	two, _ := json.Marshal(Judge(&back, w.evidence()))
	if string(one) != string(two) {
		t.Errorf("%s\n%s", one, two)
	}
	if err := json.Unmarshal([]byte(`{"format":"proctor/policy/2"}`), &back); err == nil {
		t.Error("an unknown format was read")
	}
	if !r.Covered("sex", "F") || r.Covered("sex*age", "M × old") || r.Covered("sex*age", rest) || r.Covered("race", "F") {
		t.Error("coverage of slices")
	}
	if got := r.Dimensions(); !reflect.DeepEqual(got, []string{"sex", "age", "sex*age", "class"}) {
		t.Error(got)
	}
}

// Judge is total: no evidence gives a decision that is not a pass.
func TestJudgeIsTotal(t *testing.T) {
	w := newWorld(t)
	w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n"
	w.rows(0, 0, 2000, 0, 0, 100)
	r := w.resolve()
	full := w.evidence()
	if d := Judge(r, full); d.Result != report.Pass {
		t.Fatalf("negative control: complete evidence is no pass: %s", d.Sentence)
	}
	for name, change := range map[string]func(*Evidence){
		"nothing":      func(e *Evidence) { *e = Evidence{} },
		"no candidate": func(e *Evidence) { e.Candidate = nil },
		"no pair":      func(e *Evidence) { e.Diff = &regress.Diff{} },
		"no probes":    func(e *Evidence) { e.Probes = nil },
		"empty probes": func(e *Evidence) { e.Probes = &Probes{} },
		"no binding":   func(e *Evidence) { e.Binding = "" },
		"no tier":      func(e *Evidence) { e.Tier = "" },
		"run 0":        func(e *Evidence) { e.Attempt = 0 },
		"run 7 of 6":   func(e *Evidence) { e.Attempt = 7 },
		"more suites":  func(e *Evidence) { e.Judged = []*regress.Judged{nil} },
		"no baseline":  func(e *Evidence) { e.Diff = nil },
	} {
		e := full
		change(&e)
		d := Judge(r, e)
		checkDecision(t, name, d)
		if d.Result == report.Pass {
			t.Errorf("%s is a pass: %s", name, d.Sentence)
		}
	}
	for _, r := range []*Resolved{nil, {}} {
		if d := Judge(r, full); d.Result != report.Inconclusive {
			t.Errorf("no policy: %s", d.Sentence)
		}
	}
}

// With many canaries a small excess is shown beyond doubt and still is no memory of
// the set: models that differ agree a little more or less.
func TestSmallExcess(t *testing.T) {
	w := newWorld(t)
	w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n"
	w.rows(0, 0, 2000, 20, 20, 100)
	e := w.evidence()
	for only, want := range map[int64]string{60: report.Holds, 160: report.Violated} {
		e.Probes = &Probes{Canaries: 2000, CanaryAgree: 300, CanaryOnlyCandidate: only, CanaryOnlyBaseline: 10}
		if f := memorisation(w.resolve(), e); f.Outcome != want {
			t.Errorf("%d: %s %s", only, f.Outcome, f.Sentence)
		}
	}
}

// A frame over other rows than those committed is no evidence.
func TestOtherRows(t *testing.T) {
	w := newWorld(t)
	w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n"
	w.rows(0, 0, 2000, 20, 20, 100)
	r := w.resolve()
	w.rows(0, 0, 2, 0, 0, 0)
	if d := Judge(r, w.evidence()); tell(d, "FAIL by coverage") != "FAIL by coverage" || !strings.Contains(d.Sentence, "2002 scored rows, 2000 were committed") {
		t.Error(d.Sentence)
	}
}
