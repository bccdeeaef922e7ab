package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"proctor/harness/intake"
	"proctor/holdout/rows"
	"proctor/regress"
)

type suiteCmd struct {
	Lint    suiteLint    `cmd:"" help:"Read a suite and say what it holds and what is weak about it."`
	Gen     suiteGen     `cmd:"" help:"Show the examples of a suite, or write all of them for a model to answer."`
	Run     suiteRun     `cmd:"" help:"Hold a candidate to suites, case by case against a baseline."`
	Compare suiteCompare `cmd:"" help:"Compare two models from published counts of failures."`
	Diff    suiteDiff    `cmd:"" help:"Show what changed between two versions of a suite."`
	Import  suiteImport  `cmd:"" help:"Turn the test file of another tool into a suite."`
	Add     suiteAdd     `cmd:"" help:"Propose a suite."`
}

// loadSuite reads a suite as people write it.
func loadSuite(ctx context.Context, file string) (*regress.Suite, error) {
	s, err := regress.LoadWith(os.DirFS(filepath.Dir(file)), filepath.Base(file), jailed(ctx))
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	return s, nil
}

// jailed decodes binary case tables in a jailed child.
func jailed(ctx context.Context) regress.TableReader {
	return func(format string, b []byte) (rows.Table, error) {
		return intake.Decode(ctx, format, bytes.NewReader(b), intake.Options{})
	}
}

type suiteLint struct {
	File string `arg:"" help:"The suite's YAML file; its case tables lie beside it." type:"path"`
}

// Run prints what the suite holds, then what is weak about it.
func (c *suiteLint) Run(ctx context.Context, o console) error {
	s, err := loadSuite(ctx, c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "%s %s\n", s.Name, s.Digest())
	for i := range s.Tests {
		t := &s.Tests[i]
		fmt.Fprintf(o.Out, "  %-9s %-28s %6d cases  %s\n", t.Kind, t.Name, t.Len(), t.Capability)
	}
	for _, weak := range s.Lint() {
		if _, err := fmt.Fprintf(o.Out, "  weak: %s\n", weak); err != nil {
			return err
		}
	}
	return nil
}

type suiteAdd struct {
	remote
	File string `arg:"" help:"The suite's YAML file; its case tables lie beside it." type:"path"`
}

// Run sends a suite.
func (c *suiteAdd) Run(ctx context.Context, o console) error {
	b, err := archiveSuite(ctx, os.DirFS(filepath.Dir(c.File)), filepath.Base(c.File))
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
func archiveSuite(ctx context.Context, dir fs.FS, name string) ([]byte, error) {
	used := &noting{FS: dir, files: map[string]bool{}}
	if _, err := regress.LoadWith(used, name, jailed(ctx)); err != nil {
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
