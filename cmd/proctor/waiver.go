package main

import (
	"context"
	"fmt"

	"proctor/web/api"
)

type waiverCmd struct {
	Propose waiverPropose `cmd:"" help:"Propose to let the model of a run through one gate once although it has no approval."`
	Get     waiverGet     `cmd:"" help:"Fetch a waiver that a second person activated."`
}

type waiverPropose struct {
	remote
	ID          string `arg:"" name:"run" help:"The run."`
	Environment string `help:"Where it goes, such as prod; the gate compares it." required:"" env:"-"`
	Admission   string `help:"The one release that it is for, such as a change's number; the gate compares it." required:"" env:"-"`
	Hours       int    `help:"How long it holds from its activation on, 1 to 24." default:"4" env:"-"`
	Reason      string `help:"Why; it is signed and logged." required:"" placeholder:"TEXT" env:"-"`
}

func (c *waiverPropose) Run(ctx context.Context, o console) error {
	v, err := c.client().ProposeWaiver(ctx, api.Waiver{Run: c.ID, Environment: c.Environment, Admission: c.Admission, Hours: c.Hours, Reason: c.Reason})
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type waiverGet struct {
	remote
	ID  string `arg:"" name:"proposal" help:"The proposal."`
	Out string `help:"File to write the bundle to." required:"" type:"path" env:"-" placeholder:"FILE"`
}

func (c *waiverGet) Run(ctx context.Context, o console) error {
	b, err := c.client().Waiver(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := replace(c.Out, b); err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.Err, c.Out)
	return err
}
