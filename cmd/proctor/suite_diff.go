package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"proctor/regress"
	"proctor/regress/importer"
	"proctor/regress/practice"
)

type suiteDiff struct {
	From  string `arg:"" help:"The version before (YAML)." type:"path"`
	To    string `arg:"" help:"The version after (YAML)." type:"path"`
	Model string `help:"Folder of the deployed model, which is asked both versions." type:"path"`
	JSON  bool   `help:"Print it as JSON."`
}

// A revision is what changed, and what the deployed model makes of either version.
type revision struct {
	regress.Revision
	Before *practice.Result `json:"before,omitempty"`
	After  *practice.Result `json:"after,omitempty"`
}

// Run shows what changed. Exit code 0 where nothing did, 10 where something did, as
// with other tools that compare files.
func (c *suiteDiff) Run(ctx context.Context, o console) error {
	from, err := loadSuite(ctx, c.From)
	if err != nil {
		return err
	}
	to, err := loadSuite(ctx, c.To)
	if err != nil {
		return err
	}
	r := revision{Revision: regress.Revise(from, to)}
	if c.Model != "" {
		if r.Before, err = c.replay(ctx, from); err != nil {
			return err
		}
		if r.After, err = c.replay(ctx, to); err != nil {
			return err
		}
	}
	if c.JSON {
		err = printJSON(o.Out, r)
	} else {
		err = printRevision(o.Out, r)
	}
	if err == nil && r.From != r.To {
		return &coded{exitFail, nil}
	}
	return err
}

// replay asks the deployed model one version, on its own.
func (c *suiteDiff) replay(ctx context.Context, s *regress.Suite) (*practice.Result, error) {
	a, err := answersOf(ctx, "model", c.Model, []*regress.Suite{s}, endpoints{})
	if err != nil {
		return nil, err
	}
	r, err := practice.Run([]*regress.Suite{s}, nil, a, nil, practice.Options{Confidence: .95, HarmPP: 1, DetectPP: 10})
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	return r, nil
}

// printReplay shows how the deployed model does on the tests of both versions.
func printReplay(w io.Writer, before, after *practice.Result) {
	was := map[string]string{}
	for _, t := range before.Tests {
		was[t.Name] = fmt.Sprintf("%d of %d", t.CandidateFailed, t.CandidateCases)
	}
	for _, t := range after.Tests {
		old, ok := was[t.Name]
		if !ok {
			old = "-"
		}
		if now := fmt.Sprintf("%d of %d", t.CandidateFailed, t.CandidateCases); now != old {
			fmt.Fprintf(w, "deployed model on %s: fails %s, before %s\n", t.Name, now, old)
		}
	}
}

func printRevision(w io.Writer, r revision) error {
	fmt.Fprintf(w, "from %s\nto   %s\n", r.From, r.To)
	same := 0
	for _, t := range r.Tests {
		if !t.Changed() {
			same++
			continue
		}
		what := ""
		switch {
		case t.Added:
			what = " is new"
		case t.Deleted:
			what = " is DELETED"
		}
		c := t.Cases
		fmt.Fprintf(w, "test %s%s: %d cases as before, %d added, %d deleted, %d changed\n", t.Name, what, c.Same, c.Added, c.Deleted, c.Changed)
		for _, d := range t.Redefined {
			fmt.Fprintf(w, "  %s\n", d)
		}
		for _, l := range []struct {
			what  string
			n     int
			first []string
		}{{"added", c.Added, c.FirstAdded}, {"deleted", c.Deleted, c.FirstDeleted}, {"changed", c.Changed, c.FirstChanged}} {
			if l.n > 0 {
				more := ""
				if l.n > len(l.first) {
					more = ", ..."
				}
				fmt.Fprintf(w, "  %s: %s%s\n", l.what, strings.Join(l.first, ", "), more)
			}
		}
	}
	if r.Before != nil {
		printReplay(w, r.Before, r.After)
	}
	_, err := fmt.Fprintf(w, "%d tests as before\n", same)
	return err
}

type suiteImport struct {
	Format string `arg:"" help:"checklist, checklist-text, hatecheck, lm-eval or promptfoo."`
	File   string `arg:"" help:"The file to read." type:"path"`
	Out    string `help:"The folder to write; it must not exist." required:"" type:"path"`
	Name   string `help:"The suite's name; without it that of the file."`
}

// Run writes the suite and says what was left out.
func (c *suiteImport) Run(ctx context.Context, o console) error {
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if info.Size() > importer.MaxBytes {
		return usagef("%s has more than %d bytes", c.File, importer.MaxBytes)
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	}
	s, err := importer.Import(c.Format, name, b)
	if err != nil {
		return usagef("%s: %v", c.File, err)
	}
	if err := os.Mkdir(c.Out, 0o755); err != nil {
		return err
	}
	paths := make([]string, 0, len(s.Files))
	for p := range s.Files {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		if err := replace(filepath.Join(c.Out, filepath.FromSlash(p)), s.Files[p]); err != nil {
			return err
		}
	}
	if _, err := loadSuite(ctx, filepath.Join(c.Out, "suite.yaml")); err != nil {
		return fmt.Errorf("what was written is no suite yet: %w", err)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(o.Err, "left out: %s\n", visible(n))
	}
	_, err = fmt.Fprintf(o.Out, "%d tests, %d cases, %d notes: %s\n", s.Tests, s.Cases, len(s.Notes), strings.Join(paths, " "))
	return err
}
