package candidate

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// A random forest behind a column transformer, fitted by scikit-learn and exported by
// skl2onnx, is a package as it is: it passes lint, and in the strongest jail of this
// machine its answers are those that onnxruntime gave when it was made
// (testdata/models/onnx-ops/make.py).
func TestScikitLearn(t *testing.T) {
	dir := folder(t, "onnx-scikit", nil)
	if r := lint(t, dir, Options{}); !r.OK() || len(r.Warnings) > 0 || r.Smoke.From != ExampleFile {
		t.Fatalf("problems %q, warnings %q, %+v", r.Problems, r.Warnings, r.Smoke)
	}
	var people struct{ Columns []rows.Column }
	var want struct {
		Labels []int32
		Probs  [][]float64
	}
	for file, v := range map[string]any{"people.json": &people, "columns-forest.json": &want} {
		b, err := os.ReadFile(templates + "/onnx-ops/" + file)
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	asked := table(t, people.Columns...)
	p, err := runner.ReadPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	staged, remove, err := runner.StageTemp(p, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	out, facts, err := runner.Runner{}.Run(t.Context(), staged, p, runner.Sheet{Rows: asked, Batches: uneven(asked.Len(), 64)}, quick)
	if tier, _ := jail.Probe(); err != nil || facts.Tier != string(tier) {
		t.Fatalf("%v, %+v", err, facts)
	}
	for i, row := range want.Probs {
		if out.Labels[i] != want.Labels[i] {
			t.Errorf("row %d: %d, onnxruntime says %d", i, out.Labels[i], want.Labels[i])
		}
		for k, v := range row {
			if got := out.Probs[i*len(row)+k]; math.Abs(got-v) > 1e-6 {
				t.Errorf("row %d: %v, onnxruntime says %v", i, got, v)
			}
		}
	}
}
