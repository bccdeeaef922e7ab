package candidate

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"proctor/harness/intake"
	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/harness/runner/onnx"
	"proctor/harness/runner/served"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	roles := maps.Clone(intake.Roles())
	roles[runner.RoleONNX] = func(args []string) int {
		if err := onnx.Serve(args[0], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	roles[runner.RoleHTTP] = served.Main
	jail.Main(roles)
	os.Exit(m.Run())
}

const templates = "../../testdata/models"

var quick = runner.Limits{Start: 20 * time.Second, Batch: 10 * time.Second, Total: time.Minute, Memory: 512 << 20}

// need skips where a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

// folder writes files, after those of a template.
func folder(t *testing.T, template string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if template != "" {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(templates, template))); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func lint(t *testing.T, dir string, o Options) *Report {
	t.Helper()
	if o.Limits == (runner.Limits{}) {
		o.Limits = quick
	}
	r, err := Lint(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func manifestOf(command string) string {
	return `{"protocol":"proctor/1","kind":"command","command":` + command + `,"task":"classification","classes":["no","yes"]}`
}

// serve is a model without the kit; line stands where it answers.
func serve(answer string) string {
	return "import json, random, sys\nn = 0\nfor line in sys.stdin:\n  b = json.loads(line)\n  rows = b['rows']\n  n += len(rows)\n  " +
		answer + "\nprint(json.dumps({'end': n}), flush=True)\n"
}

const honest = `print(json.dumps({'b': b['b'], 'p': [[0.5, 0.5] for r in rows]}), flush=True)`

// What the owner of a package does wrong, and what Lint says: a part of the one problem
// or, after a question mark, of a warning.
var faults = []struct {
	name, want string
	files      map[string]string
}{
	{"no manifest", "proctor-model.json is missing", map[string]string{"serve.py": serve(honest)}},
	{"misspelt key", `unknown key "comand"`, map[string]string{"proctor-model.json": `{"protocol":"proctor/1","kind":"command","comand":["x"]}`}},
	{"absolute command", "not an absolute path", map[string]string{"proctor-model.json": manifestOf(`["/usr/bin/python3","serve.py"]`)}},
	{"script not there", `the command names "serve.py", which is not in the package`, map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "server.py": serve(honest)}},
	{"script by host path", `the command names "/home/me/serve.py"`, map[string]string{"proctor-model.json": manifestOf(`["python3","/home/me/serve.py"]`)}},
	{"program not there", `names "bin/serve", which is not in the package`, map[string]string{"proctor-model.json": manifestOf(`["bin/serve"]`)}},
	{"program not installed", `"no-such-program" is neither in the package nor on this machine's PATH`, map[string]string{"proctor-model.json": manifestOf(`["no-such-program","serve.py"]`), "serve.py": ""}},
	{"no shebang", "start.failed: ", map[string]string{"proctor-model.json": manifestOf(`["./serve.py"]`), "serve.py": serve(honest)}},
	{"case twins", `differ only in case`, map[string]string{"proctor-model.json": manifestOf(`["./A"]`), "A": "", "a": ""}},
	{"odd name", "holds a backslash or a colon", map[string]string{"proctor-model.json": manifestOf(`["./m"]`), "m": "", "c:d": ""}},
	{"long name", "is longer than 240 bytes", map[string]string{"proctor-model.json": manifestOf(`["./m"]`), "m": "", strings.Repeat("twelve chars/", 20) + "b": ""}},
	{"not an ONNX file", "model.onnx: read ONNX model", map[string]string{"proctor-model.json": `{"protocol":"proctor/1","kind":"onnx","model":"model.onnx","task":"classification","classes":["no","yes"]}`, "model.onnx": "PK"}},
	{"not a module", "model.wasm: not a WebAssembly module", map[string]string{"proctor-model.json": `{"protocol":"proctor/1","kind":"wasm","model":"model.wasm","task":"classification","classes":["no","yes"]}`, "model.wasm": "PK"}},
	{"no library", `?packages of kind "onnxruntime" need the library`, map[string]string{"proctor-model.json": `{"protocol":"proctor/1","kind":"onnxruntime","model":"model.onnx","task":"classification","classes":["no","yes"]}`, "model.onnx": "PK"}},
	{"banner", "answer.malformed: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": "print('loading', flush=True)\n" + serve(honest)}},
	{"third class", "answer.count: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(strings.ReplaceAll(honest, "0.5, 0.5", "0.5, 0.5, 0"))}},
	{"not a number", "answer.number: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(strings.ReplaceAll(honest, "0.5, 0.5", "float('nan'), 0.5"))}},
	{"no flush", "start.timeout: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(strings.ReplaceAll(honest, ", flush=True", ""))}},
	{"exception", "exit.early: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve("raise KeyError('age')")}},
	{"no end line", "answer.no_end: ", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": strings.ReplaceAll(serve(honest), "{'end': n}", "''")}},
	{"random", "got another answer in a second process", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(strings.ReplaceAll(honest, "[0.5, 0.5]", "(lambda p: [p, 1-p])(random.random())"))}},
	{"sees the batch", "got another answer in a second process", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(strings.ReplaceAll(honest, "[0.5, 0.5]", "([1, 0] if len(rows) < 3 else [0, 1])"))}},
	{"bad examples", "example.jsonl: line 2", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(honest), "example.jsonl": "{\"a\":1}\n{\"a\":null}\n"}},
	{"bad training record", `training-record.json: key "code" is missing`, map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(honest), "training-record.json": "{}"}},
	{"leftovers", `?the package holds "__pycache__" (2 files)`, map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(honest), "__pycache__/a.pyc": "", "__pycache__/b.pyc": ""}},
	{"tiny batches", `?"batch_max" is 8`, map[string]string{"proctor-model.json": strings.Replace(manifestOf(`["python3","serve.py"]`), `"task"`, `"batch_max":8,"task"`, 1), "serve.py": serve(honest)}},
	{"honest", "", map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve(honest)}},
}

func TestFaults(t *testing.T) {
	need(t, "python3")
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			o := Options{}
			if c.name == "no flush" {
				o.Limits = quick
				o.Limits.Start = 500 * time.Millisecond
			}
			r := lint(t, folder(t, "", c.files), o)
			warning, isWarning := strings.CutPrefix(c.want, "?")
			switch {
			case isWarning || c.want == "":
				if !r.OK() || isWarning && !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, warning) }) || !isWarning && len(r.Warnings) > 0 {
					t.Errorf("problems %q, warnings %q; want the warning %q and no problem", r.Problems, r.Warnings, warning)
				}
			case len(r.Problems) != 1 || !strings.Contains(r.Problems[0], c.want):
				t.Errorf("problems %q, want one with %q", r.Problems, c.want)
			}
		})
	}
}

// Every failure that is the model's has a hint, and no hint is for a reason that is gone.
func TestHints(t *testing.T) {
	for reason := range hints {
		if s := runner.Sentence(reason); s == runner.Sentence(runner.ServiceError) {
			t.Errorf("a hint is for %q, which is no reason", reason)
		}
	}
}

func TestLinks(t *testing.T) {
	dir := folder(t, "command-python", nil)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "weights")); err != nil {
		t.Fatal(err)
	}
	r := lint(t, dir, Options{NoRun: true})
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], `"weights" is a link`) {
		t.Errorf("problems %q", r.Problems)
	}
}

// A package that is too large for a submission is said to be so; the file is sparse.
func TestSize(t *testing.T) {
	dir := folder(t, "command-python", nil)
	if err := os.WriteFile(filepath.Join(dir, "weights.bin"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "weights.bin"), 257<<20); err != nil {
		t.Fatal(err)
	}
	r := lint(t, dir, Options{NoRun: true})
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], `at most 256 MiB; its largest file is "weights.bin" with 257 MiB`) {
		t.Errorf("problems %q", r.Problems)
	}
}

func table(t *testing.T, cols ...rows.Column) rows.Table {
	t.Helper()
	tab, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// The template says yes where the first number is positive.
func TestPractice(t *testing.T) {
	need(t, "python3")
	x := rows.Column{Name: "x", Floats: []float64{-3, -2, -1, 1, 2, 3}}
	right := []string{"no", "no", "no", "yes", "yes", "yes"}
	cases := []struct {
		name, label, problem, warning string
		answers                       rows.Column
		accuracy                      float64
	}{
		{"right", "y", "", "", rows.Column{Name: "y", Strings: right}, 1},
		{"one wrong", "y", "", "", rows.Column{Name: "y", Strings: []string{"no", "no", "yes", "yes", "yes", "yes"}}, 5.0 / 6},
		{"classes in another order", "y", "", "in the order of the model's probabilities?", rows.Column{Name: "y", Strings: []string{"yes", "yes", "yes", "no", "no", "no"}}, 0},
		{"unknown class", "y", `the answer "maybe", and proctor-model.json declares the classes "no", "yes"`, "", rows.Column{Name: "y", Strings: []string{"no", "no", "maybe", "yes", "yes", "maybe"}}, 0},
		{"in other letters", "y", `the answer "No"`, "", rows.Column{Name: "y", Strings: []string{"No", "No", "no", "yes", "yes", "yes"}}, 0},
		{"class without rows", "y", "", `class "no" is in no answer`, rows.Column{Name: "y", Strings: []string{"yes", "yes", "yes", "yes", "yes", "yes"}}, 0.5},
		{"no such column", "z", `no column "z"`, "", rows.Column{Name: "y", Strings: right}, 0},
		{"numbers", "y", "holds numbers, and classes are text", "", rows.Column{Name: "y", Floats: []float64{0, 0, 0, 1, 1, 1}}, 0},
	}
	dir := folder(t, "command-python", nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := lint(t, dir, Options{Practice: &Practice{Name: "practice.csv", Rows: table(t, x, c.answers), Label: c.label}})
			if got := strings.Join(r.Problems, "; "); c.problem == "" && got != "" || !strings.Contains(got, c.problem) {
				t.Errorf("problems %q, want %q", got, c.problem)
			}
			if got := strings.Join(r.Warnings, "; "); c.warning == "" && got != "" || !strings.Contains(got, c.warning) {
				t.Errorf("warnings %q, want %q", got, c.warning)
			}
			if c.problem == "" && (r.Smoke.Accuracy == nil || *r.Smoke.Accuracy != c.accuracy) {
				t.Errorf("accuracy %v, want %v", r.Smoke.Accuracy, c.accuracy)
			}
		})
	}
}

// A practice split has columns for slices. A model is asked about the features alone: by
// its owner's word, by its example, or, without either, not at all.
func TestPracticeColumns(t *testing.T) {
	need(t, "python3")
	split := table(t, rows.Column{Name: "group", Strings: []string{"a", "b"}}, rows.Column{Name: "x", Floats: []float64{0, 1}},
		rows.Column{Name: "tag", Strings: []string{"s", "t"}}, rows.Column{Name: "y", Strings: []string{"no", "yes"}})
	one := `{"x":1,"tag":"t"}` + "\n"
	for _, c := range []struct {
		name, example, problem, from string
		features                     []string
	}{
		{"nobody says", "", "exit.early", "all its columns but the answers (where some are for slices only, give --feature", nil},
		{"the owner says", "", "", "its columns x, tag", []string{"x", "tag"}},
		{"in another order", "", "exit.early", "its columns tag, x", []string{"tag", "x"}},
		{"not there", "", `practice.csv: there is no column "z"`, "", []string{"z"}},
		{"the example says", one, "", "the columns of example.jsonl", nil},
		{"an example of something else", strings.ReplaceAll(one, "tag", "z"), "exit.early", "all its columns", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"proctor-model.json": manifestOf(`["python3","serve.py"]`), "serve.py": serve("assert all(list(r) == ['x', 'tag'] for r in rows)\n  " + honest)}
			if c.example != "" {
				files["example.jsonl"] = c.example
			}
			r := lint(t, folder(t, "", files), Options{Practice: &Practice{Name: "practice.csv", Rows: split, Label: "y", Features: c.features}})
			if got := strings.Join(r.Problems, "; "); c.problem == "" && got != "" || !strings.Contains(got, c.problem) {
				t.Errorf("problems %q, want %q", got, c.problem)
			}
			if c.from != "" && (r.Smoke == nil || !strings.Contains(r.Smoke.From, c.from)) {
				t.Errorf("%+v, want %q", r.Smoke, c.from)
			}
		})
	}
}

// Rows are made up in the columns that a declarative model names.
func TestMadeUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/income/models/v1")); err != nil {
		t.Fatal(err)
	}
	r := lint(t, dir, Options{})
	if !r.OK() || r.Smoke == nil || r.Smoke.Rows != 8 || len(r.Smoke.Shown) != shownRows || !strings.Contains(r.Smoke.Shown[0].Row, `"education-num":`) {
		t.Errorf("%+v, smoke %+v", r, r.Smoke)
	}
}

// Credentials are named by place. A private key is a problem, as the default policy has
// it. They are put together here: nothing of the kind lies in the repository.
func TestCredentials(t *testing.T) {
	token, key := "ghp_"+strings.Repeat("Zq7Wm4Kx9", 4), "-----BEGIN PRIVATE KEY"+"-----\n"+strings.Repeat("Zq7Wm4Kx", 20)
	r := lint(t, folder(t, "command-python", map[string]string{"conf/token.ini": "\n\n" + token, "key.pem": key}), Options{NoRun: true})
	if len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0], "key.pem, line 1: private key (PEM): ") {
		t.Errorf("problems %q", r.Problems)
	}
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "conf/token.ini, line 3: GitHub token: ") {
		t.Errorf("warnings %q", r.Warnings)
	}
	if text := fmt.Sprint(r); strings.Contains(text, token[4:12]) || strings.Contains(text, "Zq7W") {
		t.Error("the report holds a part of a credential")
	}
}
