package harness

import (
	"context"
	"strings"
	"testing"

	"proctor/harness/store"
	"proctor/holdout"
	"proctor/web/api"
)

// lines are n rows from first on.
func lines(first, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = first + i
	}
	return out
}

func (w *world) amend(text string) api.Change {
	w.t.Helper()
	return must1[api.Change](w)(w.s.AmendHoldout(context.Background(), person("cur1"), "exam", strings.NewReader(text)))
}

// An amendment makes no row unseen: what was shown before counts on, at its new place.
func TestAmendmentRemembers(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	v := w.run("v2", model(0.02, "s"))
	must1[api.ShownRows](w)(w.s.ShowRows(ctx, person("rev1"), v.ID, append([]int{3}, lines(6, 18)...)))
	c := w.amend(`{"row":3,"erase":true}` + "\n")
	late := w.amend(`{"row":3,"erase":true}` + "\n")
	must1[api.ShownRows](w)(w.s.ShowRows(ctx, person("rev1"), v.ID, []int{5})) // after it was proposed
	w.activate(c, nil, "cur2")
	w.rule(testPolicy)
	if b := w.budget("own1"); b.Sets[0].Seen != 19 || b.Sets[0].Version != 2 {
		t.Errorf("%+v", b.Sets)
	}
	v = w.run("v3", model(0.02, "u"))
	_, err := w.s.ShowRows(ctx, person("rev1"), v.ID, lines(30, 2))
	w.refused("at most 20", err)
	if again := must1[api.ShownRows](w)(w.s.ShowRows(ctx, person("rev1"), v.ID, lines(4, 19))); again.Left != 1 { // 5 to 23 before
		t.Errorf("%+v", again)
	}
	// Negative control: the very version alone knows nothing of the rows of the one before.
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	forgets := set.Commitment
	forgets.Amends = false
	if err := w.store.View(ctx, func(tx *store.Tx) error {
		all, err := burntLines(tx, forgets)
		if err != nil {
			return err
		}
		if len(all) != 19 { // only those asked for again
			t.Errorf("without the version before: %d", len(all))
		}
		old, _, err2 := commitment(tx, set.Previous)
		if err2 != nil {
			return err2
		}
		before, err := burntIn(tx, old.Digest)
		if len(before) != 20 {
			t.Errorf("%d", len(before))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	// A version that was made from another one than is in force would forget these.
	_, err = w.s.DecideChange(ctx, person("cur2"), late.ID, true)
	w.refused("made from another version", err)
	w.clean()
}

// A rotation leaves out copies of rows that people saw in any version, erased ones too.
func TestRotationRemembers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	c, err := w.propose(testSpec, table(1), table(2)+strings.Join(strings.SplitAfter(table(1), "\n")[1:41], ""))
	w.activate(c, err, "cur2")
	w.rule(testPolicy)
	w.deploy("v1", model(0, ""))
	v := w.run("v2", model(0.02, "s"))
	must1[api.ShownRows](w)(w.s.ShowRows(ctx, person("rev1"), v.ID, lines(1, 5)))
	c = w.amend(`{"row":1,"erase":true}` + "\n" + `{"row":2,"erase":true}` + "\n")
	w.activate(c, nil, "cur2")
	c = must1[api.Change](w)(w.s.RotateHoldout(ctx, person("cur1"), "exam", "csv", nil))
	if !strings.Contains(c.Note, "without 5 rows that people have seen") || !strings.Contains(c.Note, "3 seen rows leave scoring") {
		t.Error(c.Note)
	}
	// Negative control: the version in force alone leaves the erased ones in.
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	k := must1[*holdout.Custodian](w)(w.s.custody(ctx, person("cur1"), "rotate", "", set, nil))
	defer k.Close()
	seen := must1[holdout.Seen](w)(k.Seen(lines(1, 3)))
	if _, known, err := k.Rotate(seen); err != nil || known != 3 {
		t.Errorf("negative control: %d left out, %v", known, err)
	}
	d, err := w.s.ProposeDestruction(ctx, person("cur1"), "exam", 1)
	w.activate(d, err, "cur2")
	c = must1[api.Change](w)(w.s.RotateHoldout(ctx, person("cur1"), "exam", "csv", nil))
	if !strings.Contains(c.Note, "5 rows that people saw of version 1 cannot be compared any more") {
		t.Error(c.Note)
	}
	w.clean()
}
