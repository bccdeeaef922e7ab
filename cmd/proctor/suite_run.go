package main

import (
	"context"
	"os"
	"strings"

	"proctor/harness/intake"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/regress/practice"
)

// judging are the numbers that a practice run is judged by.
type judging struct {
	Confidence float64 `help:"Over all tests together." default:"0.95"`
	HarmPP     float64 `name:"harm-pp" help:"A test is worse only where it loses more points than this." default:"1"`
	DetectPP   float64 `name:"detect-pp" help:"A test holds where no case broke, or where it is shown to lose fewer points than this." default:"10"`
}

func (j judging) options() practice.Options {
	return practice.Options{Confidence: j.Confidence, HarmPP: j.HarmPP, DetectPP: j.DetectPP}
}

type suiteRun struct {
	judging
	suiteOutputs
	endpoints
	asking     `group:"A text model behind an endpoint"`
	judgeModel `group:"A model as judge"`
	Files      []string `arg:"" help:"Suites (YAML)." type:"path"`
	Candidate  string   `help:"A model's folder, or its answers as CSV or JSONL (id, label or answer, and if known repeat and p:<class>), or the journal of an earlier run." type:"path"`
	Baseline   string   `help:"The same of the deployed model. Without it, only a candidate that fails nothing passes." type:"path"`
	Classes    []string `help:"The classes of the choice; without it those that suites, probabilities and baseline name." sep:","`
	Digest     []string `help:"Digests that the suites must have, in their order." sep:","`
}

// Run judges and tells the result by the exit code.
func (c *suiteRun) Run(ctx context.Context, o console) error {
	suites := make([]*regress.Suite, len(c.Files))
	for i, f := range c.Files {
		var err error
		if suites[i], err = loadSuite(ctx, f); err != nil {
			return err
		}
		if c.Digest != nil && (len(c.Digest) != len(suites) || suites[i].Digest() != c.Digest[i]) {
			return usagef("%s is %s; another digest was asked for", f, suites[i].Digest())
		}
	}
	candidate, err := c.candidate(ctx, o, suites)
	if err != nil {
		return err
	}
	var baseline *practice.Answers
	if c.Baseline != "" {
		if baseline, err = answersOf(ctx, "baseline", c.Baseline, suites, c.endpoints); err != nil {
			return err
		}
	}
	options := c.options()
	if options.Opinions, err = c.consult(ctx, c.endpoints, suites, baseline, candidate); err != nil {
		return err
	}
	r, err := practice.Run(suites, baseline, candidate, c.Classes, options)
	if err != nil {
		return &coded{exitUsage, err}
	}
	return c.write(o, "Proctor: "+strings.Join(names(suites), ", "), c.Files[0], r)
}

// candidate reads the candidate's answers or asks for them.
func (c *suiteRun) candidate(ctx context.Context, o console, suites []*regress.Suite) (*practice.Answers, error) {
	switch {
	case (c.Candidate == "") == (c.Endpoint == ""):
		return nil, usagef("name the candidate: with --candidate its folder or its answers, or with --endpoint where it is asked")
	case c.Endpoint != "":
		return c.asking.ask(ctx, o, c.endpoints, suites)
	}
	return answersOf(ctx, "candidate", c.Candidate, suites, c.endpoints)
}

func names(suites []*regress.Suite) []string {
	var out []string
	for _, s := range suites {
		out = append(out, s.Name)
	}
	return out
}

func readAnswers(ctx context.Context, name, path string, ids []string) (*practice.Answers, error) {
	t, err := decodeFile(ctx, path, "id", "label", "answer")
	if err != nil {
		return nil, err
	}
	a, err := practice.ReadAnswers(name, t, ids)
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	return a, nil
}

// decodeFile reads a table in a jailed child; the named columns are text.
func decodeFile(ctx context.Context, path string, text ...string) (rows.Table, error) {
	format, err := formatOf(path)
	if err != nil {
		return rows.Table{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return rows.Table{}, err
	}
	defer f.Close()
	t, err := intake.Decode(ctx, format, f, intake.Options{Text: text})
	if err != nil {
		return t, usagef("%s: %v", path, err)
	}
	return t, nil
}

type suiteCompare struct {
	judging
	suiteOutputs
	Counts string `arg:"" help:"CSV or JSONL: test, baseline_cases, baseline_failed, candidate_cases, candidate_failed and, if wanted, capability, kind." type:"path"`
}

// Run judges counts and tells the result by the exit code.
func (c *suiteCompare) Run(ctx context.Context, o console) error {
	t, err := decodeFile(ctx, c.Counts, "test", "capability", "kind")
	if err != nil {
		return err
	}
	r, err := practice.FromCounts(t, c.options())
	if err != nil {
		return usagef("%s: %v", c.Counts, err)
	}
	return c.write(o, "Proctor: published counts", c.Counts, r)
}
