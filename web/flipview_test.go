package web

import (
	"slices"
	"testing"
)

// A test that fails more often is worse, one that fails less often is better.
func TestDirectionOfTests(t *testing.T) {
	want := map[string]direction{"sex": worse, "obvious": worse, "birthplace": better, "more-capital-gain": unclear}
	for _, x := range poisonedTests() {
		w, ok := want[x.Name]
		if !ok {
			continue
		}
		delete(want, x.Name)
		if v := newTestView(x, false); v.Direction != w {
			t.Errorf("%s: %d broke, %d fixed: %s, want %s", x.Name, x.Broke, x.Fixed, v.Direction, w)
		}
	}
	if len(want) > 0 {
		t.Errorf("not among the tests: %v", want)
	}
}

// The page says what the exam would have caught, kind by kind.
func TestPlantedView(t *testing.T) {
	v := newPlantedView(poisoned().Planted)
	want := []plantedKind{{"slice", "51 of 85", "50 pp", "3 pp race=White"}, {"calibration", "0 of 10", none, none}}
	if !slices.Equal(v.Kinds, want) {
		t.Errorf("got %q, want %q", v.Kinds, want)
	}
	if newPlantedView(nil) != nil {
		t.Error("a report without planted harm has a view of it")
	}
}
