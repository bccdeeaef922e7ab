package candidate

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// Every template answers as it is written, in the jail.
func TestTemplates(t *testing.T) {
	for template, program := range map[string]string{"command-python": "python3", "command-node": "node", "command-go": "go"} {
		t.Run(template, func(t *testing.T) {
			need(t, program)
			dir := folder(t, template, nil)
			if template == "command-go" {
				build(t, dir)
			}
			r := lint(t, dir, Options{})
			if !r.OK() || len(r.Warnings) > 0 {
				t.Fatalf("problems %q, warnings %q, stderr %s", r.Problems, r.Warnings, r.Smoke.Stderr)
			}
			first, third := r.Smoke.Shown[0], r.Smoke.Shown[2]
			if first.Answer != "yes" || !slices.Equal(third.Probs, []float64{0.75, 0.25}) || r.Smoke.From != ExampleFile {
				t.Errorf("%+v", r.Smoke)
			}
		})
	}
}

// The templates of servers do so too.
func TestServerTemplates(t *testing.T) {
	need(t, "python3")
	if tier, reasons := jail.Probe(); !tier.AtLeast(jail.NoCgroup) {
		t.Skipf("no namespaces here: %v", reasons)
	}
	for _, template := range []string{"http-oip-python", "http-openai-python"} {
		r := lint(t, folder(t, template, nil), Options{})
		if !r.OK() || len(r.Warnings) > 0 || r.Smoke.Shown[0].Answer != "no" || r.Smoke.Shown[2].Answer != "yes" || r.Smoke.From != ExampleFile {
			t.Errorf("%s: problems %q, warnings %q, %+v", template, r.Problems, r.Warnings, r.Smoke)
		}
	}
}

func build(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", "serve", "main.go", "kit.go")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// likeScikit is an estimator as scikit-learn makes them, without scikit-learn: arrays
// are objects with tolist, classes and features are noted with a trailing underscore,
// and the library prints.
const likeScikit = `
from proctor_kit import wrap

class Array:
    def __init__(self, values): self.values = values
    def tolist(self): return self.values
    def __len__(self): return len(self.values)

class Estimator:
    classes_ = Array(["yes", "no"])
    feature_names_in_ = Array(["b", "a"])
    def predict_proba(self, X):
        print("a progress bar on standard output")
        assert all(isinstance(v, float) for row in X for v in row), X
        return Array([[row[0] / 10, 1 - row[0] / 10] for row in X])

print("loading")
wrap(Estimator())
`

// What a model is, what is asked, and what must be answered: the probability of "yes",
// or a part of what it says on standard error when it refuses.
var python = []struct {
	name, serve string
	yes         []float64
	refusal     string
}{
	{"like scikit-learn", likeScikit, []float64{0.2, 0.7, 0}, ""},
	{"labels only", "from proctor_kit import wrap\nclass M:\n  def predict(self, X): return ['yes' if r[0] > 1 else 'no' for r in X]\nwrap(M())", []float64{0, 1, 1}, ""},
	{"label indices", "from proctor_kit import wrap\nclass M:\n  def predict(self, X): return [1 if r[0] > 1 else 0 for r in X]\nwrap(M())", []float64{0, 1, 1}, ""},
	{"classes by index", "from proctor_kit import wrap\nclass M:\n  classes_ = [0, 1]\n  def predict_proba(self, X): return [[1 - r[1] / 10, r[1] / 10] for r in X]\nwrap(M())", []float64{0.2, 0.7, 0}, ""},
	{"dicts", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): return [[1 - r['b'] / 10, r['b'] / 10] for r in X]\nwrap(M(), rows='dicts')", []float64{0.2, 0.7, 0}, ""},
	{"one column", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): return [[1 - v / 10, v / 10] for v in X]\nwrap(M(), columns=['b'], rows='column')", []float64{0.2, 0.7, 0}, ""},
	{"frame", "import sys, types\nclass F:\n  def __init__(self, data, columns): self.data, self.columns = data, columns\nsys.modules['pandas'] = types.SimpleNamespace(DataFrame=F)\n" +
		"from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X):\n    i = X.columns.index('b')\n    return [[1 - r[i] / 10, r[i] / 10] for r in X.data]\nwrap(M(), rows='frame')", []float64{0.2, 0.7, 0}, ""},
	{"other classes", "from proctor_kit import wrap\nclass M:\n  classes_ = ['yes', 'maybe']\n  def predict_proba(self, X): return []\nwrap(M())", nil, "the model's classes are ['yes', 'maybe'], those of proctor-model.json are ['no', 'yes']"},
	{"no such column", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): return []\nwrap(M(), columns=['c'])", nil, "the rows have no column c; they have a, b"},
	{"too few", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): return [[0, 1]] * (len(X) - 1)\nwrap(M())", nil, "predict_proba gave 2 rows for 3"},
	{"not a number", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): return [[float('nan'), 1]] * len(X)\nwrap(M())", nil, "row 1: [nan, 1.0] are not probabilities that sum to 1"},
	{"raises", "from proctor_kit import wrap\nclass M:\n  def predict_proba(self, X): raise KeyError('weights')\nwrap(M())", nil, "batch 1 of 3 rows could not be answered"},
}

func TestPythonKit(t *testing.T) {
	need(t, "python3")
	for _, c := range python {
		t.Run(c.name, func(t *testing.T) { kit(t, "command-python", "serve.py", c.serve, c.yes, c.refusal) })
	}
}

var node = []struct {
	name, serve string
	yes         []float64
	refusal     string
}{
	{"objects", "wrap({ predictProba: (rows) => rows.map((r) => [1 - r.b / 10, r.b / 10]) });", []float64{0.2, 0.7, 0}, ""},
	{"lists, other order, a promise, prints", "console.log('loading'); wrap({ classes: ['yes', 'no'], async predictProba(rows) { console.log('hm'); return rows.map(([b]) => [b / 10, 1 - b / 10]); } }, { columns: ['b'], rows: 'lists' });", []float64{0.2, 0.7, 0}, ""},
	{"labels only", "wrap({ predict: (rows) => rows.map((r) => (r.a > 1 ? 'yes' : 'no')) });", []float64{0, 1, 1}, ""},
	{"other classes", "wrap({ classes: ['yes', 'maybe'], predictProba: () => [] });", nil, "the model's classes are yes,maybe, those of proctor-model.json are no,yes"},
	{"no such column", "wrap({ predictProba: () => [] }, { columns: ['c'] });", nil, "the rows have no column c; they have a, b"},
	{"too few", "wrap({ predictProba: (rows) => rows.slice(1).map(() => [0, 1]) });", nil, "predictProba gave 2 rows for 3"},
	{"not a number", "wrap({ predictProba: (rows) => rows.map(() => [NaN, 1]) });", nil, "row 1: NaN,1 are not probabilities that sum to 1"},
}

func TestNodeKit(t *testing.T) {
	need(t, "node")
	for _, c := range node {
		t.Run(c.name, func(t *testing.T) {
			kit(t, "command-node", "serve.js", "const { wrap } = require('./proctor_kit.js');\n"+c.serve, c.yes, c.refusal)
		})
	}
}

// kit runs a model over three rows, a = 1, 2, 3 and b = 2, 7, 0.
func kit(t *testing.T, template, file, text string, yes []float64, refusal string) {
	t.Helper()
	dir := folder(t, template, map[string]string{file: text})
	p, err := runner.ReadPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	staged, remove, err := runner.StageTemp(p, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	sheet := runner.Sheet{Batches: []int{3},
		Rows: table(t, rows.Column{Name: "a", Floats: []float64{1, 2, 3}}, rows.Column{Name: "b", Floats: []float64{2, 7, 0}})}
	out, facts, err := runner.Runner{}.Run(t.Context(), staged, p, sheet, quick)
	if refusal != "" {
		if err == nil || !strings.Contains(facts.Stderr, refusal) {
			t.Fatalf("error %v, standard error %s; want %q", err, facts.Stderr, refusal)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, facts.Stderr)
	}
	for i, want := range yes {
		got := float64(out.Labels[i])
		if out.Probs != nil {
			got = out.Probs[2*i+1]
		}
		if got != want {
			t.Errorf("row %d: %v, want %v", i+1, got, want)
		}
	}
}

// The kit of Go refuses what is no answer.
func TestGoKit(t *testing.T) {
	need(t, "go")
	dir := folder(t, "command-go", map[string]string{"main.go": "package main\n\nfunc main() { Wrap(short{}) }\n\ntype short struct{}\n\n" +
		"func (short) PredictProba(rows []Row) ([][]float64, error) { return nil, nil }\n"})
	build(t, dir)
	r := lint(t, dir, Options{})
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "exit.early") || !strings.Contains(r.Smoke.Stderr, "batch 1 of 1 rows: PredictProba gave 0 rows for 1") {
		t.Errorf("problems %q, stderr %q", r.Problems, r.Smoke.Stderr)
	}
}
