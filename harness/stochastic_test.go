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

// A model that answers at random fails unless it says so. Then it sits the exam
// five times, and what it hides behind its randomness is still seen.
func TestStochastic(t *testing.T) {
	w := newWorld(t).begin()
	for _, c := range []struct {
		cheat    string
		declared bool
		finding  string
		says     string
	}{
		{"random", false, "repeat repeat.mismatch", ""},
		{"random", true, "", "declared stochastic: "},
		{"random and lone rows", true, "repeat invariance.batch", "more often than in the same batches"},
	} {
		manifest := `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"stochastic":%v,"task":"classification","classes":["no","yes"]}`
		text, err := json.Marshal(toyModel{Cheat: c.cheat, Salt: fmt.Sprint(c)})
		if err != nil {
			t.Fatal(err)
		}
		archive := pack(map[string]string{"m.onnx": string(text), runner.ManifestFile: fmt.Sprintf(manifest, c.declared)})
		v := w.run("m", archive)
		if v.State != "done" {
			t.Fatalf("%+v\n%s", v, w.log)
		}
		rep := w.caught(v.ID, c.finding, false)
		var all []string
		for _, f := range rep.Decision.Findings {
			all = append(all, f.Sentence)
		}
		if !strings.Contains(strings.Join(all, "\n"), c.says) {
			t.Errorf("%v: %q", c, all)
		}
	}
	w.clean()
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
