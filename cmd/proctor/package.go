package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/candidate"
	"proctor/harness/intake"
	"proctor/harness/report"
	"proctor/harness/runner"
)

type packageCmd struct {
	Init  packageInit  `cmd:"" help:"Write a package to start from: a small model that answers, and the kit that wraps yours."`
	Image packageImage `cmd:"" help:"Make a package of a container image, which is pulled by digest."`
	Sign  packageSign  `cmd:"" help:"Sign the files of a package (OpenSSF Model Signing, ECDSA P-256)."`
	Lint  packageLint  `cmd:"" help:"Read a package as the service would, try it over a few rows, and say what is wrong."`
}

type packageLint struct {
	Dir      string   `arg:"" help:"Folder with the model's files and proctor-model.json." type:"path"`
	Practice string   `help:"A table (.csv or .jsonl) whose rows are asked; the service's practice split, for example." placeholder:"FILE" type:"path"`
	Label    string   `help:"The column of --practice that holds the answers." placeholder:"COLUMN"`
	Feature  []string `help:"A column of --practice that the model is asked about, in the holdout's order. Without any: the columns that the model names, or those of its example.jsonl, or all but the answers." placeholder:"COLUMN"`
	NoRun    bool     `help:"Only read the package, do not start the model."`
	JSON     bool     `help:"Print the findings as JSON."`
	libraries
	endpoints
}

// Run lints. A package with a problem ends with exit code 2, as its submission would.
func (c *packageLint) Run(ctx context.Context, o console) error {
	practice, err := c.practice(ctx)
	if err != nil {
		return err
	}
	onnx, err := c.libraries.onnxruntime(ctx)
	if err != nil {
		return err
	}
	elsewhere, err := c.endpoints.remote()
	if err != nil {
		return err
	}
	r, err := candidate.Lint(ctx, c.Dir, candidate.Options{Runner: runner.Runner{ONNXRuntime: onnx, Remote: elsewhere}, Practice: practice, NoRun: c.NoRun})
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(o.Out, r); err != nil {
			return err
		}
	} else {
		printLint(o.Out, r)
	}
	if !r.OK() {
		return usagef("%s: %s", filepath.Base(c.Dir), strings.Join(r.Problems, "\n  "))
	}
	return nil
}

func (c *packageLint) practice(ctx context.Context) (*candidate.Practice, error) {
	if c.Practice == "" {
		if c.Label != "" || len(c.Feature) > 0 {
			return nil, usagef("--label and --feature name columns of --practice, which is not given")
		}
		return nil, nil
	}
	format, err := formatOf(c.Practice)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.Practice)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opt := intake.Options{}
	if c.Label != "" {
		opt.Text = []string{c.Label}
	}
	t, err := intake.Decode(ctx, format, f, opt)
	if err != nil {
		return nil, usagef("%s: %w", c.Practice, err)
	}
	return &candidate.Practice{Name: filepath.Base(c.Practice), Rows: t, Label: c.Label, Features: c.Feature}, nil
}

// printLint tells of everything but the problems, which the error names.
func printLint(w io.Writer, r *candidate.Report) {
	if r.Digest != "" {
		fmt.Fprintf(w, "%s\n%d files, %d bytes, kind %s, classes %s\n", r.Digest, r.Files, r.Bytes, r.Kind, strings.Join(r.Classes, ", "))
	}
	for _, x := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", x)
	}
	if r.Smoke != nil {
		printSmoke(w, r.Smoke)
	}
}

func printSmoke(w io.Writer, s *candidate.Smoke) {
	fmt.Fprintf(w, "asked: %s from %s, in tier %s\n", count(s.Rows, "row"), s.From, s.Tier)
	for _, x := range s.Shown {
		fmt.Fprintf(w, "  %.200s  ->  %q", x.Row, x.Answer)
		for _, p := range x.Probs {
			fmt.Fprintf(w, " %.4g", p)
		}
		fmt.Fprintln(w)
	}
	if s.Rate > 0 {
		fmt.Fprintf(w, "speed: %.2f s from start to end over the first rows, then about %.0f rows a second; %d MiB of memory\n", s.Start, s.Rate, s.PeakMemory>>20)
	}
	if s.Accuracy != nil {
		fmt.Fprintf(w, "right: %.2f %% of these rows\n", 100**s.Accuracy)
	}
	if s.Stderr != "" {
		fmt.Fprintf(w, "standard error:\n  %s\n", strings.ReplaceAll(s.Stderr, "\n", "\n  "))
	}
}

// checked reads a package that is to be sent. What can be seen without running the
// model costs no run.
func checked(ctx context.Context, dir string) (*runner.Package, error) {
	r, err := candidate.Lint(ctx, dir, candidate.Options{NoRun: true})
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, usagef("%s", strings.Join(r.Problems, "; "))
	}
	return runner.ReadPackage(dir)
}

// printPackage tells a reviewer what was seen of the package besides its answers.
func printPackage(w io.Writer, p *report.Package) {
	if p == nil {
		return
	}
	for _, a := range p.Attestations {
		fmt.Fprintf(w, "\n  %s by %s (%s)\n", a.Kind, a.By, strings.TrimSpace(a.Of+" "+a.Digest))
	}
	if t := p.Training; t != nil && t.Changes != nil {
		fmt.Fprintf(w, "\n  As the training records say:\n  - %s\n", strings.Join(t.Changes, "\n  - "))
	}
	if len(p.Credentials) > 0 {
		fmt.Fprintf(w, "\n  What looks like credentials:\n")
	}
	for _, c := range p.Credentials {
		fmt.Fprintf(w, "  - %s, line %d: %s\n", c.File, c.Line, c.Kind)
	}
}
