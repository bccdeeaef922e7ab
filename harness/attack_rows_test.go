package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/web/api"
)

// caller speaks HTTP to a world as one account.
type caller struct {
	t     *testing.T
	url   string
	token string
}

func (w *world) serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(OverHTTP(w.s))
	t.Cleanup(s.Close)
	return s.URL
}

func (w *world) token(who string) string {
	w.t.Helper()
	return must1[string](w)(w.s.AddAccount(context.Background(), person(who), time.Hour))
}

func (c caller) do(method, path, kind string, body []byte) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Holdout-Version", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// T03: a curator leaves one slice with a tenth of its rows. Whoever activates the set
// reads it; nothing runs until a policy was proposed on the new rows; and what passes
// then says that the slice is not covered. On the set before it was.
func TestShrunkSlice(t *testing.T) {
	rule := strings.Replace(testPolicy, "first_model", "watch:\n  - {id: groups, metric: accuracy, over: [group], harm_pp: 5, detect_pp: 30}\nfirst_model", 1)
	covered := func(w *world, id string) bool {
		v, err := w.s.Report(context.Background(), person("rev1"), id)
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(strings.Join(v.Report.Decision.NotCovered, "\n"), "too few")
	}
	w := newWorld(t)
	w.seal(1)
	w.rule(rule)
	w.deploy("v1", model(0, ""))
	if v := w.run("v2", model(0.02, "s")); v.Result != "PASS" || !covered(w, v.ID) {
		t.Errorf("before: %s, covered %v", v.Result, covered(w, v.ID))
	}
	lines, left := strings.Split(strings.TrimSpace(table(3)), "\n"), 20
	var kept []string
	for _, l := range lines {
		if strings.Contains(l, ",b,") {
			if left--; left < 0 {
				continue
			}
		}
		kept = append(kept, l)
	}
	c, err := w.propose(testSpec, strings.Join(kept, "\n")+"\n", "")
	if err != nil || !strings.Contains(c.Note, "slice.underpowered: group is b in 20 rows, was 200") {
		t.Errorf("%q %v", c.Note, err)
	}
	_, err = w.s.DecideChange(context.Background(), person("cur1"), c.ID, true)
	w.refused("second person", err)
	w.activate(c, nil, "cur2")
	if _, err := w.submit("sub1", "v3", model(0.02, "r")); err == nil {
		t.Error("a run on rows that no policy was proposed on")
	}
	w.rule(rule)
	if v := w.run("v3", model(0.02, "r")); v.Result == "PASS" && covered(w, v.ID) {
		t.Errorf("after: %s, and the slice is not named", v.Result)
	}
	w.clean()
}

// T09: what set a run is on does not come from a request, wherever it is put.
func TestVersionFromRequest(t *testing.T) {
	w := newWorld(t).begin()
	old := w.force().holdouts[0].Version
	w.seal(2)
	w.rule(testPolicy)
	sub := caller{t, w.serve(t), w.token("sub1")}
	for i, path := range []string{"?candidate=m&holdout_version=1", "?candidate=m&holdout=exam&version=1", "?candidate=m"} {
		code, body := sub.do("POST", "/v1/lineages/line/submissions"+path, "application/x-tar", model(0, fmt.Sprint(i)))
		if code >= 300 {
			continue // refused
		}
		var v api.Submission
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		w.work(v.ID)
		r, err := w.s.Report(context.Background(), person("rev1"), v.ID)
		if err != nil || r.Report.Holdouts[0].Version != old+1 {
			t.Errorf("%s: %v on version %d", path, err, r.Report.Holdouts[0].Version)
		}
	}
}

// T65: the same package fifty times at once is one run.
func TestEqualSubmissionsAtOnce(t *testing.T) {
	w := newWorld(t).begin()
	sub := caller{t, w.serve(t), w.token("sub1")}
	var ids sync.Map
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, body := sub.do("POST", "/v1/lineages/line/submissions?candidate=m", "application/x-tar", model(0, ""))
			var v api.Submission
			if json.Unmarshal([]byte(body), &v) == nil {
				ids.Store(v.ID, true)
			}
		})
	}
	all.Wait()
	n := 0
	ids.Range(func(id, _ any) bool { n++; w.work(id.(string)); return true })
	if n != 1 || w.charges() != 1 {
		t.Errorf("%d runs, %d charges", n, w.charges())
	}
	// Control: another package is another run.
	if w.run("m", model(0, "other")); w.charges() != 2 {
		t.Errorf("negative control: %d charges", w.charges())
	}
}

// T104: a token is in no file and in no line of the log, used rightly or left in a URL,
// and one that ended opens nothing.
func TestTokensAreNowhere(t *testing.T) {
	w := newWorld(t).begin()
	url := w.serve(t)
	var needles [][]byte
	for _, who := range []string{"sub1", "rev1", "cur1", "aud1"} {
		c := caller{t, url, w.token(who)}
		needles = append(needles, []byte(c.token))
		for _, path := range []string{"/v1/submissions", "/v1/submissions?token=" + c.token, "/v1/" + c.token, "/login?next=/" + c.token, "/v1/holdouts/" + c.token} {
			c.do("GET", path, "application/json", nil)
		}
		c.do("POST", "/v1/lineages/line/submissions?candidate="+c.token, "application/x-tar", []byte(c.token))
		if code, _ := c.do("GET", "/v1/submissions", "application/json", nil); code != 200 {
			t.Errorf("%s: %d", who, code)
		}
		if err := w.s.EndAccount(context.Background(), who); err != nil {
			t.Fatal(err)
		}
		if code, _ := c.do("GET", "/v1/submissions", "application/json", nil); code != 401 {
			t.Errorf("%s ended: %d", who, code)
		}
	}
	if _, found := search(t, w.dir, needles); len(found) > 0 {
		t.Errorf("found in %v", found)
	}
	for _, n := range needles {
		if bytes.Contains(w.log.Bytes(), n) {
			t.Errorf("the log has a token:\n%s", w.log)
		}
	}
}

// secretWords are what no error may say: places of ours, our code, our database, rows.
var secretWords = regexp.MustCompile(`(?i)\.go:|goroutine|select |insert |sqlite|sql:|/tmp/|/var/|/root|scratch|` + marker)

// problem is the grammar of an error: a code and a sentence.
var problem = regexp.MustCompile(`^\{"code":"[a-z-]+","message":"[^"\\]*(\\.[^"\\]*)*"\}\n?$`)

// T110: whatever goes wrong, its answer has a code and a sentence, and nothing of rows,
// paths, code or the database.
func TestErrorsTellNothing(t *testing.T) {
	w := newWorld(t)
	lines := strings.Split(strings.TrimSpace(table(1)), "\n")
	f := strings.Split(lines[9], ",")
	f[1] = marker
	lines[9] = strings.Join(f, ",")
	c, err := w.propose(testSpec, strings.Join(lines, "\n")+"\n", "")
	w.activate(c, err, "cur2")
	w.rule(testPolicy)
	w.deploy("v1", model(0, ""))
	url, n := w.serve(t), 0
	for _, who := range []string{"sub1", "rev1", "cur1", "own1", "aud1", "nobody"} {
		c := caller{t, url, "no token"}
		if who != "nobody" {
			c.token = w.token(who)
		}
		for _, r := range []struct{ method, path, kind, body string }{
			{"POST", "/v1/lineages/line/submissions?candidate=m", "application/x-tar", "no archive"},
			{"POST", "/v1/lineages/line/submissions?candidate=m", "application/x-tar", string(pack(map[string]string{"../x": "y"}))},
			{"POST", "/v1/lineages/line/submissions?candidate=m", "application/x-tar", string(pack(map[string]string{"proctor-model.json": "{"}))},
			{"POST", "/v1/lineages/none/submissions?candidate=m", "application/x-tar", string(model(0, ""))},
			{"GET", "/v1/submissions/none", "", ""},
			{"GET", "/v1/submissions/' OR 1=1 --", "", ""},
			{"GET", "/v1/submissions/none/report", "", ""},
			{"POST", "/v1/submissions/none/reviews", "application/json", `{"approve":true}`},
			{"GET", "/v1/holdouts/none", "", ""},
			{"POST", "/v1/holdouts/exam/proofs", "application/json", `{"row":9,"values":{"x":1}}`},
			{"POST", "/v1/holdouts/exam/amendments", "text/plain", `{"row":9,"set":{"tag":7}}`},
			{"POST", "/v1/policies", "application/yaml", "policy: ["},
			{"POST", "/v1/changes/none/decision", "application/json", `{"activate":true}`},
			{"GET", "/v1/log/entries?from=-1&n=x", "", ""},
			{"PUT", "/v1/nothing", "", ""},
		} {
			code, body := c.do(r.method, strings.ReplaceAll(r.path, " ", "%20"), r.kind, []byte(r.body))
			if code < 400 {
				continue
			}
			n++
			if secretWords.MatchString(body) || strings.Contains(body, w.dir) {
				t.Errorf("%s %s %s: %d tells %s", who, r.method, r.path, code, body)
			}
			if !problem.MatchString(body) {
				t.Errorf("%s %s %s: %d is no problem: %q", who, r.method, r.path, code, body)
			}
		}
	}
	if n < 60 {
		t.Errorf("%d errors", n)
	}
	// Control: the words are found where they are.
	if !secretWords.MatchString("open /tmp/x: "+marker) || problem.MatchString("panic") {
		t.Error("negative control: a leak is not noticed")
	}
}
