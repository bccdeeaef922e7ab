package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/report/ci"
	"proctor/regress/practice"
)

// ciOutputs are the forms in which a pipeline can have a result.
type ciOutputs struct {
	JUnit    string `name:"junit" help:"Write JUnit XML." placeholder:"FILE" type:"path"`
	Markdown string `help:"Write Markdown." placeholder:"FILE" type:"path"`
	SARIF    string `name:"sarif" help:"Write SARIF 2.1.0." placeholder:"FILE" type:"path"`
	GitHub   bool   `name:"github" help:"Print annotations for a GitHub workflow and append the table to its step summary (GITHUB_STEP_SUMMARY)."`
}

// write writes every form that was asked for.
func (c ciOutputs) write(o console, run ci.Run) error {
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{c.JUnit, run.JUnit}, {c.SARIF, run.SARIF},
		{c.Markdown, func(w io.Writer) error { return run.Markdown(w, ci.MaxSummary) }},
	} {
		if f.path == "" {
			continue
		}
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			return err
		}
		if err := replace(f.path, b.Bytes()); err != nil {
			return err
		}
	}
	if !c.GitHub {
		return nil
	}
	return errors.Join(run.Annotations(o.Out), summarise(run))
}

// summarise appends to the file that GitHub reads after the step. Other steps may have
// written to it, and the limit is on the whole of it.
func summarise(run ci.Run) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("step summary: %w", err)
	}
	used, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = run.Markdown(f, ci.MaxSummary-int(min(used, ci.MaxSummary)))
	}
	return errors.Join(err, f.Close())
}

// suiteOutputs are those of a practice run.
type suiteOutputs struct {
	ciOutputs
	JSON bool `help:"Print everything as JSON."`
}

func (c suiteOutputs) write(o console, title, file string, r *practice.Result) error {
	err := c.ciOutputs.write(o, practiceRun(title, file, r))
	switch {
	case err != nil:
		return err
	case c.JSON:
		err = printJSON(o.Out, r)
	case !c.GitHub:
		err = printPractice(o.Out, r)
	}
	if err != nil {
		return err
	}
	return resultCode(r.Result)
}

// practiceRun describes a result for pipelines: an entry for each test, and one for each
// finding that belongs to none.
func practiceRun(title, file string, r *practice.Result) ci.Run {
	run := ci.Run{Title: title, Result: r.Result, Sentence: r.Sentence, File: inRepository(file), Columns: []string{"capability", "kind", "broke", "fixed", "p"}}
	said := map[[2]string]practice.Finding{}
	for _, f := range r.Findings {
		if f.Test != "" {
			if _, worse := said[[2]string{f.Suite, f.Test}]; !worse { // findings are sorted: what fails comes first
				said[[2]string{f.Suite, f.Test}] = f
			}
			continue
		}
		run.Entries = append(run.Entries, ci.Entry{Group: "always", Name: f.Rule, Rule: f.Rule, State: stateOf(f.Outcome), Says: f.Sentence + named(f.Cases)})
	}
	for i := range r.Tests {
		t := &r.Tests[i]
		e := ci.Entry{Group: t.Suite, Name: t.Name, Rule: "worse", State: ci.OK, Says: "failures " + t.Shares()}
		if f, ok := said[[2]string{t.Suite, t.Name}]; ok {
			e.Rule, e.State, e.Says = f.Rule, stateOf(f.Outcome), f.Sentence+named(f.Cases)
		}
		e.Values = []string{t.Capability, t.Kind, fmt.Sprint(t.Broke), fmt.Sprint(t.Fixed), t.PValue()}
		if e.Group == "" {
			e.Group = "counts"
		}
		run.Entries = append(run.Entries, e)
	}
	return run
}

func stateOf(outcome string) string {
	return map[string]string{"HOLDS": ci.OK, "VIOLATED": ci.Failed}[outcome]
}

func named(cases []string) string {
	if len(cases) == 0 {
		return ""
	}
	const most = 5
	more := ""
	if len(cases) > most {
		more = ", ..."
	}
	return ": " + strings.Join(cases[:min(most, len(cases))], ", ") + more
}

// inRepository is a path as annotations want it: relative to where the command runs, or
// nothing where it lies elsewhere.
func inRepository(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}
