package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"proctor/web/api"
	"proctor/web/client"
)

// An account that asks too often is refused, and told when to come again; others and
// other accounts are served meanwhile, and whoever watches the process is always told.
func TestRateByAccount(t *testing.T) {
	s := newServer(newFake(t))
	get := func(account, from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/submissions", nil)
		r.Header.Set("Authorization", "Bearer "+token(account))
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	refused := 0
	var last *httptest.ResponseRecorder
	for i := range 2 * accountBurst { // each from another address
		if w := get("rae", fmt.Sprintf("10.0.%d.%d:1", i/200, i%200)); w.Code == http.StatusTooManyRequests {
			refused, last = refused+1, w
		}
	}
	if refused < accountBurst/2 {
		t.Fatalf("%d of %d requests refused", refused, 2*accountBurst)
	}
	if last.Header().Get("Retry-After") != "1" || last.Body.String() != `{"code":"too-many","message":"too many requests: wait a second and ask again"}`+"\n" {
		t.Errorf("%v %s", last.Header(), last.Body)
	}
	if w := get("rob", "10.0.0.1:1"); w.Code != 200 {
		t.Errorf("another account: %d", w.Code)
	}
}

// An address is bounded whoever it claims to be: a new invention for a token each time
// does not help, nor a header that names another address.
func TestRateBySocket(t *testing.T) {
	s := newServer(newFake(t))
	get := func(path, from string, i int) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", fmt.Sprintf("Bearer invented-%d", i))
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.1.%d.%d", i/200, i%200))
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	refused := 0
	for i := range 2 * socketBurst {
		if get("/v1/submissions", "10.0.0.1:1", i) == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < socketBurst/4 {
		t.Errorf("%d of %d requests refused", refused, 2*socketBurst)
	}
	if c := get("/healthz", "10.0.0.1:1", 0); c != 200 {
		t.Errorf("the process lives: %d", c)
	}
	if c := get("/v1/submissions", "10.0.0.2:1", 0); c != http.StatusUnauthorized {
		t.Errorf("another address: %d", c)
	}
}

// A pipeline that waits goes on waiting when it is told to slow down.
func TestWaitSlowsDown(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"code":"too-many","message":"wait"}`)
			return
		}
		fmt.Fprint(w, `{"id":"x","state":"done","stage":"done"}`)
	}))
	defer s.Close()
	c := &client.Client{Base: s.URL}
	var seen []string
	v, err := c.Wait(t.Context(), "x", func(s api.Submission) { seen = append(seen, s.State) })
	if err != nil || !v.Done() || asked != 3 || fmt.Sprint(seen) != "[done]" {
		t.Errorf("%+v %v after %d, saw %v", v, err, asked, seen)
	}
}
