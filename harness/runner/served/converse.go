package served

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"proctor/harness/runner"
)

// maxCalls bounds how often a model may call tools in one turn before it speaks.
const maxCalls = 8

// A said message as it goes back to the server, and a call in it.
type toolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"` // JSON
	} `json:"function"`
}

type spoken struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type conversation struct {
	Model       string          `json:"model"`
	Messages    []spoken        `json:"messages"`
	Tools       json.RawMessage `json:"tools,omitempty"`
	Temperature float64         `json:"temperature"`
	Seed        int             `json:"seed"`
	MaxTokens   int             `json:"max_tokens"`
}

type turn struct {
	Text  string `json:"text"`
	Calls []call `json:"calls,omitempty"`
}

type call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// Converse says one thing after the other, each with what was said before, and returns
// what the model said and which tools it called:
//
//	{"turns":[{"text":"For how many?"},{"text":"","calls":[{"name":"book","arguments":{"people":2}}]}]}
//
// No tool is run: each call is answered with {}. A model that calls on and on is cut off
// after maxCalls answers, with the text of the last.
func (x *Text) Converse(ctx context.Context, says []string) (string, error) {
	if x.API != runner.APIChat {
		return "", errors.New("conversations are for " + runner.APIChat)
	}
	q := conversation{Model: x.Model, Tools: x.Tools, Seed: seed, MaxTokens: x.MaxTokens}
	if x.System != "" {
		q.Messages = append(q.Messages, spoken{Role: "system", Content: x.System})
	}
	var out struct {
		Turns []turn `json:"turns"`
	}
	for i, text := range says {
		q.Messages = append(q.Messages, spoken{Role: "user", Content: text})
		t, err := x.turn(ctx, &q)
		if err != nil {
			return "", fmt.Errorf("turn %d: %w", i+1, err)
		}
		out.Turns = append(out.Turns, t)
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// turn asks until the model speaks without calling.
func (x *Text) turn(ctx context.Context, q *conversation) (t turn, err error) {
	for range maxCalls {
		m, err := x.speak(ctx, q)
		if err != nil {
			return t, err
		}
		t.Text = m.Content
		q.Messages = append(q.Messages, m)
		for _, c := range m.ToolCalls {
			args := json.RawMessage(c.Function.Arguments)
			if !json.Valid(args) { // no arguments at all: no check of arguments holds
				args = json.RawMessage("{}")
			}
			t.Calls = append(t.Calls, call{c.Function.Name, args})
			q.Messages = append(q.Messages, spoken{Role: "tool", ToolCallID: c.ID, Content: "{}"})
		}
		if len(m.ToolCalls) == 0 {
			break
		}
	}
	return t, nil
}

func (x *Text) speak(ctx context.Context, q *conversation) (spoken, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return spoken{}, err
	}
	var a struct {
		Choices []struct {
			Message *spoken `json:"message"`
		} `json:"choices"`
		SystemFingerprint string `json:"system_fingerprint"`
	}
	if err := x.Client.Post(ctx, "/chat/completions", body, &a); err != nil {
		return spoken{}, err
	}
	if x.Configuration != nil {
		x.Configuration(a.SystemFingerprint)
	}
	if len(a.Choices) != 1 || a.Choices[0].Message == nil {
		return spoken{}, fmt.Errorf("POST /chat/completions: %d choices, want 1 with a message", len(a.Choices))
	}
	m := *a.Choices[0].Message
	m.Role, m.ToolCallID = "assistant", ""
	return m, nil
}
