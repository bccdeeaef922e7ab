package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser sends requests as a browser would that has the page open.
type browser struct {
	t       *testing.T
	h       http.Handler
	cookies map[string]string
}

func newBrowser(t *testing.T, h http.Handler) *browser {
	return &browser{t, h, map[string]string{}}
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequest("GET", path, nil))
}

// post sends a form; headers replace those that a browser would send.
func (b *browser) post(path string, fields url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://example.com") // the host of httptest
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return b.do(r)
}

var formField = regexp.MustCompile(`name="form" value="([0-9a-f]{64})"`)

// formOf returns the token of the forms on a page.
func (b *browser) formOf(path string) string {
	m := formField.FindStringSubmatch(b.get(path).Body.String())
	if m == nil {
		b.t.Fatalf("%s has no form", path)
	}
	return m[1]
}

func (b *browser) signIn(account string) *httptest.ResponseRecorder {
	return b.post("/login", url.Values{"form": {b.formOf("/login")}, "token": {token(account)}, "next": {"/"}})
}

func TestSignInAndOut(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	if w := b.get("/runs/run-pass"); w.Code != 303 || w.Header().Get("Location") != "/login?next=%2Fruns%2Frun-pass" {
		t.Fatalf("without a session: %d %s", w.Code, w.Header().Get("Location"))
	}
	if w := b.post("/login", url.Values{"form": {b.formOf("/login")}, "token": {"wrong"}, "next": {"/"}}); w.Code != 401 || len(f.sessions) != 0 {
		t.Fatalf("wrong token: %d", w.Code)
	}
	if w := b.signIn("rae"); w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	if w := b.get("/runs/run-pass"); w.Code != 200 || !strings.Contains(w.Body.String(), "rae") {
		t.Fatalf("signed in: %d", w.Code)
	}
	secret := b.cookies["proctor"]
	if w := b.post("/logout", url.Values{"form": {b.formOf("/")}}); w.Code != 303 || b.cookies["proctor"] != "" {
		t.Fatalf("sign out: %d %v", w.Code, b.cookies)
	}
	b.cookies["proctor"] = secret // somebody kept it
	if w := b.get("/runs/run-pass"); w.Code != 303 {
		t.Errorf("a session that was ended: %d", w.Code)
	}
}

// A cookie that somebody planted before does not become the session, and one that
// was in use ends.
func TestSessionIsNew(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	planted := f.as("sue")
	b.cookies["proctor"] = planted
	b.signIn("rae")
	if b.cookies["proctor"] == planted {
		t.Error("the planted cookie is the session")
	}
	if _, ok := f.sessions[planted]; ok {
		t.Error("the old session goes on")
	}
	if p := f.sessions[b.cookies["proctor"]]; p.ID != "rae" {
		t.Errorf("the session is %s's", p.ID)
	}
}

func TestCookies(t *testing.T) {
	for _, secure := range []bool{false, true} {
		f := newFake(t)
		b := newBrowser(t, server(f, secure).Handler())
		cookies := append(b.get("/login").Result().Cookies(), b.signIn("rae").Result().Cookies()...)
		if len(cookies) < 2 {
			t.Fatal("no cookies")
		}
		for _, c := range cookies {
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure {
				t.Errorf("secure %v: %s", secure, c.Raw)
			}
		}
	}
}

// An API token opens no page, a session no API call.
func TestSecretsAreOfOneKind(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = token("rae")
	if w := b.get("/"); w.Code != 303 {
		t.Errorf("token as session: %d", w.Code)
	}
	r := httptest.NewRequest("GET", "/v1/changes", nil)
	r.Header.Set("Authorization", "Bearer "+f.as("rae"))
	if w := b.do(r); w.Code != 401 {
		t.Errorf("session as token: %d", w.Code)
	}
	b.cookies["proctor"] = f.as("rae")
	if w := b.get("/v1/changes"); w.Code != 401 {
		t.Errorf("the API takes a cookie, so that another site could call it: %d", w.Code)
	}
}

// Each form is sent once rightly and in many ways by somebody else's page. Each
// of those differs from the right one in one point only, so that one lock alone
// refuses it, and the right one shows that nothing else does.
func TestForgery(t *testing.T) {
	type post struct {
		path   string
		who    string
		fields url.Values
		done   string
	}
	posts := []post{
		{"/runs/run-pass/review", "rae", url.Values{"decision": {"approve"}, "reason": {"read it"}, "report": {reportDigest()}, "token": {token("rae")}}, "review run-pass true read it"},
		{"/changes/change-suite", "carl", url.Values{"decision": {"activate"}}, "decide change-suite true"},
		{"/logout", "rae", url.Values{}, ""},
	}
	attacks := []struct {
		name    string
		headers []string
		form    func(own string) string
		ok      bool
	}{
		{"the page itself", nil, nil, true},
		{"an old browser", []string{"Sec-Fetch-Site", ""}, nil, true},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, nil, false},
		{"another host of the site", []string{"Sec-Fetch-Site", "same-site"}, nil, false},
		{"typed or from a mail", []string{"Sec-Fetch-Site", "none"}, nil, false},
		{"another origin", []string{"Origin", "http://evil.example"}, nil, false},
		{"another port", []string{"Origin", "http://example.com:81"}, nil, false},
		{"a hidden origin", []string{"Origin", "null"}, nil, false},
		{"an old browser, another origin", []string{"Sec-Fetch-Site", "", "Origin", "http://evil.example"}, nil, false},
		{"nothing said", []string{"Sec-Fetch-Site", "", "Origin", ""}, nil, false},
		{"no token", nil, func(string) string { return "" }, false},
		{"a token of somebody else", nil, func(string) string { return formToken("session-999-with-more-than-thirty-two-characters") }, false},
		{"a token cut short", nil, func(own string) string { return own[:63] }, false},
		{"the token of nobody", nil, func(string) string { return formToken("") }, false},
	}
	for _, p := range posts {
		for _, a := range attacks {
			f := newFake(t)
			b := newBrowser(t, newServer(f))
			b.cookies["proctor"] = f.as(p.who)
			own := b.formOf("/")
			if a.form != nil {
				own = a.form(own)
			}
			fields := url.Values{"form": {own}}
			for k, v := range p.fields {
				fields[k] = v
			}
			w := b.post(p.path, fields, a.headers...)
			done := strings.Join(f.done(), ";")
			ended := len(f.sessions) == 0
			if a.ok && (w.Code != 303 || done != p.done || p.path == "/logout" && !ended) {
				t.Errorf("%s from %s: %d, did %q: %s", p.path, a.name, w.Code, done, w.Body)
			}
			if !a.ok && (w.Code != 403 || done != "" || ended) {
				t.Errorf("%s from %s: %d, did %q", p.path, a.name, w.Code, done)
			}
		}
	}
}

// Signing somebody in as another is a forgery too.
func TestForgedSignIn(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	own := b.formOf("/login")
	fields := func(form string) url.Values {
		return url.Values{"form": {form}, "token": {token("sue")}, "next": {"/"}}
	}
	for name, send := range map[string]func() *httptest.ResponseRecorder{
		"another site": func() *httptest.ResponseRecorder {
			return b.post("/login", fields(own), "Sec-Fetch-Site", "cross-site")
		},
		"a form of another browser": func() *httptest.ResponseRecorder {
			return b.post("/login", fields(newBrowser(t, b.h).formOf("/login")))
		},
		"neither cookie nor token": func() *httptest.ResponseRecorder { return newBrowser(t, b.h).post("/login", fields("")) },
		"no cookie":                func() *httptest.ResponseRecorder { return newBrowser(t, b.h).post("/login", fields(own)) },
	} {
		if w := send(); w.Code != 403 || len(f.sessions) != 0 {
			t.Errorf("%s: %d, %d sessions", name, w.Code, len(f.sessions))
		}
	}
	if w := b.post("/login", fields(own)); w.Code != 303 || len(f.sessions) != 1 {
		t.Errorf("the page itself: %d", w.Code)
	}
}

// A form has exactly its fields, each once, and is small.
func TestForms(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("carl")
	form := b.formOf("/")
	for name, c := range map[string]struct {
		fields url.Values
		status int
	}{
		"no decision":    {url.Values{"form": {form}}, 400},
		"two decisions":  {url.Values{"form": {form}, "decision": {"refuse", "activate"}}, 400},
		"another word":   {url.Values{"form": {form}, "decision": {"yes"}}, 400},
		"a field more":   {url.Values{"form": {form}, "decision": {"activate"}, "x": {""}}, 400},
		"not UTF-8":      {url.Values{"form": {form}, "decision": {"activate\xff"}}, 400},
		"too large":      {url.Values{"form": {form}, "decision": {strings.Repeat("a", maxForm)}}, 413},
		"in the address": {url.Values{"form": {form}}, 400},
	} {
		path := "/changes/change-suite"
		if name == "in the address" {
			path += "?decision=activate"
		}
		if w := b.post(path, c.fields); w.Code != c.status || f.done() != nil {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// After sign-in a browser is only ever sent to a page of this server.
func TestNextIsLocal(t *testing.T) {
	for next, want := range map[string]string{
		"":                          "/",
		"/":                         "/",
		"/runs/run-1":               "/runs/run-1",
		"/runs/a%2Fb":               "/runs/a%2Fb",
		"https://evil.example/":     "/",
		"//evil.example/":           "/",
		"///evil.example/":          "/",
		"/\\evil.example":           "/",
		"\\\\evil.example":          "/",
		"/\t/evil.example":          "/",
		"/\n/evil.example":          "/",
		"javascript:alert(1)":       "/",
		"evil.example":              "/",
		"http:evil.example":         "/",
		"/%zz":                      "/",
		" //evil.example":           "/",
		"/runs/x\r\nSet-Cookie: a=": "/",
	} {
		if got := local(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
		f := newFake(t)
		b := newBrowser(t, newServer(f))
		w := b.post("/login", url.Values{"form": {b.formOf("/login")}, "token": {token("rae")}, "next": {next}})
		if w.Code != 303 || w.Header().Get("Location") != want {
			t.Errorf("%q: %d %q", next, w.Code, w.Header().Get("Location"))
		}
	}
}
