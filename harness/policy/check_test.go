package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// census has the sizes of the demo's set.
func census() holdout.Commitment {
	return holdout.Commitment{Name: "s", Version: 1, Rows: 16281, Canaries: 200, Twins: 1250, Classes: []string{"<=50K", ">50K"}, ClassCounts: []int64{12360, 3921},
		SliceSizes: map[string]map[string]int64{"class": {"<=50K": 12360, ">50K": 3921}, "sex": {"Female": 5418, "Male": 10863}, "tiny": {"a": 16281 - 40, "b": 10, "c": 30}, "crumbs": crumbs()}}
}

// crumbs is a dimension of which no value is large enough.
func crumbs() map[string]int64 {
	m := map[string]int64{}
	for i := range 407 {
		m[fmt.Sprint(i)] = 40
	}
	m["last"] = 1
	return m
}

// testdata/check.txt: claims and lines of a policy over the census sizes, then the
// error of Resolve or Check, or ok.
func TestCheck(t *testing.T) {
	file, err := os.ReadFile("testdata/check.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(strings.TrimSpace(string(file)), "\n\n") {
		set := census()
		text := map[string]string{"confidence": "0.99", "churn_pct": "4.9", "budget_runs": "6"}
		lists, extra, name, want := map[string]string{}, "", "", ""
		for _, l := range strings.Split(c, "\n") {
			verb, rest, _ := strings.Cut(l, " ")
			switch verb {
			case "#":
				name = rest
			case "prove", "watch":
				lists[verb] += "  - {" + rest + "}\n"
			case "confidence", "churn_pct", "budget_runs":
				text[verb] = rest
			case "policy":
				extra += rest + "\n"
			case "canaries":
				set.Canaries, set.Twins = 5, 0
			case "positive":
				set.Positive = rest
			case "error", "ok":
				want = rest
			default:
				t.Fatalf("unknown line %q", l)
			}
		}
		doc := "policy: p\nlineage: l\nholdouts: [s]\ntier_at_least: jail\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n" + extra
		for _, k := range []string{"confidence", "churn_pct", "budget_runs"} {
			doc += k + ": " + text[k] + "\n"
		}
		for _, k := range []string{"prove", "watch"} {
			if lists[k] != "" {
				doc += k + ":\n" + lists[k]
			}
		}
		if got := check(doc, set); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
		}
	}
}

func check(doc string, set holdout.Commitment) string {
	p, err := Parse([]byte(doc))
	if err != nil {
		return err.Error()
	}
	r, err := Resolve(p, []holdout.Commitment{set}, nil)
	if err != nil {
		return err.Error()
	}
	if _, err := Check(r); err != nil {
		return err.Error()
	}
	return ""
}

// The numbers that the design gives for a budget: 16,281 rows, 4.9 % churn, a margin
// of one point. In closed form Phi(.01/sqrt(.049/16281) - z(.01/3^(k-1))); enumerated
// with Tango's limits it is up to .011 less, since a loss has a larger variance.
func TestBudget(t *testing.T) {
	p, err := Parse([]byte("policy: p\nlineage: l\nholdouts: [s]\nconfidence: 0.99\nchurn_pct: 4.9\nprove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -1}\ntier_at_least: jail\nbudget_runs: 6\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Resolve(p, []holdout.Commitment{census()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for run, want := range map[int]float64{1: 1.00, 6: .97, 8: .91} {
		got := r.gate(r.Hypotheses[0], run).equal()
		closed := phi(.01/math.Sqrt(.049/16281) - quantile(r.level(run)))
		if math.Abs(got-want) > .015 || math.Abs(closed-want) > .006 {
			t.Errorf("run %d: %.4f, closed form %.4f, want %.2f", run, got, closed, want)
		}
	}
	rep, err := Check(r)
	if err != nil {
		t.Fatal(err)
	}
	c := rep.Claims[0]
	if c.Rows != 16281 || c.Needed < 12_000 || c.Needed > 16281 || math.Abs(c.PowerLast-.96) > .015 || c.Visible == nil || *c.Visible < .8 || *c.Visible > 1 {
		t.Errorf("%+v", c)
	}
	// -0.3 points of accuracy are about +0.002 of Brier, so one point is .007.
	if len(c.Same) != 2 || c.Same[1].Metric != "brier" || math.Abs(c.Same[1].Value-.007) > 1e-9 {
		t.Errorf("%+v", c.Same)
	}
}

// What is called visible is what simulated candidates do not pass: at that loss 5 %
// of them do, at no loss nearly all, whatever the closed forms say.
func TestVisible(t *testing.T) {
	s := sight{n: 300, detect: .2, hold: .01, harm: .05, violate: .01 / 40}
	loss, ok := s.visible(.05)
	if !ok || loss < .08 || loss > .16 {
		t.Fatal(loss, ok)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	passed := func(loss float64) float64 {
		n := 0
		for range 2000 {
			var broke, fixed int64
			for range s.n {
				switch u := rng.Float64(); {
				case u < .025+loss:
					broke++
				case u < .05+loss:
					fixed++
				}
			}
			if s.passes(broke, fixed) {
				n++
			}
		}
		return float64(n) / 2000
	}
	if at := passed(loss); at > .07 || at < .03 {
		t.Errorf("at the visible loss of %.3f %.3f pass", loss, at)
	}
	if at := passed(0); at < .99 {
		t.Errorf("of equal models %.3f pass", at)
	}
}

// Honest equal models are not blocked, models with planted harm in one slice are
// caught, in the outcomes of Judge itself. Without Holm the honest ones would be.
func TestSimulation(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(harm float64) (w *world) {
		w = newWorld(t)
		w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\nwatch:\n  - {id: slices, metric: accuracy, over: [sex, age, sex*age, class], harm_pp: 2, detect_pp: 20}\n"
		for i, n := range []int{400, 900, 700, 1000} {
			broke, fixed := 0, 0
			extra := 0.0
			if i == 0 {
				extra = harm
			}
			for range n {
				switch u := rng.Float64(); {
				case u < .025+extra:
					broke++
				case u < .05+extra:
					fixed++
				}
			}
			w.rows(int32(i/2), int32(i%2), n, broke, fixed, n/10)
		}
		return w
	}
	count := map[string]int{}
	uncorrected := 0
	w := draw(0)
	r := w.resolve() // sizes, and so everything that is resolved, are the same in all draws
	for range 60 {
		w = draw(0)
		d := Judge(r, w.evidence())
		count["honest "+d.Result]++
		for _, f := range d.Findings {
			if f.List == report.Watch && *f.P < .05 {
				uncorrected++
				break
			}
		}
		w = draw(.12)
		d = Judge(r, w.evidence())
		count["harmed "+d.Result]++
	}
	if count["honest PASS"] < 58 || count["harmed FAIL"] < 58 {
		t.Errorf("%v", count)
	}
	if uncorrected < 9 {
		t.Errorf("negative control: only %d of 60 honest models have some p below .05", uncorrected)
	}
}

// A proposed policy passes Check, and one that is proposed for too few rows is
// refused instead of proposed.
func TestInit(t *testing.T) {
	var suites []*regress.Suite
	for _, f := range []string{"income-triggers.yaml", "income-invariance.yaml"} {
		s, err := regress.Load(os.DirFS(incomeDir+"suites"), f)
		if err != nil {
			t.Fatal(err)
		}
		suites = append(suites, s)
	}
	set := census()
	text, err := Init(set, "income", suites)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !strings.Contains(string(text), "# ") || len(p.Prove) != 1 || len(p.Watch) != 3 || strings.Join(p.Watch[0].Over, " ") != "class sex tiny" || p.Watch[1].Suite != "income-triggers" {
		t.Errorf("%s", text)
	}
	if again, err := Init(set, "income", suites); err != nil || string(again) != string(text) {
		t.Errorf("another proposal for the same set: %v", err)
	}
	small := census()
	small.Rows, small.ClassCounts, small.SliceSizes = 60, []int64{40, 20}, map[string]map[string]int64{"class": {"<=50K": 40, ">50K": 20}}
	if text, err := Init(small, "income", nil); err == nil || !strings.Contains(err.Error(), "rows") {
		t.Errorf("%v\n%s", err, text)
	}
}

// p of "at most bound" is the level at which the limit meets the bound.
func TestPBeyond(t *testing.T) {
	e := counted(metrics.Cells{BothRight: 1700, Broke: 10, Fixed: 220, SameWrong: 70})
	p := e.pBeyond(1, .09)
	low, _, ok := e.lossLimits(1, p)
	if !ok || math.Abs(low-.09) > 1e-6 || p > .05 || p < 1e-6 {
		t.Errorf("p %v, limit %v", p, low)
	}
	if p := e.pBeyond(1, .2); p != 1 {
		t.Errorf("p %v for a bound beyond the estimate", p)
	}
}

// A policy whose findings could not be signed is refused before it costs a run.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		values, length int
		fits           bool
	}{{400, 10, true}, {1200, 10, true}, {1300, 10, false}, {100, 2000, true}, {200, 2000, false}} {
		r := &Resolved{}
		for range c.values {
			r.Hypotheses = append(r.Hypotheses, Hypothesis{Dimension: "d", Value: strings.Repeat("x", c.length)})
		}
		if err := r.checkSize(); (err == nil) != c.fits {
			t.Errorf("%d values of %d bytes: %v", c.values, c.length, err)
		}
	}
}
