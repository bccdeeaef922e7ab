package harness

import (
	"maps"
	"testing"
	"time"

	"proctor/web/api"
)

// What an operator's numbers say is what happened: who waits and since when, how runs
// ended, what is left, and what waits for people.
func TestVitals(t *testing.T) {
	w := newWorld(t).begin()
	vitals := func() Vitals {
		t.Helper()
		v, err := w.s.Vitals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := vitals(); len(v.Runs) != 0 || v.Oldest != 0 || v.Log == 0 || v.Head != v.Log || len(v.Budgets) != 1 || v.Budgets[0] != (BudgetLeft{"line", 3}) {
		t.Errorf("before any run: %+v", v)
	}
	first := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a")))
	must1[api.Submission](w)(w.submit("sub1", "b", model(0, "b")))
	w.s.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if v := vitals(); !maps.Equal(v.Runs, map[Outcome]int64{{"queued", "", ""}: 2}) || v.Oldest < time.Minute || v.Oldest > 2*time.Minute {
		t.Errorf("two wait: %+v", v)
	}
	w.s.Now = time.Now
	if got := w.work(first.ID); got.Result != "PASS" {
		t.Fatalf("%+v", got)
	}
	v := vitals()
	if !maps.Equal(v.Runs, map[Outcome]int64{{"done", "PASS", ""}: 1, {"queued", "", ""}: 1}) || v.Unread != 1 || v.Budgets[0].Left != 2 {
		t.Errorf("after a run: %+v", v)
	}
	if _, err := w.review("rev1", first.ID, false); err != nil {
		t.Fatal(err)
	}
	if v := vitals(); v.Unread != 0 {
		t.Errorf("a run that was refused still waits: %+v", v)
	}
}

// A service whose log lost what its head names is not ready.
func TestReady(t *testing.T) {
	w := newWorld(t).begin()
	if err := w.s.Ready(t.Context()); err != nil {
		t.Errorf("%v", err)
	}
	w.sql(`DROP TRIGGER log_leaves_keep`)
	w.sql(`DELETE FROM log_leaves WHERE idx = (SELECT MAX(idx) FROM log_leaves)`)
	if err := w.s.Ready(t.Context()); err == nil {
		t.Error("ready with a log that lost an entry")
	}
}
