package main

import (
	"context"
	"fmt"
	"time"

	"proctor/web/api"
)

type runsCmd struct {
	remote
	Text    string `arg:"" optional:"" help:"In the candidate's name, or the beginning of the run's id or of the package's digest."`
	Lineage string `help:"Runs of this line of model versions." placeholder:"NAME"`
	State   string `help:"Runs that stand here: queued, planned, done, aborted." enum:",queued,planned,done,aborted" default:"" placeholder:"STATE"`
	Result  string `help:"Runs with this result: PASS, FAIL, INCONCLUSIVE." enum:",PASS,FAIL,INCONCLUSIVE" default:"" placeholder:"RESULT"`
	Before  string `help:"The runs after this one in the list: the next page." placeholder:"RUN"`
	Limit   int    `help:"Runs on a page, at most 500." default:"50"`
	JSON    bool   `help:"Print the runs as JSON."`
}

// Run prints one page.
func (c *runsCmd) Run(ctx context.Context, o console) error {
	list, err := c.client().Submissions(ctx, api.Search{Lineage: c.Lineage, State: c.State, Result: c.Result, Text: c.Text, Before: c.Before, Limit: c.Limit})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.Out, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(o.Err, "no run that you may see matches")
	}
	for _, s := range list {
		if _, err := fmt.Fprintf(o.Out, "%s  %s  %s\n", minute(s.Submitted), s.Lineage, line(s)); err != nil {
			return err
		}
	}
	if n := len(list); n > 0 && n == c.Limit {
		fmt.Fprintf(o.Err, "there may be more: --before %s\n", list[n-1].ID)
	}
	return nil
}

// minute shortens a time for people.
func minute(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil {
		return rfc3339
	}
	return t.Format("2006-01-02 15:04Z")
}

type cancelCmd struct {
	remote
	ID string `arg:"" name:"run" help:"The run."`
}

// Run cancels.
func (c *cancelCmd) Run(ctx context.Context, o console) error {
	s, err := c.client().Cancel(ctx, c.ID)
	if err != nil {
		return err
	}
	return show(o, s, false)
}
