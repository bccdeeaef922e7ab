package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/regress"
	"proctor/web/api"
	"proctor/web/client"
)

// remote is how a command reaches a service.
type remote struct {
	Server string `help:"Address of the service." default:"http://127.0.0.1:7800"`
	Token  string `help:"API token; better given as PROCTOR_TOKEN, where no process list shows it." required:""`
}

func (r remote) client() *client.Client { return &client.Client{Base: r.Server, Token: r.Token} }

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

type sealCmd struct {
	remote
	Spec    string `arg:"" help:"Seal specification (YAML)." type:"path"`
	Table   string `arg:"" help:"CSV or JSONL with features and answer." type:"path"`
	Reserve string `help:"Rows of the same shape, kept fresh for rotation." type:"path"`
}

func (c *sealCmd) Run(ctx context.Context, o console) error {
	spec, err := os.ReadFile(c.Spec)
	if err != nil {
		return err
	}
	format, err := formatOf(c.Table)
	if err != nil {
		return err
	}
	table, err := os.Open(c.Table)
	if err != nil {
		return err
	}
	defer table.Close()
	var reserve io.Reader
	if c.Reserve != "" {
		f, err := os.Open(c.Reserve)
		if err != nil {
			return err
		}
		defer f.Close()
		reserve = f
	}
	change, err := c.client().ProposeHoldout(ctx, format, spec, table, reserve)
	if err != nil {
		return err
	}
	return printChange(o, change)
}

func formatOf(path string) (string, error) {
	switch ext := filepath.Ext(path); ext {
	case ".csv":
		return "csv", nil
	case ".jsonl":
		return "jsonl", nil
	default:
		return "", usagef("%s: a table ends in .csv or .jsonl, not %q", path, ext)
	}
}

func printChange(o console, c api.Change) error {
	fmt.Fprintf(o.Out, "%s %s: %s %s\n  %s\n", c.ID, c.State, c.Kind, c.Name, c.Note)
	if c.State == "proposed" {
		fmt.Fprintf(o.Out, "A second person activates it: proctor change activate %s\n", c.ID)
	}
	return nil
}

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

// suiteFiles keeps a suite's YAML file and the case tables beside it, without
// other suites that lie in the same folder.
func suiteFiles(name string) func(path string) bool {
	return func(path string) bool { return path == name || filepath.Ext(path) != ".yaml" }
}

func everything(string) bool { return true }

// archive packs the regular files of a folder; anything else in it is an error.
// Names alone decide the order, so that equal files make equal archives.
func archive(dir fs.FS, keep func(path string) bool) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !keep(path) {
			return err
		}
		if !d.Type().IsRegular() {
			return usagef("%s is not a regular file", path)
		}
		data, err := fs.ReadFile(dir, path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil { // Close writes the end mark
		return nil, err
	}
	return b.Bytes(), nil
}

type policyCmd struct {
	Init  policyInit  `cmd:"" help:"Print a policy that can pass on a holdout."`
	Check policyCheck `cmd:"" help:"Say for each claim what it can see; refuse a policy that nothing could pass."`
	Add   policyAdd   `cmd:"" help:"Propose a policy."`
}

type policyInit struct {
	remote
	Holdout string   `arg:"" help:"Name of an active holdout."`
	Lineage string   `help:"The line of model versions." required:""`
	Suite   []string `help:"Active suites to watch."`
}

func (c *policyInit) Run(ctx context.Context, o console) error {
	b, err := c.client().InitPolicy(ctx, c.Holdout, c.Lineage, c.Suite)
	if err == nil {
		_, err = o.Out.Write(b)
	}
	return err
}

type policyCheck struct {
	remote
	File string `arg:"" help:"The policy (YAML)." type:"path"`
}

func (c *policyCheck) Run(ctx context.Context, o console) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	v, err := c.client().CheckPolicy(ctx, b)
	if err != nil {
		return err
	}
	return printJSON(o.Out, v)
}

type policyAdd struct {
	remote
	File string `arg:"" help:"The policy (YAML)." type:"path"`
}

func (c *policyAdd) Run(ctx context.Context, o console) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	change, err := c.client().ProposePolicy(ctx, b)
	if err != nil {
		return err
	}
	return printChange(o, change)
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
		fmt.Fprintf(o.Out, "%s  %-8s %-8s by %-12s decided by %-12s %s\n", v.ID, v.State, v.Kind, v.Proposer, v.Decider, v.Note)
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
	Run_    string `arg:"" name:"run" help:"An approved run."`
}

func (c *baselineCmd) Run(ctx context.Context, o console) error {
	v, err := c.client().ProposeBaseline(ctx, c.Lineage, c.Run_)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type packageCmd struct {
	Lint packageLint `cmd:"" help:"Read a package as the service would and say what is wrong."`
}

type packageLint struct {
	Dir string `arg:"" help:"Folder with the model's files and proctor-model.json." type:"path"`
}

func (c *packageLint) Run(o console) error {
	p, err := runner.ReadPackage(c.Dir)
	if err != nil {
		return &coded{exitUsage, err}
	}
	fmt.Fprintf(o.Out, "%s\n%d files, kind %s, classes %s\n", p.Digest, len(p.Files), p.Manifest.Kind, strings.Join(p.Manifest.Classes, ", "))
	return nil
}

type submitCmd struct {
	remote
	Dir       string `arg:"" help:"Folder with the model's files and proctor-model.json." type:"path"`
	Lineage   string `help:"The line of model versions." required:""`
	Candidate string `help:"Name of this version; the folder's name if not given."`
	Wait      bool   `help:"Wait for the verdict; the exit code tells it."`
	JSON      bool   `help:"Print the submission as JSON."`
}

func (c *submitCmd) Run(ctx context.Context, o console) error {
	if _, err := runner.ReadPackage(c.Dir); err != nil {
		return &coded{exitUsage, err}
	}
	b, err := archive(os.DirFS(c.Dir), everything)
	if err != nil {
		return err
	}
	name := c.Candidate
	if name == "" {
		name = filepath.Base(c.Dir)
	}
	s, err := c.client().Submit(ctx, c.Lineage, name, bytes.NewReader(b))
	if err != nil {
		return err
	}
	if c.Wait {
		fmt.Fprintf(o.Err, "submission %s\n", s.ID)
		if s, err = c.client().Wait(ctx, s.ID, func(s api.Submission) { fmt.Fprintf(o.Err, "  %s\n", s.Stage) }); err != nil {
			return err
		}
	}
	if c.JSON {
		if err := printJSON(o.Out, s); err != nil {
			return err
		}
	} else {
		printSubmission(o.Out, s)
	}
	if !c.Wait {
		return nil
	}
	return outcome(s)
}

func printSubmission(w io.Writer, s api.Submission) {
	fmt.Fprintf(w, "%s  %s  %s", s.ID, s.Candidate, s.State)
	switch {
	case s.Result == report.Pass && s.Awaiting > 0:
		fmt.Fprintf(w, "  PASS, awaiting %d review(s)", s.Awaiting)
	case s.Result != "":
		fmt.Fprintf(w, "  %s", s.Result)
	}
	if s.Reason != "" {
		fmt.Fprintf(w, ": %s", s.Reason)
	}
	if s.Sentence != "" {
		fmt.Fprintf(w, " - %s", s.Sentence)
	}
	fmt.Fprintf(w, "  (%d runs left)\n", s.BudgetLeft)
}

// outcome turns a finished submission into the exit code that it means.
func outcome(s api.Submission) error {
	switch {
	case s.State == "aborted" && s.Reason == "budget-spent":
		return &coded{exitBudget, errors.New("the sealed sets have no runs left for this lineage")}
	case s.State != "done":
		return &coded{exitInternal, fmt.Errorf("the run ended without a verdict: %s", s.Reason)}
	case s.Result == report.Pass && s.Approved:
		return nil
	case s.Result == report.Pass:
		return &coded{exitAwaiting, nil}
	case s.Result == report.Fail:
		return &coded{exitFail, nil}
	case s.Result == report.Inconclusive:
		return &coded{exitInconclusive, nil}
	}
	return &coded{exitInternal, fmt.Errorf("unknown result %q", s.Result)}
}

type verdictCmd struct {
	remote
	ID   string `arg:"" help:"The run."`
	Dir  string `help:"Folder to write the bundles to; nothing is written if it is not given." type:"path"`
	JSON bool   `help:"Print the submission as JSON."`
}

func (c *verdictCmd) Run(ctx context.Context, o console) error {
	s, err := c.client().Submission(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Dir != "" && s.State == "done" {
		which := []string{"evidence"}
		if s.Approved {
			which = append(which, "approval")
		}
		for _, w := range which {
			b, err := c.client().Bundle(ctx, c.ID, w)
			if err != nil {
				return err
			}
			path := filepath.Join(c.Dir, w+".bundle.json")
			if err := os.WriteFile(path, b, 0o644); err != nil {
				return err
			}
			fmt.Fprintln(o.Err, path)
		}
	}
	if c.JSON {
		if err := printJSON(o.Out, s); err != nil {
			return err
		}
	} else {
		printSubmission(o.Out, s)
	}
	if !s.Done() {
		return &coded{exitInternal, errors.New("the run has not ended yet")}
	}
	return outcome(s)
}

type reviewCmd struct {
	remote
	ID      string `arg:"" help:"The run."`
	Approve bool   `help:"Approve." xor:"decision" required:""`
	Refuse  bool   `help:"Refuse." xor:"decision" required:""`
	Reason  string `help:"Why; it is signed and logged." required:""`
	Report  string `help:"Digest of the report that you read." required:""`
}

func (c *reviewCmd) Run(ctx context.Context, o console) error {
	s, err := c.client().Review(ctx, c.ID, api.Review{Approve: c.Approve, Reason: c.Reason, Report: c.Report})
	if err != nil {
		return err
	}
	printSubmission(o.Out, s)
	return nil
}

type auditCmd struct{ remote }

func (c *auditCmd) Run(ctx context.Context, o console) error {
	v, err := c.client().Audit(ctx)
	if err != nil {
		return err
	}
	if err := printJSON(o.Out, v); err != nil {
		return err
	}
	var r struct {
		OK bool `json:"ok"`
	}
	if json.Unmarshal(v, &r) != nil || !r.OK {
		return &coded{exitTampered, errors.New("the audit found a contradiction")}
	}
	return nil
}
