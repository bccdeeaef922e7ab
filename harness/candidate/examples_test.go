package candidate

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
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

// T56: a pickle, which runs what it says when it is loaded, as it is (joblib) and in a zip
// (torch), under each name of a declarative kind: nothing loads it. Python does.
func TestPickle(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	pickle := "cos\nsystem\n(S'touch " + marker + "'\ntR."
	var torch bytes.Buffer
	z := zip.NewWriter(&torch)
	w, err := z.Create("archive/data.pkl")
	if err == nil {
		_, err = w.Write([]byte(pickle))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"model.pkl": pickle, "model.joblib": pickle, "model.pt": torch.String(), "model.onnx": pickle, "model.wasm": pickle} {
		for _, kind := range []string{runner.KindONNX, runner.KindWASM} {
			dir := folder(t, "", map[string]string{name: file, runner.ManifestFile: `{"protocol":"proctor/1","kind":"` + kind + `","model":"` + name + `","task":"classification","classes":["no","yes"]}`})
			if r := lint(t, dir, Options{}); r.OK() {
				t.Errorf("%s as %s: lint finds nothing", name, kind)
			}
			if kind == runner.KindWASM {
				continue // its adapter has no role in this binary
			}
			p, err := runner.ReadPackage(dir)
			if err != nil {
				t.Fatal(err)
			}
			sheet := runner.Sheet{Rows: table(t, rows.Column{Name: "x", Floats: []float64{1}}), Batches: []int{1}}
			_, _, err = runner.Runner{MinTier: jail.None, MaxTier: jail.None}.Run(t.Context(), dir, p, sheet, quick)
			if f := new(runner.Failure); !errors.As(err, &f) || f.Service() {
				t.Errorf("%s as %s: %v", name, kind, err)
			}
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Fatal("the pickle ran")
	}
	need(t, "python3") // negative control
	cmd := exec.Command("python3", "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)")
	cmd.Stdin = bytes.NewReader([]byte(pickle))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(marker); err != nil {
		t.Error("negative control: the pickle does nothing")
	}
}
