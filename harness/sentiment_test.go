package harness

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/harness/runner"
)

// sentimentServe answers as the maintainers' own validate.js decides.
const sentimentServe = `const { wrap } = require('./proctor_kit.js');
const Sentiment = require('./node_modules/sentiment');
const model = Sentiment.prototype.analyze ? new Sentiment() : { analyze: Sentiment }; // before 5.0 a function
wrap({
  predictProba: (rows) => rows.map(({ text }) => (model.analyze(text).score >= 0 ? [0, 1] : [1, 0])),
});
`

const sentimentSpec = `holdout: sentences
answer: label
classes: ["negative", "positive"]
positive: "positive"
features: [text]
slices: [source]
canaries: 40
twins: 40
`

const sentimentPolicy = `policy: release
lineage: line
holdouts: [sentences]
suites: [questions]
confidence: 0.9
churn_pct: 1
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -1}
watch:
  - {id: questions, suite: questions, harm_pp: 2, detect_pp: 10}
first_model: {accuracy_at_least_pct: 60, people: 2}
tier_at_least: landlock
budget_runs: 3
review: {people: 1}
valid_days: 7
on_missing: fail
`

const sentimentSuite = `suite: questions
tests:
  - {name: "Q & A: yes", capability: Taxonomy, kind: MFT, cases: yes.csv}
  - {name: "Q & A: no", capability: Taxonomy, kind: MFT, cases: no.csv}
  - {name: "single positive words", capability: Vocabulary, kind: MFT, cases: words.csv}
`

// A release that its maintainers passed, as packages of npm: of sentiment 3.0.1 -> 4.2.0
// the accuracy on their own sentences rises, and of the 7,644 questions that are answered
// with yes it fails 2,262 in place of 858, since its tokenizer lost the question mark. The
// upgrade is a FAIL by that test; 5.0.2 repairs it and is a PASS. The counts are those of
// ../shared/data/sentiment-npm/expected.json and of its CheckList cases.
func TestSentimentUpgrade(t *testing.T) {
	npm := os.Getenv("PROCTOR_SENTIMENT")
	if npm == "" {
		t.Skip("PROCTOR_SENTIMENT does not name a folder with the npm packages sentiment 3.0.1, 4.2.0 and 5.0.2, each in VERSION/package")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	w := newWorld(t)
	w.s.Limits.Start, w.s.Limits.Batch, w.s.Limits.Total = time.Minute, time.Minute, 5*time.Minute
	w.s.Limits.Memory, w.s.Limits.CPU = 1<<30, 5*time.Minute
	c, err := w.propose(sentimentSpec, sentences(t), "")
	w.activate(c, err, "cur2")
	suite := map[string]string{"questions.yaml": sentimentSuite, "yes.csv": checklist(t, "Q & A: yes"), "no.csv": checklist(t, "Q & A: no"),
		"words.csv": checklist(t, "single positive words")}
	c, err = w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(pack(suite)))
	w.activate(c, err, "cur2")
	w.rule(sentimentPolicy)

	if v := w.deploy("3.0.1", sentimentPackage(t, npm, "3.0.1")); !v.Approved {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	for _, x := range []struct {
		version, result string
		broke, fixed    int64 // of "Q & A: yes"
		correct         [2]int64
	}{
		{"4.2.0", report.Fail, 1404, 0, [2]int64{2180, 2182}},
		{"5.0.2", report.Pass, 0, 0, [2]int64{2180, 2187}},
	} {
		v := w.run(x.version, sentimentPackage(t, npm, x.version))
		if v.Result != x.result {
			t.Fatalf("%s: %+v\n%s", x.version, v, w.log)
		}
		r := w.report(v.ID)
		if yes := r.Tests[0]; yes.Name != "Q & A: yes" || yes.Cases != 7644 || yes.Broke != x.broke || yes.Fixed != x.fixed {
			t.Errorf("%s: %+v", x.version, yes)
		}
		if got := [2]int64{r.Flips.BothRight + r.Flips.Broke, r.Flips.BothRight + r.Flips.Fixed}; got != x.correct {
			t.Errorf("%s: %v of %d right, want %v", x.version, got, r.Flips.N, x.correct)
		}
	}
	w.clean()
}

// sentimentPackage is a release with our kit beside it, as the guide to wrapping says.
func sentimentPackage(t *testing.T, npm, version string) []byte {
	t.Helper()
	kit, err := os.ReadFile("../testdata/models/command-node/proctor_kit.js")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"serve.js": sentimentServe, "proctor_kit.js": string(kit), runner.ManifestFile: `{"protocol":"proctor/1","kind":"command",` +
		`"command":["node","serve.js"],"batch_max":4096,"task":"classification","classes":["negative","positive"]}`}
	dir := filepath.Join(npm, version, "package")
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		name, rel := filepath.Rel(dir, path)
		files["node_modules/sentiment/"+filepath.ToSlash(name)] = string(b)
		return errors.Join(err, rel)
	})
	if err != nil {
		t.Fatal(err)
	}
	return pack(files)
}

// unzip reads a file of the shared data.
func unzip(t *testing.T, name string) io.Reader {
	t.Helper()
	f, err := os.Open("../../shared/data/sentiment-npm/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no ../shared/data/sentiment-npm here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// sentences are the 3,003 of Amazon, IMDb and Yelp by which the maintainers measure, as a
// table to seal. Three blank ones have no label there; every version says positive.
func sentences(t *testing.T) string {
	t.Helper()
	rows, err := csv.NewReader(unzip(t, "uci3003.csv.gz")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Write([]string{"text", "source", "label"})
	for _, r := range rows[1:] {
		out.Write([]string{r[2], r[1], map[string]string{"0": "negative", "1": "positive", "": "negative"}[r[3]]})
	}
	out.Flush()
	return b.String()
}

// checklist are the cases of a CheckList test of one example each, as a suite's table.
// What must not be negative must be positive: there are two classes here.
func checklist(t *testing.T, test string) string {
	t.Helper()
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Write([]string{"text", "expect"})
	d := json.NewDecoder(unzip(t, "checklist_cases.jsonl.gz"))
	for {
		var c struct {
			Test, Expect string
			Texts        []string
		}
		err := d.Decode(&c)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Test == test {
			out.Write([]string{c.Texts[0], map[string]string{"is:0": "negative", "is:2": "positive", "not:0": "positive"}[c.Expect]})
		}
	}
	out.Flush()
	return b.String()
}
