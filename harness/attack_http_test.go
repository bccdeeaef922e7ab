package harness_test

import (
	"net/http"

	"proctor/harness"
	"proctor/web"
)

// Attacks of this package's tests come over HTTP, as a submitter's would.
func init() {
	harness.OverHTTP = func(s *harness.Service) http.Handler {
		return web.New(s, s.Logger, false).Handler()
	}
}
