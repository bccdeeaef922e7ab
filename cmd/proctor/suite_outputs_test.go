package main

import (
	"bytes"
	"strings"
	"testing"

	"proctor/web/api"
)

// What a pipeline reads agrees with the exit code: no failure only where it is 0.
func TestVerdictRunAgreesWithTheExitCode(t *testing.T) {
	for _, s := range []api.Submission{
		{State: "done", Result: "PASS", Approved: true},
		{State: "done", Result: "PASS", Awaiting: 1},
		{State: "done", Result: "PASS", Awaiting: -1},
		{State: "done", Result: "FAIL"},
		{State: "done", Result: "INCONCLUSIVE"},
		{State: "aborted", Reason: "budget-spent"},
		{State: "planned"},
	} {
		var b bytes.Buffer
		if err := verdictRun(s).JUnit(&b); err != nil {
			t.Fatal(err)
		}
		clean := !strings.Contains(b.String(), "<failure") && !strings.Contains(b.String(), "<error")
		if clean != (outcome(s) == nil) {
			t.Errorf("%+v: exit error %v, JUnit\n%s", s, outcome(s), b.String())
		}
	}
}

// Annotations name files of the repository only.
func TestInRepository(t *testing.T) {
	for path, want := range map[string]string{"/etc/passwd": "", t.TempDir(): ""} {
		if got := inRepository(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
