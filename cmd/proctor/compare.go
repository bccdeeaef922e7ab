package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"proctor/harness"
	"proctor/harness/intake"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/harness/report/ci"
	"proctor/holdout/rows"
	"proctor/web"
)

type compareCmd struct {
	Answers   string `help:"CSV or JSONL: id, label, slice columns." required:"" type:"path"`
	Baseline  string `help:"CSV or JSONL: id, label and, if known, p:<class> columns." required:"" type:"path"`
	Candidate string `help:"The same of the candidate." required:"" type:"path"`
	Cases     string `help:"CSV or JSONL: test, id, expect, and if wanted capability, critical. The ids are in both prediction files." type:"path"`
	Policy    string `help:"The policy (YAML)." required:"" type:"path"`
	Positive  string `help:"The class that counts as positive."`
	ciOutputs
	JSON bool   `help:"Print decision, findings, flips, metrics, slices and tests as JSON."`
	HTML string `help:"Write the report as one HTML file." placeholder:"FILE" type:"path"`
}

// comparison is what --json prints.
type comparison struct {
	Decision string           `json:"decision"`
	Sentence string           `json:"sentence"`
	Binding  string           `json:"binding"` // none: nothing can be approved on prediction files
	Decided  int              `json:"decided"`
	Findings []finding        `json:"findings"`
	Search   *report.Search   `json:"search"` // where it broke, found by search
	Flips    report.Flips     `json:"flips"`
	Cost     *report.Cost     `json:"cost"` // null: the policy names no costs
	Burden   []report.Burden  `json:"burden"`
	Metrics  []report.Metric  `json:"metrics"`
	Slices   []report.Slice   `json:"slices"`
	Tests    []report.Test    `json:"tests"`
	Broke    []report.RowFlip `json:"broke_rows"`
	Missing  []string         `json:"not_covered"`
	Policy   report.Ref       `json:"policy"`
	Report   string           `json:"report"` // digest of the report
}

// A finding says what its subject is besides what the report holds.
type finding struct {
	report.Finding
	Slice string `json:"slice,omitempty"`
	Test  string `json:"test,omitempty"`
}

func findingsOf(d report.Decision) []finding {
	out := make([]finding, len(d.Findings))
	for i, f := range d.Findings {
		out[i].Finding = f
		switch {
		case strings.Contains(f.Subject, "="):
			out[i].Slice = f.Subject
		case strings.Contains(f.Subject, "/"):
			out[i].Test = f.Subject
		}
	}
	return out
}

// Run compares and tells the result by the exit code.
func (c *compareCmd) Run(ctx context.Context, o console) error {
	text, err := os.ReadFile(c.Policy)
	if err != nil {
		return err
	}
	in := harness.Comparison{Positive: c.Positive}
	if in.Policy, err = policy.Parse(text); err != nil {
		return usagef("%s: %v", c.Policy, err)
	}
	for _, f := range []struct {
		path string
		into *rows.Table
	}{{c.Answers, &in.Answers}, {c.Baseline, &in.Baseline}, {c.Candidate, &in.Candidate}} {
		if *f.into, err = readTable(ctx, f.path); err != nil {
			return err
		}
	}
	if c.Cases != "" {
		t, err := readTable(ctx, c.Cases)
		if err != nil {
			return err
		}
		in.Cases = &t
	}
	r, err := harness.Compare(in)
	if err != nil {
		return &coded{exitUsage, err}
	}
	_, digest, err := report.Encode(r)
	if err != nil {
		return err
	}
	if c.HTML != "" {
		if err := writeHTML(c.HTML, r, digest); err != nil {
			return err
		}
	}
	if err := c.ciOutputs.write(o, ci.FromReport(r)); err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(o.Out, comparison{r.Decision.Result, r.Decision.Sentence, r.Binding, r.Decision.Decided, findingsOf(r.Decision),
			r.Search, r.Flips, r.Cost, r.Burden, r.Metrics, r.Slices, r.Tests, r.BrokeRows, r.Decision.NotCovered, r.Policy, digest})
	} else {
		err = printReport(o.Out, r)
	}
	if err != nil {
		return err
	}
	return resultCode(r.Decision.Result)
}

func writeHTML(path string, r *report.Report, digest string) error {
	var page bytes.Buffer
	if err := web.RenderReport(&page, r, digest); err != nil {
		return err
	}
	return replace(path, page.Bytes())
}

func readTable(ctx context.Context, path string) (rows.Table, error) {
	format, err := formatOf(path)
	if err != nil {
		return rows.Table{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return rows.Table{}, err
	}
	defer f.Close()
	t, err := intake.Decode(ctx, format, f, intake.Options{Text: []string{"id", "label", "expect", "test", "capability", "critical"}})
	if err != nil {
		return t, usagef("%s: %v", path, err)
	}
	return t, nil
}

// printReport tells a report in a terminal: the sentence first.
func printReport(w io.Writer, r *report.Report) error {
	f := r.Flips
	fmt.Fprintf(w, "%s\n\n", r.Decision.Sentence)
	if r.Binding == policy.BindingNone {
		fmt.Fprintf(w, "  binding none: predictions are bound to no model, so nothing can be approved on them\n")
	}
	fmt.Fprintf(w, "  rows %d, broke %d, fixed %d, both wrong %d\n\n", f.N, f.Broke, f.Fixed, f.BothWrong)
	for _, x := range r.Decision.Findings {
		name := x.Claim
		if x.Subject != "" {
			name += " " + x.Subject
		}
		fmt.Fprintf(w, "  %-14s %-44s %s\n", x.Outcome, name, x.Sentence)
	}
	printSearch(w, r.Search)
	if r.Calibration != nil {
		fmt.Fprintf(w, "\n  %s\n", r.Calibration.Sentence)
	}
	printPackage(w, r.Package)
	var err error
	if len(r.Decision.NotCovered) > 0 {
		_, err = fmt.Fprintf(w, "\n  Not covered:\n  - %s\n", strings.Join(r.Decision.NotCovered, "\n  - "))
	}
	return err
}

// printSearch tells where it broke: the slices that are shown, without those that
// share the rows of one before.
func printSearch(w io.Writer, s *report.Search) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "\n  Where it broke: %s\n", s.Sentence)
	for _, x := range s.Slices {
		if x.Shown && x.Within < 0 {
			fmt.Fprintf(w, "  - %s\n", x.Sentence)
		}
	}
}
