package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/access"
)

// A body is taken exactly, or nothing is done. Each line but the last of a group
// differs from it in one point.
func TestStrictBodies(t *testing.T) {
	_, router := loadDocument(t)
	const decision = "/v1/changes/change-suite/decision"
	cases := []struct {
		body string
		says string // "" is taken
	}{
		{``, "not an object"},
		{`[]`, "not an object"},
		{`true`, "not an object"},
		{`{}`, "a key is missing"},
		{`{"activate":null}`, "null"},
		{`{"activate":"true"}`, "not the JSON"},
		{`{"activate":1}`, "not the JSON"},
		{`{"Activate":true}`, "unknown key"},
		{`{"activate":false,"ACTIVATE":true}`, "unknown key"},
		{`{"activate":false,"activate":true}`, "twice"},
		{`{"activate":true,"why":"x"}`, "unknown key"},
		{`{"activate":true}{}`, "after its end"},
		{`{"activate":true} x`, "after its end"},
		{`{"activate":true`, "not the JSON"},
		{"{\"activate\":true,\"\xff\":1}", "UTF-8"},
		{` {"activate": true} ` + "\n", ""},
	}
	for _, c := range cases {
		f := newFake(t)
		a := apiCall{"decide", "POST", decision, "application/json", c.body, 400, ""}
		w := check(t, newServer(f), router, a, "carl")
		if c.says == "" {
			if w.Code != 200 || len(f.done()) != 1 {
				t.Errorf("%q: %d %s", c.body, w.Code, w.Body)
			}
			continue
		}
		if w.Code != 400 || !strings.Contains(w.Body.String(), c.says) || f.done() != nil {
			t.Errorf("%q: %d %s, want %q", c.body, w.Code, w.Body, c.says)
		}
	}
}

func TestBadRequests(t *testing.T) {
	_, router := loadDocument(t)
	twice, twiceBody := multipartBody("spec", "a", "spec", "b", "table", "c")
	_, lacks := multipartBody("spec", "a")
	_, other := multipartBody("spec", "a", "table", "b", "labels", "c")
	big := strings.Repeat("a", maxDocument+1)
	for _, a := range []apiCall{
		{"limit 0", "GET", "/v1/submissions?limit=0", "", "", 400, "rae"},
		{"limit x", "GET", "/v1/submissions?limit=x", "", "", 400, "rae"},
		{"limit 501", "GET", "/v1/submissions?limit=501", "", "", 400, "rae"},
		{"no such run", "GET", "/v1/submissions/x", "", "", 404, "rae"},
		{"no report yet", "GET", "/v1/submissions/run-wait/report", "", "", 409, "rae"},
		{"no approval", "GET", "/v1/submissions/run-fail/approval", "", "", 404, "rae"},
		{"another report", "POST", "/v1/submissions/run-pass/reviews", "application/json", `{"approve":true,"reason":"r","report":"` + digestOf("x") + `"}`, 409, "rae"},
		{"own proposal", "POST", "/v1/changes/change-suite/decision", "application/json", `{"activate":true}`, 403, "cleo"},
		{"no such proposal", "POST", "/v1/changes/x/decision", "application/json", `{"activate":true}`, 404, "carl"},
		{"decided already", "POST", "/v1/changes/change-old/decision", "application/json", `{"activate":true}`, 409, "carl"},
		{"not a form", "POST", "/v1/holdouts?format=csv", "text/plain", "x", 400, "carl"},
		{"part twice", "POST", "/v1/holdouts?format=csv", twice, twiceBody, 400, "carl"},
		{"part missing", "POST", "/v1/holdouts?format=csv", twice, lacks, 400, "carl"},
		{"part unknown", "POST", "/v1/holdouts?format=csv", twice, other, 400, "carl"},
		{"form cut off", "POST", "/v1/holdouts?format=csv", twice, twiceBody[:60], 400, "carl"},
		{"policy too large", "POST", "/v1/policies", "application/yaml", big, 413, "pia"},
		{"decision too large", "POST", "/v1/changes/change-suite/decision", "application/json", `{"activate":true}` + big, 413, "carl"},
	} {
		f := newFake(t)
		if w := check(t, newServer(f), router, a, a.may); w.Code != a.status || f.done() != nil {
			t.Errorf("%s: %d %s, want %d", a.operation, w.Code, w.Body, a.status)
		}
	}
	ok := apiCall{"policy of the largest size", "POST", "/v1/policies", "application/yaml", big[1:], 201, ""}
	if w := check(t, newServer(newFake(t)), router, ok, "pia"); w.Code != 201 {
		t.Errorf("%s: %d", ok.operation, w.Code)
	}
}

// A body that says it is larger than all is refused before it is read.
func TestBodyLimit(t *testing.T) {
	for size, want := range map[int64]int{1<<30 + 1: 413, 1 << 30: 202} {
		r := httptest.NewRequest("POST", "/v1/lineages/income/submissions?candidate=v", strings.NewReader("x"))
		r.ContentLength = size
		r.Header.Set("Authorization", "Bearer "+token("sue"))
		w := httptest.NewRecorder()
		newServer(newFake(t)).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%d bytes: %d %s", size, w.Code, w.Body)
		}
	}
}

// Tables that somebody may not propose are not read.
func TestTablesOfOthersAreNotRead(t *testing.T) {
	form, _ := multipartBody("spec", "a")
	for account, read := range map[string]bool{"sue": false, "carl": true} {
		body := &counted{r: strings.NewReader("--boundary-of-the-test\r\n")}
		r := httptest.NewRequest("POST", "/v1/holdouts?format=csv", body)
		r.Header.Set("Content-Type", form)
		r.Header.Set("Authorization", "Bearer "+token(account))
		newServer(newFake(t)).ServeHTTP(httptest.NewRecorder(), r)
		if body.read != read {
			t.Errorf("%s: read %v", account, body.read)
		}
	}
}

type counted struct {
	r    *strings.Reader
	read bool
}

func (c *counted) Read(p []byte) (int, error) { c.read = true; return c.r.Read(p) }

// A slash in a name is part of the name. No spelling of a path leads round the
// token, or to another route than its plain spelling.
func TestPaths(t *testing.T) {
	f := newFake(t)
	h := newServer(f)
	for path, want := range map[string]string{
		"/v1/lineages/a%2Fb/submissions?candidate=v":          "submit a/b v body",
		"/v1/lineages/a%20b/submissions?candidate=v":          "submit a b v body",
		"/v1/lineages/a%2Fb%20%25/submissions?candidate=v":    "submit a/b % v body",
		"/v1/lineages/..%2F..%2Fx/submissions?candidate=v":    "submit ../../x v body",
		"/v1/lineages/%E2%80%AE%2F/submissions?candidate=%3C": "submit \u202e/ < body",
	} {
		r := httptest.NewRequest("POST", path, strings.NewReader("body"))
		r.Header.Set("Authorization", "Bearer "+token("sue"))
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got := f.done(); len(got) != 1 || got[0] != want {
			t.Errorf("%s did %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{
		"/v1/submissions", "/v1%2Fsubmissions", "/v1/%73ubmissions", "//v1/submissions", "/v1//submissions", "/v1/./submissions", "/x/../v1/submissions",
		"/v1/submissions/", "/V1/submissions", "/v1/submissions%00", "/v1/submissions%2F", "/v1/submissions/run-pass%2Freport", "/v1/submissions/run-pass/report%2F",
		"/runs/run-pass", "/runs%2Frun-pass", "/runs/run-pass%2Freport", "/%2e%2e/runs/run-pass", "/holdouts/census-2026q3", "/changes", "/templates/run.html", "/static/proctor.css", "/proctor.css/../server.go",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if err := setPath(r, path); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 401 && w.Code != 404 && w.Code != 303 || strings.Contains(w.Body.String(), "poisoned") {
			t.Errorf("%s by nobody: %d", path, w.Code)
		}
	}
}

func setPath(r *http.Request, path string) error {
	u, err := r.URL.Parse("http://example.com" + path)
	r.URL = u
	return err
}

// One function maps errors; what it does not know is internal and says nothing.
func TestProblem(t *testing.T) {
	of := func(k harness.Kind) error { return fmt.Errorf("review: %w", &harness.Error{Kind: k, Message: "m"}) }
	for _, c := range []struct {
		err     error
		status  int
		code    string
		message string
	}{
		{of(harness.Usage), 400, "usage", "m"},
		{of(harness.Missing), 404, "not-found", "m"},
		{of(harness.Conflict), 409, "conflict", "m"},
		{of(harness.Budget), 429, "budget-spent", "m"},
		{of(harness.TooLarge), 413, "too-large", "m"},
		{of("kind of tomorrow"), 500, "internal", "the service failed; its log has the reason"},
		{fmt.Errorf("x: %w", access.ErrDenied), 403, "denied", "x: not allowed"},
		{errNoToken, 401, "denied", "send a valid token: Authorization: Bearer TOKEN"},
		{errNoSession, 401, "denied", "sign in first"},
		{errForgery, 403, "denied", errForgery.Error()},
		{&http.MaxBytesError{Limit: 1}, 413, "too-large", "the body is too large"},
		{echo.ErrNotFound, 404, "not-found", "not found"},
		{echo.ErrMethodNotAllowed, 405, "not-found", "method not allowed"},
		{echo.ErrStatusRequestEntityTooLarge, 413, "too-large", "request entity too large"},
		{echo.NewHTTPError(400, errSecret.Error()), 400, "usage", "bad request"},
		{echo.NewHTTPError(503, errSecret.Error()), 500, "internal", "the service failed; its log has the reason"},
		{errSecret, 500, "internal", "the service failed; its log has the reason"},
		{nil, 500, "internal", "the service failed; its log has the reason"},
	} {
		status, p := problem(c.err)
		if status != c.status || p.Code != c.code || p.Message != c.message {
			t.Errorf("%v: %d %+v, want %d %s %q", c.err, status, p, c.status, c.code, c.message)
		}
	}
}

// An internal error and a panic show nothing of themselves, on no route.
func TestInternalErrorsSayNothing(t *testing.T) {
	_, router := loadDocument(t)
	for _, a := range successes()[3:] { // but for those that tell how the process is
		f := newFake(t)
		f.fail = errSecret
		if w := check(t, newServer(f), router, a, strings.Fields(a.may)[0]); w.Code != 500 || strings.Contains(w.Body.String(), "/var/lib") {
			t.Errorf("%s: %d %s", a.operation, w.Code, w.Body)
		}
	}
	s := server(newFake(t), false)
	s.echo.GET("/v1/panic", func(echo.Context) error { panic(errSecret) })
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/panic", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "/var/lib") {
		t.Errorf("panic: %d %s", w.Code, w.Body)
	}
}
