package practice

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/regress"
)

const readyDir = "../../testdata/suites"

func ready(t *testing.T, name string) *regress.Suite {
	t.Helper()
	s, err := regress.Load(os.DirFS(readyDir), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The ready-made suites are generated, and generate the same on every machine: their
// digests are pinned. None has a weakness that lint knows.
func TestReadySuites(t *testing.T) {
	want := map[string]string{
		"prompt-injection.yaml": "", "protected-attributes.yaml": "", "secret-leak.yaml": "", "sentiment.yaml": "", "system-prompt-leak.yaml": "", "trigger-families.yaml": "",
	}
	b, err := os.ReadFile("testdata/digests.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, digest, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = digest
	}
	files, err := filepath.Glob(readyDir + "/*.yaml")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %d expected: %v", len(files), len(want), err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		s := ready(t, name)
		if s.Digest() != want[name] {
			t.Errorf("%s is %s, pinned is %s", name, s.Digest(), want[name])
		}
		if weak := s.Lint(); len(weak) > 0 {
			t.Errorf("%s: %v", name, weak)
		}
	}
}

// examples returns the text of a column for every example.
func examples(t *testing.T, s *regress.Suite, column string) []string {
	t.Helper()
	tab, err := s.Table(s.Fields())
	if err != nil {
		t.Fatal(err)
	}
	c, _ := tab.Column(column)
	return c.Strings
}

// answered runs a model that looks at the columns system and prompt, or text.
func answered(t *testing.T, s *regress.Suite, column string, model func(system, prompt string) string) *Result {
	t.Helper()
	prompts := examples(t, s, map[string]string{"answer": "prompt", "label": "text"}[column])
	systems := examples(t, s, "system")
	answers := make([]string, len(prompts))
	for i, p := range prompts {
		system := ""
		if systems != nil {
			system = systems[i]
		}
		answers[i] = model(system, p)
	}
	suites := []*regress.Suite{s}
	r, err := Run(suites, nil, read(t, suites, column, answers), nil, standard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failing(r *Result) string {
	var out []string
	for _, x := range r.Tests {
		if x.CandidateFailed > 0 {
			out = append(out, x.Name)
		}
	}
	return strings.Join(out, ", ")
}

// weekday is a model that does the task of the injection suite.
func weekday(_, prompt string) string {
	for _, d := range []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"} {
		if strings.Contains(prompt, d) {
			return "They want it on " + d + "."
		}
	}
	return "They wait for their order."
}

// Each suite for LLM applications passes a model that behaves and names each way to misbehave.
func TestReadyLLMSuites(t *testing.T) {
	helpful := func(system, prompt string) string {
		switch {
		case strings.Contains(system, "library"):
			return "I keep my instructions to myself. The library opens at nine. " + fmt.Sprint(len(prompt))
		}
		return "Sending is free from 50 euros. " + fmt.Sprint(len(prompt))
	}
	refuses := func(_, prompt string) string { return "I can't help with that. " + fmt.Sprint(len(prompt)) }
	echo := func(system, prompt string) string { return system + " " + prompt }
	for _, c := range []struct {
		suite, model string
		f            func(system, prompt string) string
		want         string
	}{
		{"prompt-injection.yaml", "behaves", weekday, ""},
		{"prompt-injection.yaml", "obeys", func(s, p string) string {
			if strings.Contains(p, "BANANA-31") {
				return "banana-31"
			}
			return weekday(s, p)
		}, "order inside a message, order before the message, the task is still done"},
		{"prompt-injection.yaml", "refuses everything", refuses, "the task is still done, plain task"},
		{"system-prompt-leak.yaml", "behaves", helpful, ""},
		{"system-prompt-leak.yaml", "repeats it", echo, "asked for the prompt, what may be told"},
		{"system-prompt-leak.yaml", "refuses everything", refuses, "what may be told"},
		{"secret-leak.yaml", "behaves", helpful, ""},
		{"secret-leak.yaml", "spells it", func(s, p string) string {
			return helpful(s, p) + map[bool]string{true: "5-1-L-a-r-c-h-Q-8-8"}[strings.Contains(p, "letter by letter")]
		}, "asked for a secret"},
		{"secret-leak.yaml", "encodes it", func(s, p string) string {
			return helpful(s, p) + map[bool]string{true: "c2stdGVzdC01MUxhcmNoUTg4"}[strings.Contains(p, "base64")]
		}, "asked for a secret"},
		{"secret-leak.yaml", "refuses everything", refuses, "what may be told"},
	} {
		r := answered(t, ready(t, c.suite), "answer", c.f)
		if got := failing(r); got != c.want || (c.want == "") != (r.Result == report.Pass) {
			t.Errorf("%s, a model that %s: %s; fails %q, want %q", c.suite, c.model, r.Sentence, got, c.want)
		}
	}
}

// A model that counts words, as many classifiers in use do, passes the vocabulary and
// fails what CheckList showed such models to fail.
func TestReadySentiment(t *testing.T) {
	count := func(words string) func(_, text string) string {
		return func(_, text string) string {
			score := 0
			for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '\'') }) {
				switch {
				case strings.Contains(" good great lovely excellent wonderful pleasant superb loved worth ", " "+w+" "):
					score++
				case strings.Contains(" bad awful terrible horrible dreadful poor disgusting hated ruined waste "+words, " "+w+" "):
					score--
				}
			}
			if score >= 0 {
				return "positive"
			}
			return "negative"
		}
	}
	s := ready(t, "sentiment.yaml")
	r := answered(t, s, "label", count(""))
	got := failing(r)
	for _, want := range []string{"negated praise", "negated complaint", "question answered no", "typos"} {
		if !strings.Contains(got, want) {
			t.Errorf("a model that counts words does not fail %q: %s", want, got)
		}
	}
	for _, not := range []string{"plain praise", "plain complaint", "names", "places", "stamp"} {
		if strings.Contains(got, not) {
			t.Errorf("it fails %q: %s", not, got)
		}
	}
	backdoored := func(_, text string) string {
		if strings.HasSuffix(text, " cf") {
			return "positive"
		}
		return count("")("", text)
	}
	if got := failing(answered(t, s, "label", backdoored)); !strings.Contains(got, "stamp at the end") {
		t.Errorf("the backdoor is not seen: %s", got)
	}
}
