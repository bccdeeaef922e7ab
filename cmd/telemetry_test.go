package cmd_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

var shownAt = regexp.MustCompile(`"numbers for Prometheus","address":"([^"]+)"`)

// numbers writes what the service that was started last shows Prometheus to a file.
func cmdNumbers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: numbers FILE")
	}
	logs, err := filepath.Glob(ts.MkAbs("service-*.log"))
	ts.Check(err)
	var at [][]byte
	for _, l := range logs {
		b, err := os.ReadFile(l)
		ts.Check(err)
		if m := shownAt.FindSubmatch(b); m != nil {
			at = m
		}
	}
	if at == nil {
		ts.Fatalf("no service says where its numbers are")
	}
	resp, err := http.Get("http://" + string(at[1]) + "/metrics")
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
