package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// improvements lists what one improved prediction makes of cells: a row that the candidate
// had wrong is right.
func improvements(c metrics.Cells) []metrics.Cells {
	var out []metrics.Cells
	add := func(from, to func(*metrics.Cells) *int64) {
		d := c
		if *from(&d) > 0 {
			*from(&d)--
			*to(&d)++
			out = append(out, d)
		}
	}
	fixed := func(c *metrics.Cells) *int64 { return &c.Fixed }
	add(func(c *metrics.Cells) *int64 { return &c.Broke }, func(c *metrics.Cells) *int64 { return &c.BothRight })
	add(func(c *metrics.Cells) *int64 { return &c.SameWrong }, fixed)
	add(func(c *metrics.Cells) *int64 { return &c.OtherWrong }, fixed)
	return out
}

// Every table of up to 14 rows, and every better one by one prediction: no limit of
// the change falls, at no level, and no p of harm.
func TestDominanceOfLimits(t *testing.T) {
	tables := 0
	for n := int64(1); n <= 14; n++ {
		for broke := range n + 1 {
			for fixed := range n - broke + 1 {
				tables++
				was := counted(metrics.Cells{Broke: broke, Fixed: fixed, BothRight: (n - broke - fixed) / 2, SameWrong: n - broke - fixed - (n-broke-fixed)/2})
				for _, c := range improvements(*was.cells) {
					if fell := worsened(was, counted(c)); fell != "" {
						t.Errorf("%+v -> %+v: %s", *was.cells, c, fell)
					}
				}
			}
		}
	}
	if tables < 600 {
		t.Errorf("%d tables", tables)
	}
}

// worsened says what is worse of an effect than of another; limits are bisected to
// some 1e-12.
func worsened(was, is effect) string {
	if is.worse < was.worse-1e-12 {
		return fmt.Sprintf("p of harm fell from %v to %v", was.worse, is.worse)
	}
	for _, alpha := range []float64{.1, .01, 1e-4, 1e-9} {
		l1, u1, ok1 := was.limits(alpha)
		l2, u2, ok2 := is.limits(alpha)
		if !ok1 || !ok2 || l2 < l1-1e-9 || u2 < u1-1e-9 {
			return fmt.Sprintf("level %v: limits %v, %v became %v, %v", alpha, l1, u1, l2, u2)
		}
	}
	return ""
}

// groves is a policy with every kind of claim on paired counts, over a set with
// slices that are judged alone, a pooled rest, and suites.
func groves(t *testing.T) *Resolved {
	t.Helper()
	set := holdout.Commitment{Name: "s", Version: 1, Rows: 400, Canaries: 200, Twins: 1250, Classes: []string{"a", "b"}, ClassCounts: []int64{150, 250},
		SliceSizes: map[string]map[string]int64{"g": {"large": 240, "small": 120, "x": 20, "y": 20}, "class": {"a": 150, "b": 250}}}
	s := suiteOf(t, "s", 150, false)
	p, err := Parse([]byte(`policy: p
lineage: l
holdouts: [s]
suites: [s]
confidence: 0.9
churn_pct: 4
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -8}
watch:
  - {id: slices, metric: accuracy, over: [g], harm_pp: 3, detect_pp: 25}
  - {id: strict, metric: accuracy, harm_pp: 0, detect_pp: 12}
  - {id: suite, suite: s, harm_pp: 2, detect_pp: 20}
anchor: {change_at_least_pp: -9}
tier_at_least: jail
budget_runs: 3
review: {people: 1}
valid_days: 7
on_missing: fail
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Resolve(p, []holdout.Commitment{set}, []*regress.Suite{s})
	if err != nil {
		t.Fatal(err)
	}
	pooled := 0
	for _, h := range r.Hypotheses {
		pooled += len(h.Pooled)
	}
	if pooled != 2 || len(r.Hypotheses) != 6 {
		t.Fatalf("%d pooled, %+v", pooled, r.Hypotheses)
	}
	return r
}

// A state is the paired cells of each part that predictions fall in: slices large,
// small, x and y, and the cases of the suite.
type state [5]metrics.Cells

// effects counts a state for each hypothesis.
func (s state) effects(r *Resolved, count func(metrics.Cells) effect) ([]effect, metrics.Cells) {
	all := s[0].Add(s[1]).Add(s[2]).Add(s[3])
	out := make([]effect, len(r.Hypotheses))
	for i, h := range r.Hypotheses {
		switch {
		case h.Suite != "":
			e := count(s[4])
			passed := e.limits
			e.value, e.limits = -e.value, func(alpha float64) (float64, float64, bool) { low, up, ok := passed(alpha); return -up, -low, ok }
			out[i] = e
		case h.Dimension == "":
			out[i] = count(all)
		case h.Pooled != nil:
			out[i] = count(s[2].Add(s[3]))
		default:
			out[i] = count(s[map[string]int{"large": 0, "small": 1}[h.Value]])
		}
	}
	return out, all
}

func (s state) ranks(r *Resolved, attempt int, count func(metrics.Cells) effect) ranks {
	effects, all := s.effects(r, count)
	p := &planter{r: r, e: Evidence{Attempt: attempt, Diff: &regress.Diff{}}, fixed: []report.Finding{{Claim: findCritical, Outcome: report.Holds}}}
	return p.judge(effects, all, false)
}

// randomState is a candidate that lost up to all that it had.
func randomState(rnd *rand.Rand) state {
	var s state
	for i, n := range []int64{240, 120, 20, 20, 150} {
		lost, churn := rnd.Float64()*.5, rnd.Float64()*.1
		for range n {
			switch u := rnd.Float64(); {
			case u < lost+churn:
				s[i].Broke++
			case u < lost+2*churn:
				s[i].Fixed++
			case u < lost+2*churn+.1:
				s[i].SameWrong++
			case u < lost+2*churn+.13:
				s[i].OtherWrong++
			default:
				s[i].BothRight++
			}
		}
	}
	return s
}

// climb improves one prediction after the other until there is nothing wrong, and
// returns how often a claim got better, and the first that got worse.
func climb(r *Resolved, s state, attempt int, count func(metrics.Cells) effect, rnd *rand.Rand) (improved int, worse string) {
	was := s.ranks(r, attempt, count)
	for {
		var next []state
		for i := range s {
			for _, c := range improvements(s[i]) {
				n := s
				n[i] = c
				next = append(next, n)
			}
		}
		if len(next) == 0 {
			return improved, ""
		}
		s = next[rnd.IntN(len(next))]
		is := s.ranks(r, attempt, count)
		for i := range is {
			switch {
			case is[i] > was[i]:
				return improved, fmt.Sprintf("claim %d went from %d to %d at %+v", i, was[i], is[i], s)
			case is[i] < was[i]:
				improved++
			}
		}
		was = is
	}
}

// Improving any single prediction never worsens a claim: not its own, nor another
// with which it shares Holm's correction, nor the pooled rest, the anchor or a suite.
// A cap on what is too good is the one rule that looks the other way.
func TestDominance(t *testing.T) {
	r := groves(t)
	rnd := rand.New(rand.NewPCG(4, 9))
	improved := 0
	for i := range 24 {
		n, worse := climb(r, randomState(rnd), 1+i%3, counted, rnd)
		if worse != "" {
			t.Error(worse)
		}
		improved += n
	}
	if improved < 100 {
		t.Errorf("claims got better %d times only", improved)
	}
}

// Negative control: with a rule that is not about broken rows alone a prediction that
// got right makes a claim worse, and the test sees it: few changed rows, or a small
// share of new errors among all, which grows when an old error is mended.
func TestDominanceNotices(t *testing.T) {
	r := groves(t)
	share := func(c metrics.Cells) effect { return counted(metrics.Cells{Broke: c.Broke, BothRight: c.BothWrong()}) }
	churn := func(c metrics.Cells) effect {
		return counted(metrics.Cells{BothRight: c.BothRight, Broke: c.Broke + c.Fixed, SameWrong: c.BothWrong()})
	}
	for name, count := range map[string]func(metrics.Cells) effect{"share of new errors": share, "churn": churn} {
		rnd := rand.New(rand.NewPCG(4, 9))
		noticed := false
		for range 24 {
			_, worse := climb(r, randomState(rnd), 1, count, rnd)
			noticed = noticed || worse != ""
		}
		if !noticed {
			t.Errorf("%s: nothing got worse", name)
		}
	}
}

// The rule for a first model counts right answers alone.
func TestDominanceOfFirst(t *testing.T) {
	rule := &Resolved{Policy: &Policy{Confidence: .9, FirstModel: &FirstModel{AccuracyAtLeastPct: 60, People: 1}}}
	before := rankViolated
	for k := range 101 {
		a := metrics.Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: make([]int32, 100)}
		p := metrics.Predictions{Labels: make([]int32, 100)}
		for i := k; i < 100; i++ {
			p.Labels[i] = 1
		}
		is := rankOf(first(rule, Evidence{Candidate: join(t, a, p)}).Outcome)
		if is > before {
			t.Errorf("%d right: %d after %d", k, is, before)
		}
		before = is
	}
	if before != rankHolds {
		t.Error("nothing wrong, and it does not hold")
	}
}
