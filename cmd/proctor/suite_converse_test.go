package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A conversation with a model behind an endpoint: each turn is said with what was said
// before, calls are recorded and none is run.
func TestSuiteRunConverses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.yaml": "suite: desk\ntests:\n  - name: books\n    kind: MFT\n    cases: c.jsonl\n    turns: [first, then]\n    checks:\n" +
			"      - {score: contains, text: how many, turn: 1}\n      - {score: calls, tool: book, column: args, turn: 2}\n      - {score: calls, turn: 1, not: true}\n",
		"c.jsonl":    `{"first":"A table.","then":"For two.","args":"{\"people\":2}"}` + "\n",
		"tools.json": `[{"type":"function","function":{"name":"book","parameters":{"type":"object"}}}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Model    string
			Tools    []any
			Messages []struct {
				Role, Content string
				ToolCallID    string `json:"tool_call_id"`
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Tools) != 1 {
			t.Errorf("%v %+v", err, q)
		}
		roles := ""
		for _, m := range q.Messages {
			roles += m.Role + " "
		}
		message := `{"role":"assistant","content":"For how many?"}`
		switch people := map[string]int{"good": 2, "wrong": 3}[q.Model]; strings.TrimSpace(roles) {
		case "user":
		case "user assistant user":
			message = fmt.Sprintf(`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"book","arguments":"{\"people\":%d}"}}]}`, people)
		case "user assistant user assistant tool":
			message = `{"role":"assistant","content":"Booked."}`
		default:
			t.Errorf("asked with %s", roles)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":%s}]}`, message)
	}))
	defer s.Close()
	for model, want := range map[string]int{"good": 0, "wrong": 11} {
		var out bytes.Buffer
		code := run(t.Context(), []string{"suite", "run", filepath.Join(dir, "s.yaml"), "--endpoint", s.URL + "/v1", "--model", model,
			"--tools", filepath.Join(dir, "tools.json"), "--journal", filepath.Join(dir, model)}, &out, &out)
		if code != want {
			t.Errorf("%s: exit code %d\n%s", model, code, out.String())
		}
	}
}
