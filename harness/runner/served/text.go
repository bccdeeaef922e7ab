package served

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// seed is sent with every question, for servers that draw their answers.
const seed = 1

// A textModel asks a server that speaks as OpenAI's does, one row a request:
//
//	POST /v1/chat/completions
//	{"model":"NAME","messages":[{"role":"user","content":"..."}],"temperature":0,"seed":1,"max_tokens":16}
//
// and takes the class whose answer the server gave; any other text is an answer that
// is none of the classes.
type textModel struct {
	client   *client
	manifest runner.Manifest
	prompt   runner.Prompt
	checked  bool
	printed  string // the last fingerprint that was told
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type question struct {
	Model       string    `json:"model"`
	Messages    []message `json:"messages,omitempty"` // chat
	Prompt      string    `json:"prompt,omitempty"`   // completions
	Temperature float64   `json:"temperature"`
	Seed        int       `json:"seed"`
	MaxTokens   int       `json:"max_tokens"`
}

type reply struct {
	Choices []struct {
		Message *message `json:"message"` // chat
		Text    *string  `json:"text"`    // completions
	} `json:"choices"`
	SystemFingerprint string `json:"system_fingerprint"`
}

func (m *textModel) predict(ctx context.Context, t rows.Table) (labels []int32, probs []float64, err error) {
	if !m.checked {
		if err := m.prompt.Check(t.Fields()); err != nil {
			return nil, nil, err
		}
		m.checked = true
	}
	for r := range t.Len() {
		text, err := m.ask(ctx, m.prompt.Fill(t, r))
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: %w", r+1, err)
		}
		labels = append(labels, m.label(text))
	}
	return labels, nil, nil
}

func (m *textModel) ask(ctx context.Context, text string) (string, error) {
	q := question{Model: m.manifest.Model, Seed: seed, MaxTokens: m.manifest.TokenLimit()}
	path := "/v1/completions"
	if m.manifest.API == runner.APIChat {
		path, q.Messages = "/v1/chat/completions", []message{{"user", text}}
	} else {
		q.Prompt = text
	}
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	var a reply
	if err := m.client.post(ctx, path, body, &a); err != nil {
		return "", err
	}
	m.tell(a.SystemFingerprint)
	if len(a.Choices) != 1 {
		return "", fmt.Errorf("POST %s: %d choices, want 1", path, len(a.Choices))
	}
	switch c := a.Choices[0]; {
	case m.manifest.API == runner.APIChat && c.Message != nil:
		return c.Message.Content, nil
	case m.manifest.API == runner.APICompletions && c.Text != nil:
		return *c.Text, nil
	}
	return "", errors.New("POST " + path + ": the choice has no text")
}

// tell notes for reviewers which configuration the server says it answers with, and
// each change of it.
func (m *textModel) tell(fingerprint string) {
	if fingerprint != m.printed {
		fmt.Fprintf(os.Stderr, "system_fingerprint %.100q\n", fingerprint)
		m.printed = fingerprint
	}
}

// label is the class that a text names, or -1.
func (m *textModel) label(text string) int32 {
	fold := runner.FoldAnswer(text)
	return int32(slices.IndexFunc(m.manifest.AnswerTexts(), func(a string) bool { return runner.FoldAnswer(a) == fold }))
}
