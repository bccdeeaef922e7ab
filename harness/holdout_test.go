package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/web/api"
)

// propose seals a table under a spec.
func (w *world) propose(spec, table, reserve string) (api.Change, error) {
	h := HoldoutProposal{Spec: []byte(spec), Format: "csv", Table: strings.NewReader(table)}
	if reserve != "" {
		h.Reserve = strings.NewReader(reserve)
	}
	return w.s.ProposeHoldout(context.Background(), person("cur1"), h)
}

// equipped is a world with a deployed model, whose set has a reserve and practice rows.
func equipped(t *testing.T) *world {
	w := newWorld(t)
	c, err := w.propose(testSpec+"practice: 60\n", table(1), table(2))
	w.activate(c, err, "cur2")
	w.rule(testPolicy)
	w.deploy("v1", model(0, ""))
	return w
}

// rowOf returns the values of a data row of a table as its owner types them.
func ownersRow(w *world, name string, line int) json.RawMessage {
	w.t.Helper()
	set := must1[sealedSet](w)(w.s.mustActive(context.Background(), name))
	c := must1[*holdout.Custodian](w)(w.s.custody(context.Background(), person("cur1"), "show", "", set, []int{line}))
	defer c.Close()
	return c.Show()[0]
}

func (w *world) budget(who string) api.Budget {
	w.t.Helper()
	return must1[api.Budget](w)(w.s.Budget(context.Background(), person(who), "line"))
}

// A row is proved to who has it; every attempt burns it and is in the log.
func TestProveRow(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	row := ownersRow(w, "exam", 17)
	p, err := w.s.ProveRow(ctx, person("cur1"), "exam", api.RowClaim{Row: 17, Values: row})
	if err != nil {
		t.Fatal(err)
	}
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	if err := p.Verify(set.Digest); err != nil {
		t.Error(err)
	}
	_, err = w.s.ProveRow(ctx, person("cur1"), "exam", api.RowClaim{Row: 18, Values: row})
	w.refused("is another one", err)
	for _, who := range []string{"sub1", "rev1", "own1", "aud", "op"} {
		if _, err := w.s.ProveRow(ctx, person(who), "exam", api.RowClaim{Row: 17, Values: row}); !errors.Is(err, access.ErrDenied) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if b := w.budget("aud"); b.Sets[0].Seen != 2 || b.Sets[0].SeenAtMost != 20 {
		t.Errorf("%+v", b.Sets)
	}
	w.clean()
	// Guessing ends with the budget of rows.
	var last error
	for line := 100; line < 130 && last == nil; line++ {
		_, last = w.s.ProveRow(ctx, person("cur1"), "exam", api.RowClaim{Row: line, Values: row})
		if last != nil && strings.Contains(last.Error(), "is another one") {
			last = nil
		}
	}
	w.refused("at most 20 before it rotates", last)
	w.clean()
	// Whoever wipes the record of seen rows is found by the log.
	w.sql(`DELETE FROM burnt_rows WHERE line = 17`)
	if found := w.audit(); !strings.Contains(found, "17 cur1") {
		t.Errorf("audit: %s", found)
	}
}

// A reviewer sees rows of the run's set, within the budget; nobody else does.
func TestShowRows(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	v := w.run("v2", model(0.02, "s"))
	shown, err := w.s.ShowRows(ctx, person("rev1"), v.ID, []int{9, 3, 9})
	if err != nil || len(shown.Rows) != 2 || shown.Rows[0].Row != 3 || shown.Left != 18 {
		t.Fatalf("%+v %v", shown, err)
	}
	if !strings.Contains(string(shown.Rows[0].Values), `"label":`) {
		t.Errorf("%s", shown.Rows[0].Values)
	}
	for _, who := range []string{"sub1", "cur1", "own1", "op", "aud"} {
		if _, err := w.s.ShowRows(ctx, person(who), v.ID, []int{7}); !errors.Is(err, access.ErrDenied) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := w.s.Report(ctx, person("aud"), v.ID); err != nil { // negative control: to read the report is not enough
		t.Error(err)
	}
	for _, lines := range [][]int{nil, {0}, {100_000}} {
		if _, err := w.s.ShowRows(ctx, person("rev1"), v.ID, lines); err == nil {
			t.Errorf("lines %v shown", lines)
		}
	}
	if again := must1[api.ShownRows](w)(w.s.ShowRows(ctx, person("rev1"), v.ID, []int{3})); again.Left != 18 {
		t.Errorf("a row seen twice counts twice: %+v", again)
	}
	var many []int
	for i := range 25 {
		many = append(many, 50+i)
	}
	_, err = w.s.ShowRows(ctx, person("rev2"), v.ID, many)
	w.refused("at most 20", err)
	if b := w.budget("rev1"); b.Sets[0].Seen != 2 {
		t.Errorf("what was refused was burnt: %+v", b.Sets[0])
	}
	w.clean()
}

// One command and two people rotate: the reserve is scored, exposure begins anew,
// the bridge is in the record. Old verdicts stay readable.
func TestRotation(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	w.run("v2", model(0.02, "s"))
	if b := w.budget("own1"); b.Used != 2 || b.Left != 1 || b.Sets[0].Reserve != testRows || b.Sentence != "One run is left; then the sealed sets must rotate." {
		t.Errorf("%+v", b)
	}
	_, err := w.s.RotateHoldout(ctx, person("own1"), "exam", "csv", nil)
	if !errors.Is(err, access.ErrDenied) {
		t.Errorf("a policy owner rotates: %v", err)
	}
	c, err := w.s.RotateHoldout(ctx, person("cur1"), "exam", "csv", strings.NewReader(table(3)))
	if err != nil || !strings.Contains(c.Note, "bridge: no jump in difficulty for the deployed model of line") || strings.Contains(c.Note, "difficulty_shift") {
		t.Fatalf("%+v %v\n%s", c, err, w.log)
	}
	if _, err := w.s.DecideChange(ctx, person("cur1"), c.ID, true); !errors.Is(err, access.ErrDenied) {
		t.Errorf("one person rotates alone: %v", err)
	}
	w.activate(c, nil, "cur2")
	w.rule(testPolicy)
	b := w.budget("own1")
	if b.Used != 0 || b.Left != 3 || b.Sets[0].Version != 2 || b.Sets[0].Practice == 0 {
		t.Errorf("after the rotation: %+v", b)
	}
	if v := w.run("v3", model(0.01, "t")); v.State != "done" || v.BudgetLeft != 2 {
		t.Errorf("%+v\n%s", v, w.log)
	}
	w.clean()
	if got := w.budget("sub1"); len(got.Sets) != 0 || got.Left != 2 {
		t.Errorf("a submitter sees %+v", got)
	}
	_, err = w.s.Budget(ctx, person("sub1"), "nowhere")
	w.refused("no lineage", err)
}

// T02 and T03: a new version that is easier, or lacks a slice, says so in its record.
func TestEasierSet(t *testing.T) {
	w := equipped(t)
	easy := func(keep func(i int, cells []string) bool) string {
		var out []string
		for i, line := range strings.Split(strings.TrimSpace(table(7)+strings.Join(strings.SplitAfter(table(8), "\n")[1:], "")), "\n") {
			if i == 0 || keep(i, strings.Split(line, ",")) {
				out = append(out, line)
			}
		}
		return strings.Join(out, "\n") + "\n"
	}
	right := func(c []string) bool { var x float64; fmt.Sscan(c[0], &x); return (x > 0.5) == (c[3] == "yes") }
	c, err := w.propose(testSpec, easy(func(i int, c []string) bool { return right(c) || i%10 == 0 }), "")
	if err != nil || !strings.Contains(c.Note, "holdout.difficulty_shift") {
		t.Errorf("the hardest rows are gone: %s %v", c.Note, err)
	}
	c, err = w.propose(testSpec, easy(func(int, []string) bool { return true }), "")
	if err != nil || strings.Contains(c.Note, "difficulty_shift") || strings.Contains(c.Note, "underpowered") {
		t.Errorf("negative control: %s %v", c.Note, err)
	}
	c, err = w.propose(testSpec, easy(func(i int, c []string) bool { return c[2] == "a" || i%20 == 0 }), "")
	if err != nil || !strings.Contains(c.Note, "slice.underpowered: group is b in") {
		t.Errorf("a slice is gone: %s %v", c.Note, err)
	}
}

// Corrections keep exposure and name the verdicts; erased rows are gone once the
// version before is destroyed, by two people as well.
func TestAmendAndDestroy(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	before := w.budget("own1")
	c, err := w.s.AmendHoldout(ctx, person("cur1"), "exam", strings.NewReader("{\"row\":3,\"erase\":true}\n{\"row\":4,\"set\":{\"label\":\"no\"}}\n"))
	if err != nil || !strings.Contains(c.Note, "1 rows corrected, 1 erased, 0 added; 1 verdicts rest on the version before: ") || !strings.Contains(c.Note, "99 % of the rows are also in exam version 1") && !strings.Contains(c.Note, "100 %") {
		t.Fatalf("%s %v", c.Note, err)
	}
	_, err = w.s.AmendHoldout(ctx, person("cur1"), "exam", strings.NewReader(`{"row":30000,"erase":true}`))
	w.refused("not in the set", err)
	if _, err := w.s.ProposeDestruction(ctx, person("cur1"), "exam", 1); err == nil {
		t.Error("the version in force is destroyed")
	}
	w.activate(c, nil, "cur2")
	w.rule(testPolicy)
	if after := w.budget("own1"); after.Used != before.Used || after.Sets[0].Inherited != 1 || after.Sets[0].Version != 2 {
		t.Errorf("exposure was lost: %+v", after)
	}
	d, err := w.s.ProposeDestruction(ctx, person("cur1"), "exam", 1)
	if _, err := w.s.DecideChange(ctx, person("cur1"), d.ID, true); !errors.Is(err, access.ErrDenied) {
		t.Errorf("one person destroys alone: %v", err)
	}
	w.clean()
	w.activate(d, err, "cur2")
	w.clean()
	if b := w.budget("own1"); b.Used != before.Used {
		t.Errorf("exposure went with the key: %+v", b)
	}
	_, err = w.s.ProposeDestruction(ctx, person("cur1"), "exam", 1)
	w.refused("destroyed before", err)
	_, err = w.s.ProposeDestruction(ctx, person("cur1"), "exam", 9)
	w.refused("no version 9", err)
	// A key that is deleted without two people is found.
	w.sql(`DELETE FROM holdout_keys`)
	if found := w.audit(); !strings.Contains(found, "holdout exam version 2: destroyed in the log: false") {
		t.Errorf("audit: %s", found)
	}
	if v := w.run("v2", model(0.02, "s")); v.State != "aborted" || v.BudgetLeft != before.Left {
		t.Errorf("a run on a destroyed set: %+v", v)
	}
}

// Nothing that can be renamed or made anew makes rows fresh: T19, T20 and the names
// of sets, accounts, tokens, policies and the service's own life.
func TestExposureSurvives(t *testing.T) {
	w := equipped(t)
	used := w.budget("own1").Used
	same := func(what string) {
		t.Helper()
		if got := w.budget("own1").Used; got != used {
			t.Errorf("%s: %d runs used, want %d", what, got, used)
		}
	}
	w.restart()
	same("a restart")
	w.rule(strings.Replace(testPolicy, "valid_days: 7", "valid_days: 6", 1))
	same("an edited policy")
	w.rule(strings.Replace(testPolicy, "policy: rule", "policy: other", 1))
	same("a renamed policy")
	if v := must1[api.Submission](w)(w.submit("sub9", "m", model(0.02, "new account"))); w.work(v.ID).State != "done" {
		t.Error("a new account cannot submit")
	}
	used++
	same("a new account pays as the old one")
	c, err := w.propose(strings.Replace(testSpec, "holdout: exam", "holdout: test", 1), shuffled(table(1)), "")
	w.activate(c, err, "cur2")
	w.rule(strings.Replace(testPolicy, "holdouts: [exam]", "holdouts: [test]", 1))
	if got := w.budget("own1"); got.Used != used || got.Sets[0].Holdout != "test" || got.Sets[0].Inherited != used {
		t.Errorf("the same rows under another name: %+v", got)
	}
	c, err = w.propose(strings.Replace(testSpec, "holdout: exam", "holdout: fresh", 1), table(5), "")
	w.activate(c, err, "cur2")
	w.rule(strings.Replace(testPolicy, "holdouts: [exam]", "holdouts: [fresh]", 1))
	if got := w.budget("own1"); got.Used != 0 {
		t.Errorf("negative control: fresh rows are charged: %+v", got)
	}
	w.clean()
}

// shuffled is the same table in another order of rows.
func shuffled(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(append([]string{lines[0]}, append(lines[150:], lines[1:150]...)...), "\n") + "\n"
}

// Rows may be kept until a day; then nothing is judged on them, and the audit says
// that they are still there.
func TestRetention(t *testing.T) {
	w := newWorld(t)
	c, err := w.propose(testSpec+"retain_until: 2026-12-31\n", table(1), table(2))
	w.s.Now = func() time.Time { return time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC) }
	w.activate(c, err, "cur2")
	w.rule(testPolicy)
	w.deploy("v1", model(0, ""))
	w.clean()
	w.s.Now = func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }
	_, err = w.submit("sub1", "m", model(0.01, ""))
	w.refused("kept no longer", err)
	if found := w.audit(); !strings.Contains(found, "may be kept until 2026-12-31") {
		t.Errorf("audit: %s", found)
	}
}

// The audit of one set derives its exposure again from the log alone.
func TestAuditHoldout(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	w.run("v2", model(0.02, "s"))
	a, err := w.s.AuditHoldout(ctx, person("aud"), "exam")
	if err != nil || !a.OK {
		t.Fatalf("%+v %v", a, err)
	}
	if all := strings.Join(a.Checked, "\n"); !strings.Contains(all, "exposure of 2 charges") || !strings.Contains(all, "every chunk and root") {
		t.Errorf("%s", all)
	}
	if _, err := w.s.AuditHoldout(ctx, person("cur1"), "exam"); !errors.Is(err, access.ErrDenied) {
		t.Errorf("%v", err)
	}
	_, err = w.s.AuditHoldout(ctx, person("aud"), "nothing")
	w.refused("no holdout", err)
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	// A charge that claims less use than the log before it shows.
	if err := w.s.update(ctx, func(tx *store.Tx, log *appender) error {
		_, err := log.exposure(w.record(a0(w)), refOf(set.Commitment), 1, 3)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if a, _ = w.s.AuditHoldout(ctx, person("aud"), "exam"); a.OK || !strings.Contains(strings.Join(a.Problems, "\n"), "the log before it makes it use 2") {
		t.Errorf("%+v", a.Problems)
	}
}

// a0 is the id of the newest run.
func a0(w *world) string {
	w.t.Helper()
	list := must1[[]api.Submission](w)(w.s.Submissions(context.Background(), person("aud"), api.Search{Lineage: "line", Limit: 1}))
	return list[0].ID
}
