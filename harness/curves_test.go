package harness

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/metrics"
)

// frameOf is n rows of k classes, answered right but for one in every.
func frameOf(t *testing.T, k, n, every int, probs bool) *metrics.Frame {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(k), uint64(every)))
	a := metrics.Answers{Positive: -1}
	for i := range k {
		a.Classes = append(a.Classes, "c"+strconv.Itoa(i))
	}
	if k == 2 {
		a.Positive = 1
	}
	var p metrics.Predictions
	for i := range n {
		y := int32(i % k)
		h := y
		if i%every == 0 {
			h = int32(rng.IntN(k+1)) - 1
		}
		a.Labels, p.Labels = append(a.Labels, y), append(p.Labels, h)
		for c := range k {
			v := 0.1 / float64(k-1)
			if int32(c) == max(h, 0) {
				v = .9
			}
			p.Probs = append(p.Probs, v)
		}
	}
	if !probs {
		p.Probs = nil
	}
	f, err := metrics.Join(memory.DefaultAllocator, a, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

func sum(cells [][]int64) (all, right int64) {
	for y, row := range cells {
		for h, n := range row {
			all += n
			if h == y {
				right += n
			}
		}
	}
	return all, right
}

// However many classes there are, every row stands in the tables once.
func TestCurvesCountEveryRow(t *testing.T) {
	for _, c := range []struct{ classes, named, others int }{{2, 2, 0}, {report.MaxConfusion, report.MaxConfusion, 0}, {57, report.MaxConfusion, 57 - report.MaxConfusion + 1}} {
		b, f := frameOf(t, c.classes, 1140, 5, true), frameOf(t, c.classes, 1140, 3, true)
		v, err := curves(b, f)
		if err != nil {
			t.Fatal(err)
		}
		m := v.Confusion
		if len(m.Classes) != c.named || m.Others != c.others || len(m.Candidate) != c.named || len(m.Candidate[0]) != c.named+1 {
			t.Errorf("%d classes: %d named, %d others", c.classes, len(m.Classes), m.Others)
		}
		for _, cells := range [][][]int64{m.Baseline, m.Candidate} {
			if all, _ := sum(cells); all != 1140 {
				t.Errorf("%d classes: %d rows", c.classes, all)
			}
		}
		if _, right := sum(m.Candidate); c.others == 0 && right != int64(accuracy(f)*1140+.5) {
			t.Errorf("%d classes: %d right", c.classes, right)
		}
		n, lie := int64(0), int64(0)
		for _, bin := range v.Scores.Candidate {
			n += bin.N
		}
		for _, k := range v.Scores.After {
			lie += k
		}
		if n != 1140 || lie != 1140 || len(v.Scores.Before) != report.ScoreBins || (v.Scores.Of == "c1") != (c.classes == 2) {
			t.Errorf("%d classes: %d rows in bins, %d by score, of %q", c.classes, n, lie, v.Scores.Of)
		}
	}
}

// What is not there is absent, and nothing of it is made up.
func TestCurvesOfLess(t *testing.T) {
	with, without := frameOf(t, 3, 90, 4, true), frameOf(t, 3, 90, 4, false)
	for _, c := range []struct {
		name                string
		baseline, candidate *metrics.Frame
		scores, before      bool
	}{{"first", nil, with, true, false}, {"labels", with, without, false, false}, {"labels before", without, with, true, false}, {"both", with, with, true, true}} {
		v, err := curves(c.baseline, c.candidate)
		if err != nil || (v.Scores != nil) != c.scores || c.scores && (v.Scores.Before != nil) != c.before || (v.Confusion.Baseline != nil) != (c.baseline != nil) {
			t.Errorf("%s: %+v %v", c.name, v, err)
		}
	}
}

// What slices cost adds up to what the whole costs.
func TestSliceCostsAddUp(t *testing.T) {
	c := files(t, 400, func(i int) bool { return i < 40 }, func(i int) bool { return i >= 30 && i < 70 && i%2 == 1 })
	if r, err := Compare(c); err != nil || r.SliceCosts != nil {
		t.Fatalf("costs that no policy names: %v %v", r.SliceCosts, err)
	}
	c.Policy = policyOf(t, "id: groups, metric: accuracy, over: [sex], harm_pp: 20, detect_pp: 40")
	c.Policy.Costs = append(c.Policy.Costs, policy.Cost{Answer: "yes", Given: "no", Cost: 8})
	r, err := Compare(c)
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, s := range r.SliceCosts {
		if s.Dimension == "sex" {
			total += s.Change
		}
	}
	if want := *r.Cost.Change.Value * 400; total < want-1e-9 || total > want+1e-9 || total == 0 {
		t.Errorf("slices cost %v, the whole %v", total, want)
	}
}
