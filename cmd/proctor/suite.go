package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"proctor/regress"
)

type suiteCmd struct {
	Lint suiteLint `cmd:"" help:"Read a suite and say what it holds."`
	Add  suiteAdd  `cmd:"" help:"Propose a suite."`
}

type suiteLint struct {
	File string `arg:"" help:"The suite's YAML file; its case tables lie beside it." type:"path"`
}

func (c *suiteLint) Run(o console) error {
	s, err := regress.Load(os.DirFS(filepath.Dir(c.File)), filepath.Base(c.File))
	if err != nil {
		return &coded{exitUsage, err}
	}
	fmt.Fprintf(o.Out, "%s %s\n", s.Name, s.Digest())
	for _, t := range s.Tests {
		fmt.Fprintf(o.Out, "  %-9s %-28s %6d cases  %s\n", t.Kind, t.Name, t.Len(), t.Capability)
	}
	return nil
}

type suiteAdd struct {
	remote
	File string `arg:"" help:"The suite's YAML file; its case tables lie beside it." type:"path"`
}

func (c *suiteAdd) Run(ctx context.Context, o console) error {
	b, err := archive(os.DirFS(filepath.Dir(c.File)), suiteFiles(filepath.Base(c.File)))
	if err != nil {
		return err
	}
	change, err := c.client().ProposeSuite(ctx, bytes.NewReader(b))
	if err != nil {
		return err
	}
	return printChange(o, change)
}
