package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// folder is a package of kind remote on disk.
func folder(t testing.TB, m map[string]any, files map[string]string) (string, *runner.Package) {
	t.Helper()
	dir := t.TempDir()
	all := map[string]any{"protocol": runner.Protocol, "kind": "remote", "task": "classification", "classes": []string{"no", "yes"}, "batch_max": 4}
	for k, v := range m {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, runner.ManifestFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := runner.ReadPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, p
}

// nine rows: x = 0 to 8.
func nine(t testing.TB) runner.Sheet {
	t.Helper()
	c := rows.Column{Name: "x"}
	for i := range 9 {
		c.Floats = append(c.Floats, float64(i))
	}
	tab, err := rows.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return runner.Sheet{Rows: tab, Batches: []int{4, 1, 4}}
}

// run asks a package's model nine rows.
func run(t testing.TB, e *Endpoints, dir string, p *runner.Package, l runner.Limits) (runner.Output, runner.Facts, *runner.Failure) {
	t.Helper()
	out, facts, err := runner.Runner{MinTier: jail.Remote, Remote: e}.Run(t.Context(), dir, p, nine(t), l)
	var f *runner.Failure
	if err != nil && !errors.As(err, &f) {
		t.Fatal(err)
	}
	return out, facts, f
}

// inference answers as a server of the Open Inference Protocol does: the probability of
// yes is a tenth of x.
func inference(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/infer") {
		http.NotFound(w, r)
		return
	}
	var q struct{ Inputs []struct{ Data []float64 } }
	if json.NewDecoder(r.Body).Decode(&q) != nil || len(q.Inputs) != 1 {
		http.Error(w, "what?", 400)
		return
	}
	var p []string
	for _, x := range q.Inputs[0].Data {
		p = append(p, fmt.Sprintf("%g,%g", 1-x/10, x/10))
	}
	say(w, fmt.Sprintf(`{"outputs":[{"name":"p","datatype":"FP64","shape":[%d,2],"data":[%s]}]}`, len(p), strings.Join(p, ",")))
}

func TestInference(t *testing.T) {
	e, address := ours(t, inference)
	dir, p := folder(t, map[string]any{"endpoint": address, "api": "oip", "model": "m"}, nil)
	out, facts, f := run(t, e, dir, p, runner.Limits{})
	if f != nil || facts.Tier != "remote" || !slices.Equal(out.Labels, []int32{0, 0, 0, 0, 0, 0, 1, 1, 1}) || len(out.Probs) != 18 || out.Probs[17] != 0.8 {
		t.Errorf("%v %+v %v", out, facts, f)
	}
}

// A chat is asked with the package's words and the operator's credential, and by nobody
// else's leave.
func TestChat(t *testing.T) {
	var asked atomic.Int64
	e, address := ours(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // is anybody there?
			return
		}
		b, _ := io.ReadAll(r.Body)
		asked.Add(1)
		var q struct {
			Model    string
			Messages []struct{ Role, Content string }
			Tools    []struct{ Type string }
		}
		if err := json.Unmarshal(b, &q); err != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != credential ||
			q.Model != "gpt" || len(q.Messages) != 2 || q.Messages[0].Role != "system" || q.Messages[0].Content != "Be brief." || len(q.Tools) != 1 {
			t.Errorf("%s %v: %s", r.URL, err, b)
		}
		answer := map[bool]string{true: "Yes.", false: "no"}[q.Messages[1].Content >= "Is 5"]
		say(w, `{"choices":[{"message":{"role":"assistant","content":"`+answer+`"}}],"system_fingerprint":"`+r.Header.Get("Authorization")[7:]+`"}`)
	})
	dir, p := folder(t, map[string]any{"endpoint": address + "/v1", "api": "openai-chat", "model": "gpt", "prompt": "Is {x} large?", "system": "Be brief.",
		"tools": "tools.json", "retrieval": "sha256:" + strings.Repeat("0a", 32)}, map[string]string{"tools.json": `[{"type":"function"}]`})
	out, facts, f := run(t, e, dir, p, runner.Limits{})
	if f != nil || out.Probs != nil || !slices.Equal(out.Labels, []int32{0, 0, 0, 0, 0, 1, 1, 1, 1}) || asked.Load() != 9 {
		t.Errorf("%v %+v %v, asked %d", out, facts, f, asked.Load())
	}
	if strings.Contains(facts.Stderr, "sk-") || !strings.Contains(facts.Stderr, "(not shown)") {
		t.Errorf("what reviewers are shown: %s", facts.Stderr)
	}
	for want, x := range map[string]struct {
		r runner.Runner
		m map[string]any
	}{
		"service.kind": {runner.Runner{MinTier: jail.None}, nil},
		"service.tier": {runner.Runner{Remote: e}, nil},
		"service.kind: the operator does not allow this endpoint": {runner.Runner{MinTier: jail.None, Remote: e}, map[string]any{"endpoint": "https://other.test/v1"}},
		"remote.failed: tools: \"tools.json\" is not a list":      {runner.Runner{MinTier: jail.None, Remote: e}, map[string]any{"tools": "tools.json"}},
	} {
		m := map[string]any{"endpoint": address + "/v1", "api": "openai-chat", "model": "gpt", "prompt": "Is {x} large?"}
		for k, v := range x.m {
			m[k] = v
		}
		dir, p := folder(t, m, map[string]string{"tools.json": `{"type":"function"}`})
		if _, _, err := x.r.Run(t.Context(), dir, p, nine(t), runner.Limits{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	if asked.Load() != 9 {
		t.Error("something was asked that nobody allowed")
	}
}

// What a server answers to a batch, and the reason that the run ends with. Nothing of
// the answer is in the reason's detail.
func TestAnswers(t *testing.T) {
	good := `{"outputs":[{"name":"p","datatype":"FP64","shape":[4,2],"data":[1,0,1,0,1,0,1,0]}]}`
	for what, c := range map[string]struct{ say, reason, detail string }{
		"NaN":           {`{"outputs":[{"name":"p","datatype":"FP64","shape":[4,2],"data":[NaN,0,1,0,1,0,1,0]}]}`, "remote.failed", "not the JSON"},
		"null":          {strings.Replace(good, "[1,", "[null,", 1), "remote.failed", "want numbers"},
		"1e999":         {strings.Replace(good, "[1,", "[1e999,", 1), "remote.failed", "cannot unmarshal"},
		"not 1":         {strings.Replace(good, "[1,", "[0.5,", 1), "answer.number", "sum"},
		"negative":      {strings.Replace(good, "[1,0,", "[2,-1,", 1), "answer.number", "not a probability"},
		"too few":       {strings.Replace(good, "[1,", "[", 1), "remote.failed", "7 values, want 8"},
		"too many":      {strings.Replace(good, "[1,", "[1,1,", 1), "remote.failed", "more than 8 values"},
		"another shape": {strings.Replace(good, "[4,2]", "[2,4]", 1), "remote.failed", "no output"},
		"nothing":       {`{}`, "remote.failed", "no output"},
		"no class":      {`{"outputs":[{"name":"y","datatype":"INT64","shape":[4],"data":[0,1,2,0]}]}`, "remote.failed", "not the index"},
		"its words":     {`{"outputs":[{"name":"sk-0123456789abcdef","datatype":"sk-0123456789abcdef","shape":[7],"data":[]}]}`, "remote.failed", "no output"},
		"its name":      {`{"outputs":[{"name":"sk-0123456789abcdef","datatype":"INT64","shape":[4],"data":["sk-0123456789abcdef",1,0,0]}]}`, "remote.failed", "not the index"},
		"its input":     {"", "remote.failed", "no such column"},
	} {
		e, address := ours(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case c.say == "":
				say(w, `{"inputs":[{"name":"sk-0123456789abcdef","datatype":"FP64","shape":[-1]}, {"name":"x","datatype":"FP64","shape":[-1]}]}`)
			case !strings.HasSuffix(r.URL.Path, "/infer"):
				http.NotFound(w, r)
			default:
				say(w, c.say)
			}
		})
		dir, p := folder(t, map[string]any{"endpoint": address, "api": "oip", "model": "m"}, nil)
		_, _, f := run(t, e, dir, p, runner.Limits{})
		if f == nil || f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || f.Delivered == 0 || f.Service() {
			t.Errorf("%s: %v", what, f)
		}
		if f != nil && strings.Contains(f.Detail+f.Sentence(), "sk-") {
			t.Errorf("%s: the detail holds the credential: %s", what, f.Detail)
		}
	}
}

// A server that does not answer in time ends the run, and is let go.
func TestLate(t *testing.T) {
	gone := make(chan bool, 10)
	e, address := ours(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/infer") {
			http.NotFound(w, r)
			return
		}
		io.ReadAll(r.Body)
		<-r.Context().Done()
		gone <- true
	})
	dir, p := folder(t, map[string]any{"endpoint": address, "api": "oip", "model": "m"}, nil)
	for reason, l := range map[string]runner.Limits{"start.timeout": {Start: 50 * time.Millisecond}, "run.timeout": {Total: 50 * time.Millisecond}} {
		if _, _, f := run(t, e, dir, p, l); f == nil || f.Reason != reason {
			t.Errorf("%s: %v", reason, f)
		}
		<-gone
	}
}

// An endpoint that is not there, or does not take the credential, has seen no row: the
// run ends before one is delivered.
func TestReach(t *testing.T) {
	for want, h := range map[string]http.HandlerFunc{
		"status 401": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) },
		"EOF":        func(w http.ResponseWriter, r *http.Request) { raw(t, w, "") },
	} {
		e, address := ours(t, h)
		for _, m := range []map[string]any{
			{"endpoint": address, "api": "openai-chat", "model": "m", "prompt": "{x}?"}, {"endpoint": address, "api": "oip", "model": "m"},
		} {
			dir, p := folder(t, m, nil)
			if _, _, f := run(t, e, dir, p, runner.Limits{}); f == nil || f.Reason != runner.RemoteFailed || f.Delivered != 0 || !strings.Contains(f.Detail, want) {
				t.Errorf("%v: want %s, got %v", m["api"], want, f)
			}
		}
	}
}

// Whatever a server answers to a chat, the run gives one declared answer a row or none.
func FuzzChat(f *testing.F) {
	f.Add(`{"choices":[{"message":{"role":"assistant","content":"yes"}}]}`)
	f.Add(`{"choices":[{"message":{"content":null}}],"system_fingerprint":"x"}`)
	f.Add(`{"choices":[{"message":null}]}`)
	f.Add(`{"choices":[]}`)
	f.Add(`[1,2`)
	f.Add("{\"choices\":[{\"message\":{\"content\":\"\xff\\ud800\"}}]}")
	var now atomic.Value
	e, address := ours(f, func(w http.ResponseWriter, r *http.Request) { say(w, now.Load().(string)) })
	dir, p := folder(f, map[string]any{"endpoint": address, "api": "openai-chat", "model": "m", "prompt": "{x}?"}, nil)
	f.Fuzz(func(t *testing.T, answer string) {
		now.Store(answer)
		out, _, failed := run(t, e, dir, p, runner.Limits{})
		if failed == nil && len(out.Labels) != 9 || failed != nil && failed.Reason != runner.RemoteFailed {
			t.Errorf("%v %v", out, failed)
		}
	})
}
