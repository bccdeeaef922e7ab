package served

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// seed is sent with every question, for servers that draw their answers.
const seed = 1

// A Text asks a server that speaks as OpenAI's does, one question a request:
//
//	POST /chat/completions
//	{"model":"NAME","messages":[{"role":"user","content":"..."}],"temperature":0,"seed":1,"max_tokens":16}
//
// Several goroutines may ask at once where the client allows it.
type Text struct {
	Client    Client
	API       string // runner.APIChat or runner.APICompletions
	Model     string
	System    string          // chat: a first message of the system's; "": none
	Tools     json.RawMessage // chat: the tools that the model may call; nil: none
	MaxTokens int
	// Configuration is told of what the server says that it answers with, in its own
	// words: hostile, and possibly long.
	Configuration func(fingerprint string)
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type question struct {
	Model       string          `json:"model"`
	Messages    []message       `json:"messages,omitempty"` // chat
	Prompt      string          `json:"prompt,omitempty"`   // completions
	Tools       json.RawMessage `json:"tools,omitempty"`
	Temperature float64         `json:"temperature"`
	Seed        int             `json:"seed"`
	MaxTokens   int             `json:"max_tokens"`
}

type reply struct {
	Choices []struct {
		Message *message `json:"message"` // chat
		Text    *string  `json:"text"`    // completions
	} `json:"choices"`
	SystemFingerprint string `json:"system_fingerprint"`
}

// Ask asks one question and returns the answer as it is.
func (x *Text) Ask(ctx context.Context, text string) (string, error) {
	q := question{Model: x.Model, Seed: seed, MaxTokens: x.MaxTokens}
	path := "/completions"
	if x.API == runner.APIChat {
		path, q.Tools = "/chat/completions", x.Tools
		if x.System != "" {
			q.Messages = []message{{"system", x.System}}
		}
		q.Messages = append(q.Messages, message{"user", text})
	} else {
		q.Prompt = text
	}
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	var a reply
	if err := x.Client.Post(ctx, path, body, &a); err != nil {
		return "", err
	}
	if x.Configuration != nil {
		x.Configuration(a.SystemFingerprint)
	}
	if len(a.Choices) != 1 {
		return "", fmt.Errorf("POST %s: %d choices, want 1", path, len(a.Choices))
	}
	switch c := a.Choices[0]; {
	case x.API == runner.APIChat && c.Message != nil:
		return c.Message.Content, nil
	case x.API == runner.APICompletions && c.Text != nil:
		return *c.Text, nil
	}
	return "", errors.New("POST " + path + ": the choice has no text")
}

// A textModel takes the class whose answer the server gave; any other text is an
// answer that is none of the classes.
type textModel struct {
	text    *Text
	answers []string // by class
	prompt  runner.Prompt
	atOnce  int
	checked bool
}

func newTextModel(text *Text, m runner.Manifest, atOnce int) (*textModel, error) {
	prompt, err := runner.ParsePrompt(m.Prompt)
	if err != nil {
		return nil, err
	}
	text.API, text.Model, text.MaxTokens = m.API, m.Model, m.TokenLimit()
	return &textModel{text: text, answers: m.AnswerTexts(), prompt: prompt, atOnce: atOnce}, nil
}

func (m *textModel) predict(ctx context.Context, t rows.Table) (labels []int32, probs []float64, err error) {
	if !m.checked {
		if err := m.prompt.Check(t.Fields()); err != nil {
			return nil, nil, err
		}
		m.checked = true
	}
	labels = make([]int32, t.Len())
	err = Each(ctx, m.atOnce, t.Len(), func(ctx context.Context, r int) error {
		text, err := m.text.Ask(ctx, m.prompt.Fill(t, r))
		if err != nil {
			return fmt.Errorf("row %d: %w", r+1, err)
		}
		labels[r] = m.label(text)
		return nil
	})
	return labels, nil, err
}

// Each calls f for 0 to n-1, at most atOnce at the same time and begun in this order,
// until one fails: the others are then told to end, and the first error is returned.
func Each(ctx context.Context, atOnce, n int, f func(context.Context, int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range min(atOnce, n) {
		all.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}

// tell returns a function that notes for reviewers which configuration the server says
// it answers with, and each change of it.
func tell() func(string) {
	printed := ""
	return func(fingerprint string) {
		if fingerprint != printed {
			fmt.Fprintf(os.Stderr, "system_fingerprint %.100q\n", fingerprint)
			printed = fingerprint
		}
	}
}

// label is the class that a text names, or -1.
func (m *textModel) label(text string) int32 {
	fold := runner.FoldAnswer(text)
	return int32(slices.IndexFunc(m.answers, func(a string) bool { return runner.FoldAnswer(a) == fold }))
}
