package web

import "testing"

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
