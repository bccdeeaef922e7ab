package web

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A process that runs and cannot work says so to a load balancer, and why to nobody
// but its log.
func TestReady(t *testing.T) {
	f := newFake(t)
	var out bytes.Buffer
	w := New(f, slog.New(slog.NewTextHandler(&out, nil)), false)
	get := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRecorder()
		w.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
		return r
	}
	if r := get("/readyz"); r.Code != 200 || r.Body.String() != "ready\n" {
		t.Errorf("%d %q", r.Code, r.Body)
	}
	f.fail = errors.New("disk on fire")
	if r := get("/readyz"); r.Code != 503 || r.Body.String() != "not ready\n" {
		t.Errorf("%d %q", r.Code, r.Body)
	}
	if !strings.Contains(out.String(), "disk on fire") {
		t.Errorf("the log does not say why: %s", out.String())
	}
	if r := get("/healthz"); r.Code != 200 {
		t.Errorf("the process runs: %d", r.Code)
	}
}
