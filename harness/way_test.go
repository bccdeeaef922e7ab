package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/web/api"
)

// From the first model to the approval of a second, by everybody who takes part.
func TestWay(t *testing.T) {
	w := newWorld(t).begin()
	first := w.run("v1", model(0, ""))
	if first.Result != "PASS" || first.Awaiting != 2 || first.Approved || first.BudgetLeft != 2 {
		t.Fatalf("first model: %+v\n%s", first, w.log)
	}
	v, err := w.review("rev1", first.ID, true)
	if err != nil || v.Approved || v.Awaiting != 1 {
		t.Fatalf("one of two reviews: %+v %v", v, err)
	}
	_, err = w.review("rev1", first.ID, true)
	w.refused("has reviewed the run already", err)
	if v, err = w.review("rev2", first.ID, true); err != nil || !v.Approved || v.Awaiting != 0 {
		t.Fatalf("two of two reviews: %+v %v", v, err)
	}
	c, err := w.s.ProposeBaseline(context.Background(), person("rev1"), api.Baseline{Lineage: "line", Run: first.ID})
	w.activate(c, err, "rev2")
	second := w.run("v2", model(0.02, "s"))
	if second.Result != "PASS" || second.Awaiting != 1 || second.BudgetLeft != 1 {
		t.Fatalf("second model: %+v\n%s", second, w.log)
	}
	if v, err = w.review("rev2", second.ID, true); err != nil || !v.Approved {
		t.Fatalf("the one review: %+v %v", v, err)
	}
	_, err = w.review("rev1", second.ID, true)
	w.refused("approved already", err)
	w.clean()
	for _, which := range []string{"evidence", "approval"} {
		if b, err := w.s.Bundle(context.Background(), person("rev1"), second.ID, which); err != nil || len(b) == 0 {
			t.Errorf("%s: %v", which, err)
		}
	}
}

// The same question has one answer, whoever asks, and costs nothing.
func TestSameQuestion(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("v1", model(0, ""))
	before, charged := w.see(v.ID), w.charges()
	for _, who := range []string{"sub1", "sub2"} {
		again, err := w.submit(who, "other name", model(0, ""))
		if err != nil || !again.Repeated || again.ID != v.ID || again.BudgetLeft != before.BudgetLeft || w.charges() != charged {
			t.Errorf("%s: %+v %v", who, again, err)
		}
	}
	// Another policy, or another deployed model, is another question.
	w.rule(strings.Replace(testPolicy, "valid_days: 7", "valid_days: 6", 1))
	if other, err := w.submit("sub1", "v1", model(0, "")); err != nil || other.Repeated || other.ID == v.ID {
		t.Errorf("under another policy: %+v %v", other, err)
	}
}

// A run is charged once. When all is spent there are no more, and what waited ends.
func TestBudget(t *testing.T) {
	w := newWorld(t).begin()
	var ids []string
	for i := range 4 { // all are queued before the first is evaluated
		ids = append(ids, must1[api.Submission](w)(w.submit("sub1", "m", model(0, fmt.Sprint(i)+"x"))).ID)
		_ = i
	}
	for i, id := range ids {
		v := w.work(id)
		if want := max(2-i, 0); v.BudgetLeft != want {
			t.Errorf("run %d leaves %d runs, want %d", i+1, v.BudgetLeft, want)
		}
		if i < 3 && (v.State != "done" || int(w.record(id).Attempt) != i+1) {
			t.Errorf("run %d: %+v", i+1, v)
		}
	}
	if last := w.see(ids[3]); last.State != "aborted" || last.Reason != "budget-spent" || last.Sentence != spentSentence {
		t.Errorf("the run too many: %+v", last)
	}
	_, err := w.submit("sub1", "m", model(0, "another"))
	w.refused("must rotate", err)
	if n := w.charges(); n != 3 {
		t.Errorf("%d charges", n)
	}
	w.clean()
	// Rotated by two curators, the same policy goes on after two owners said so again.
	w.seal(2)
	_, err = w.submit("sub1", "m", model(0, "another"))
	w.refused("propose it again", err)
	if v := w.see(ids[0]); v.State != "done" || v.BudgetLeft != 0 {
		t.Errorf("a run's view while no policy fits: %+v", v)
	}
	w.clean()
	w.rule(testPolicy)
	if v := w.run("m", model(0, "another")); v.State != "done" || v.BudgetLeft != 2 {
		t.Errorf("after the rotation: %+v", v)
	}
	if _, err := w.s.Report(context.Background(), person("aud"), ids[0]); err != nil {
		t.Errorf("the report on the old set: %v", err)
	}
	w.clean()
}

// What changed while a submission waited is not what it was submitted to: it ends.
func TestForceChanged(t *testing.T) {
	w := newWorld(t).begin()
	a := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a")))
	b := must1[api.Submission](w)(w.submit("sub1", "b", model(0, "b")))
	w.rule(strings.Replace(testPolicy, "valid_days: 7", "valid_days: 6", 1))
	if v := w.work(a.ID); v.State != "aborted" || v.Reason != "force.changed" {
		t.Errorf("under another policy: %+v", v)
	}
	w.seal(3) // no policy fits now
	if v := w.work(b.ID); v.State != "aborted" || v.Reason != "force.changed" || strings.Contains(v.Sentence, "propose") {
		t.Errorf("under no policy: %+v", v)
	}
	if n := w.charges(); n != 0 {
		t.Errorf("%d charges", n)
	}
	w.clean()
}

// Two plans at one time are two attempts, not one.
func TestAttempts(t *testing.T) {
	w := newWorld(t).begin()
	var got []int64
	for _, salt := range []string{"a", "b"} {
		v := must1[api.Submission](w)(w.submit("sub1", salt, model(0, salt)))
		x, err := w.s.takeUp(context.Background(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x.run.Attempt)
	}
	if fmt.Sprint(got) != "[1 2]" {
		t.Errorf("attempts %v", got)
	}
}

func robot(name, owner string) access.Principal {
	p := person(name)
	p.Person, p.Robot = owner, true
	return p
}

// Who may do what. Nobody decides about their own.
func TestWhoMay(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	c, err := w.s.ProposeHoldout(ctx, person("cur1"), HoldoutProposal{Spec: []byte(testSpec), Format: "csv", Table: strings.NewReader(table(1))})
	if err != nil {
		t.Fatal(err)
	}
	second := person("cur3")
	second.Person = "cur1" // another account of the same person
	for who, p := range map[string]access.Principal{"second person": person("cur1"), "second": second, "one of the roles": person("own1"), "is a robot": robot("cur4", "cur9"), "nobody": {}} {
		_, err := w.s.DecideChange(ctx, p, c.ID, true)
		w.refused(who, err)
	}
	w.refused("no version of", func() error { _, err := w.s.ProposePolicy(ctx, person("own1"), []byte(testPolicy)); return err }())
	w.activate(c, nil, "cur2")
	_, err = w.s.DecideChange(ctx, person("cur2"), c.ID, true)
	w.refused("active already", err)
	w.rule(testPolicy)

	for _, who := range []string{"cur1", "own1", "rev1", "op", "aud"} {
		_, err := w.submit(who, "m", model(0, ""))
		w.refused("not allowed", err)
	}
	v := w.run("m", model(0, ""))
	own := person("rev8")
	own.Person = "sub1"
	for want, p := range map[string]access.Principal{"second person": own, "is a robot": robot("rev9", "rev9"), "one of the roles": person("op")} {
		_, err := w.s.Review(ctx, p, v.ID, api.Review{Approve: true, Reason: "fine", Report: w.record(v.ID).Report})
		w.refused(want, err)
	}
	_, err = w.s.Review(ctx, person("rev1"), v.ID, api.Review{Approve: true, Reason: "fine", Report: "sha256:" + strings.Repeat("0", 64)})
	w.refused("you read another one", err)
	_, err = w.s.Review(ctx, person("rev1"), v.ID, api.Review{Approve: true, Reason: " ", Report: w.record(v.ID).Report})
	w.refused("has a reason", err)

	// A submission of somebody else does not exist, in no call.
	for _, which := range []string{"evidence", "approval"} {
		_, err := w.s.Bundle(ctx, person("sub2"), v.ID, which)
		w.refused("there is no submission", err)
	}
	_, err = w.s.Submission(ctx, person("sub2"), v.ID)
	w.refused("there is no submission", err)
	_, err = w.s.Report(ctx, person("sub1"), v.ID)
	w.refused("not allowed", err)
	_, err = w.s.Bundle(ctx, person("sub1"), v.ID, "evidence")
	w.refused("not allowed", err)
	if list, err := w.s.Submissions(ctx, person("sub2"), api.Search{Limit: 100}); err != nil || len(list) != 0 {
		t.Errorf("somebody else's list: %v %v", list, err)
	}
	if list, err := w.s.Submissions(ctx, person("sub1"), api.Search{Limit: 100}); err != nil || len(list) != 1 {
		t.Errorf("own list: %v %v", list, err)
	}

	// One refusal is for good.
	if v, err := w.review("rev1", v.ID, false); err != nil || v.Awaiting != -1 {
		t.Errorf("refused: %+v %v", v, err)
	}
	_, err = w.review("rev2", v.ID, true)
	w.refused("a reviewer has refused", err)
	w.refused("no approval", func() error {
		_, err := w.s.ProposeBaseline(ctx, person("rev1"), api.Baseline{Lineage: "line", Run: v.ID})
		return err
	}())
	w.clean()
}

// The best model stays the anchor when a slightly worse one is deployed.
func TestAnchor(t *testing.T) {
	w := newWorld(t).begin()
	best := w.deploy("best", model(0, ""))
	next := w.deploy("next", model(0.03, "k"))
	f := w.force()
	if f.Baseline != next.ID || f.Anchor != best.ID {
		t.Fatalf("deployed %s, anchor %s; want %s, %s", f.Baseline, f.Anchor, next.ID, best.ID)
	}
	w.clean()
	v := w.run("third", model(0.03, "z"))
	rep, err := w.s.Report(context.Background(), person("rev1"), v.ID)
	if err != nil || rep.Report.Anchor == nil || rep.Report.Anchor.Name != "best" || rep.Report.Baseline.Name != "next" {
		t.Errorf("report against %+v and %+v: %v", rep.Report.Baseline, rep.Report.Anchor, err)
	}
}

// Proofs and writers do not wait for each other: readers that take every
// connection while the head moves on.
func TestProofsWhileWriting(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("v1", model(0, ""))
	done := make(chan error, 24)
	for i := range 24 {
		go func() {
			var err error
			for range 10 {
				if i%8 == 0 {
					_, err = w.s.ProposePolicy(context.Background(), person("own1"), []byte(strings.Replace(testPolicy, "valid_days: 7", fmt.Sprintf("valid_days: %d", 8+i), 1)))
				} else {
					_, err = w.s.Bundle(context.Background(), person("rev1"), v.ID, "evidence")
				}
				if err != nil {
					break
				}
			}
			done <- err
		}()
	}
	for range 24 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A run is in one worker's hands. One that was thought dead charges nothing, and it
// is on record before it happens that a candidate is given rows.
func TestOneWorker(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t).begin()
	v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
	zombie, err := w.s.takeUp(ctx, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.takeUp(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := zombie.open(ctx); !errors.Is(err, store.ErrStale) || w.charges() != 0 {
		t.Errorf("the zombie opened the set: %v, %d charges", err, w.charges())
	}
	w.s.busy.Store(v.ID, true)
	if err := w.s.workNext(ctx); err != nil {
		t.Error(err)
	}
	if got := w.see(v.ID); got.State != "planned" {
		t.Errorf("a second worker took the run up: %+v", got)
	}
	w.s.busy.Delete(v.ID)
	if w.record(v.ID).Handed {
		t.Error("handed before the candidate started")
	}
	if got := w.work(v.ID); got.State != "done" || !w.record(v.ID).Handed || w.charges() != 1 {
		t.Errorf("%+v, %d charges", got, w.charges())
	}
}
