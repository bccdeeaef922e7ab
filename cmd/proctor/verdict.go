package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"proctor/harness/report"
	"proctor/harness/report/ci"
	"proctor/web/api"
	"proctor/web/client"
)

type verdictCmd struct {
	remote
	ciOutputs
	ID   string `arg:"" name:"run" help:"The run."`
	Dir  string `help:"Folder to write approval.bundle.json and evidence.bundle.json to; made if it is not there." type:"path" env:"-" placeholder:"FOLDER"`
	JSON bool   `help:"Print the submission as JSON."`
}

// Run tells how the run stands by the exit code.
func (c *verdictCmd) Run(ctx context.Context, o console) error {
	s, err := c.client().Submission(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Dir != "" && s.State == "done" {
		if err := c.save(ctx, o, s.Approved); err != nil {
			return err
		}
	}
	if err := show(o, s, c.JSON); err != nil {
		return err
	}
	if err := c.ciOutputs.write(o, verdictRun(s)); err != nil {
		return err
	}
	return outcome(s)
}

// verdictRun describes how a run stands, for pipelines: one entry, for a submitter sees
// no more, and it is a PASS only where the exit code is 0.
func verdictRun(s api.Submission) ci.Run {
	run := ci.Run{Title: "Proctor: run " + s.ID, Result: s.Result, Sentence: s.Sentence}
	if run.Sentence == "" {
		run.Sentence = fmt.Sprintf("%s %s %s", s.Candidate, cmp.Or(s.Result, s.State), s.Reason)
	}
	if outcome(s) != nil && run.Result == report.Pass {
		run.Result, run.Sentence = report.Inconclusive, run.Sentence+", not approved"
	}
	return run
}

// save writes what is signed, as far as the caller may have it: evidence holds
// numbers, which a submitter does not see.
func (c *verdictCmd) save(ctx context.Context, o console, approved bool) error {
	which := []string{"evidence"}
	if approved {
		which = append(which, "approval")
	}
	for _, w := range which {
		b, err := c.client().Bundle(ctx, c.ID, w)
		var refused *client.Error
		if w == "evidence" && errors.As(err, &refused) && refused.Status == http.StatusForbidden {
			fmt.Fprintln(o.Err, "the evidence is for reviewers and auditors; a gate needs the approval only")
			continue
		}
		if err != nil {
			return err
		}
		path := filepath.Join(c.Dir, w+".bundle.json")
		if err := replace(path, b); err != nil {
			return err
		}
		fmt.Fprintln(o.Err, path)
	}
	return nil
}

// replace writes a file whole or not at all, and makes its folder.
func replace(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".proctor-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already if all went well
	_, err = f.Write(b)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type reportCmd struct {
	remote
	ID   string `arg:"" name:"run" help:"The run."`
	JSON bool   `help:"Print the stored report as it is: its SHA-256 is the digest that was signed."`
	HTML string `help:"Write the report as one HTML file." placeholder:"FILE" type:"path" env:"-"`
}

// Run shows a report only if its bytes have the digest that the service gives.
func (c *reportCmd) Run(ctx context.Context, o console) error {
	b, digest, err := c.client().Report(ctx, c.ID)
	if err != nil {
		return err
	}
	r, err := report.Decode(b, digest)
	if err != nil {
		return &coded{exitTampered, err}
	}
	if c.HTML != "" {
		if err := writeHTML(c.HTML, r, digest); err != nil {
			return err
		}
	}
	if c.JSON {
		_, err := o.Out.Write(b)
		return err
	}
	if err := printReport(o.Out, r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "\nReport %s\n", digest)
	return err
}

type reviewCmd struct {
	remote
	ID      string `arg:"" name:"run" help:"The run."`
	Approve bool   `help:"Approve." xor:"decision" required:"" env:"-"`
	Refuse  bool   `help:"Refuse, for good." xor:"decision" required:"" env:"-"`
	Reason  string `help:"Why; it is signed and logged." required:"" placeholder:"TEXT" env:"-"`
	Report  string `help:"Digest of the report that you read, as 'proctor report' and the page show it." required:"" placeholder:"sha256:..." env:"-"`
}

// Run records the decision.
func (c *reviewCmd) Run(ctx context.Context, o console) error {
	s, err := c.client().Review(ctx, c.ID, api.Review{Approve: c.Approve, Reason: c.Reason, Report: c.Report})
	if err != nil {
		return err
	}
	return show(o, s, false)
}
