package policy

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// A dependentWorld draws two models on clusters of rows, or on rows with weights.
type dependentWorld struct {
	t   *testing.T
	rng *rand.Rand
	dep Dependence
}

// clustersOf has so many clusters of ten rows each.
func clustersOf(t *testing.T, n int) dependentWorld {
	w := dependentWorld{t: t, rng: rand.New(rand.NewPCG(1, 2))}
	for r := range 10 * n {
		w.dep.Clusters = append(w.dep.Clusters, int32(r/10))
	}
	return w
}

// evidence makes a candidate of what changed by row: -1 broke, +1 fixed.
func (w dependentWorld) evidence(change []int8) Evidence {
	w.t.Helper()
	n := len(change)
	a := metrics.Answers{Classes: []string{"no", "yes"}, Positive: -1, Labels: make([]int32, n)}
	d := metrics.Dimension{Name: "half", Values: []string{"a", "b"}}
	before, now := make([]int32, n), make([]int32, n)
	for r, c := range change {
		a.Labels[r] = int32(r % 2)
		d.Codes = append(d.Codes, int32(2*r/n))
		before[r], now[r] = a.Labels[r], a.Labels[r]
		switch c {
		case -1:
			now[r] = 1 - now[r]
		case 1:
			before[r] = 1 - before[r]
		}
	}
	a.Dimensions = []metrics.Dimension{d}
	b, c := join(w.t, a, metrics.Predictions{Labels: before}), join(w.t, a, metrics.Predictions{Labels: now})
	diff, err := regress.Compare(b, c, nil, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return Evidence{Attempt: 1, Candidate: c, Diff: diff, Dependence: w.dep, Best: b}
}

const dependentPolicy = `policy: p
lineage: l
holdouts: [s]
confidence: 0.99
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -3}
watch:
  - {id: halves, metric: accuracy, over: [half], harm_pp: 1, detect_pp: 20}
anchor: {change_at_least_pp: -3}
first_model: {accuracy_at_least_pct: 60, people: 2}
tier_at_least: none
budget_runs: 2
review: {people: 1}
valid_days: 7
on_missing: fail
`

// bind resolves the policy on a set with these many witnesses, 0: as many as rows.
func (w dependentWorld) bind(text string, rows, clusters int, witnesses int64) (*Resolved, error) {
	w.t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	half := int64(rows / 2)
	c := holdout.Commitment{Name: "s", Version: 1, Digest: "sha256:s", Rows: rows, Canaries: 200, Twins: 1250, Classes: []string{"no", "yes"}, ClassCounts: []int64{half, half},
		SliceSizes: map[string]map[string]int64{"half": {"a": half, "b": half}, "class": {"no": half, "yes": half}}}
	if witnesses > 0 {
		c.Clusters, c.Weighted = clusters, w.dep.Weights != nil
		c.Witnesses = map[string]map[string]int64{"": {"": witnesses}, "half": {"a": witnesses / 2, "b": witnesses / 2}, "class": {"no": witnesses, "yes": witnesses}}
	}
	return Resolve(p, []holdout.Commitment{c}, nil)
}

func (w dependentWorld) must(text string, rows, clusters int, witnesses int64) *Resolved {
	w.t.Helper()
	r, err := w.bind(text, rows, clusters, witnesses)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// moved changes a tenth of the clusters as a whole, by about half of their rows, with a
// true change of accuracy of shift.
func (w dependentWorld) moved(shift float64) []int8 {
	out := make([]int8, len(w.dep.Clusters))
	for first := 0; first < len(out); first += 10 {
		if w.rng.Float64() >= 0.1 {
			continue
		}
		way := int8(1)
		if w.rng.Float64() < 0.5-shift/0.1 {
			way = -1
		}
		for r := first; r < first+10; r++ {
			if w.rng.Float64() < 0.5 {
				out[r] = way
			}
		}
	}
	return out
}

// Rows of one cluster that change together are not so many witnesses. At a level of
// 1 %, tests of rows call an equal model worse, and a model that is 3 points worse no
// worse than that, far more often; clustered ones do not. The control is the same rows
// with clusters undeclared.
func TestClusteredErrorRates(t *testing.T) {
	const runs, most, naive = 400, 12, 20 // 4 are expected; 13 and more have probability 1e-4
	w := clustersOf(t, 200)
	plain := dependentWorld{t: t}
	ours, theirs := w.must(dependentPolicy, 2000, 200, 200), plain.must(dependentPolicy, 2000, 0, 0)
	var alarms, alarmsNaive, missed, missedNaive int
	for range runs {
		for _, shift := range []float64{0, -0.03} {
			e := w.evidence(w.moved(shift))
			undeclared := e
			undeclared.Dependence = Dependence{}
			a, b := ours.of(ours.Hypotheses[0], e), theirs.of(theirs.Hypotheses[0], undeclared)
			if a.value != b.value && math.Abs(a.value-b.value) > 1e-12 {
				t.Fatalf("change %v by clusters, %v by rows", a.value, b.value)
			}
			if shift == 0 {
				alarms, alarmsNaive = alarms+one(a.worse <= 0.01), alarmsNaive+one(b.worse <= 0.01)
				continue
			}
			missed, missedNaive = missed+one(holdsThree(a)), missedNaive+one(holdsThree(b))
		}
	}
	t.Logf("of %d: false alarms %d, by rows %d; 3 points worse held to be less %d, by rows %d", runs, alarms, alarmsNaive, missed, missedNaive)
	if alarms > most || missed > most {
		t.Errorf("%d false alarms and %d missed of %d", alarms, missed, runs)
	}
	if alarmsNaive < naive || missedNaive < naive {
		t.Errorf("negative control: %d false alarms and %d missed by rows", alarmsNaive, missedNaive)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// holdsThree says whether an effect holds "no more than 3 points lost" at 1 %.
func holdsThree(e effect) bool {
	_, up, ok := e.lossLimits(-1, 0.01)
	return ok && up < 0.03
}

// A loss on the few rows that carry half of the weight is seen with the weights, and
// not without.
func TestWeightedErrorRates(t *testing.T) {
	const runs, n, heavy = 400, 4000, 400
	w := dependentWorld{t: t, rng: rand.New(rand.NewPCG(3, 4))}
	for r := range n {
		w.dep.Weights = append(w.dep.Weights, 1+8*float64(one(r%10 == 0))) // half of 7,200
	}
	worth := int64(7200 * 7200 / (heavy*81 + (n - heavy)))
	ours, theirs := w.must(dependentPolicy, n, 0, worth), dependentWorld{t: t}.must(dependentPolicy, n, 0, 0)
	missed, missedNaive := 0, 0
	for range runs {
		change := make([]int8, n)
		for r := range change {
			if r%10 == 0 && w.rng.Float64() < 0.06 { // 3 points of the whole weight
				change[r] = -1
			}
		}
		e := w.evidence(change)
		undeclared := e
		undeclared.Dependence = Dependence{}
		missed += one(holdsThree(ours.of(ours.Hypotheses[0], e)))
		missedNaive += one(holdsThree(theirs.of(theirs.Hypotheses[0], undeclared)))
	}
	t.Logf("of %d: 3 points worse held to be less %d, without weights %d", runs, missed, missedNaive)
	if missed > 12 || missedNaive < runs*9/10 {
		t.Errorf("missed %d, without weights %d", missed, missedNaive)
	}
}

// Each row its own cluster of weight 1 counts as without them, or more cautiously.
func TestDependenceOfNone(t *testing.T) {
	w := dependentWorld{t: t, rng: rand.New(rand.NewPCG(5, 6))}
	change := make([]int8, 3000)
	for r := range change {
		w.dep.Clusters, w.dep.Weights = append(w.dep.Clusters, int32(r)), append(w.dep.Weights, 2)
		change[r] = []int8{-1, 1, 0, 0, 0, 0, 0, 0, 0, 0}[w.rng.IntN(10)]
	}
	for _, c := range [][]int8{change, make([]int8, 3000)} {
		e := w.evidence(c)
		a, b := w.must(dependentPolicy, 3000, 3000, 3000).of(Hypothesis{Metric: "accuracy", Rows: 3000}, e), counted(e.Diff.Pair.Cells())
		for _, alpha := range []float64{0.2, 0.01, 1e-4} {
			low, up, ok := a.limits(alpha)
			exactLow, exactUp, _ := b.limits(alpha)
			if !ok || low > exactLow || up < exactUp || up-low > 1.1*(exactUp-exactLow) {
				t.Errorf("limits %v to %v, exact %v to %v", low, up, exactLow, exactUp)
			}
		}
		if a.worse < b.worse || a.n != b.n || math.Abs(a.value-b.value) > 1e-12 {
			t.Errorf("%v %v of %d, exact %v %v", a.value, a.worse, a.n, b.value, b.worse)
		}
	}
}

// Claims that cannot be measured over clusters are refused before any run, and evidence
// without the clusters of the set decides nothing.
func TestDependenceIsNeverIgnored(t *testing.T) {
	w := clustersOf(t, 200)
	for _, c := range []struct{ from, to, says string }{
		{"{id: overall, metric: accuracy, change_at_least_pp: -3}", "{id: overall, metric: brier, change_at_most: 0.1}", "only accuracy has limits"},
		{"{id: halves, metric: accuracy, over: [half], harm_pp: 1, detect_pp: 20}", "{id: halves, metric: f1, harm_pp: 1, detect_pp: 20}", "only accuracy has limits"},
	} {
		if _, err := w.bind(strings.Replace(dependentPolicy, c.from, c.to, 1), 2000, 200, 200); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.to, err)
		}
		if _, err := (dependentWorld{t: t}).bind(strings.Replace(dependentPolicy, c.from, c.to, 1), 2000, 0, 0); err != nil {
			t.Errorf("without clusters: %v", err)
		}
	}
	if _, err := w.bind(dependentPolicy, 2000, 12, 12); err == nil || !strings.Contains(err.Error(), "12 clusters") {
		t.Errorf("12 clusters: %v", err)
	}
	// Power counts a cluster as one row.
	r, plain := w.must(dependentPolicy, 2000, 200, 200), dependentWorld{t: t}.must(dependentPolicy, 2000, 0, 0)
	if a, b := r.holds(r.Hypotheses[0]), plain.holds(plain.Hypotheses[0]); a >= b {
		t.Errorf("an equal model holds with %v on 200 witnesses, %v on 2000 rows", a, b)
	}
	if _, err := Check(r); err == nil {
		t.Error("a margin of 3 points is taken with 200 witnesses")
	}
	e := w.evidence(w.moved(0))
	without := e
	without.Dependence = Dependence{}
	short := e
	short.Dependence.Clusters = short.Dependence.Clusters[:1999]
	for name, bad := range map[string]Evidence{"without": without, "short": short} {
		found, _ := compare(r, bad)
		a, ok := anchor(r, bad)
		for _, f := range append(found, a) {
			if f.Outcome != report.Undecided || !ok {
				t.Errorf("%s: %s %s is %s", name, f.Claim, f.Subject, f.Outcome)
			}
		}
	}
	found, _ := compare(plain, e) // clusters that were not committed
	for _, f := range found {
		if f.Outcome != report.Undecided {
			t.Errorf("clusters from nowhere: %s %s is %s", f.Claim, f.Subject, f.Outcome)
		}
	}
	// A hundred rows of one customer are one witness.
	one := w
	one.dep.Clusters = append([]int32(nil), w.dep.Clusters...)
	for i := range 1000 {
		one.dep.Clusters[i] = 0
	}
	x := r.of(Hypothesis{Metric: "accuracy", Dimension: "half", Value: "a", Rows: 1000}, one.evidence(w.moved(0)))
	if x.undefined == "" {
		t.Errorf("one customer: %+v", x)
	}
	line := strings.Join(notCovered(r, e, nil, nil), "\n")
	if !strings.Contains(line, "200 clusters") {
		t.Error(line)
	}
	rep := &report.Report{Search: &report.Search{Method: "m"}}
	p := 0.1
	rep.Flips.P = &p
	if ByRows(rep, without); rep.Flips.P == nil || rep.Search.Method == "" {
		t.Error("a report of independent rows is changed")
	}
	if ByRows(rep, e); rep.Flips.P != nil || rep.Search.Method != "" || len(rep.Flips.Change.Warnings) != 1 {
		t.Errorf("%+v", rep)
	}
}

// A first model and the anchor count by clusters too.
func TestFirstAndAnchorByClusters(t *testing.T) {
	w := clustersOf(t, 200)
	r, plain := w.must(dependentPolicy, 2000, 200, 200), dependentWorld{t: t}.must(dependentPolicy, 2000, 0, 0)
	change := make([]int8, 2000)
	for i := range 700 { // whole clusters are wrong: .65 right
		change[i] = -1
	}
	e := w.evidence(change)
	e.Diff = nil
	undeclared := e
	undeclared.Dependence = Dependence{}
	if a, b := first(r, e), first(plain, undeclared); a.Outcome != report.Undecided || b.Outcome != report.Holds {
		t.Errorf("%s by clusters, %s by rows", a.Outcome, b.Outcome)
	}
	e = w.evidence(make([]int8, 2000))
	if a, ok := anchor(r, e); !ok || a.Outcome != report.Holds {
		t.Errorf("an equal model: %+v", a)
	}
	if e.Best = nil; true {
		if a, _ := anchor(r, e); a.Outcome != report.Undecided {
			t.Errorf("without the best model's answers: %+v", a)
		}
	}
}
