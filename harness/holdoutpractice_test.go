package harness

import (
	"context"
	"testing"

	"proctor/harness/access"
	"proctor/harness/store"
)

func (w *world) logSize() int64 {
	w.t.Helper()
	var n int64
	if err := w.store.View(context.Background(), func(tx *store.Tx) (err error) { n, err = tx.LogSize(); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// Who fetches practice rows again and again makes one log entry and one opening.
func TestPracticeIsLoggedOnce(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	second := person("sub1") // another account of the same person
	second.ID = "sub1-bot"
	before := w.logSize()
	first := string(must1[[]byte](w)(w.s.Practice(ctx, person("sub1"), "exam")))
	w.sql(`UPDATE holdout_keys SET wrapped = x'00'`) // whoever opens it now fails
	for _, p := range []access.Principal{person("sub1"), second, person("sub1"), person("sub2"), person("rev1")} {
		if again := must1[[]byte](w)(w.s.Practice(ctx, p, "exam")); string(again) != first || first == "" {
			t.Errorf("%s is given other rows", p.ID)
		}
	}
	if n := w.logSize() - before; n != 3 {
		t.Errorf("%d log entries of three people", n)
	}
	// Negative control: what is not kept is opened each time.
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	if _, err := w.s.handOut(ctx, person("sub1"), set); err == nil {
		t.Error("opened without its key")
	}
	if n := w.logSize() - before; n != 4 {
		t.Errorf("%d log entries", n)
	}
	if _, err := w.s.Practice(ctx, access.Principal{}, "exam"); err == nil {
		t.Error("nobody is given practice rows")
	}
}

// A new version is another handout.
func TestPracticeOfNextVersion(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	must1[[]byte](w)(w.s.Practice(ctx, person("sub1"), "exam"))
	w.activate(w.amend(`{"row":3,"erase":true}`), nil, "cur2")
	before := w.logSize()
	must1[[]byte](w)(w.s.Practice(ctx, person("sub1"), "exam"))
	if n := w.logSize() - before; n != 1 {
		t.Errorf("%d log entries of the next version", n)
	}
	w.clean()
}
