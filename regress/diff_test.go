package regress

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/report"
	"proctor/metrics"
)

func join(t *testing.T, a metrics.Answers, labels []int32) *metrics.Frame {
	t.Helper()
	f, err := metrics.Join(memory.DefaultAllocator, a, metrics.Predictions{Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

func compare(t *testing.T, b, c *metrics.Frame, bs, cs []*Judged) *Diff {
	t.Helper()
	d, err := Compare(b, c, bs, cs)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// frames makes two models of random quality over n rows with two slice columns.
func frames(t *testing.T, r *rand.Rand, n int) (b, c *metrics.Frame) {
	a := metrics.Answers{Classes: []string{"a", "b", "c"}, Positive: -1, Labels: codes(r, n, 0, 3), Dimensions: []metrics.Dimension{
		{Name: "sex", Values: []string{"Female", "Male"}, Codes: codes(r, n, 0, 2)},
		{Name: "race", Values: []string{"x", "y", "never", "z"}, Codes: codes(r, n, 0, 2)},
	}}
	for i := range n { // "never" has no rows
		a.Dimensions[1].Codes[i] += a.Dimensions[1].Codes[i] * 2 * (a.Labels[i] % 2)
	}
	return join(t, a, codes(r, n, -1, 3)), join(t, a, codes(r, n, -1, 3))
}

func codes(r *rand.Rand, n int, lo, hi int32) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = lo + r.Int32N(hi-lo)
	}
	return out
}

// count is the slow twin of every count in a report: one loop, no cells.
func count(b, c *metrics.Frame, in func(i int) bool) report.Flips {
	var f report.Flips
	for i, y := range b.Answers() {
		if !in(i) {
			continue
		}
		bl, cl := b.Labels()[i], c.Labels()[i]
		f.N++
		if bl == y && cl == y {
			f.BothRight++
		}
		if bl == y && cl != y {
			f.Broke++
		}
		if bl != y && cl == y {
			f.Fixed++
		}
		if bl != y && cl != y {
			f.BothWrong++
			if bl != cl {
				f.WrongOtherwise++
			}
		}
	}
	return f
}

func counts(f report.Flips) [6]int64 {
	return [6]int64{f.N, f.BothRight, f.Broke, f.Fixed, f.BothWrong, f.WrongOtherwise}
}

// Flips, slices, intersections, classes and broken rows of random pairs agree with
// a loop over the rows, and come in one order.
func TestDiffTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		b, c := frames(t, r, 1+r.IntN(60))
		d := compare(t, b, c, nil, nil)
		checkFlips(t, d.Flips(.95), count(b, c, func(int) bool { return true }))
		churn := 0
		for i, l := range b.Labels() {
			if c.Labels()[i] != l {
				churn++
			}
		}
		if got := *d.Flips(.95).Churn.Value; math.Abs(got-float64(churn)/float64(b.Len())) > 1e-12 {
			t.Fatalf("churn is %v, %d of %d answers differ", got, churn, b.Len())
		}
		checkSlices(t, d, b, c)
		checkBroke(t, d, b, c)
	}
}

func checkFlips(t *testing.T, got, want report.Flips) {
	t.Helper()
	if counts(got) != counts(want) {
		t.Fatalf("got %v, want %v", counts(got), counts(want))
	}
	n := float64(want.N)
	for _, e := range []struct {
		name string
		got  report.Estimate
		k, n float64
	}{
		{"change", got.Change, float64(want.Fixed - want.Broke), n},
		{"NFR", got.NFR, float64(want.Broke), n},
		{"PFR", got.PFR, float64(want.Fixed), n},
		{"BTC", got.BTC, float64(want.BothRight), float64(want.BothRight + want.Broke)},
		{"BEC", got.BEC, float64(want.BothWrong), float64(want.BothWrong + want.Broke)},
	} {
		switch {
		case e.n == 0:
			if e.got.Value != nil || e.got.Undefined == "" || e.got.Low != nil {
				t.Errorf("%s of nothing is %+v", e.name, e.got)
			}
		case e.got.Value == nil || math.Abs(*e.got.Value-e.k/e.n) > 1e-12 || *e.got.Low > *e.got.Value || *e.got.High < *e.got.Value || e.got.N != int64(e.n) || e.got.Confidence != .95:
			t.Errorf("%s: want %v/%v, got %+v", e.name, e.k, e.n, e.got)
		}
	}
}

func checkSlices(t *testing.T, d *Diff, b, c *metrics.Frame) {
	t.Helper()
	covered := func(dim, value string) bool { return dim == "sex" && value == "Male" }
	got, err := d.Slices([]string{"race", "sex*race", "class", "sex"}, covered, .95)
	if err != nil {
		t.Fatal(err)
	}
	sex, race := b.Dimensions()[0], b.Dimensions()[1]
	var want []report.Slice
	add := func(dim, value string, in func(i int) bool) {
		if f := count(b, c, in); f.N > 0 {
			want = append(want, report.Slice{Dimension: dim, Value: value, Flips: f, Covered: covered(dim, value)})
		}
	}
	for v, name := range race.Values {
		add("race", name, func(i int) bool { return race.Codes[i] == int32(v) })
	}
	for u, first := range sex.Values {
		for v, second := range race.Values {
			add("sex*race", first+" × "+second, func(i int) bool { return sex.Codes[i] == int32(u) && race.Codes[i] == int32(v) })
		}
	}
	for v, name := range b.Classes() {
		add("class", name, func(i int) bool { return b.Answers()[i] == int32(v) })
	}
	for v, name := range sex.Values {
		add("sex", name, func(i int) bool { return sex.Codes[i] == int32(v) })
	}
	if len(got) != len(want) {
		t.Fatalf("%d slices, want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i].Dimension != w.Dimension || got[i].Value != w.Value || got[i].Covered != w.Covered {
			t.Fatalf("slice %d is %s=%s %v, want %s=%s %v", i, got[i].Dimension, got[i].Value, got[i].Covered, w.Dimension, w.Value, w.Covered)
		}
		checkFlips(t, got[i].Flips, w.Flips)
	}
}

func checkBroke(t *testing.T, d *Diff, b, c *metrics.Frame) {
	t.Helper()
	name := func(l int32) string {
		if l < 0 {
			return "(none of the classes)"
		}
		return b.Classes()[l]
	}
	var want []report.RowFlip
	for i, y := range b.Answers() {
		if b.Labels()[i] == y && c.Labels()[i] != y {
			want = append(want, report.RowFlip{Row: int64(i), Answer: name(y), Baseline: name(y), Candidate: name(c.Labels()[i])})
		}
	}
	for _, limit := range []int{-1, 0, 1, 3, 1 << 30} {
		got := d.BrokeRows(limit)
		if !slices.Equal(got, want[:max(0, min(limit, len(want)))]) {
			t.Fatalf("limit %d: %v, want the first of %v", limit, got, want)
		}
	}
}

// A report never lists more rows than it may, whatever is asked.
func TestBrokeRowsAreBounded(t *testing.T) {
	n := report.MaxRows + 7
	a := metrics.Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: make([]int32, n)}
	d := compare(t, join(t, a, make([]int32, n)), join(t, a, slices.Repeat([]int32{1}, n)), nil, nil)
	if got := len(d.BrokeRows(n)); got != report.MaxRows {
		t.Errorf("%d rows are listed", got)
	}
}

func TestSlicesOfUnknownDimension(t *testing.T) {
	b, c := frames(t, rand.New(rand.NewPCG(1, 1)), 5)
	d := compare(t, b, c, nil, nil)
	if _, err := d.Slices([]string{"sex", "age"}, func(string, string) bool { return true }, .95); err == nil || !strings.Contains(err.Error(), "age") {
		t.Errorf("got %v", err)
	}
}

// The same inputs give the same bytes.
func TestDiffIsDeterministic(t *testing.T) {
	once := func() string {
		b, c := frames(t, rand.New(rand.NewPCG(5, 6)), 200)
		d := compare(t, b, c, nil, nil)
		s, err := d.Slices([]string{"sex*race", "race", "class"}, func(string, string) bool { return false }, .99)
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.Metrics(.99)
		if err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal([]any{d.Flips(.99), s, m, d.BrokeRows(500)})
		if err != nil {
			t.Fatal(err)
		}
		return string(j)
	}
	want := once()
	for range 5 {
		if got := once(); got != want {
			t.Fatal("two runs differ")
		}
	}
}

// judged makes outcomes out of one letter a case: p, f, n.
func judged(t *testing.T, name string, tests ...string) *Judged {
	t.Helper()
	var ts []Test
	j := &Judged{}
	at := 0
	for i, letters := range tests {
		out := make([]Outcome, len(letters))
		for c, l := range letters {
			out[c] = map[rune]Outcome{'p': Passed, 'f': Failed, 'n': NotApplicable}[l]
		}
		j.outcomes, j.read = append(j.outcomes, out), append(j.read, [2]int{at, at + 2*len(letters)})
		at += 2 * len(letters)
		ts = append(ts, Test{Name: fmt.Sprint("t", i+1), Capability: "c", Kind: Trigger, Change: "x", Target: "a", Critical: i == 1,
			Changed: slices.Repeat([]int32{1}, len(letters)), Examples: numbered(t, 2*len(letters))})
	}
	var err error
	if j.suite, err = New(name, "", ts); err != nil {
		t.Fatal(err)
	}
	return j
}

func twoFrames(t *testing.T) (b, c *metrics.Frame) { return frames(t, rand.New(rand.NewPCG(1, 2)), 10) }

// Cases are paired one by one; what applies to one model only is counted apart.
func TestTestResults(t *testing.T) {
	b, c := twoFrames(t)
	d := compare(t, b, c,
		[]*Judged{judged(t, "s", "ppppffnnp", "nn"), judged(t, "u", "fffpp")},
		[]*Judged{judged(t, "s", "pfffpfnpn", "pp"), judged(t, "u", "ppppp")})
	got := d.TestResults(.95)
	if len(got) != 3 {
		t.Fatalf("%d results", len(got))
	}
	for i, w := range []struct {
		suite, name                                   string
		cases, na, baseFailed, candFailed, broke, fix int64
		change, p                                     float64
	}{
		{"s", "t1", 9, 3, 2, 4, 3, 1, 2. / 6, 5. / 16}, // P(X >= 3 of 4 coins)
		{"s", "t2", 2, 2, 0, 0, 0, 0, math.NaN(), math.NaN()},
		{"u", "t1", 5, 0, 3, 0, 0, 3, -3. / 5, 1},
	} {
		g := got[i]
		if g.Suite != w.suite || g.Name != w.name || g.Kind != "trigger" || g.Capability != "c" || g.Critical != (w.name == "t2") ||
			g.Cases != w.cases || g.NotApplicable != w.na || g.BaselineFailed != w.baseFailed || g.CandidateFailed != w.candFailed || g.Broke != w.broke || g.Fixed != w.fix {
			t.Errorf("%+v, want %+v", g, w)
		}
		if n := d.Tests[i].Cells.N(); n != g.Cases-g.NotApplicable {
			t.Errorf("%s: cells of %d cases, %d - %d are applicable", g.Name, n, g.Cases, g.NotApplicable)
		}
		if math.IsNaN(w.change) {
			if g.P != nil || g.Change.Value != nil || g.Change.Undefined != "no case is applicable to both models" {
				t.Errorf("%s: nothing was asked, yet %+v", g.Name, g)
			}
			continue
		}
		if math.Abs(*g.Change.Value-w.change) > 1e-12 || math.Abs(*g.P-w.p) > 1e-12 || *g.Change.Low > w.change || *g.Change.High < w.change {
			t.Errorf("%s: change %+v p %v, want %v and %v", g.Name, g.Change, *g.P, w.change, w.p)
		}
	}
}

// Harm is positive in a test, negative in accuracy, and so are the limits: with a
// model that only breaks, the interval of the change lies on the side of harm.
func TestHarmIsPositive(t *testing.T) {
	b, c := twoFrames(t)
	d := compare(t, b, c, []*Judged{judged(t, "s", strings.Repeat("p", 60))}, []*Judged{judged(t, "s", strings.Repeat("f", 40)+strings.Repeat("p", 20))})
	got := d.TestResults(.95)[0].Change
	if *got.Value <= 0 || *got.Low <= 0 {
		t.Errorf("40 of 60 cases broke: %v [%v, %v]", *got.Value, *got.Low, *got.High)
	}
	a := metrics.Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: make([]int32, 60)}
	worse := make([]int32, 60)
	for i := range 40 {
		worse[i] = 1
	}
	f := compare(t, join(t, a, make([]int32, 60)), join(t, a, worse), nil, nil).Flips(.95)
	if *f.Change.Value >= 0 || *f.Change.High >= 0 {
		t.Errorf("40 of 60 rows broke: %v [%v, %v]", *f.Change.Value, *f.Change.Low, *f.Change.High)
	}
	if math.Abs(*f.Change.Low+*got.High) > 1e-9 || math.Abs(*f.Change.High+*got.Low) > 1e-9 {
		t.Errorf("the same flips have intervals [%v, %v] and [%v, %v]", *f.Change.Low, *f.Change.High, *got.Low, *got.High)
	}
}

// Outcomes that lost a case are refused. Without the count the pairing itself would
// take them, and the harm would be gone.
func TestCompareCountsAgain(t *testing.T) {
	b, c := twoFrames(t)
	base, cand := judged(t, "s", "pppp", "pp"), judged(t, "s", "ppff", "pp")
	full := compare(t, b, c, []*Judged{base}, []*Judged{cand})
	if full.Tests[0].Cells.Broke != 2 {
		t.Fatalf("the harm is %+v", full.Tests[0].Cells)
	}
	lost := &Judged{suite: cand.suite, outcomes: [][]Outcome{cand.outcomes[0][:2], cand.outcomes[1]}}
	baseLost := &Judged{suite: base.suite, outcomes: [][]Outcome{base.outcomes[0][:2], base.outcomes[1]}}
	if got := diffTest(cand.suite, 0, baseLost.outcomes[0], lost.outcomes[0]); got.Cells.Broke != 0 {
		t.Fatalf("the attack does not work without the guard: %+v", got)
	}
	unjudged := &Judged{suite: cand.suite, outcomes: [][]Outcome{{Passed, Passed, 0, 0}, cand.outcomes[1]}}
	for _, w := range []struct {
		name string
		b, c []*Judged
		want string
	}{
		{"a case is gone", []*Judged{base}, []*Judged{lost}, "compare: suite 1: s, test t1: 4 cases are declared, 2 were judged"},
		{"a case of both is gone", []*Judged{baseLost}, []*Judged{lost}, "compare: suite 1: s, test t1: 4 cases are declared, 2 were judged"},
		{"a test is gone", []*Judged{base}, []*Judged{{suite: cand.suite, outcomes: cand.outcomes[:1]}}, "compare: suite 1: s declares 2 tests, 1 were judged"},
		{"a case is there and not judged", []*Judged{base}, []*Judged{unjudged}, "compare: suite 1: s: case t1/3 was not judged"},
		{"nothing was judged", []*Judged{base}, []*Judged{{}}, "compare: suite 1: it was not judged"},
		{"nobody judged", []*Judged{nil}, []*Judged{cand}, "compare: suite 1: it was not judged"},
		{"a suite is gone", []*Judged{base, base}, []*Judged{cand}, "compare: the baseline was judged on 2 suites, the candidate on 1"},
	} {
		if _, err := Compare(b, c, w.b, w.c); err == nil || err.Error() != w.want {
			t.Errorf("%s:\ngot  %v\nwant %s", w.name, err, w.want)
		}
	}
	other := judged(t, "s", "pppp", "ppp")
	if _, err := Compare(b, c, []*Judged{base}, []*Judged{other}); err == nil || !strings.Contains(err.Error(), "the baseline was judged on s sha256:") {
		t.Errorf("another suite of the same name: %v", err)
	}
	if _, err := Compare(b, join(t, metrics.Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: []int32{0}}, []int32{0}), nil, nil); err == nil {
		t.Error("frames over other rows are compared")
	}
}

// A first model has failures and no change.
func TestFirst(t *testing.T) {
	got := FirstResults([]*Judged{judged(t, "s", "pfnnf"), judged(t, "u", "p")})
	want := []report.Test{
		{Suite: "s", Name: "t1", Capability: "c", Kind: "trigger", Cases: 5, NotApplicable: 2, CandidateFailed: 2, Change: report.Estimate{Undefined: "there is no baseline"}},
		{Suite: "u", Name: "t1", Capability: "c", Kind: "trigger", Cases: 1, Change: report.Estimate{Undefined: "there is no baseline"}},
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
	b, _ := twoFrames(t)
	ms, err := FirstMetrics(b, .95)
	if err != nil || len(ms) == 0 {
		t.Fatal(err, len(ms))
	}
	for _, m := range ms {
		if m.Baseline.Value != nil || m.Change.Value != nil || m.Change.Undefined == "" || m.Candidate.Value == nil && m.Candidate.Undefined == "" {
			t.Errorf("%+v", m)
		}
	}
}

// Metrics that need what is not there are left out, the others are all there.
func TestMetricsThatApply(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, positive := range []int{-1, 1} {
		for _, withProbs := range []bool{false, true} {
			a := metrics.Answers{Classes: []string{"a", "b"}, Positive: positive, Labels: codes(r, 50, 0, 2)}
			p := metrics.Predictions{Labels: codes(r, 50, 0, 2)}
			for i := 0; withProbs && i < 50; i++ {
				v := r.Float64()
				p.Probs = append(p.Probs, v, 1-v)
			}
			f, err := metrics.Join(memory.DefaultAllocator, a, p)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Release()
			var want []string
			for _, d := range metrics.All() {
				if (withProbs || !d.NeedsProbs) && (positive >= 0 || !d.NeedsPositive) {
					want = append(want, d.ID)
				}
			}
			first, err := FirstMetrics(f, .95)
			if err != nil {
				t.Fatal(err)
			}
			both, err := compare(t, f, f, nil, nil).Metrics(.95)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range [][]report.Metric{first, both} {
				if ids := names(got); !slices.Equal(ids, want) {
					t.Errorf("positive %d, probabilities %v: %v, want %v", positive, withProbs, ids, want)
				}
			}
		}
	}
}

// A candidate that stopped giving probabilities does not make the metrics of
// probabilities disappear: they are there, with no change and a reason.
func TestLostProbabilitiesAreSeen(t *testing.T) {
	a := metrics.Answers{Classes: []string{"a", "b"}, Positive: 1, Labels: []int32{0, 1, 0, 1}}
	with, err := metrics.Join(memory.DefaultAllocator, a, metrics.Predictions{Labels: a.Labels, Probs: []float64{.9, .1, .2, .8, .7, .3, .4, .6}})
	if err != nil {
		t.Fatal(err)
	}
	defer with.Release()
	ms, err := compare(t, with, join(t, a, a.Labels), nil, nil).Metrics(.95)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, m := range ms {
		if def, _ := metrics.Lookup(m.Name); def.NeedsProbs {
			seen++
			if m.Baseline.Value == nil || m.Candidate.Value != nil || m.Change.Value != nil || m.Candidate.Undefined == "" || m.Change.Undefined == "" {
				t.Errorf("%+v", m)
			}
		}
	}
	if seen == 0 {
		t.Error("no metric of probabilities is there")
	}
}

func names(ms []report.Metric) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return out
}

// NaN never reaches a report, where it would stop the encoding, and never becomes a number.
func TestEstimateHoldsNoNaN(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, e := range []metrics.Estimate{
		{Value: nan, Low: 0, High: 1, Interval: true}, {Value: inf}, {Value: nan, Undefined: "no rows"},
	} {
		got := estimate(e)
		if got.Value != nil || got.Low != nil || got.Undefined == "" {
			t.Errorf("%+v becomes %+v", e, got)
		}
	}
	for _, e := range []metrics.Estimate{{Value: 1, Low: nan, High: 2, Interval: true}, {Value: 1, Low: 0, High: inf, Interval: true}, {Value: 1, Low: 0, High: 2}} {
		got := estimate(e)
		if got.Value == nil || got.Low != nil || got.High != nil || got.Confidence != 0 {
			t.Errorf("%+v becomes %+v", e, got)
		}
	}
}

// The published failure counts of BERT and RoBERTa on CheckList's QQP suite: shares
// per test and pooled. The authors published counts, not cases, so failures are put
// on the first cases of each model; every number here depends on the counts alone.
func TestChecklistQQP(t *testing.T) {
	file, err := os.Open("testdata/checklist_qqp.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	recs, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var bert, roberta []string
	for _, r := range recs[1:] {
		n := make([]int, 6)
		for i := 1; i < 6; i++ {
			if n[i], err = strconv.Atoi(r[i]); err != nil {
				t.Fatal(err)
			}
		}
		line := func(evaluated, fails int) string {
			return strings.Repeat("f", fails) + strings.Repeat("p", evaluated-fails) + strings.Repeat("n", n[1]-evaluated)
		}
		bert, roberta = append(bert, line(n[2], n[3])), append(roberta, line(n[4], n[5]))
	}
	b, c := twoFrames(t)
	bj, cj := judged(t, "qqp", bert...), judged(t, "qqp", roberta...)
	got := compare(t, b, c, []*Judged{bj}, []*Judged{cj}).TestResults(.95)
	if len(got) != 53 {
		t.Fatalf("%d tests", len(got))
	}
	for i, g := range got {
		if n := strings.Count(bert[i], "n"); n == 0 && (g.BaselineFailed != int64(strings.Count(bert[i], "f")) || g.CandidateFailed != int64(strings.Count(roberta[i], "f"))) {
			t.Errorf("%s: %+v", recs[i+1][0], g)
		}
	}
	for _, w := range []struct {
		row    int // of the file
		change float64
	}{{9, .380 - .218}, {30, 0 - 1}, {28, .972 - .614}} {
		at := w.row - 1
		if v := *got[at].Change.Value; math.Abs(v-w.change) > 1e-9 {
			t.Errorf("%s: change %v, want %v", recs[w.row][0], v, w.change)
		}
	}
	for _, w := range []struct {
		j    *Judged
		want string
	}{{bj, "39.68"}, {cj, "36.14"}} {
		failed, asked := int64(0), int64(0)
		for _, r := range FirstResults([]*Judged{w.j}) {
			failed, asked = failed+r.CandidateFailed, asked+r.Cases-r.NotApplicable
		}
		if got := fmt.Sprintf("%.2f", 100*float64(failed)/float64(asked)); got != w.want {
			t.Errorf("pooled failures %s %%, published %s %%", got, w.want)
		}
	}
}
