package served

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// serveOn is a client of a server in this process.
func serveOn(t testing.TB, h http.HandlerFunc) *client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return newClient(s.Listener.Addr().(*net.TCPAddr).Port)
}

var inferenceManifest = runner.Manifest{API: runner.APIInference, Model: "m/1 x", BatchMax: 10, Classes: []string{"no", "yes"}}

// What a server says its inputs are, and what it is then sent for the rows (0.5, "a")
// and (2, "ü"), or why it cannot be asked.
const inputs = `
none
[{"name":"x","shape":[2,1],"datatype":"FP64","data":[0.5,2]},{"name":"tag","shape":[2,1],"datatype":"BYTES","data":["a","ü"]}]

[{"name":"tag","datatype":"BYTES","shape":[-1]}]
[{"name":"tag","shape":[2],"datatype":"BYTES","data":["a","ü"]}]

[{"name":"x","datatype":"FP32","shape":[-1,1]}]
[{"name":"x","shape":[2,1],"datatype":"FP32","data":[0.5,2]}]

[{"name":"x","datatype":"INT64","shape":[-1,1]}]
error: column "x" has the value 0.5

[{"name":"x","datatype":"BYTES","shape":[-1,1]}]
error: of type "BYTES", and column

[{"name":"x","datatype":"BOOL","shape":[-1,1]}]
error: of type "BOOL"

[{"name":"x","datatype":"FP32","shape":[-1,2]}]
error: has the shape [-1 2]

[{"name":"x","datatype":"FP32","shape":[]}]
error: has the shape []

[{"name":"x","datatype":"FP32","shape":[-1]},{"name":"y","datatype":"FP32","shape":[-1]}]
error: has an input "y", and there is no such column

[{"name":"all","datatype":"FP32","shape":[-1,2]}]
error: of type "FP32", and column

[{"name":"all","datatype":"FP32","shape":[-1,3]}]
error: shape [-1 3], and there are 2 columns

[{"name":"all","datatype":"FP32","shape":[-1]}]
error: shape [-1], and there are 2 columns
`

func TestInputs(t *testing.T) {
	tab, err := rows.New(rows.Column{Name: "x", Floats: []float64{0.5, 2}}, rows.Column{Name: "tag", Strings: []string{"a", "ü"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(strings.TrimSpace(inputs), "\n\n") {
		meta, want, _ := strings.Cut(block, "\n")
		got := ask(t, tab, func(w http.ResponseWriter, r *http.Request) {
			if meta == "none" {
				http.NotFound(w, r)
				return
			}
			fmt.Fprintf(w, `{"name":"m","inputs":%s}`, meta)
		})
		if reason, ok := strings.CutPrefix(want, "error: "); ok && strings.HasPrefix(got, "error: ") && strings.Contains(got, reason) {
			continue
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", meta, got, want)
		}
	}
}

// A single input takes all columns, row by row.
func TestMatrix(t *testing.T) {
	tab, err := rows.New(rows.Column{Name: "a", Floats: []float64{1, 2}}, rows.Column{Name: "b", Floats: []float64{3, 1e300}})
	if err != nil {
		t.Fatal(err)
	}
	got := ask(t, tab, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"inputs":[{"name":"predict","datatype":"INT32","shape":[-1,-1]}]}`)
	})
	if !strings.Contains(got, `column "b" has the value 1e+300`) {
		t.Error(got)
	}
	tab.Columns()[1].Floats[1] = 4
	got = ask(t, tab, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"inputs":[{"name":"predict","datatype":"INT32","shape":[-1,-1]}]}`)
	})
	if got != `[{"name":"predict","shape":[2,2],"datatype":"INT32","data":[1,3,2,4]}]` {
		t.Error(got)
	}
}

// ask gives the inputs that a server with this description is sent, or the error.
func ask(t *testing.T, tab rows.Table, describe http.HandlerFunc) string {
	t.Helper()
	var sent struct{ Inputs json.RawMessage }
	c := serveOn(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.EscapedPath() {
		case "/v2/models/m%2F1%20x":
			describe(w, r)
		case "/v2/models/m%2F1%20x/infer":
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				t.Error(err)
			}
			io.WriteString(w, `{"outputs":[{"name":"y","datatype":"INT64","shape":[2],"data":[0,1]}]}`)
		default:
			t.Errorf("asked %s", r.URL)
		}
	})
	m, err := newTensorModel(t.Context(), c, inferenceManifest)
	if err != nil {
		return "error: " + err.Error()
	}
	if _, _, err := m.predict(t.Context(), tab); err != nil {
		return "error: " + err.Error()
	}
	return string(sent.Inputs)
}

// What a server answers for two rows, and what is read from it.
const outputs = `
[{"name":"p","datatype":"FP32","shape":[2,2],"data":[0.25,0.75,1,0]}]
[0.25 0.75 1 0] []
[{"name":"p","datatype":"FP64","shape":[2,2],"data":[[0.25,0.75],[1,0]]}]
[0.25 0.75 1 0] []
[{"name":"y","datatype":"INT64","shape":[2],"data":[1,-1]}]
[] [1 -1]
[{"name":"y","datatype":"BYTES","shape":[2,1],"data":["yes","maybe"]}]
[] [1 -1]
[{"name":"x","datatype":"FP32","shape":[7],"data":[]},{"name":"y","datatype":"BYTES","shape":[2],"data":["no","yes"]},{"name":"p","datatype":"FP32","shape":[2,2],"data":[1,0,0,1]},{"name":"q","datatype":"FP32","shape":[2,2],"data":[0,0,0,0]}]
[1 0 0 1] [0 1]
[]
error: it has none
[{"name":"p","datatype":"FP32","shape":[2,3],"data":[1,0,0,1,0,0]}]
error: no output of the server has 2 rows of 2 probabilities
[{"name":"p","datatype":"FP32","shape":[2,2],"data":[1,0,0]}]
error: 3 values, want 4
[{"name":"p","datatype":"FP32","shape":[2,2],"data":[1,0,0,1,1]}]
error: more than 4 values
[{"name":"p","datatype":"FP32","shape":[2,2],"data":[1,0,0,"1"]}]
error: want numbers
[{"name":"p","datatype":"FP32","shape":[2,2],"data":{"a":1}}]
error: want numbers
[{"name":"p","datatype":"FP32","shape":[2,2]}]
error: unexpected end
[{"name":"y","datatype":"INT64","shape":[2],"data":[2,0]}]
error: "2" is not the index
[{"name":"y","datatype":"INT64","shape":[2],"data":[-2,0]}]
error: "-2" is not the index
[{"name":"y","datatype":"INT64","shape":[2],"data":[0.5,0]}]
error: "0.5" is not the index
[{"name":"y","datatype":"BYTES","shape":[2],"data":[1,0]}]
error: want words
[{"name":"y","datatype":"BYTES","shape":[-2],"data":["no","no"]}]
error: no output of the server
`

func TestOutputs(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(outputs), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		var out []tensor
		if err := json.Unmarshal([]byte(lines[i]), &out); err != nil {
			t.Fatal(err)
		}
		labels, probs, err := read(out, 2, []string{"no", "yes"})
		got := fmt.Sprint(probs, labels)
		if err != nil {
			got = "error: " + err.Error()
		}
		want := lines[i+1]
		if reason, ok := strings.CutPrefix(want, "error: "); got != want && !(ok && strings.HasPrefix(got, "error: ") && strings.Contains(got, reason)) {
			t.Errorf("%s\n got %s\nwant %s", lines[i], got, want)
		}
	}
}

// Whatever a server answers, reading it does not panic, and what is read is one answer a row.
func FuzzOutputs(f *testing.F) {
	for line := range strings.Lines(outputs) {
		if strings.HasPrefix(line, "[{") {
			f.Add([]byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var out []tensor
		if json.Unmarshal(data, &out) != nil {
			return
		}
		labels, probs, err := read(out, 2, []string{"no", "yes"})
		if err == nil && (labels == nil && probs == nil || labels != nil && len(labels) != 2 || probs != nil && len(probs) != 4) {
			t.Errorf("%v %v", labels, probs)
		}
	})
}

// A client stays on its port and reads only so much, whatever the server says.
func TestClient(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = true; io.WriteString(w, "{}") }))
	defer other.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	for want, h := range map[string]http.HandlerFunc{
		"status 302":           func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"status 500":           func(w http.ResponseWriter, r *http.Request) { http.Error(w, "oh", 500) },
		"invalid character":    func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
		"after top-level":      func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}{}") },
		"more than 67108864":   func(w http.ResponseWriter, r *http.Request) { flood(w) },
		"EOF":                  func(w http.ResponseWriter, r *http.Request) { hangUp(t, w) },
		"server response head": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) },
	} {
		var v any
		err := serveOn(t, h).Post(t.Context(), "/x", []byte("{}"), &v)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if reached {
		t.Error("another server was asked")
	}
	if resp, err := http.Get(other.URL); err != nil || !reached {
		t.Errorf("it does not answer at all: %v", err)
	} else {
		resp.Body.Close()
	}
	// A server that ended is named.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the server ended"))
	if err := newClient(1).await(ctx, "/"); err == nil || !strings.Contains(err.Error(), "the server ended") {
		t.Error(err)
	}
}

func flood(w io.Writer) {
	b := make([]byte, 1<<20)
	for range 80 {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func hangUp(t *testing.T, w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	c.Close()
}

// await asks again until the server is ready.
func TestAwait(t *testing.T) {
	asked := 0
	c := serveOn(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			http.Error(w, "loading", http.StatusServiceUnavailable)
		}
	})
	if err := c.await(t.Context(), "/v2/health/ready"); err != nil || asked != 3 {
		t.Errorf("%v after %d", err, asked)
	}
}

// What a text model is sent for a row, and what its answers mean.
func TestText(t *testing.T) {
	tab, err := rows.New(rows.Column{Name: "text", Strings: []string{"fine \"}{\"", "bad", "?", "x"}}, rows.Column{Name: "n", Floats: []float64{1, 2.5, 1e21, -0.5}})
	if err != nil {
		t.Fatal(err)
	}
	says := []string{" Good.", "BAD", "It is good.", ""}
	for api, want := range map[string]string{
		runner.APIChat:        `{"model":"m","messages":[{"role":"user","content":"1 {of} fine \"}{\"?"}],"temperature":0,"seed":1,"max_tokens":16}`,
		runner.APICompletions: `{"model":"m","prompt":"1 {of} fine \"}{\"?","temperature":0,"seed":1,"max_tokens":16}`,
	} {
		var sent []string
		c := serveOn(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			text, _ := json.Marshal(says[len(sent)])
			sent = append(sent, string(b))
			if r.URL.Path == "/chat/completions" && api == runner.APIChat {
				fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s}}]}`, text)
			} else if r.URL.Path == "/completions" && api == runner.APICompletions {
				fmt.Fprintf(w, `{"choices":[{"text":%s}]}`, text)
			} else {
				http.NotFound(w, r)
			}
		})
		m := texts(t, c, runner.Manifest{API: api, Model: "m", Answers: []string{"bad", "good"}, Prompt: "{n} {{of}} {text}?"})
		labels, probs, err := m.predict(t.Context(), tab)
		if err != nil || probs != nil || !slices.Equal(labels, []int32{1, 0, -1, -1}) {
			t.Errorf("%s: %v %v %v", api, labels, probs, err)
		}
		if len(sent) != 4 || sent[0] != want {
			t.Errorf("%s: sent\n%s\nwant\n%s", api, sent, want)
		}
		if !strings.Contains(sent[2], "1000000000000000000000 ") {
			t.Errorf("a number is not written in full: %s", sent[2])
		}
	}
}

// texts is a model that is asked one row after the other.
func texts(t *testing.T, c *client, m runner.Manifest) *textModel {
	t.Helper()
	x, err := newTextModel(&Text{Client: c}, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Replies without an answer end the run.
func TestTextRefuses(t *testing.T) {
	for want, say := range map[string]string{
		"0 choices":   `{}`,
		"2 choices":   `{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}}]}`,
		"has no text": `{"choices":[{"text":"a"}]}`,
		"cannot unma": `{"choices":[{"message":{"content":1}}]}`,
	} {
		c := serveOn(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, say) })
		m := texts(t, c, runner.Manifest{API: runner.APIChat, Classes: []string{"a", "b"}, Prompt: "{x}"})
		if _, _, err := m.predict(t.Context(), table(t, 3)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", say, want, err)
		}
	}
	m := texts(t, newClient(1), runner.Manifest{API: runner.APIChat, Prompt: "{missing}"})
	if _, _, err := m.predict(t.Context(), table(t, 3)); err == nil || !strings.Contains(err.Error(), `names the column "missing"; the rows have x, tag`) {
		t.Error(err)
	}
}
