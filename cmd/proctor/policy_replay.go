package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/goccy/go-yaml"

	"proctor/harness/report"
	"proctor/web/api"
)

// onService has the service replay a draft, or a proposal, over the predictions that it
// kept. Exit code 0 where no past candidate would get another result, 10 where one would.
func (c *policyBacktest) onService(ctx context.Context, o console) error {
	r := remote{c.Server, c.Token}
	if err := r.AfterApply(); err != nil {
		return err
	}
	b, err := c.ask(ctx, r)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(o.Out, b)
	} else {
		err = printBacktest(o.Out, b)
	}
	for _, x := range b.Runs {
		if err == nil && x.Flips() {
			return &coded{exitFail, nil}
		}
	}
	return err
}

func (c *policyBacktest) ask(ctx context.Context, r remote) (api.Backtest, error) {
	if (c.Draft == "") == (c.Change == "") {
		return api.Backtest{}, usagef("name a draft, or a proposal with --change")
	}
	if c.Change != "" {
		return r.client().BacktestChange(ctx, c.Change)
	}
	text, err := os.ReadFile(c.Draft)
	if err != nil {
		return api.Backtest{}, err
	}
	if !isSuite(text) {
		return r.client().BacktestPolicy(ctx, text)
	}
	archive, err := archiveSuite(ctx, os.DirFS(filepath.Dir(c.Draft)), filepath.Base(c.Draft))
	if err != nil {
		return api.Backtest{}, err
	}
	return r.client().BacktestSuite(ctx, bytes.NewReader(archive))
}

// isSuite tells a suite's file from a policy's, which has suites and no suite.
func isSuite(text []byte) bool {
	var top struct {
		Suite string `yaml:"suite"`
	}
	return yaml.Unmarshal(text, &top) == nil && top.Suite != ""
}

func printBacktest(w io.Writer, b api.Backtest) error {
	fmt.Fprintf(w, "%s %s %s\n%s\n\n", b.Kind, visible(b.Name), b.Digest, visible(b.Sentence))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  candidate\trun\tlineage\tgiven\tdraft\t\n")
	for _, r := range b.Runs {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n", visible(r.Candidate), r.Run, visible(r.Lineage), r.Before, orDash(r.After), visible(replayNote(r)))
	}
	for _, d := range b.Deployed {
		for _, x := range d.Tests {
			fmt.Fprintf(t, "  %s\tdeployed\t%s\t%s\t%s\ttest %s: fails\n", visible(d.Model), visible(d.Lineage), x.Before, x.After, visible(x.Test))
		}
	}
	return t.Flush()
}

func replayNote(r api.Replay) string {
	switch {
	case r.Skipped != "":
		return "not replayed: " + r.Skipped
	case r.Flips() && r.Approved:
		return "approved, and would have been stopped by " + r.Decided
	case r.Flips() && r.After == report.Pass:
		return "would have PASSED"
	case r.Flips():
		return "by " + r.Decided
	case r.NotAsked > 0:
		return fmt.Sprintf("%d cases were never asked", r.NotAsked)
	}
	return ""
}
