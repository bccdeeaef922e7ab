package main

import (
	"context"
	"errors"
	"fmt"
)

type budgetCmd struct {
	remote
	Lineage string `arg:"" help:"The lineage."`
	JSON    bool   `help:"Print the budget as JSON."`
}

// Run ends with the code for a spent budget when no run is left.
func (c *budgetCmd) Run(ctx context.Context, o console) error {
	b, err := c.client().Budget(ctx, c.Lineage)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(o.Out, b); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.Out, "%s\n", b.Sentence)
		for _, s := range b.Sets {
			fmt.Fprintf(o.Out, "  %s version %d: %d of %d runs used", s.Holdout, s.Version, s.Used, b.Runs)
			if s.Inherited > 0 {
				fmt.Fprintf(o.Out, ", %d of them by rows that other sets have too", s.Inherited)
			}
			fmt.Fprintf(o.Out, "; %d rows, %d in reserve, %d for practice; people have seen %d of at most %d rows", s.Rows, s.Reserve, s.Practice, s.Seen, s.SeenAtMost)
			if s.Retain != "" {
				fmt.Fprintf(o.Out, "; kept until %s", s.Retain)
			}
			fmt.Fprintln(o.Out)
		}
	}
	if b.Left == 0 {
		return &coded{exitBudget, errors.New("no runs are left; a curator rotates with 'proctor holdout rotate'")}
	}
	return nil
}
