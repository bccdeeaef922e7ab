package harness

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/metrics"
)

// toldToss packs a toy that says of itself whether it answers at random.
func toldToss(t *testing.T, m toyModel, declared bool) []byte {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return pack(map[string]string{"m.onnx": string(text), runner.ManifestFile: fmt.Sprintf(
		`{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"stochastic":%v,"task":"classification","classes":["no","yes"]}`, declared)})
}

const takesStochastic = testPolicy + "package: {stochastic: allow}\n"

// A model that answers at random fails unless it says so and the policy takes such
// models. Then it sits the exam five times, and what it hides behind its randomness
// is still seen: a cheat gains nothing by the word, but where the probes are blind.
func TestStochastic(t *testing.T) {
	w := newWorld(t).begin()
	for i, c := range []struct {
		cheat    string
		declared bool
		finding  string
		says     string
		blind    string // guards to leave out; then it passes
	}{
		{"random", false, "repeat repeat.mismatch", "", ""},
		{"random", true, "", "declared stochastic: ", ""},
		{"random and lone rows", true, "repeat invariance.batch", "more often than in the same batches", ""},
		{"second time", true, "repeat repeat.mismatch", "more often than in the same batches", "repeat same moved alone"},
		{"first rows", true, "repeat repeat.mismatch", "more often than in the same batches", "repeat same moved alone"},
		{"process", true, "repeat repeat.mismatch", "less often than in the same batches", "same moved alone"},
	} {
		for _, blind := range []bool{false, true}[:1+min(1, len(c.blind))] {
			if w.s.blind = nil; blind {
				w.s.blind = strings.Fields(c.blind)
			}
			w.freshBudget(i)
			w.rule(takesStochastic)
			v := w.run("m", toldToss(t, toyModel{Cheat: c.cheat, Salt: fmt.Sprint(c, blind)}, c.declared))
			if v.State != "done" {
				t.Fatalf("%+v\n%s", v, w.log)
			}
			rep := w.caught(v.ID, c.finding, blind)
			var all []string
			for _, f := range rep.Decision.Findings {
				all = append(all, f.Sentence)
			}
			if !blind && !strings.Contains(strings.Join(all, "\n"), c.says) {
				t.Errorf("%v: %q", c, all)
			}
		}
	}
	w.clean()
}

// A policy that says nothing takes no model that is declared stochastic: not at
// submission, and not by a record in the database.
func TestStochasticRefused(t *testing.T) {
	w := newWorld(t).begin()
	archive := toldToss(t, toyModel{Cheat: "random"}, true)
	_, err := w.submit("sub1", "m", archive)
	w.refused(`declares "stochastic": true, and the policy takes no model that answers at random`, err)
	if v := w.work(w.recorded(archive)); v.Reason != packageRefused || v.BudgetLeft != 3 {
		t.Errorf("%+v", v)
	}
	if v := w.run("m", toldToss(t, toyModel{}, false)); v.State != "done" {
		t.Errorf("declared not to be: %+v", v)
	}
	w.rule(takesStochastic)
	if v := w.run("m", archive); v.State != "done" {
		t.Errorf("the policy allows it: %+v", v)
	}
}

// Of several runs the worst counts: by result, then by accuracy.
func TestWorse(t *testing.T) {
	run := func(result string, right int) *judged {
		labels := make([]int32, 10)
		for i := range labels[right:] {
			labels[right+i] = 1
		}
		f, err := metrics.Join(memory.DefaultAllocator, metrics.Answers{Classes: []string{"a", "b"}, Labels: make([]int32, 10)}, metrics.Predictions{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		return &judged{frames: &frames{candidate: f}, decision: report.Decision{Result: result}}
	}
	order := []*judged{run(report.Fail, 9), run(report.Inconclusive, 7), run(report.Inconclusive, 8), run(report.Pass, 1), run(report.Pass, 2)}
	for i, a := range order {
		for j, b := range order {
			if a.worse(b) != (i < j) {
				t.Errorf("run %d is worse than run %d: %v", i, j, a.worse(b))
			}
		}
		defer a.release()
	}
}
