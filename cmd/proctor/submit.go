package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/report"
	"proctor/web/api"
)

type submitCmd struct {
	remote
	Dir       string `arg:"" help:"Folder with the model's files and proctor-model.json." type:"path"`
	Lineage   string `help:"The line of model versions." required:"" placeholder:"NAME"`
	Candidate string `help:"Name of this version; the folder's name if not given." placeholder:"NAME"`
	Wait      bool   `help:"Wait for the verdict; the exit code tells it."`
	JSON      bool   `help:"Print the submission as JSON."`
}

// Run submits. Without --wait, success means that the submission was taken.
func (c *submitCmd) Run(ctx context.Context, o console) error {
	p, err := checked(ctx, c.Dir)
	if err != nil {
		return err
	}
	b, err := archive(os.DirFS(c.Dir), everything)
	if err != nil {
		return err
	}
	if c.Candidate == "" {
		c.Candidate = filepath.Base(c.Dir)
	}
	s, err := c.client().Submit(ctx, c.Lineage, c.Candidate, bytes.NewReader(b))
	if err != nil {
		return err
	}
	if s.Repeated {
		fmt.Fprintln(o.Err, "this was asked before: the same bytes under the same policy against the same deployed model; here is its answer")
	}
	if c.Wait && !s.Done() {
		fmt.Fprintf(o.Err, "submission %s\n", s.ID)
		if s, err = c.client().Wait(ctx, s.ID, func(s api.Submission) { fmt.Fprintf(o.Err, "  %s\n", standing(s)) }); err != nil {
			return fmt.Errorf("submission %s: %w", s.ID, err)
		}
	}
	if s.Package != p.Digest { // an answer about other bytes is no answer
		return &coded{exitTampered, fmt.Errorf("the service answered about package %s, sent was %s", s.Package, p.Digest)}
	}
	if err := show(o, s, c.JSON); err != nil || !c.Wait {
		return err
	}
	return outcome(s)
}

// show prints a submission as JSON or in a line.
func show(o console, s api.Submission, asJSON bool) error {
	if asJSON {
		return printJSON(o.Out, s)
	}
	_, err := io.WriteString(o.Out, line(s)+"\n")
	return err
}

// standing says what a submission that has not ended is doing.
func standing(s api.Submission) string {
	if s.Place > 0 {
		return fmt.Sprintf("%s, number %d in the queue", s.Stage, s.Place)
	}
	return s.Stage
}

func line(s api.Submission) string {
	parts := []string{s.ID, s.Candidate}
	switch {
	case s.Result == report.Pass && s.Awaiting > 0:
		parts = append(parts, fmt.Sprintf("PASS, %s to go", count(s.Awaiting, "review")))
	case s.Result == report.Pass && s.Awaiting < 0:
		parts = append(parts, "PASS, refused by a reviewer")
	case s.Result == report.Pass && s.Approved:
		parts = append(parts, "PASS, approved")
	case s.Result != "":
		parts = append(parts, s.Result)
	case s.State == "aborted":
		parts = append(parts, "no verdict")
	default:
		parts = append(parts, standing(s))
	}
	if s.Reason != "" {
		parts = append(parts, s.Reason)
	}
	return strings.Join(append(parts, count(s.BudgetLeft, "run")+" left"), "  ")
}

// count says how many there are of something.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
