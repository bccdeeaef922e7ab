package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
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

// Run sends a suite.
func (c *suiteAdd) Run(ctx context.Context, o console) error {
	b, err := archiveSuite(os.DirFS(filepath.Dir(c.File)), filepath.Base(c.File))
	if err != nil {
		return err
	}
	change, err := c.client().ProposeSuite(ctx, bytes.NewReader(b))
	if err != nil {
		return err
	}
	return printChange(o, change)
}

// archiveSuite reads a suite as the service will, and packs what was read: what
// else lies in its folder is not sent.
func archiveSuite(dir fs.FS, name string) ([]byte, error) {
	used := &noting{FS: dir, files: map[string]bool{}}
	if _, err := regress.Load(used, name); err != nil {
		return nil, &coded{exitUsage, err}
	}
	return archive(dir, func(path string) bool { return used.files[path] })
}

// noting notes which files are opened.
type noting struct {
	fs.FS
	files map[string]bool
}

// Open implements [fs.FS].
func (n *noting) Open(name string) (fs.File, error) {
	n.files[name] = true
	return n.FS.Open(name)
}
