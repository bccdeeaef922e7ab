package metrics

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

var everyName = func() (names []string) {
	for _, d := range All() {
		names = append(names, d.Name)
	}
	return names
}()

// part is the pair of some rows, joined anew as a worker would from its own rows; a
// frame has some rows, so that of none is picked.
func part(t testing.TB, p *Pair, from, to int) *Pair {
	if from == to {
		return p.pick(nil)
	}
	cut := func(v view) *Frame {
		a := Answers{Classes: v.classes, Positive: v.positive, Labels: v.answers[from:to]}
		for _, d := range v.dims {
			a.Dimensions = append(a.Dimensions, Dimension{d.Name, d.Values, d.Codes[from:to]})
		}
		q := Predictions{Labels: v.labels[from:to]}
		if v.probs != nil {
			q.Probs = v.probs[from*len(v.classes) : to*len(v.classes)]
		}
		return mustJoin(t, a, q)
	}
	q, err := NewPair(cut(p.baseline), cut(p.candidate))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func mustTally(t testing.TB, p *Pair, from int) *Tally {
	t.Helper()
	u, err := p.Tally(int64(from), everyName, []string{"sex", "race", "sex*race", "class"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// sent is the tally after it went over a wire.
func sent(t testing.TB, u *Tally) *Tally {
	t.Helper()
	b := u.Encode()
	v, err := DecodeTally(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(v.Encode(), b) {
		t.Fatal("a tally decodes to another")
	}
	return v
}

// tallyPairs are two models with two classes, one positive, and with many; and with a
// model that gave no probabilities.
func tallyPairs(t *testing.T) map[string]*Pair {
	silent := func(p *Pair, v *view) *Pair { v.probs = nil; return p }
	mute, dumb := randomPair(t, 43, 500, 2), randomPair(t, 44, 500, 3)
	return map[string]*Pair{
		"binary": randomPair(t, 41, 6000, 2), "many": randomPair(t, 42, 700, 5), "sorted": randomPair(t, 45, 400, 50),
		"baseline mute": silent(mute, &mute.baseline), "candidate mute": silent(dumb, &dumb.candidate),
	}
}

// TestTallyOfPartsIsThatOfAll: wherever the rows are cut, some parts empty, the state of
// the parts added up is that of all rows, bit for bit, and so is every number read from it.
func TestTallyOfPartsIsThatOfAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for name, p := range tallyPairs(t) {
		n := int(p.N())
		whole := mustTally(t, p, 0)
		want := whole.Encode()
		for range 3 {
			cuts := []int{0, n}
			for range rnd.IntN(7) {
				cuts = append(cuts, rnd.IntN(n+1))
			}
			slices.Sort(cuts)
			cuts = append([]int{0}, cuts...) // the first part is empty
			sum := sent(t, mustTally(t, part(t, p, 0, cuts[1]), 0))
			for i := 1; i+1 < len(cuts); i++ {
				if err := sum.Add(sent(t, mustTally(t, part(t, p, cuts[i], cuts[i+1]), cuts[i]))); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(sum.Encode(), want) {
				t.Errorf("%s, cut at %v: another state", name, cuts)
			}
			sameNumbers(t, name, p, sum)
		}
	}
}

// sameNumbers: what is read from a tally is what the pair says.
func sameNumbers(t *testing.T, name string, p *Pair, sum *Tally) {
	t.Helper()
	for _, m := range everyName {
		want, err := p.Compare(m, .95)
		got, err2 := sum.Compare(m, .95)
		if err != nil || err2 != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %s: %+v, %v, of all rows %+v, %v", name, m, got, err2, want, err)
		}
		limits, _ := p.Limits(m, 1e-6)
		if got, err := sum.Limits(m, 1e-6); err != nil || got != limits {
			t.Errorf("%s, %s: limits %+v, %v, of all rows %+v", name, m, got, err, limits)
		}
	}
	for _, d := range []string{"sex", "race", "sex*race", "class"} {
		want, _ := p.By(d)
		if got, err := sum.By(d); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s by %s: %+v, %v, want %+v", name, d, got, err, want)
		}
	}
	if sum.Cells() != p.Cells() {
		t.Errorf("%s: cells %+v, want %+v", name, sum.Cells(), p.Cells())
	}
}

// TestSumsOfFloatsWouldNot: the property is not had for nothing. Blocks of float64 give
// other last bits when the rows are cut elsewhere.
func TestSumsOfFloatsWouldNot(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	x := make([]float64, 20000)
	for i := range x {
		x[i] = rnd.Float64()
	}
	differ := 0
	for range 20 {
		cut := rnd.IntN(len(x))
		differ += oneIf(sum(x[:cut])+sum(x[cut:]) != sum(x))
	}
	if differ == 0 {
		t.Error("sums of parts are the sum of all, whatever the cut")
	}
}

// TestOneModelsTally is the frame's estimate, in parts too.
func TestOneModelsTally(t *testing.T) {
	for _, k := range []int{2, 4} {
		p := randomPair(t, 46, 900, k)
		f := &Frame{view: p.candidate}
		sum, err := (&Frame{view: part(t, p, 0, 400).candidate}).Tally(0, everyName)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := (&Frame{view: part(t, p, 400, 900).candidate}).Tally(400, everyName)
		if err != nil {
			t.Fatal(err)
		}
		if err := sum.Add(sent(t, rest)); err != nil {
			t.Fatal(err)
		}
		for _, m := range everyName {
			want, _ := f.Estimate(m, .9)
			if got, err := sum.Estimate(m, .9); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v, want %+v", m, got, err, want)
			}
			if c, _ := p.Compare(m, .9); !reflect.DeepEqual(c.Candidate, want) {
				t.Errorf("%s: alone %+v, in a pair %+v", m, want, c.Candidate)
			}
			if _, err := sum.Limits(m, .01); err == nil {
				t.Errorf("%s: one model changed", m)
			}
		}
	}
}

// TestTalliesThatDoNotFollow: rows left out or repeated, other models, metrics or
// dimensions are refused, and what was there stays.
func TestTalliesThatDoNotFollow(t *testing.T) {
	p := randomPair(t, 47, 100, 2)
	first := func() *Tally { return mustTally(t, part(t, p, 0, 50), 0) }
	other, three := randomPair(t, 47, 100, 2), randomPair(t, 47, 100, 3)
	other.candidate.probs = nil
	fewer, err := part(t, p, 50, 100).Tally(50, []string{"brier"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for why, u := range map[string]*Tally{
		"a gap": mustTally(t, part(t, p, 51, 100), 51), "repeated": mustTally(t, part(t, p, 0, 50), 0), "overlap": mustTally(t, part(t, p, 49, 100), 49),
		"silent": mustTally(t, part(t, other, 50, 100), 50), "classes": mustTally(t, part(t, three, 50, 100), 50), "metrics": fewer, "none": {},
	} {
		sum, before := first(), first().Encode()
		if err := sum.Add(u); err == nil || !bytes.Equal(sum.Encode(), before) {
			t.Errorf("%s: added, or changed: %v", why, err)
		}
	}
	if _, err := first().Limits("accuracy", .01); err != nil {
		t.Error(err)
	}
	if _, err := fewer.Limits("ece", .01); err == nil {
		t.Error("a number that was not counted")
	}
	if _, err := fewer.By("sex"); err == nil {
		t.Error("a dimension that was not counted")
	}
	for _, err := range []error{second(p.Tally(-1, nil, nil)), second(p.Tally(0, []string{"Brier"}, nil)), second(p.Tally(0, nil, []string{"age"}))} {
		if err == nil {
			t.Error("a tally of nothing that there is")
		}
	}
}

// TestTallyBorrowsAndDoesNotWrite: adding to the tally of a frame leaves the frame alone.
func TestTallyBorrowsAndDoesNotWrite(t *testing.T) {
	p := randomPair(t, 48, 64, 3)
	q := &Pair{baseline: p.baseline.pick(allInts(32)), candidate: p.candidate.pick(allInts(32)), same: gatherBits(p.same, allInts(32))}
	q.candidate.answers, q.candidate.probs = p.candidate.answers[:32], p.candidate.probs[:96] // with more behind
	before := slices.Clone(p.candidate.probs)
	u := mustTally(t, q, 0)
	if err := u.Add(mustTally(t, q, 32)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, p.candidate.probs) {
		t.Error("the frame's probabilities changed")
	}
}

func allInts(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestDecodeTallyIsStrict: cut, longer, of another form, or with any byte changed to one
// that no counting gives.
func TestDecodeTallyIsStrict(t *testing.T) {
	good := mustTally(t, randomPair(t, 49, 60, 2), 7).Encode()
	for i := 0; i < len(good); i += 1 + i/40 {
		if _, err := DecodeTally(good[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes are a tally", i, len(good))
		}
	}
	if _, err := DecodeTally(append(slices.Clone(good), 0)); err == nil {
		t.Error("a byte too many")
	}
	for i := 0; i < len(good); i += 1 + i/40 {
		b := slices.Clone(good)
		b[i] ^= 0x81
		if u, err := DecodeTally(b); err == nil && !bytes.Equal(u.Encode(), b) {
			t.Fatalf("byte %d: read and not the same", i)
		}
	}
	sums := mustTally(t, randomPair(t, 49, 60, 2), 0)
	for what, spoil := range map[string]func(u *Tally){
		"cells":      func(u *Tally) { u.cells.Broke++ },
		"a slice":    func(u *Tally) { u.dimensions[0].cells[0].Fixed++ },
		"labels":     func(u *Tally) { u.labels[0].n++ },
		"order":      func(u *Tally) { u.labels[0], u.labels[1] = u.labels[1], u.labels[0] },
		"variance":   func(u *Tally) { u.briers.cc = wide{1} },
		"size":       func(u *Tally) { u.logLosses.c = wide{0, 0, 1} },
		"rows":       func(u *Tally) { u.briers.n-- },
		"bins":       func(u *Tally) { u.bins[0].n++ },
		"NaN":        func(u *Tally) { u.ranks.probs[1][0] = math.NaN() },
		"minus zero": func(u *Tally) { u.ranks.probs[1][0] = math.Copysign(0, -1) },
		"a class":    func(u *Tally) { u.classes = []string{"a", "a"} },
		"a name":     func(u *Tally) { u.dimensions[1].name = u.dimensions[0].name },
		"a model":    func(u *Tally) { u.alone = true },
	} {
		u := sent(t, sums)
		spoil(u)
		if _, err := DecodeTally(u.Encode()); err == nil {
			t.Errorf("%s: no rows have this", what)
		}
	}
}

// FuzzDecodeTally: what is read is written as it was, and has no number that is none.
func FuzzDecodeTally(f *testing.F) {
	f.Add(mustTally(f, randomPair(f, 50, 9, 2), 0).Encode())
	f.Add(mustTally(f, randomPair(f, 51, 9, 3), 3).Encode())
	alone, err := randomFrame(f, 52, 5, 2, 1).Tally(0, everyName)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(alone.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := DecodeTally(b)
		if err != nil {
			return
		}
		if !bytes.Equal(u.Encode(), b) {
			t.Fatal("read and not the same")
		}
		for _, m := range everyName {
			if l, err := u.Limits(m, .01); err == nil && (math.IsNaN(l.Lower) || math.IsNaN(l.Upper) || math.IsNaN(l.Change) || !(l.PWorse >= 0 && l.PWorse <= 1)) {
				t.Fatalf("%s: %+v", m, l)
			}
			if c, err := u.Compare(m, .9); err == nil && (math.IsNaN(c.Change.Value) || math.IsNaN(c.Change.Low) || math.IsNaN(c.Change.High)) {
				t.Fatalf("%s: %+v", m, c)
			}
			if e, err := u.Estimate(m, .9); err == nil && (math.IsNaN(e.Value) || math.IsNaN(e.Low) || math.IsNaN(e.High)) {
				t.Fatalf("%s: %+v", m, e)
			}
		}
		for _, g := range u.dimensions {
			if groups, err := u.By(g.name); err != nil || len(groups) == 0 && u.Cells().N() > 0 {
				t.Fatalf("groups %v, %v", groups, err)
			}
		}
		if err := u.Add(u); err == nil && u.N() > 0 {
			t.Fatal("rows twice")
		}
	})
}
