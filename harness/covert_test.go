package harness

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// covertModes are what a model does with a sealed row's value, and how its run ends.
var covertModes = []struct{ mode, reason string }{
	{"covert", ""}, // hides it in the last digits of its answers, and says it on standard error
	{"covert-line", "answer.malformed"},
	{"covert-code", "exit.early"},
	{"covert-end", "answer.after_end"},
}

// T50: a model carries sixteen bytes of a sealed row out in its answers' digits, on
// standard output, on standard error and in its exit code. Nothing that its submitter can
// fetch, over the interface or on a page, has them in any form, nor has a file or the
// log of the service. What the model itself says has them, by the same search.
func TestCovertChannels(t *testing.T) {
	w := newWorld(t)
	w.s.Limits.Start = 5 * time.Second
	rows := strings.Replace(table(1), ",t5,", ","+marker+",", 1)
	c, err := w.propose(testSpec, rows, table(2))
	w.activate(c, err, "cur2")
	w.rule(strings.NewReplacer("tier_at_least: none", "tier_at_least: landlock", "budget_runs: 3", "budget_runs: 4").Replace(testPolicy))
	var runs []string
	for _, m := range covertModes {
		v := w.run(m.mode, misbehaver(t, m.mode))
		if v.Reason != m.reason || m.reason == "" && v.Result == "" {
			t.Fatalf("%s: %+v\n%s", m.mode, v, w.log)
		}
		runs = append(runs, v.ID)
	}
	pages := w.everything("sub1", runs)
	if len(pages) < 30 {
		t.Errorf("only %d answers were looked through", len(pages))
	}
	for path, body := range pages {
		if found := carried(body); found != "" {
			t.Errorf("%s has a sealed value %s:\n%s", path, found, body)
		}
	}
	if found := carried(w.log.Bytes()); found != "" {
		t.Errorf("the log has a sealed value %s:\n%s", found, w.log)
	}
	if files, found := search(t, w.dir, [][]byte{[]byte(marker[:16])}); files < 15 || len(found) > 0 {
		t.Errorf("%d files, found in %v", files, found)
	}

	// Negative control: without a service between the model and its reader.
	for _, m := range covertModes {
		if out, code := speak(t, m.mode); m.mode == "covert-code" && code != int(marker[0]) || carried(out) == "" {
			t.Errorf("negative control: %s carries nothing out: exit code %d, %s", m.mode, code, out)
		}
	}
}

// everything that somebody can fetch: each GET of the interface's document, for each of
// the runs, and all pages that are linked from the first.
func (w *world) everything(who string, runs []string) map[string][]byte {
	w.t.Helper()
	token, err := w.s.AddAccount(context.Background(), person(who), time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	session, _, err := w.s.Login(context.Background(), token)
	if err != nil {
		w.t.Fatal(err)
	}
	web := httptest.NewServer(OverHTTP(w.s))
	defer web.Close()
	seen := map[string][]byte{}
	next := append(gets(w.t, runs), "/", "/login", "/nowhere")
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if _, ok := seen[path]; ok || len(seen) > 500 {
			continue
		}
		req, _ := http.NewRequest("GET", web.URL+path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		req.AddCookie(&http.Cookie{Name: "proctor", Value: session})
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			w.t.Fatal(err)
		}
		var all bytes.Buffer
		resp.Header.Write(&all)
		if _, err := io.Copy(&all, resp.Body); err != nil {
			w.t.Fatal(err)
		}
		resp.Body.Close()
		seen[path] = all.Bytes()
		for _, m := range regexp.MustCompile(`(?:href|src|action)="(/[^"/][^"]*)"`).FindAllStringSubmatch(all.String(), -1) {
			next = append(next, m[1])
		}
	}
	return seen
}

// gets are the paths that the interface's document names with a GET.
func gets(t testing.TB, runs []string) (paths []string) {
	t.Helper()
	doc, err := os.ReadFile("../web/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^  (/\S*):\n(?:    .*\n)*?    get:`).FindAllStringSubmatch(string(doc), -1) {
		path := strings.NewReplacer("{lineage}", "line", "{name}", "exam").Replace(m[1])
		if !strings.Contains(path, "{id}") {
			paths = append(paths, path)
			continue
		}
		for _, id := range runs {
			paths = append(paths, strings.Replace(path, "{id}", id, 1))
		}
	}
	return paths
}

// carried says how the marker is in a text, "" if it is not: as it is, in hex, in base64,
// or in the ninth decimals of numbers that follow each other.
func carried(text []byte) string {
	hidden := []byte(marker[:16])
	forms := map[string]string{"as it is": string(hidden), "in hex": hex.EncodeToString(hidden)}
	for skip := range 3 { // base64 has three forms, by where the text begins
		s := base64.StdEncoding.EncodeToString(hidden[skip:])
		forms["in base64, "+strconv.Itoa(skip)] = s[:len(s)-6]
	}
	for name, form := range forms {
		if bytes.Contains(text, []byte(form)) {
			return name
		}
	}
	var digits [3][]byte // of each number, and of each other one
	for i, number := range regexp.MustCompile(`0\.[0-9]+`).FindAll(text, -1) {
		v, _ := strconv.ParseFloat(string(number), 64)
		d := byte(int(math.Round(v*1e9)) % 1000)
		digits[2] = append(digits[2], d)
		digits[i%2] = append(digits[i%2], d)
	}
	for _, d := range digits {
		if bytes.Contains(d, hidden) {
			return "in the digits of numbers"
		}
	}
	return ""
}

// speak lets a model answer forty rows, the first of which holds the marker, and returns
// what it wrote on its standard output; but of one that carries by its exit code all that
// it wrote.
func speak(t *testing.T, mode string) ([]byte, int) {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, []byte(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	list := slices.Repeat([]map[string]any{{"x": 0.25, "tag": "t1"}}, 40)
	list[0] = map[string]any{"x": 0.25, "tag": marker}
	in, err := json.Marshal(map[string]any{"b": 1, "rows": list})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, mode)
	cmd.Stdin = bytes.NewReader(append(in, '\n'))
	var out, all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &all
	_ = cmd.Run() // its exit code is what is asked for
	if mode == "covert-code" {
		return all.Bytes(), cmd.ProcessState.ExitCode()
	}
	return out.Bytes(), cmd.ProcessState.ExitCode()
}
