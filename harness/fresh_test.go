package harness

import (
	"context"
	"testing"
	"time"

	"proctor/harness/access"
)

// A session decides on its own only just after it was opened.
func TestFreshSession(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	token := must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	session, _, err := w.s.Login(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	start := w.s.Now()
	for _, c := range []struct {
		after time.Duration
		fresh bool
	}{{0, true}, {freshFor - 2*time.Second, true}, {freshFor + time.Second, false}, {sessionHours * time.Hour, false}, {-time.Hour, false}} {
		w.s.Now = func() time.Time { return start.Add(c.after) }
		if fresh, err := w.s.Fresh(ctx, session); err != nil || fresh != c.fresh {
			t.Errorf("after %v: %v %v", c.after, fresh, err)
		}
	}
	w.s.Now = func() time.Time { return start }
	if fresh, err := w.s.Fresh(ctx, "another"); err != nil || fresh {
		t.Errorf("a session of nobody: %v %v", fresh, err)
	}
	w.sql(`UPDATE sessions SET expires = '2999-01-01T00:00:00Z'`)
	if fresh, err := w.s.Fresh(ctx, session); err != nil || fresh {
		t.Errorf("an end that was changed: %v %v", fresh, err)
	}
}

// The list of sets has those in force, each once, in its version in force.
func TestActiveHoldouts(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if list, err := w.s.ActiveHoldouts(ctx, person("cur1")); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	w.seal(1)
	w.seal(2)
	list, err := w.s.ActiveHoldouts(ctx, person("rev1"))
	if err != nil || len(list) != 1 || list[0].Name != "exam" || list[0].Version != 2 {
		t.Errorf("%+v %v", list, err)
	}
	_, err = w.s.ActiveHoldouts(ctx, person("sub1"))
	w.refused("not allowed", err)
	_, err = w.s.ActiveHoldouts(ctx, access.Principal{})
	w.refused("not allowed", err)
}
