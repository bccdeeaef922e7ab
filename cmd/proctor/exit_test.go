package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"proctor/harness"
	"proctor/web/api"
	"proctor/web/client"
)

// TestOutcome: only an approved PASS is 0, and what is not known is no pass.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		s    api.Submission
		want int
	}{
		{api.Submission{}, exitInternal},
		{api.Submission{State: "queued"}, exitInternal},
		{api.Submission{State: "planned", Result: "PASS", Approved: true}, exitInternal},
		{api.Submission{State: "done"}, exitInternal},
		{api.Submission{State: "done", Result: "pass", Approved: true}, exitInternal},
		{api.Submission{State: "done", Result: "PASS", Approved: true}, exitPass},
		{api.Submission{State: "done", Result: "PASS", Awaiting: 1}, exitAwaiting},
		{api.Submission{State: "done", Result: "PASS"}, exitAwaiting},
		{api.Submission{State: "done", Result: "PASS", Awaiting: -1}, exitFail},
		{api.Submission{State: "done", Result: "FAIL"}, exitFail},
		{api.Submission{State: "done", Result: "FAIL", Approved: true}, exitFail},
		{api.Submission{State: "done", Result: "INCONCLUSIVE"}, exitInconclusive},
		{api.Submission{State: "aborted", Reason: "budget-spent"}, exitBudget},
		{api.Submission{State: "aborted", Reason: "answer.count"}, exitFail},
		{api.Submission{State: "aborted", Reason: "limit.memory"}, exitFail},
		{api.Submission{State: "aborted", Reason: "start.failed"}, exitFail},
		{api.Submission{State: "aborted", Reason: "suite.unanswerable"}, exitFail},
		{api.Submission{State: "aborted", Reason: "service.error"}, exitInternal},
		{api.Submission{State: "aborted", Reason: "service.tier"}, exitInternal},
		{api.Submission{State: "aborted", Reason: "package.changed"}, exitInternal},
		{api.Submission{State: "aborted", Reason: "force.changed"}, exitInternal},
		{api.Submission{State: "aborted", Reason: "something new"}, exitInternal},
		{api.Submission{State: "aborted", Result: "PASS", Approved: true}, exitInternal},
	} {
		if got := exitOf(outcome(c.s), new(strings.Builder)); got != c.want {
			t.Errorf("%+v: exit code %d, want %d", c.s, got, c.want)
		}
	}
}

// TestExplain: an error is an internal one unless its sort is known.
func TestExplain(t *testing.T) {
	remote := func(status int, code string) error {
		return &client.Error{Status: status, Problem: api.Problem{Code: code, Message: "said the service"}}
	}
	for _, c := range []struct {
		err  error
		want int
		says string
	}{
		{errors.New("boom"), exitInternal, "boom"},
		{usagef("no %s", "x"), exitUsage, "no x"},
		{&coded{exitFail, nil}, exitFail, ""},
		{fmt.Errorf("open: %w", fs.ErrNotExist), exitUsage, "open: file does not exist"},
		{remote(401, "denied"), exitUsage, "the service does not know this token"},
		{remote(403, "denied"), exitUsage, "said the service"},
		{remote(429, "budget-spent"), exitBudget, "said the service"},
		{remote(500, "internal"), exitInternal, "said the service"},
		{&harness.Error{Kind: harness.Budget, Message: "spent"}, exitBudget, "spent"},
		{&harness.Error{Kind: harness.Usage, Message: "wrong"}, exitUsage, "wrong"},
	} {
		var b strings.Builder
		got := exitOf(c.err, &b)
		if got != c.want || c.says == "" && b.Len() > 0 || !strings.Contains(b.String(), c.says) {
			t.Errorf("%v: exit code %d, %q; want %d, %q", c.err, got, b.String(), c.want, c.says)
		}
	}
}
