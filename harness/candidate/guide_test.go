package candidate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The guide to wrapping holds word for word: each of its programs, put into a fresh
// template, is a package that lint finds nothing wrong with. Stand-ins for two libraries
// are here, should they not be installed.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/wrap.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```(python|js|go|json)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	if len(blocks["python"]) != 2 || len(blocks["js"]) != 1 || len(blocks["go"]) != 1 || len(blocks["json"]) != 1 {
		t.Fatalf("the guide has other programs than this test knows: %v", blocks)
	}
	const joblib = "class Model:\n    def predict_proba(self, X):\n        return [[0.25, 0.75] for row in X]\ndef load(path):\n    open(path).close()\n    return Model()\n"
	const sentiment = "module.exports = class { analyze(text) { return { score: text.includes('lovely') ? 3 : -3 }; } };\n"
	for _, c := range []struct {
		name, template, program string
		files                   map[string]string
		first                   string
	}{
		{"Python, a fitted model", "command-python", "python3", map[string]string{"serve.py": blocks["python"][0], "joblib.py": joblib, "model.joblib": "-"}, "yes"},
		{"Python", "command-python", "python3", map[string]string{"serve.py": blocks["python"][1]}, "no"},
		{"Node", "command-node", "node", map[string]string{"serve.js": blocks["js"][0], "example.jsonl": blocks["json"][0], "node_modules/sentiment/index.js": sentiment}, "yes"},
		{"Go", "command-go", "go", map[string]string{"main.go": blocks["go"][0]}, "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.program)
			if lines := strings.Count(c.files[map[string]string{"python3": "serve.py", "node": "serve.js", "go": "main.go"}[c.program]], "\n"); lines > 18 {
				t.Errorf("%d lines", lines)
			}
			dir := folder(t, c.template, c.files)
			if npm := os.Getenv("PROCTOR_SENTIMENT"); c.program == "node" && npm != "" {
				if err := os.RemoveAll(filepath.Join(dir, "node_modules/sentiment")); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(filepath.Join(dir, "node_modules/sentiment"), os.DirFS(npm+"/5.0.2/package")); err != nil {
					t.Fatal(err)
				}
			}
			if c.program == "go" {
				build(t, dir)
			}
			r := lint(t, dir, Options{})
			if !r.OK() || len(r.Warnings) > 0 || r.Smoke.Shown[0].Answer != c.first {
				t.Errorf("problems %q, warnings %q, %+v", r.Problems, r.Warnings, r.Smoke)
			}
		})
	}
}
