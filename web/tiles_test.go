package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Tiles are public and may be kept; what is no tile is refused in JSON.
func TestTiles(t *testing.T) {
	for path, want := range map[string]int{
		"/log/tile/0/000.p/2": 200, "/log/tile/0/000": 404, "/log/tile/": 404, "/log/tile/../checkpoint": 404, "/log/tile/entries/x": 404,
	} {
		w := httptest.NewRecorder()
		newServer(newFake(t)).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		cache := w.Header().Get("Cache-Control")
		if (want == 200) != strings.Contains(cache, "immutable") || want == 200 && w.Body.Len() != 64 {
			t.Errorf("%s: cache %q, %d bytes", path, cache, w.Body.Len())
		}
		if want != 200 && !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%s: refused as %s", path, w.Header().Get("Content-Type"))
		}
	}
}

// A bad range is the caller's fault.
func TestLogEntriesRange(t *testing.T) {
	for _, q := range []string{"", "?from=x&limit=1", "?from=1", "?from=1&limit=x"} {
		r := httptest.NewRequest("GET", "/v1/log/entries"+q, nil)
		r.Header.Set("Authorization", "Bearer "+token("abe"))
		w := httptest.NewRecorder()
		newServer(newFake(t)).ServeHTTP(w, r)
		if w.Code != 400 {
			t.Errorf("%q: %d", q, w.Code)
		}
	}
}
