// Package metricstest holds the laws that every metric obeys, as one test that a
// new metric passes before its own tests begin. It reads a metric only as its
// users do, by name through frames and pairs, and trusts nothing that it says of
// itself.
package metricstest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/metrics"
)

// Laws checks one metric on drawn rows with two classes (one of them positive)
// and with three.
func Laws(t *testing.T, name string) {
	for _, classes := range []int{2, 3} {
		a := draw(classes)
		base, cand := answer(a, 1), answer(a, 2)
		defined(t, name, a, base, cand)
		equalModelsDoNotChange(t, name, a, base)
		orderCarriesNothing(t, name, a, base, cand)
		silenceIsUndefined(t, name, a, base)
	}
	unknownIsRefused(t, name)
}

const rows = 500

func draw(classes int) metrics.Answers {
	rnd := rand.New(rand.NewPCG(uint64(classes), 1))
	a := metrics.Answers{Positive: -1, Labels: make([]int32, rows)}
	for k := range classes {
		a.Classes = append(a.Classes, string(rune('a'+k)))
	}
	if classes == 2 {
		a.Positive = 1
	}
	for i := range a.Labels {
		a.Labels[i] = int32(rnd.IntN(classes))
	}
	return a
}

// answer draws what a model gives: the larger the seed, the less it knows.
func answer(a metrics.Answers, seed uint64) metrics.Predictions {
	rnd := rand.New(rand.NewPCG(seed, 2))
	k := len(a.Classes)
	p := metrics.Predictions{Labels: make([]int32, rows), Probs: make([]float64, rows*k)}
	for i, y := range a.Labels {
		q, total := p.Probs[i*k:(i+1)*k], 0.0
		for c := range q {
			q[c] = rnd.Float64()
			if c == int(y) {
				q[c] += 1 / float64(seed)
			}
			total += q[c]
		}
		for c := range q {
			q[c] /= total
			if q[c] > q[p.Labels[i]] {
				p.Labels[i] = int32(c)
			}
		}
	}
	return p
}

func compare(t *testing.T, name string, a metrics.Answers, base, cand metrics.Predictions) (metrics.Comparison, metrics.Limits) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	var frames [2]*metrics.Frame
	for i, p := range []metrics.Predictions{base, cand} {
		f, err := metrics.Join(mem, a, p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Release()
		frames[i] = f
	}
	p, err := metrics.NewPair(frames[0], frames[1])
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Compare(name, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Limits(name, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

// defined: every number is one, lies in its interval, and names n and method; the
// two-sided interval of the change is the pair of one-sided limits.
func defined(t *testing.T, name string, a metrics.Answers, base, cand metrics.Predictions) {
	t.Helper()
	c, l := compare(t, name, a, base, cand)
	for what, e := range map[string]metrics.Estimate{"baseline": c.Baseline, "candidate": c.Candidate, "change": c.Change} {
		if e.Undefined != "" || !e.Interval || e.N <= 0 || e.Method == "" || e.Confidence != 0.9 {
			t.Errorf("%s: %s is %+v", name, what, e)
		}
		if !(e.Low <= e.Value && e.Value <= e.High) || math.IsInf(e.High-e.Low, 0) {
			t.Errorf("%s: %s is %v in (%v, %v)", name, what, e.Value, e.Low, e.High)
		}
	}
	if math.Abs(c.Change.Value-(c.Candidate.Value-c.Baseline.Value)) > 1e-12 {
		t.Errorf("%s: the change is %v, of %v to %v", name, c.Change.Value, c.Baseline.Value, c.Candidate.Value)
	}
	if l.Change != c.Change.Value || math.Abs(l.Lower-c.Change.Low) > 1e-9 || math.Abs(l.Upper-c.Change.High) > 1e-9 || !(l.PWorse >= 0 && l.PWorse <= 1) {
		t.Errorf("%s: limits %+v, change %+v", name, l, c.Change)
	}
}

// equalModelsDoNotChange, and their limits still own up to how few the rows are.
func equalModelsDoNotChange(t *testing.T, name string, a metrics.Answers, p metrics.Predictions) {
	t.Helper()
	if _, l := compare(t, name, a, p, p); l.Change != 0 || !(l.Lower < 0 && l.Upper > 0) || l.PWorse < 0.5 {
		t.Errorf("%s of equal models: %+v", name, l)
	}
}

// orderCarriesNothing: rows in another order give the same to the last few bits.
func orderCarriesNothing(t *testing.T, name string, a metrics.Answers, base, cand metrics.Predictions) {
	t.Helper()
	order := rand.New(rand.NewPCG(3, 3)).Perm(rows)
	b := a
	b.Labels = make([]int32, rows)
	for i, r := range order {
		b.Labels[i] = a.Labels[r]
	}
	k := len(a.Classes)
	turn := func(p metrics.Predictions) (q metrics.Predictions) {
		for _, r := range order {
			q.Labels = append(q.Labels, p.Labels[r])
			q.Probs = append(q.Probs, p.Probs[r*k:(r+1)*k]...)
		}
		return q
	}
	_, want := compare(t, name, a, base, cand)
	_, got := compare(t, name, b, turn(base), turn(cand))
	if math.Abs(got.Lower-want.Lower) > 1e-12 || math.Abs(got.Upper-want.Upper) > 1e-12 || math.Abs(got.PWorse-want.PWorse) > 1e-9 {
		t.Errorf("%s, in another order: %+v, was %+v", name, got, want)
	}
}

// silenceIsUndefined: a metric of probabilities is undefined without them, and
// neither clears nor accuses.
func silenceIsUndefined(t *testing.T, name string, a metrics.Answers, p metrics.Predictions) {
	t.Helper()
	d, ok := metrics.Lookup(name)
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	c, l := compare(t, name, a, p, metrics.Predictions{Labels: p.Labels})
	if !d.NeedsProbs {
		if c.Change.Undefined != "" {
			t.Errorf("%s needs probabilities and does not say so", name)
		}
		return
	}
	e := c.Candidate
	if e.Undefined == "" || c.Change.Undefined == "" || e.Value != 0 || e.Interval || !math.IsInf(l.Upper, 1) || !math.IsInf(l.Lower, -1) || l.PWorse != 1 {
		t.Errorf("%s without probabilities: %+v, limits %+v", name, e, l)
	}
}

// unknownIsRefused: an interval at no confidence is an error, not a number.
func unknownIsRefused(t *testing.T, name string) {
	t.Helper()
	a := draw(2)
	f, err := metrics.Join(memory.DefaultAllocator, a, answer(a, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	p, err := metrics.NewPair(f, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []float64{0, 1, -1, math.NaN()} {
		if _, err := f.Estimate(name, c); err == nil {
			t.Errorf("%s: an estimate at confidence %v", name, c)
		}
		if _, err := p.Compare(name, c); err == nil {
			t.Errorf("%s: a comparison at confidence %v", name, c)
		}
	}
	for _, alpha := range []float64{0, 0.6, -1, math.NaN()} {
		if _, err := p.Limits(name, alpha); err == nil {
			t.Errorf("%s: limits at level %v", name, alpha)
		}
	}
}
