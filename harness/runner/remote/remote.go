// Package remote asks models that run elsewhere: tables by the Open Inference Protocol
// v2, text by the interface that OpenAI's chat and completions have.
//
// Where a client may connect is the operator's word, not a package's: only endpoints
// that he named are asked, by TLS, at addresses of the open internet, unless he said of
// one that it is private. A name is resolved once and the address that was looked at is
// the one that is dialled. There is no redirect, no proxy, no answer without bound. A
// credential is the operator's, goes to its own endpoint and nowhere else, and is never
// part of an error; nor is anything that a server wrote, since a server can write it.
//
// The server is not trusted, and nothing here says which weights answer. What comes
// back is read as JSON of known form, and believed by nobody before the pipe protocol
// of harness/runner has checked it.
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"

	"proctor/harness/runner"
	"proctor/harness/runner/served"
	"proctor/holdout/rows"
)

var _ runner.Remote = (*Endpoints)(nil)

// Allows implements [runner.Remote].
func (e *Endpoints) Allows(m runner.Manifest) error {
	_, err := e.find(m.Endpoint)
	return err
}

// Model implements [runner.Remote].
func (e *Endpoints) Model(ctx context.Context, dir string, m runner.Manifest, log io.Writer) (func(context.Context, rows.Table) ([]int32, []float64, error), error) {
	c, err := e.Client(m.Endpoint, m.API)
	if err != nil {
		return nil, err
	}
	t := &served.Text{Client: c, System: m.System, Configuration: c.tell(log)}
	if m.Tools != "" {
		if t.Tools, err = tools(dir, m.Tools); err != nil {
			return nil, err
		}
	}
	if m.Text() {
		if err := c.reach(ctx, "/models"); err != nil {
			return nil, err
		}
	}
	predict, err := served.NewModel(ctx, m, t, AtOnce)
	if err != nil {
		return nil, unquoted(err)
	}
	return func(ctx context.Context, t rows.Table) ([]int32, []float64, error) {
		labels, probs, err := predict(ctx, t)
		return labels, probs, unquoted(err)
	}, nil
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// unquoted takes the words of a server out of an error, where they stand in quotes: one
// of them could be the credential.
func unquoted(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(quoted.ReplaceAllString(err.Error(), `"..."`))
}

const maxTools = 256 << 10

// tools reads the file of tools: a list of JSON.
func tools(dir, name string) (json.RawMessage, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTools+1))
	if err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	var list []json.RawMessage
	if len(b) > maxTools || json.Unmarshal(b, &list) != nil || len(list) == 0 {
		return nil, fmt.Errorf("tools: %q is not a list of JSON, of 1 entry or more and at most %d bytes", name, maxTools)
	}
	return b, nil
}

var fingerprint = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,100}$`)

// tell returns a function that notes which configuration a server says it answers with,
// and each change of it. What could be something else than such a name is not noted.
func (c *Client) tell(log io.Writer) func(string) {
	var mu sync.Mutex
	printed := ""
	return func(said string) {
		mu.Lock()
		defer mu.Unlock()
		if said == printed {
			return
		}
		printed = said
		if !fingerprint.MatchString(said) || c.holdsCredential(said) {
			said = "(not shown)"
		}
		fmt.Fprintf(log, "system_fingerprint %s\n", said)
	}
}

// holdsCredential says whether a text holds a word of the credential that would be
// worth something to somebody.
func (c *Client) holdsCredential(s string) bool {
	for _, w := range strings.Fields(c.value) {
		if len(w) >= 6 && (strings.Contains(s, w) || strings.Contains(w, s)) {
			return true
		}
	}
	return false
}

// Text returns what asks a text model at an address, several questions at once.
func (e *Endpoints) Text(address, api, model, system string, maxTokens int) (*served.Text, error) {
	if api == runner.APIInference {
		return nil, errors.New("not the interface of a text model")
	}
	c, err := e.Client(address, api)
	if err != nil {
		return nil, err
	}
	return &served.Text{Client: c, API: api, Model: model, System: system, MaxTokens: maxTokens}, nil
}
