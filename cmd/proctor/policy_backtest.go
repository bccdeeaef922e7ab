package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"proctor/harness"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout/rows"
)

type policyBacktest struct {
	Draft        string   `arg:"" optional:"" help:"The policy or, on a service, the suite that is to be proposed (YAML)." type:"path"`
	Candidates   []string `arg:"" optional:"" help:"Predictions of past candidates, one file each, to replay without a service." type:"path"`
	Change       string   `help:"A proposal to replay instead of a draft." placeholder:"ID"`
	Server       string   `help:"Address of the service." default:"http://127.0.0.1:7800" placeholder:"URL"`
	Token        string   `help:"API token; better given as PROCTOR_TOKEN." placeholder:"TOKEN"`
	InForce      string   `help:"With prediction files: the policy in force (YAML)." type:"path"`
	Answers      string   `help:"With prediction files, CSV or JSONL: id, label, slice columns." type:"path"`
	Baseline     string   `help:"With prediction files: those of the model that was deployed: id, label and, if known, p:<class>." type:"path"`
	Cases        string   `help:"With prediction files: behavioural cases as drafted, as for proctor compare; their ids are in all prediction files." type:"path"`
	CasesInForce string   `help:"Those in force; without it the same." type:"path"`
	Positive     string   `help:"The class that counts as positive."`
	JSON         bool     `help:"Print it as JSON."`
}

// A replay is one past candidate under both policies.
type replay struct {
	Candidate string `json:"candidate"`
	Before    string `json:"in_force"`
	After     string `json:"draft"`
	Sentence  string `json:"sentence"` // of the draft
}

func (r replay) flips() bool { return r.Before != r.After }

// Run shows which past candidates would have got another result, so that whoever decides
// on a draft approves consequences. Exit code 0 where none would, 10 where one would.
func (c *policyBacktest) Run(ctx context.Context, o console) error {
	if len(c.Candidates) == 0 {
		return c.onService(ctx, o)
	}
	if c.InForce == "" || c.Answers == "" || c.Baseline == "" {
		return usagef("prediction files are replayed with --in-force, --answers and --baseline; without prediction files the service replays what it kept")
	}
	before, err := c.side(ctx, c.InForce, c.CasesInForce)
	if err != nil {
		return err
	}
	after, err := c.side(ctx, c.Draft, c.Cases)
	if err != nil {
		return err
	}
	var out []replay
	flips := 0
	for _, path := range c.Candidates {
		t, err := readTable(ctx, path)
		if err != nil {
			return err
		}
		r := replay{Candidate: filepath.Base(path)}
		if r.Before, _, err = replayed(before, t, path); err != nil {
			return err
		}
		if r.After, r.Sentence, err = replayed(after, t, path); err != nil {
			return err
		}
		if r.flips() {
			flips++
		}
		out = append(out, r)
	}
	if c.JSON {
		err = printJSON(o.Out, out)
	} else {
		err = printReplays(o.Out, out, flips)
	}
	if err == nil && flips > 0 {
		return &coded{exitFail, nil}
	}
	return err
}

// side reads one policy with what it is held against.
func (c *policyBacktest) side(ctx context.Context, path, cases string) (harness.Comparison, error) {
	in := harness.Comparison{Positive: c.Positive}
	text, err := os.ReadFile(path)
	if err != nil {
		return in, err
	}
	if in.Policy, err = policy.Parse(text); err != nil {
		return in, usagef("%s: %v", path, err)
	}
	if in.Answers, err = readTable(ctx, c.Answers); err != nil {
		return in, err
	}
	if in.Baseline, err = readTable(ctx, c.Baseline); err != nil {
		return in, err
	}
	if cases == "" {
		cases = c.Cases
	}
	if cases != "" {
		t, err := readTable(ctx, cases)
		if err != nil {
			return in, err
		}
		in.Cases = &t
	}
	return in, nil
}

func replayed(in harness.Comparison, candidate rows.Table, path string) (result, sentence string, err error) {
	in.Candidate = candidate
	r, err := harness.Compare(in)
	if err != nil {
		return "", "", usagef("%s: %v", path, err)
	}
	return r.Decision.Result, r.Decision.Sentence, nil
}

func printReplays(w io.Writer, list []replay, flips int) error {
	fmt.Fprintf(w, "%d of %d past candidates would get another result\n\n", flips, len(list))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  candidate\tin force\tdraft\t\n")
	for _, r := range list {
		note := ""
		switch {
		case r.flips() && r.Before == report.Pass:
			note = "would have been stopped: " + r.Sentence
		case r.flips() && r.After == report.Pass:
			note = "would have PASSED: " + r.Sentence
		case r.flips():
			note = r.Sentence
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", visible(r.Candidate), r.Before, r.After, note)
	}
	return t.Flush()
}
