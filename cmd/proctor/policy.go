package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"proctor/harness/policy"
)

type policyCmd struct {
	Init     policyInit     `cmd:"" help:"Print a policy that can pass on a holdout."`
	Check    policyCheck    `cmd:"" help:"Say for each claim what it can see; refuse a policy that nothing could pass."`
	Backtest policyBacktest `cmd:"" help:"Say which past candidates a draft would have decided otherwise, from their prediction files."`
	Add      policyAdd      `cmd:"" help:"Propose a policy."`
}

type policyInit struct {
	remote
	Holdout string   `arg:"" help:"Name of an active holdout."`
	Lineage string   `help:"The line of model versions." required:"" placeholder:"NAME"`
	Suite   []string `help:"Active suites to watch." placeholder:"NAME"`
}

func (c *policyInit) Run(ctx context.Context, o console) error {
	b, err := c.client().InitPolicy(ctx, c.Holdout, c.Lineage, c.Suite)
	if err == nil {
		_, err = o.Out.Write(b)
	}
	return err
}

type policyCheck struct {
	remote
	File string `arg:"" help:"The policy (YAML)." type:"path"`
	JSON bool   `help:"Print the report as JSON."`
}

// Run shows what the policy can see on the active sets.
func (c *policyCheck) Run(ctx context.Context, o console) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	v, err := c.client().CheckPolicy(ctx, b)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.Out, v)
	}
	var r policy.Report
	if err := json.Unmarshal(v, &r); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	return printPower(o.Out, r)
}

// printPower shows each claim with the rows that it needs and has, the power for
// an equal model, and the smallest harm that would not go unseen.
func printPower(w io.Writer, r policy.Report) error {
	fmt.Fprintf(w, "policy %s on %s: %d rows, %s, churn %g %%\n%s\n\n", r.Policy, r.Holdout, r.Rows, count(r.LastRun, "run"), r.ChurnPct, r.Digest)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "  claim\ton\trows\tneeded\tpower, first run\tlast run\tsmallest visible harm\t\n")
	for _, c := range r.Claims {
		subject, needed := c.Subject, fmt.Sprint(c.Needed)
		if subject == "" {
			subject = "all rows"
		}
		if c.Needed == 0 {
			needed = "-"
		}
		harm := "-"
		if c.Visible != nil {
			harm = strings.TrimSpace(fmt.Sprintf("%.2g %s", *c.Visible, c.Unit))
		}
		note := ""
		if !c.Judged {
			note = "tested for harm only"
		}
		fmt.Fprintf(t, "  %s\t%s\t%d\t%s\t%.3f\t%.3f\t%s\t%s\n", c.Claim, subject, c.Rows, needed, c.PowerFirst, c.PowerLast, harm, note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n  %s", n)
	}
	_, err := fmt.Fprintf(w, "\n\nAn equal model passes all of it with at least %.3f on the first run, %.3f on the last.\n", r.PassFirst, r.PassLast)
	return err
}

type policyAdd struct {
	remote
	File string `arg:"" help:"The policy (YAML)." type:"path"`
}

func (c *policyAdd) Run(ctx context.Context, o console) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	change, err := c.client().ProposePolicy(ctx, b)
	if err != nil {
		return err
	}
	return printChange(o, change)
}
