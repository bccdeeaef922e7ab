package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"proctor/harness/runner"
	endpoint "proctor/harness/runner/remote"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/regress/practice"
)

// asking says how a text model behind an endpoint is asked the examples of suites.
type asking struct {
	Endpoint  string `help:"Ask a text model here: what stands before /chat/completions, such as https://api.example/v1." placeholder:"URL"`
	Model     string `help:"The model's name at the endpoint."`
	API       string `name:"api" help:"openai-chat or openai-completions." default:"openai-chat"`
	Prompt    string `help:"What is asked about an example: {column} stands for a column's value, {{ and }} for braces. Without it, the text of the only column." placeholder:"TEXT"`
	System    string `help:"A file with the system prompt." type:"existingfile" placeholder:"FILE"`
	Tools     string `help:"A file with the tools that a model in a conversation may call: a JSON list, as the interface takes it. None is run." type:"existingfile" placeholder:"FILE"`
	MaxTokens int    `help:"Longest answer, in the model's tokens." default:"256"`
	Journal   string `help:"Where answers are kept as they come. A run that was cut off goes on from there; later runs take it as --baseline." type:"path" placeholder:"FILE"`
}

// check looks at the flags before anything is asked.
func (a asking) check() error {
	switch {
	case a.Model == "" || a.Journal == "":
		return usagef("--endpoint needs --model, the model's name there, and --journal, the file in which answers are kept")
	case a.API != runner.APIChat && a.API != runner.APICompletions:
		return usagef("--api: %q; known are %s, %s", a.API, runner.APIChat, runner.APICompletions)
	case a.API != runner.APIChat && a.System != "":
		return usagef("--system is for --api %s", runner.APIChat)
	case a.API != runner.APIChat && a.Tools != "":
		return usagef("--tools is for --api %s", runner.APIChat)
	case a.MaxTokens < 1:
		return usagef("--max-tokens is at least 1")
	}
	return nil
}

// ask asks what the journal does not hold yet, and returns all answers.
func (a asking) ask(ctx context.Context, o console, by endpoints, suites []*regress.Suite) (*practice.Answers, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	system, err := a.system()
	if err != nil {
		return nil, err
	}
	allowed, err := by.named(a.Endpoint)
	if err != nil {
		return nil, err
	}
	model, err := allowed.Text(a.Endpoint, a.API, a.Model, system, a.MaxTokens)
	if err != nil {
		return nil, usagef("--endpoint: %v", err)
	}
	if model.Tools, err = a.tools(); err != nil {
		return nil, err
	}
	q, err := newQuestions(suites, a.Prompt)
	if err != nil {
		return nil, err
	}
	j, err := endpoint.OpenJournal(a.Journal, endpoint.Head{Suites: digests(suites), Examples: q.n,
		Asked: endpoint.Asked(a.Endpoint, a.API, a.Model, a.Prompt, system, fmt.Sprint(a.MaxTokens), string(model.Tools))})
	if err != nil {
		return nil, usagef("--journal: %v", err)
	}
	if n := j.Answered(); n > 0 {
		fmt.Fprintf(o.Err, "%d of %d answers are in the journal\n", n, q.n)
	}
	err = j.Ask(ctx, func(ctx context.Context, i int) (string, error) {
		if says := q.says(i); says != nil {
			return model.Converse(ctx, says)
		}
		return model.Ask(ctx, q.text(i))
	})
	if closed := j.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("%w; what was answered is in %s, and is not asked again", err, a.Journal)
	}
	return journalAnswers("candidate", a.Journal, suites)
}

func (a asking) system() (string, error) {
	if a.System == "" {
		return "", nil
	}
	b, err := os.ReadFile(a.System)
	return string(b), err
}

func (a asking) tools() (json.RawMessage, error) {
	if a.Tools == "" {
		return nil, nil
	}
	b, err := os.ReadFile(a.Tools)
	var list []map[string]any
	if err == nil && json.Unmarshal(b, &list) != nil {
		err = usagef("--tools: %s holds no JSON list of tools", a.Tools)
	}
	return b, err
}

// questions are the examples of suites, in order, as texts.
type questions struct {
	n      int
	tables []rows.Table
	starts []int // of tables, among all
	prompt []runner.Prompt
	tests  []*regress.Test       // of each example
	first  map[*regress.Test]int // example of a test, among all
}

func newQuestions(suites []*regress.Suite, text string) (*questions, error) {
	q := &questions{first: map[*regress.Test]int{}}
	for _, s := range suites {
		t, err := s.Table(s.Fields())
		if err != nil {
			return nil, &coded{exitUsage, err}
		}
		p, err := promptFor(s, text)
		if err != nil {
			return nil, err
		}
		for i := range s.Tests {
			q.first[&s.Tests[i]] = len(q.tests)
			q.tests = append(q.tests, slices.Repeat([]*regress.Test{&s.Tests[i]}, s.Tests[i].Examples.Len())...)
		}
		q.tables, q.starts, q.prompt = append(q.tables, t), append(q.starts, q.n), append(q.prompt, p)
		q.n += t.Len()
	}
	return q, nil
}

// says is what a person says in the conversation of example i; nil: it is one question.
func (q *questions) says(i int) []string {
	t := q.tests[i]
	switch {
	case t.Conversation() == 0:
		return nil
	case t.Turns == nil:
		return []string{q.text(i)}
	}
	var out []string
	for _, name := range t.Turns {
		c, _ := t.Examples.Column(name)
		out = append(out, c.Strings[i-q.first[t]])
	}
	return out
}

// promptFor is what is asked about the examples of a suite.
func promptFor(s *regress.Suite, text string) (runner.Prompt, error) {
	if text == "" {
		if !slices.ContainsFunc(s.Tests, func(t regress.Test) bool { return t.Turns == nil }) {
			return runner.Prompt{}, nil // what is said is in columns of its own
		}
		if len(s.Fields()) != 1 {
			return runner.Prompt{}, usagef("suite %s has %d columns: say with --prompt what is asked about an example", s.Name, len(s.Fields()))
		}
		return runner.ColumnPrompt(s.Fields()[0].Name), nil
	}
	p, err := runner.ParsePrompt(text)
	if err == nil {
		err = p.Check(s.Fields())
	}
	if err != nil {
		return p, usagef("--prompt: suite %s: %v", s.Name, err)
	}
	return p, nil
}

// text is the question about example i.
func (q *questions) text(i int) string {
	s := len(q.starts) - 1
	for q.starts[s] > i {
		s--
	}
	return q.prompt[s].Fill(q.tables[s], i-q.starts[s])
}

// journalAnswers reads the answers of a run. To a test about classes a text is the class
// that it names but for case, white space around it and a full stop.
func journalAnswers(name, path string, suites []*regress.Suite) (*practice.Answers, error) {
	texts, err := endpoint.ReadAnswers(path, digests(suites))
	if err != nil {
		return nil, usagef("%s: %v", name, err)
	}
	at := 0
	for _, s := range suites {
		classes := map[string]string{}
		for _, c := range s.Classes() {
			classes[runner.FoldAnswer(c)] = c
		}
		for i := range s.Tests {
			n := s.Tests[i].Examples.Len()
			if s.Tests[i].Checks == nil {
				for k := at; k < at+n; k++ {
					if c, ok := classes[runner.FoldAnswer(texts[k])]; ok {
						texts[k] = c
					}
				}
			}
			at += n
		}
	}
	return practice.FromTexts(name, texts), nil
}

func digests(suites []*regress.Suite) []string {
	out := make([]string, len(suites))
	for i, s := range suites {
		out[i] = s.Digest()
	}
	return out
}

// isJournal says whether a path is the journal of an earlier run.
func isJournal(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return endpoint.IsJournal(f)
}
