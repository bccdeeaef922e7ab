package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"proctor/harness/store"
	"proctor/holdout/blob"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/web/api"
)

// rulesFor is testPolicy with another margin, a suite and room for runs.
func rulesFor(margin int, suite string) string {
	budget := 6
	if margin > -10 { // so narrow a one passes an equal model fewer times
		budget = 3
	}
	text := strings.Replace(testPolicy, "change_at_least_pp: -10", fmt.Sprintf("change_at_least_pp: %d", margin), 1)
	text = strings.Replace(text, "budget_runs: 3", fmt.Sprintf("budget_runs: %d", budget), 1)
	if suite != "" {
		text = strings.Replace(text, "confidence:", "suites: ["+suite+"]\nconfidence:", 1)
		text = strings.Replace(text, "first_model:", "watch:\n  - {id: cases, suite: "+suite+", harm_pp: 5, detect_pp: 60}\nfirst_model:", 1)
	}
	return text
}

func packedSuite(csv string, more string) []byte {
	return pack(map[string]string{"s.yaml": "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv" + more + "}\n", "m.csv": "x,tag,expect\n" + csv})
}

func flips(b api.Backtest) string {
	out := ""
	for _, r := range b.Runs {
		out += fmt.Sprintf("%s %s", r.Candidate, r.Before)
		switch {
		case r.Skipped != "":
			out += " skipped"
		case r.Flips():
			out += " -> " + r.After + " by " + r.Decided
		}
		out += "; "
	}
	return out
}

// A draft of a policy: who would have been stopped, who let in. By the policy in force
// every replay gives the verdict that was given, which is the control.
func TestBacktestPolicy(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	w.rule(rulesFor(-10, ""))
	w.deploy("first", model(0.02, "a"))
	good := w.run("good", model(0.06, "b"))
	bad := w.run("bad", model(0.25, "c"))
	if good.Result != "PASS" || bad.Result != "FAIL" && bad.Result != "INCONCLUSIVE" {
		t.Fatalf("good %+v, bad %+v", good, bad)
	}
	if _, err := w.review("rev1", good.ID, true); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, c := range []struct {
		name   string
		margin int
		want   string
	}{
		{"the one in force", -10, "bad " + bad.Result + "; good PASS; first PASS; "},
		{"a wide margin", -50, "bad " + bad.Result + " -> PASS by ; good PASS; first PASS; "},
		{"a narrow one", -5, "bad " + bad.Result + "; good PASS -> INCONCLUSIVE by overall; first PASS; "},
	} {
		b, err := w.s.BacktestPolicy(ctx, person("own1"), []byte(rulesFor(c.margin, "")))
		if err != nil || flips(b) != c.want {
			t.Errorf("%s: %s %v\nwant %s", c.name, flips(b), err, c.want)
		}
	}
	// Whoever decides reads it before he activates, on the proposal itself.
	c, err := w.s.ProposePolicy(ctx, person("own1"), []byte(rulesFor(-5, "")))
	if err != nil || !strings.Contains(c.Note, "backtest: 1 of 3 past candidates would get another result; approved and now stopped: good PASS -> INCONCLUSIVE by overall") {
		t.Errorf("%q %v", c.Note, err)
	}
	b, err := w.s.BacktestChange(ctx, person("own2"), c.ID)
	if err != nil || !strings.HasSuffix(c.Note, b.Sentence) {
		t.Errorf("%q %v", b.Sentence, err)
	}
	text, _ := json.Marshal(b)
	for _, line := range strings.Split(table(1), "\n")[1:] {
		if x, _, _ := strings.Cut(line, ","); x != "" && bytes.Contains(text, []byte(x)) {
			t.Errorf("a value of a sealed row is told: %s", x)
		}
	}
	if _, err := w.s.BacktestPolicy(ctx, person("sub1"), []byte(rulesFor(-5, ""))); err == nil {
		t.Error("a submitter may ask what past candidates would have got")
	}
	if _, err := w.s.BacktestChange(ctx, person("rev1"), c.ID); err == nil {
		t.Error("somebody who may not decide on policies may replay them")
	}
	w.clean()
}

// A draft of a suite: cases that were asked are judged again, others are counted as not
// asked; the deployed model is asked both versions.
func TestBacktestSuite(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	ctx := context.Background()
	cases := "0.2,k0,yes\n" // the one that models fail
	for i := range 19 {
		cases += fmt.Sprintf("0.9%d,k%d,yes\n", i, i+1)
	}
	c, err := w.s.ProposeSuite(ctx, person("cur1"), bytes.NewReader(packedSuite(cases, "")))
	w.activate(c, err, "cur2")
	w.rule(rulesFor(-10, "s"))
	w.deploy("first", model(0, "a"))

	sealed := strings.Split(strings.Split(table(1), "\n")[1], ",")
	for _, v := range []struct{ name, csv, more, want, says string }{
		{"as it is", cases, "", "first PASS; ", "the deployed model of line fails the same on both versions"},
		{"critical now", cases, ", critical: true", "first PASS -> FAIL by critical; ", "approved and now stopped: first PASS -> FAIL by critical"},
		{"a case that was never asked", cases + "0.1,k99,yes\n", "", "first PASS; ", "up to 1 cases were never asked, what they would show is not known; the deployed model of line: t fails 2 of 21, before 1 of 20"},
		{"a sealed row is no case that was asked", cases + sealed[0] + "," + sealed[1] + ",yes\n", "", "first PASS; ", "up to 1 cases were never asked"},
	} {
		b, err := w.s.BacktestSuite(ctx, person("cur1"), bytes.NewReader(packedSuite(v.csv, v.more)))
		if err != nil || flips(b) != v.want || !strings.Contains(b.Sentence, v.says) {
			t.Errorf("%s: %s %q %v", v.name, flips(b), b.Sentence, err)
		}
	}
	// The control of the last: among the sealed rows the case would be found.
	s, err := regress.New("s", "", []regress.Test{{Name: "t", Kind: regress.Stress, Single: 1, Examples: oneRow(t, sealed)}})
	if err != nil {
		t.Fatal(err)
	}
	if part, _, err := s.AskedIn(w.force().holdouts[0].Features, oneRow(t, sealed)); err != nil || part == nil {
		t.Errorf("the row is not found where it is: %v", err)
	}
	if _, err := w.s.BacktestSuite(ctx, person("own1"), bytes.NewReader(packedSuite("0.9,k1,yes\n", ""))); err == nil {
		t.Error("a policy owner may replay suites")
	}
	w.clean()
}

func oneRow(t *testing.T, cells []string) rows.Table {
	t.Helper()
	var x float64
	fmt.Sscan(cells[0], &x)
	tab, err := rows.New(rows.Column{Name: "x", Floats: []float64{x}}, rows.Column{Name: "tag", Strings: []string{cells[1]}})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Predictions cannot be put in the place of another run's, and end with their set.
func TestKeptPredictions(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	w.rule(rulesFor(-10, ""))
	a := w.deploy("first", model(0.02, "a"))
	b := w.run("second", model(0.06, "b"))
	ctx := context.Background()
	replays := func() string {
		t.Helper()
		v, err := w.s.BacktestPolicy(ctx, person("own1"), []byte(rulesFor(-10, "")))
		if err != nil {
			t.Fatal(err)
		}
		return flips(v)
	}
	if got := replays(); strings.Contains(got, "skipped") {
		t.Fatalf("control: %s", got)
	}
	kept := func(id string) (p store.Predictions) {
		t.Helper()
		if err := w.store.View(ctx, func(tx *store.Tx) (err error) { p, err = tx.Predictions(id); return err }); err != nil {
			t.Fatal(err)
		}
		return p
	}
	own, other := kept(a.ID), kept(b.ID)
	other.Run = a.ID
	if err := w.store.Update(ctx, func(tx *store.Tx) error { return tx.KeepPredictions(other) }); err != nil {
		t.Fatal(err)
	}
	if got := replays(); !strings.Contains(got, "first PASS skipped") || strings.Count(got, "skipped") != 1 {
		t.Errorf("swapped: %s", got)
	}
	if err := w.store.Update(ctx, func(tx *store.Tx) error { return tx.KeepPredictions(own) }); err != nil {
		t.Fatal(err)
	}
	sealed, err := w.s.Blobs.Get(ctx, blob.Ref(own.Blob))
	if err != nil || bytes.Contains(sealed, []byte(transcriptFormat)) {
		t.Errorf("predictions lie open: %v", err)
	}

	w.seal(2)
	c, err := w.s.ProposeDestruction(ctx, person("cur1"), "exam", 1)
	w.activate(c, err, "cur2")
	w.rule(rulesFor(-10, ""))
	if got := replays(); strings.Count(got, "skipped") != 2 {
		t.Errorf("destroyed: %s", got)
	}
	if err := w.store.View(ctx, func(tx *store.Tx) error { _, err := tx.Predictions(a.ID); return err }); err == nil {
		t.Error("the place of the predictions is still known")
	}
	w.clean()
}

// The stored form says the same when it is read, and nothing else is read.
func TestTranscriptForm(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	w.rule(rulesFor(-10, ""))
	v := w.deploy("first", model(0.02, "a"))
	ctx := context.Background()
	set := w.force().holdouts[0]
	o := &opened{s: w.s, p: person("own1"), sets: map[string]*openSet{}}
	defer o.close()
	x := o.get(ctx, set)
	if x.closed != nil {
		t.Fatal(x.closed)
	}
	var kept store.Predictions
	if err := w.store.View(ctx, func(tx *store.Tx) (err error) { kept, err = tx.Predictions(v.ID); return err }); err != nil {
		t.Fatal(err)
	}
	tr, err := w.s.readTranscript(ctx, x.custodian, kept, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := tr.encode(2)
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeTranscript(b, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := again.encode(2); !bytes.Equal(b, c) || len(again.Candidate.Labels) != testRows+80 || again.Candidate.Probs == nil {
		t.Errorf("%d labels", len(again.Candidate.Labels))
	}
	for name, bad := range map[string][]byte{"cut": b[:len(b)-1], "more": append(bytes.Clone(b), 0), "no head": b[10:], "empty": nil,
		"many rows": []byte(`{"format":"proctor/transcript/1","rows":2000000000,"classes":2,"models":["candidate"],"probabilities":[true],"probes":{}}` + "\n")} {
		if _, err := decodeTranscript(bad, 2); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := decodeTranscript(b, 3); err == nil {
		t.Error("of another set: read")
	}
}
