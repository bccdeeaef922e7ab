package main

import (
	"context"
	"fmt"

	"proctor/web/api"
)

// printChange says what a proposal is and how it goes on.
func printChange(o console, c api.Change) error {
	fmt.Fprintf(o.Out, "%s %s: %s %s\n  %s\n  digest %s\n", c.ID, c.State, c.Kind, c.Name, c.Note, c.Digest)
	if c.State == "proposed" {
		fmt.Fprintf(o.Out, "A second person activates it: proctor change activate %s\n", c.ID)
	}
	return nil
}

type changeCmd struct {
	List     changeList     `cmd:"" help:"List what was changed in the evaluation itself."`
	Activate changeActivate `cmd:"" help:"Activate somebody else's proposal."`
	Refuse   changeRefuse   `cmd:"" help:"Refuse somebody else's proposal."`
}

type changeList struct{ remote }

func (c *changeList) Run(ctx context.Context, o console) error {
	list, err := c.client().Changes(ctx)
	if err != nil {
		return err
	}
	for _, v := range list {
		by := "by " + v.Proposer
		if v.Decider != "" {
			by += ", decided by " + v.Decider
		}
		fmt.Fprintf(o.Out, "%s  %-8s  %-8s  %s  (%s)\n", v.ID, v.State, v.Kind, v.Note, by)
	}
	return nil
}

type changeActivate struct {
	remote
	ID string `arg:"" help:"The proposal."`
}

func (c *changeActivate) Run(ctx context.Context, o console) error {
	v, err := c.client().Decide(ctx, c.ID, true)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type changeRefuse struct {
	remote
	ID string `arg:"" help:"The proposal."`
}

func (c *changeRefuse) Run(ctx context.Context, o console) error {
	v, err := c.client().Decide(ctx, c.ID, false)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type baselineCmd struct {
	remote
	Lineage string `arg:"" help:"The lineage."`
	ID      string `arg:"" name:"run" help:"An approved run."`
}

func (c *baselineCmd) Run(ctx context.Context, o console) error {
	v, err := c.client().ProposeBaseline(ctx, c.Lineage, c.ID)
	if err != nil {
		return err
	}
	return printChange(o, v)
}
