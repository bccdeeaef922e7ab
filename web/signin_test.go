package web

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"proctor/harness/identity"
	"proctor/harness/identity/identitytest"
)

// A browser signs in at an issuer; what another browser began it cannot finish.
func TestSignIn(t *testing.T) {
	id := identitytest.New()
	defer id.Close()
	f := newFake(t)
	w := server(f, false)
	s := httptest.NewServer(w.Handler())
	defer s.Close()
	issuer, err := identity.NewIssuer(id.URL, "page", &http.Client{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.SignInAt(&identity.People{Issuer: issuer, Back: s.URL + "/login/back"})
	browser := func() *http.Client {
		jar, _ := cookiejar.New(nil)
		return &http.Client{Jar: jar}
	}
	get := func(c *http.Client, address string) (int, string) {
		t.Helper()
		resp, err := c.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}

	rae := browser()
	if status, page := get(rae, s.URL+"/login?next=/changes"); status != 200 || !strings.Contains(page, "Sign in at "+strings.TrimPrefix(id.URL, "http://")) {
		t.Fatalf("%d %s", status, page)
	}
	id.Subject = "rae"
	status, page := get(rae, s.URL+"/login/begin?next=/changes")
	if status != 200 || !strings.Contains(page, `content="0; url=/changes"`) {
		t.Fatalf("%d %s", status, page)
	}
	if status, page = get(rae, s.URL+"/"); status != 200 || !strings.Contains(page, "<strong>rae</strong>") {
		t.Errorf("after signing in: %d %.300s", status, page)
	}

	// Nobody's identity: the page says so, and there is no session.
	id.Subject = "stranger"
	eve := browser()
	if status, page = get(eve, s.URL+"/login/begin"); status != 401 || !strings.Contains(page, "Not signed in:") {
		t.Errorf("a stranger: %d %.300s", status, page)
	}
	if _, page = get(eve, s.URL+"/"); !strings.Contains(page, "API token") {
		t.Errorf("a stranger is in: %.300s", page)
	}

	// Eve begins as herself and has Rae's browser finish it, or the other way round.
	id.Subject = "rae"
	stop := browser()
	stop.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/login/back" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := stop.Get(s.URL + "/login/begin?next=//evil.example/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back := resp.Header.Get("Location")
	if status, _ = get(eve, back); status != http.StatusForbidden {
		t.Errorf("another browser finished: %d", status)
	}
	u, _ := url.Parse(back)
	q := u.Query()
	q.Set("state", "x")
	if status, _ = get(stop, s.URL+"/login/back?"+q.Encode()); status != http.StatusForbidden {
		t.Errorf("another state: %d", status)
	}
	if status, _ = get(stop, back); status != http.StatusForbidden { // the secrets serve once
		t.Errorf("a second try: %d", status)
	}
	for _, k := range resp.Cookies() {
		if !k.HttpOnly || k.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %+v", k)
		}
	}
	stop.CheckRedirect = nil
	if status, page = get(stop, s.URL+"/login/begin?next=//evil.example/"); status != 200 || strings.Contains(page, "evil") {
		t.Errorf("sent elsewhere: %d %s", status, page)
	}
}
