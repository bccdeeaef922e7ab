package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// What the model of a test is asked with, and what it answers by the model's name: old
// takes every review with "not" in it for a bad one, new forgets to.
func reviewer(t *testing.T, asked *atomic.Int64) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var q struct {
			Model     string
			Messages  []struct{ Role, Content string }
			MaxTokens int `json:"max_tokens"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/chat/completions" || q.MaxTokens != 256 {
			t.Errorf("%s: %v %+v", r.URL, err, q)
		}
		if len(q.Messages) == 2 && q.Messages[0].Content != "Answer good or bad.\n" {
			t.Errorf("system prompt %q", q.Messages[0].Content)
		}
		text := q.Messages[len(q.Messages)-1].Content
		answer := "Good."
		if strings.Contains(text, "bad") != (q.Model == "old" && strings.Contains(text, "not")) {
			answer = "bad"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%q}}]}`, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

const reviews = `
suite: reviews
tests:
  - {name: plain, kind: MFT, cases: plain.csv}
  - {name: negation, kind: MFT, critical: true, cases: negation.csv}
  - name: short
    kind: stress
    cases: odd.csv
    checks: [{score: one_of, texts: ["good.", bad], fold: true}]
`

// A text model behind an endpoint is asked a suite's examples, once each; its journal is
// later read as the deployed model's answers.
func TestSuiteEndpoint(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.yaml": reviews, "system.txt": "Answer good or bad.\n", "odd.csv": "review\n?\n\"a, b\"\n",
		"plain.csv": "review,expect\na good film,good\na bad film,bad\n", "negation.csv": "review,expect\nnot good,bad\nnot bad,good\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var asked atomic.Int64
	s := reviewer(t, &asked)
	in := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(t.Context(), append([]string{"suite", "run", filepath.Join(dir, "s.yaml")}, args...), &out, &out)
		return code, out.String()
	}
	endpoint := func(model, journal string, more ...string) []string {
		return append([]string{"--endpoint", s.URL + "/v1", "--model", model, "--journal", filepath.Join(dir, journal)}, more...)
	}
	if code, out := in(endpoint("old", "old.journal")...); code != 0 || asked.Load() != 6 {
		t.Fatalf("old: exit code %d after %d requests: %s", code, asked.Load(), out)
	}
	if code, out := in(endpoint("old", "old.journal")...); code != 0 || asked.Load() != 6 || !strings.Contains(out, "6 of 6 answers are in the journal") {
		t.Errorf("old again: exit code %d after %d requests: %s", code, asked.Load(), out)
	}
	code, out := in(endpoint("new", "new.journal", "--prompt", "Review: {review}", "--system", filepath.Join(dir, "system.txt"), "--baseline", filepath.Join(dir, "old.journal"))...)
	if code != exitFail || asked.Load() != 12 || !strings.Contains(out, "negation") {
		t.Errorf("new: exit code %d after %d requests: %s", code, asked.Load(), out)
	}
	if code, out := in("--candidate", filepath.Join(dir, "old.journal")); code != 0 {
		t.Errorf("a journal as answers: exit code %d: %s", code, out)
	}
	for want, args := range map[string][]string{
		"needs --model":              {"--endpoint", s.URL + "/v1"},
		"name the candidate":         nil,
		"of another run":             endpoint("new", "old.journal"),
		"known are openai-chat":      endpoint("old", "x", "--api", "oip"),
		"names the column":           endpoint("old", "x", "--prompt", "{text}"),
		"does not allow":             endpoint("old", "x", "--endpoints", namedFile(t, dir, "https://other.test")),
		"not an address":             {"--endpoint", "https://user@h.test/v1", "--model", "m", "--journal", "x"},
		"others can read":            endpoint("old", "x", "--endpoints", filepath.Join(dir, "system.txt")),
		"--candidate its folder":     append(endpoint("old", "x"), "--candidate", dir),
		"holds answers to other sui": {"--candidate", otherSuite(t, dir)},
	} {
		if code, out := in(args...); code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("%q: exit code %d: %s", want, code, out)
		}
	}
	if asked.Load() != 12 {
		t.Errorf("%d requests", asked.Load())
	}
}

// namedFile is an operator's file with one endpoint.
func namedFile(t *testing.T, dir, address string) string {
	t.Helper()
	path := filepath.Join(dir, "endpoints.json")
	if err := os.WriteFile(path, fmt.Appendf(nil, `{"endpoints":[{"url":%q}]}`, address), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// otherSuite is a journal of another suite.
func otherSuite(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "old.journal"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "other.journal")
	if err := os.WriteFile(path, bytes.Replace(b, []byte("sha256:"), []byte("sha256:0"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A folder of kind remote is a candidate like any other, at endpoints that a file names.
func TestSuiteRemotePackage(t *testing.T) {
	dir, pkg := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte("suite: s\ntests:\n  - {name: plain, kind: MFT, cases: plain.csv}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plain.csv"), []byte("review,expect\na good film,good\na bad film,bad\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sent.Store(r.Header.Get("X-Key"))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":{"content":%q}}]}`, map[bool]string{true: "good", false: "bad"}[bytes.Contains(b, []byte("good film"))])
	}))
	defer s.Close()
	m := fmt.Sprintf(`{"protocol":"proctor/1","kind":"remote","endpoint":%q,"api":"openai-chat","model":"m","prompt":"{review}","task":"classification","classes":["bad","good"]}`, s.URL+"/v1")
	if err := os.WriteFile(filepath.Join(pkg, "proctor-model.json"), []byte(m), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "endpoints.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `{"endpoints":[{"url":%q,"private":true,"header":"X-Key","value":"sk-1"}]}`, s.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := []string{"suite", "run", filepath.Join(dir, "s.yaml"), "--candidate", pkg}
	if code := run(t.Context(), args, &out, &out); code == 0 || sent.Load() != nil || !strings.Contains(out.String(), "service.kind") {
		t.Errorf("without a file: exit code %d, sent %v: %s", code, sent.Load(), out.String())
	}
	out.Reset()
	if code := run(t.Context(), append(args, "--endpoints", file), &out, &out); code != 0 || sent.Load() != "sk-1" {
		t.Errorf("exit code %d, sent %v: %s", code, sent.Load(), out.String())
	}
}
