package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"proctor/harness"
	"proctor/harness/report"
	"proctor/harness/tlog"
	"proctor/web/api"
	"proctor/web/client"
)

// Exit codes, the same everywhere.
const (
	exitPass         = 0
	exitInternal     = 1
	exitUsage        = 2
	exitTampered     = 3
	exitFail         = 10
	exitInconclusive = 11
	exitBudget       = 12
	exitAwaiting     = 13
)

// coded is an error with the exit code that it means. A nil Err prints nothing.
type coded struct {
	Code int
	Err  error
}

func (c *coded) Error() string {
	if c.Err == nil {
		return fmt.Sprintf("exit %d", c.Code)
	}
	return c.Err.Error()
}
func (c *coded) Unwrap() error { return c.Err }

func usagef(format string, args ...any) error {
	return &coded{exitUsage, fmt.Errorf(format, args...)}
}

// exitOf prints an error and returns its exit code.
func exitOf(err error, errw io.Writer) int {
	if err == nil {
		return exitPass
	}
	code, message := explain(err)
	if message != "" {
		fmt.Fprintln(errw, "proctor:", message)
	}
	return code
}

// explain returns what an error means to the caller and the sentence to print.
func explain(err error) (code int, message string) {
	var own *coded
	var remote *client.Error
	var refused *harness.Error
	switch {
	case errors.As(err, &own) && own.Err == nil:
		return own.Code, ""
	case errors.As(err, &own):
		return own.Code, err.Error()
	case errors.Is(err, context.Canceled):
		return exitInternal, "interrupted"
	case errors.As(err, &remote) && remote.Status == http.StatusUnauthorized:
		return exitUsage, "the service does not know this token, or it has expired: set PROCTOR_TOKEN to one that 'proctor user add' or 'proctor user token' printed"
	case errors.As(err, &remote) && remote.Code == string(harness.Budget), errors.As(err, &refused) && refused.Kind == harness.Budget:
		return exitBudget, err.Error()
	case errors.As(err, &remote) && remote.Status < 500, errors.As(err, &refused):
		return exitUsage, err.Error()
	case errors.Is(err, tlog.ErrHeld), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrExist):
		return exitUsage, err.Error()
	}
	return exitInternal, err.Error()
}

// resultCode is the exit code of a result.
func resultCode(result string) error {
	switch result {
	case report.Pass:
		return nil
	case report.Fail:
		return &coded{exitFail, nil}
	case report.Inconclusive:
		return &coded{exitInconclusive, nil}
	}
	return &coded{exitInternal, fmt.Errorf("unknown result %q", result)}
}

// outcome turns a submission into the exit code that it means. A run that the
// model broke off is a FAIL to a pipeline: the same bytes would break it off again.
func outcome(s api.Submission) error {
	switch {
	case !s.Done():
		return &coded{exitInternal, errors.New("the run has not ended yet")}
	case s.State == "aborted" && s.Reason == "budget-spent":
		return &coded{exitBudget, errors.New(s.Sentence)}
	case s.State == "aborted" && modelFault(s.Reason):
		return &coded{exitFail, errors.New(s.Sentence)}
	case s.State != "done":
		return &coded{exitInternal, fmt.Errorf("no verdict (%s): %s", s.Reason, s.Sentence)}
	case s.Revoked != "":
		return &coded{exitFail, errors.New(s.Revoked)}
	case s.Result == report.Pass && s.Awaiting < 0:
		return &coded{exitFail, errors.New("a reviewer has refused it")}
	case s.Result == report.Pass && !s.Approved:
		return &coded{exitAwaiting, nil}
	}
	return resultCode(s.Result)
}

// modelFault says whether a run ended without a verdict because of its model.
// What is not known to be the model's fault is the service's.
func modelFault(reason string) bool {
	if reason == "package.changed" { // the store gave other bytes than were submitted
		return false
	}
	kind, _, _ := strings.Cut(reason, ".")
	switch kind {
	case "start", "batch", "run", "exit", "answer", "limit", "suite":
		return true
	}
	return false
}
