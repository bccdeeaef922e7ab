package holdout

import (
	"errors"
	"strings"
	"testing"
)

// Practice rows are taken out of the scored ones with all their near copies; a set
// of which a scored row is given away is refused.
func TestPractice(t *testing.T) {
	w := newWorld()
	tab := people(t, 1000, 1)
	index := []int{}
	for r := range 1000 {
		index = append(index, r)
	}
	for r := range 80 {
		index = append(index, r) // copies
	}
	in := input(t, tab.Take(index))
	in.Spec.ID, in.Spec.Practice = "", 300
	c, raw := w.seal(t, in)
	if c.Practice < 290 || c.Practice > 300 || c.Rows+c.Practice != 1080 {
		t.Fatalf("%d scored, %d for practice", c.Rows, c.Practice)
	}
	if err := w.audit(t, raw); err != nil {
		t.Error(err)
	}
	k := w.hold(t, c, raw)
	practice, err := k.Practice()
	if err != nil || practice.Len() != c.Practice {
		t.Fatalf("%v, %d rows", err, practice.Len())
	}
	if err := checkPractice(k.m.Spec, k.parts[partScored], practice); err != nil {
		t.Error(err)
	}
	// Drawn row by row, copies would fall on both sides.
	naive := in.Table.Take(index[780:])
	sealed, err := naive.Select(in.Spec.sealed()...)
	if err != nil {
		t.Fatal(err)
	}
	if checkPractice(k.m.Spec, k.parts[partScored], sealed) == nil {
		t.Error("negative control: copies on both sides are not noticed")
	}
	// The practice rows go on with the set, and a rotation does not score them.
	next, err := k.Amend([]Correction{{Row: 5, Erase: true}})
	if err != nil {
		t.Fatal(err)
	}
	next.Version, next.Now, next.Rand = 2, in.Now, stream("amend")
	if c2, _ := w.seal(t, next); c2.Practice != c.Practice || c2.Rows != c.Rows-1 {
		t.Errorf("amended: %d scored, %d for practice", c2.Rows, c2.Practice)
	}
	var add map[string]any
	for r := 0; ; r++ { // a row that is given away
		add = values(t, in.Table, r)
		one, err := rowOf(practice.Fields(), add)
		if err != nil {
			t.Fatal(err)
		}
		if checkPractice(Spec{}, one, practice) != nil {
			break
		}
	}
	next, err = k.Amend([]Correction{{Add: add}})
	if err != nil {
		t.Fatal(err)
	}
	next.Version, next.Now, next.Rand = 3, in.Now, stream("amend")
	if _, err := Seal(t.Context(), next, w.store, w.keys, w.priv); err == nil || !strings.Contains(err.Error(), "given away for practice") {
		t.Errorf("%v", err)
	}
	plain, raw := w.seal(t, func() SealInput { in := input(t, people(t, 300, 2)); in.Version = 4; return in }())
	if _, err := w.hold(t, plain, raw).Practice(); !errors.Is(err, ErrNoPractice) {
		t.Errorf("%v", err)
	}
}
