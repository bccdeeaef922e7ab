package metrics

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

func TestPairNeedsTheSameRows(t *testing.T) {
	base := randomAnswers(1, 70, 3, -1)
	other := func(change func(*Answers)) *Frame {
		a := randomAnswers(1, 70, 3, -1)
		change(&a)
		return mustJoin(t, a, Predictions{Labels: make([]int32, len(a.Labels))})
	}
	f := other(func(*Answers) {})
	for want, g := range map[string]*Frame{
		"missing":            nil,
		"has 70 rows":        mustJoin(t, randomAnswers(1, 69, 3, -1), Predictions{Labels: make([]int32, 69)}),
		"different classes":  other(func(a *Answers) { a.Positive = 1 }),
		"different answers":  other(func(a *Answers) { a.Labels[69] = (base.Labels[69] + 1) % 3 }),
		"different slice co": other(func(a *Answers) { a.Dimensions[0].Codes[3] ^= 1 }),
	} {
		if _, err := NewPair(f, g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if _, err := NewPair(f, other(func(*Answers) {})); err != nil {
		t.Errorf("equal rows: %v", err)
	}
}

func TestPairOwnsNoMemory(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	a := randomAnswers(2, 500, 2, 1)
	f, err := Join(mem, a, randomPredictions(1, a))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	p, err := NewPair(f, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range All() {
		if _, err := p.Compare(d.Name, 0.95); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Where("sex", "F"); err != nil {
		t.Fatal(err)
	}
}

func TestDimensionsThatAreNotThere(t *testing.T) {
	p := randomPair(t, 1, 50, 2)
	for _, dim := range []string{"", "age", "sex*", "*sex", "sex*age", "class*class*zip"} {
		if _, err := p.By(dim); err == nil {
			t.Errorf("by %q: no error", dim)
		}
	}
	if _, err := p.Where("sex", "F", "X"); err == nil || !strings.Contains(err.Error(), `no value "X"`) {
		t.Errorf("got %v", err)
	}
	q, err := p.Where("race", "never")
	if err != nil || q.N() != 0 {
		t.Fatalf("a value without rows: %v rows, %v", q.N(), err)
	}
	for _, d := range All() {
		l, err := q.Limits(d.Name, 0.01)
		if err != nil || l.Undefined == "" || !math.IsInf(l.Upper, 1) || !math.IsInf(l.Lower, -1) || l.PWorse != 1 {
			t.Errorf("%s over no rows: %+v, %v", d.Name, l, err)
		}
	}
}

// TestIntersectionsAreBounded: a column of names cut with itself must not fill
// the memory.
func TestIntersectionsAreBounded(t *testing.T) {
	a := Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: make([]int32, 1100), Dimensions: []Dimension{{"name", classNames(1100), make([]int32, 1100)}}}
	f := mustJoin(t, a, Predictions{Labels: make([]int32, 1100)})
	p, err := NewPair(f, f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.By("name*name"); err == nil {
		t.Error("1,210,000 values were tabled")
	}
}

func TestBrokeNamesRowsOfTheFrame(t *testing.T) {
	p := randomPair(t, 4, 300, 3)
	var want []int
	for i, y := range p.baseline.answers {
		if p.baseline.labels[i] == y && p.candidate.labels[i] != y {
			want = append(want, i)
		}
	}
	if got := p.Broke(1000); !slices.Equal(got, want) || len(got) != int(p.Cells().Broke) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := p.Broke(3); !slices.Equal(got, want[:3]) {
		t.Errorf("first three: got %v, want %v", got, want[:3])
	}
	if got := p.Broke(0); len(got) != 0 {
		t.Errorf("none asked for, got %v", got)
	}
	// Rows of a part, and of a part of it, keep their numbers.
	q, err := p.Where("sex", "M")
	if err != nil {
		t.Fatal(err)
	}
	q, err = q.Where("race", "A", "C")
	if err != nil {
		t.Fatal(err)
	}
	in := func(i int) bool { return p.baseline.dims[0].Codes[i] == 1 && p.baseline.dims[1].Codes[i] != 1 }
	want = slices.DeleteFunc(want, func(i int) bool { return !in(i) })
	if got := q.Broke(1000); !slices.Equal(got, want) {
		t.Errorf("where: got %v, want %v", got, want)
	}
}

// TestWhereIsTheFrameOfThoseRows: every metric of a part equals that of a frame
// made from its rows alone.
func TestWhereIsTheFrameOfThoseRows(t *testing.T) {
	p := randomPair(t, 8, 400, 2)
	q, err := p.Where("race", "B", "C")
	if err != nil {
		t.Fatal(err)
	}
	part := func(v view) *Frame {
		var a = Answers{Classes: v.classes, Positive: v.positive}
		var pr Predictions
		for i := range v.answers {
			if v.dims[1].Codes[i] != 0 {
				a.Labels, pr.Labels = append(a.Labels, v.answers[i]), append(pr.Labels, v.labels[i])
				pr.Probs = append(pr.Probs, v.row(i)...)
			}
		}
		return mustJoin(t, a, pr)
	}
	r, err := NewPair(part(p.baseline), part(p.candidate))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range All() {
		got, _ := q.Compare(d.Name, 0.95)
		want, _ := r.Compare(d.Name, 0.95)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", d.Name, got, want)
		}
	}
}

// TestOrderAndNamesDoNotMatter: another order of the rows, or another numbering
// of the classes, gives the same numbers.
func TestOrderAndNamesDoNotMatter(t *testing.T) {
	for _, k := range []int{2, 4} {
		p := randomPair(t, 9, 700, k)
		rows := rand.New(rand.NewPCG(1, 2)).Perm(700)
		shuffled := p.pick(rows)
		renamed := &Pair{baseline: p.baseline.reversed(), candidate: p.candidate.reversed(), same: p.same}
		for _, d := range All() {
			want, _ := p.Compare(d.Name, 0.95)
			for what, q := range map[string]*Pair{"shuffled": shuffled, "renamed": renamed} {
				got, _ := q.Compare(d.Name, 0.95)
				near := func(x, y float64) bool { return math.Abs(x-y) < 1e-12 }
				if d.Name == "ece" && what == "renamed" && k > 2 {
					near = func(x, y float64) bool { return math.Abs(x-y) < 0.01 } // ties for the largest go to another class
				}
				if !near(got.Change.Value, want.Change.Value) || !near(got.Change.Low, want.Change.Low) || !near(got.Baseline.High, want.Baseline.High) {
					t.Errorf("%s, %d classes, %s: %+v, was %+v", d.Name, k, what, got, want)
				}
			}
		}
	}
}

// reversed numbers the classes from the other end.
func (v view) reversed() view {
	k := int32(len(v.classes))
	out := v
	out.classes, out.probs = slices.Clone(v.classes), slices.Clone(v.probs)
	slices.Reverse(out.classes)
	turn := func(s []int32) []int32 {
		s = slices.Clone(s)
		for i := range s {
			if s[i] >= 0 {
				s[i] = k - 1 - s[i]
			}
		}
		return s
	}
	out.answers, out.labels = turn(v.answers), turn(v.labels)
	if v.positive >= 0 {
		out.positive = int(k) - 1 - v.positive
	}
	for i := range v.answers {
		slices.Reverse(out.row(i))
	}
	return out
}

// TestSwappingModelsTurnsTheChange around, limits included.
func TestSwappingModelsTurnsTheChange(t *testing.T) {
	for _, k := range []int{2, 3} {
		p := randomPair(t, 10, 500, k)
		q := &Pair{baseline: p.candidate, candidate: p.baseline, same: p.same}
		for _, d := range All() {
			a, _ := p.Limits(d.Name, 0.02)
			b, _ := q.Limits(d.Name, 0.02)
			tol := 1e-12
			if d.Name == "ece" {
				tol = 0.002 // other draws
			}
			if math.Abs(a.Change+b.Change) > tol || math.Abs(a.Lower+b.Upper) > tol || math.Abs(a.Upper+b.Lower) > tol {
				t.Errorf("%s: %+v, swapped %+v", d.Name, a, b)
			}
		}
	}
}

// TestWorseIsSmallForWorse: the p-value falls where the candidate gets worse,
// whichever way the metric points, and limits widen as the level falls.
func TestWorseIsSmallForWorse(t *testing.T) {
	for _, k := range []int{2, 3} {
		good, bad := goodAndBad(t, k)
		for _, d := range All() {
			good, bad := good, bad
			if d.Name == "ece" { // the model is less sure than it should be, so luck brings it closer
				good, bad = bad, good
			}
			worse, _ := (&Pair{baseline: good.view, candidate: bad.view, same: sameOf(good, bad)}).Limits(d.Name, 0.01)
			better, _ := (&Pair{baseline: bad.view, candidate: good.view, same: sameOf(good, bad)}).Limits(d.Name, 0.01)
			if worse.PWorse > 1e-6 || better.PWorse < 1-1e-6 {
				t.Errorf("%s: worse has p %v, better %v", d.Name, worse.PWorse, better.PWorse)
			}
			if (worse.Change < 0) != d.HigherBetter {
				t.Errorf("%s: the change of a worse model is %v", d.Name, worse.Change)
			}
			tiny, _ := (&Pair{baseline: good.view, candidate: bad.view, same: sameOf(good, bad)}).Limits(d.Name, 1e-12)
			if !(tiny.Lower < worse.Lower && tiny.Upper > worse.Upper) || math.IsInf(tiny.Lower, 0) || math.IsInf(tiny.Upper, 0) {
				t.Errorf("%s: limits at 1e-12 are %v, %v, at .01 %v, %v", d.Name, tiny.Lower, tiny.Upper, worse.Lower, worse.Upper)
			}
		}
	}
}

func sameOf(f, g *Frame) []byte {
	b := make([]byte, bytesFor(f.Len()))
	equalBits(b, f.labels, g.labels)
	return b
}

// goodAndBad are a model and one that answers half of the rows by luck, as sure
// of itself as before.
func goodAndBad(t *testing.T, k int) (good, bad *Frame) {
	a := randomAnswers(20, 3000, k, map[bool]int{true: 1, false: -1}[k == 2])
	p := randomPredictions(20, a)
	q := Predictions{slices.Clone(p.Labels), slices.Clone(p.Probs)}
	for i := range 1500 {
		j := (i + 1499) % 1500
		q.Labels[i] = p.Labels[j]
		copy(q.Probs[i*k:(i+1)*k], p.Probs[j*k:(j+1)*k])
	}
	return mustJoin(t, a, p), mustJoin(t, a, q)
}
