package candidate

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"proctor/harness/runner"
	"proctor/harness/runner/remote"
)

// A package of kind remote is read like any other, and tried where its owner's file says
// that the endpoint may be asked. That its weights are not bound is always said.
func TestRemote(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":{"content":%q}}]}`, map[bool]string{true: "Good", false: "bad"}[strings.Contains(string(b), "again")])
	}))
	defer s.Close()
	list, err := remote.NewEndpoints(remote.Endpoint{URL: s.URL, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(templates, "remote", runner.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]string{runner.ManifestFile: strings.Replace(string(manifest), "https://api.example", s.URL, 1)}
	for want, c := range map[string]struct {
		with  runner.Runner
		files map[string]string
	}{
		"was not tried: --endpoints names a file":           {runner.Runner{}, nil},
		"does not allow https://api.example/v1":             {runner.Runner{Remote: list}, nil},
		"whose weights answer at the endpoint is not bound": {runner.Runner{Remote: list}, here},
	} {
		r := lint(t, folder(t, "remote", c.files), Options{Runner: c.with})
		if !r.OK() || !slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s: problems %q, warnings %q", want, r.Problems, r.Warnings)
		}
		if tried := r.Smoke != nil; tried != (c.files != nil) || tried && (r.Smoke.Tier != "remote" || r.Smoke.Shown[0].Answer != "no" || r.Smoke.Shown[1].Answer != "yes") {
			t.Errorf("%s: %+v", want, r.Smoke)
		}
	}
}
