package harness

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
	"proctor/web/api"
)

// again writes an old entry of the log once more, with the hashes that go with it: all
// that takes is the database.
func (w *world) again(index int64) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), func(tx *store.Tx) error {
		e, err := tx.LogEntry(index)
		if err == nil {
			_, err = tlog.Append(tx, e)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) last() int64 {
	w.t.Helper()
	var n int64
	if err := w.store.View(context.Background(), func(tx *store.Tx) (err error) { n, err = tx.LogSize(); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n - 1
}

// The signed activation of an account that has ended gives nothing back, whether the
// head has come to cover its copy or not.
func TestReplayedActivation(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	old := must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	at := w.last()
	if err := w.s.EndAccount(ctx, "rae"); err != nil {
		t.Fatal(err)
	}
	w.again(at)
	if w.is(old, "api", "rae") {
		t.Error("a copy of an old entry is believed")
	}
	if _, err := w.enroll("joe", "joe", access.Submitter); err == nil {
		t.Error("the service wrote on after entries that are not its own")
	}
	w.restart() // takes up what a service that died before the head moved would have left
	if w.is(old, "api", "rae") {
		t.Error("after a restart the copy is believed")
	}
	if a := w.audit(); !strings.Contains(a, "activated twice") {
		t.Errorf("the audit says %q", a)
	}
}

// Nor does anything come back because an entry is hidden from who searches for it.
func TestHiddenEntry(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	old := must1[string](w)(w.enroll("rae", "rae", access.Reviewer))
	must1[string](w)(w.s.RenewAccount(ctx, "rae", time.Hour))
	w.sql(`DROP TRIGGER log_leaves_same`)
	w.sql(`UPDATE log_leaves SET kind = 'x' WHERE idx = $1`, w.last())
	w.restart()
	if w.is(old, "api", "rae") {
		t.Error("the token that was renewed is of use again")
	}
}

// A service does not sign what follows on entries that somebody else wrote, even if
// they say nothing that counts.
func TestStrangerInTheLog(t *testing.T) {
	w := newWorld(t)
	must1[api.Change](w)(w.s.ProposeAccount(context.Background(), person("op1"), account("rae", "rae", strings.Repeat("5", 64), access.Reviewer)))
	w.again(w.last()) // a proposal, once more
	_, before := w.s.Head.Checkpoint()
	if _, err := w.enroll("joe", "joe", access.Submitter); !errors.Is(err, tlog.ErrForked) {
		t.Errorf("the service went on: %v", err)
	}
	if _, now := w.s.Head.Checkpoint(); now != before {
		t.Errorf("the head covers %d entries, before %d", now.N, before.N)
	}
	w.s.size++ // negative control: without knowing how it left the log, it signs
	if _, err := w.enroll("joe", "joe", access.Submitter); err != nil {
		t.Errorf("negative control: %v", err)
	}
}

// What is in force is what the log says: a deployed model that the tables hide, a set
// that nobody activated or a policy of yesterday end in no verdict.
func TestTablesAgainstTheLog(t *testing.T) {
	ctx := context.Background()
	contradicts := func(w *world, what string) {
		t.Helper()
		v, err := w.submit("sub1", what, model(0.25, what))
		if err == nil {
			v = w.work(v.ID)
		}
		if err == nil && v.State == "done" || err != nil && !strings.Contains(err.Error(), "contradicts the log") {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
	t.Run("baseline", func(t *testing.T) {
		w := newWorld(t).begin()
		w.deploy("base", model(0, ""))
		if v := w.run("control", model(0.25, "c")); v.Result != "FAIL" {
			t.Fatalf("control: %+v", v)
		}
		w.sql(`UPDATE lineages SET baseline = '', anchor = ''`)
		contradicts(w, "without a baseline")
	})
	t.Run("holdout", func(t *testing.T) {
		w := newWorld(t).begin()
		c := must1[api.Change](w)(w.s.ProposeHoldout(ctx, person("cur1"), HoldoutProposal{Spec: []byte(testSpec), Format: "csv", Table: strings.NewReader(table(9))}))
		w.sql(`UPDATE active SET digest = $1, version = 2 WHERE kind = 'holdout'`, c.Digest)
		var extra []byte
		var policy string
		if err := w.store.View(ctx, func(tx *store.Tx) error {
			l, err := tx.Lineage("line")
			if err != nil {
				return err
			}
			sel, err := activeSets(tx, []string{"exam"}, nil)
			if err != nil {
				return err
			}
			sel.Policy, policy = l.Policy, l.Policy
			r, err := readRules(tx, sel)
			if err == nil {
				extra, err = json.Marshal(r.resolved)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.sql(`UPDATE documents SET extra = $1 WHERE digest = $2`, extra, policy)
		contradicts(w, "a set that nobody activated")
	})
	t.Run("policy", func(t *testing.T) {
		w := newWorld(t).begin()
		first := ""
		if err := w.store.View(ctx, func(tx *store.Tx) error { l, err := tx.Lineage("line"); first = l.Policy; return err }); err != nil {
			t.Fatal(err)
		}
		w.rule(strings.Replace(testPolicy, "people: 2", "people: 3", 1))
		w.sql(`UPDATE lineages SET policy = $1`, first)
		w.sql(`UPDATE active SET digest = $1, version = 1 WHERE kind = 'policy'`, first)
		contradicts(w, "yesterday's policy")
	})
}

// A refusal counts although its row is gone and its entry is hidden.
func TestHiddenRefusal(t *testing.T) {
	w := newWorld(t).begin()
	w.deploy("base", model(0, ""))
	v := w.run("m", model(0.02, "z"))
	if _, err := w.review("rev1", v.ID, false); err != nil {
		t.Fatal(err)
	}
	w.sql(`DROP TRIGGER log_leaves_same`)
	w.sql(`UPDATE log_leaves SET kind = kind || 'x' WHERE idx = $1`, w.last())
	w.sql(`DELETE FROM reviews WHERE run = $1`, v.ID)
	if _, err := w.review("rev2", v.ID, true); err == nil || w.record(v.ID).Approval >= 0 {
		t.Errorf("a refused run was approved: %v", err)
	}
}

// allows: a run of lineage l under what was activated, changed in one thing each.
func TestAllows(t *testing.T) {
	a := &activations{
		policy: map[string]string{"l": "p2"}, active: map[string]string{"holdout|h": "h2", "suite|s": "s1"},
		deployed: map[string][]string{"l": {"m1", "m2"}}, destroyed: map[string]bool{"h0": true},
	}
	good := func() verdict.Inputs {
		return verdict.Inputs{Policy: verdict.Ref{Name: "p", Digest: "p2"}, Holdouts: []verdict.Ref{{Name: "h", Digest: "h2"}},
			Suites: []verdict.Ref{{Name: "s", Digest: "s1"}}, Baseline: &verdict.Ref{Digest: "m2"}, Anchor: &verdict.Ref{Digest: "m1"}}
	}
	if err := a.allows("l", good()); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*verdict.Inputs){
		"another policy":       func(in *verdict.Inputs) { in.Policy.Digest = "p1" },
		"another set":          func(in *verdict.Inputs) { in.Holdouts[0].Digest = "h1" },
		"another suite":        func(in *verdict.Inputs) { in.Suites[0].Digest = "s2" },
		"no baseline":          func(in *verdict.Inputs) { in.Baseline = nil },
		"an old baseline":      func(in *verdict.Inputs) { in.Baseline.Digest = "m1" },
		"an anchor of nowhere": func(in *verdict.Inputs) { in.Anchor.Digest = "m3" },
	} {
		in := good()
		change(&in)
		if a.allows("l", in) == nil {
			t.Errorf("%s is allowed", what)
		}
	}
	if a.allows("other", good()) == nil {
		t.Error("another lineage is allowed")
	}
	a.destroyed["h2"] = true
	if a.allows("l", good()) == nil {
		t.Error("a destroyed set is allowed")
	}
}

// A plan that went by something else than was activated is found afterwards too,
// however the tables look by then.
func TestAuditOfPlans(t *testing.T) {
	w := newWorld(t).begin()
	w.clean() // the control
	e := verdicttest.Passed(verdicttest.Digest("1"))
	if err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) error {
		_, _, err := log.add(&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.Digest("9"), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At}, w.s.Evidence)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if a := w.audit(); !strings.Contains(a, "is not the one that was activated") {
		t.Errorf("the audit says %q", a)
	}
}
