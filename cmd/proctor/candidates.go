package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"proctor/harness/report"
	"proctor/testdata/income"
	"proctor/web/api"
)

// candidates submits each as a pipeline would, and shows it as a reviewer would see it.
func (t *story) candidates(ctx context.Context) error {
	t.printf("\nFour candidates against v1, submitted by a pipeline. It sees the result word, one coarse reason\nand the budget left; what follows is what a reviewer sees:\n\n")
	for _, c := range candidates {
		r, err := t.submit(ctx, c.name)
		if err != nil {
			return err
		}
		if r.Decision == report.Pass {
			if err := t.review(ctx, "rita", r.Run, r.ReportDigest, "Read the diff report: the flips are spread evenly and no group is worse off."); err != nil {
				return err
			}
			if r, err = t.fetch(ctx, c.name, r.Run); err != nil {
				return err
			}
		}
		t.line(r, c.about)
		t.summary.Candidates = append(t.summary.Candidates, r)
	}
	return nil
}

func (t *story) line(r demoResult, about string) {
	t.printf("  %-14s %-12s headline %+.2f pp, %d broke, %d fixed   (%s)\n", r.Candidate, r.Decision, r.HeadlinePP, r.Broke, r.Fixed, about)
	if r.DecidedBy != nil {
		t.printf("  %14s decided by %s: %s\n", "", r.DecidedBy.Claim, r.DecidedBy.Sentence)
	} else {
		t.printf("  %14s %s\n", "", told(r))
	}
}

// told is the sentence without the result word, which stands before it already.
func told(r demoResult) string { return strings.TrimPrefix(r.Sentence, r.Decision+": ") }

// submit sends a package and waits for its verdict.
func (t *story) submit(ctx context.Context, name string) (demoResult, error) {
	dir, err := fs.Sub(income.Files, "models/"+name)
	if err != nil {
		return demoResult{}, err
	}
	b, err := archive(dir, everything)
	if err != nil {
		return demoResult{}, err
	}
	s, err := t.people["pipeline"].Submit(ctx, demoLineage, name, bytes.NewReader(b))
	if err != nil {
		return demoResult{}, err
	}
	last := ""
	s, err = t.people["pipeline"].Wait(ctx, s.ID, func(s api.Submission) {
		if s.Stage != last {
			t.printf("  %-14s ... %s\n", name, s.Stage)
			last = s.Stage
		}
	})
	if err != nil {
		return demoResult{}, err
	}
	if s.State != "done" {
		return demoResult{}, fmt.Errorf("%s ended without a verdict: %s %s", name, s.Reason, s.Sentence)
	}
	return t.fetch(ctx, name, s.ID)
}

// fetch writes what is signed about a run to the demo's folder and says what it holds.
func (t *story) fetch(ctx context.Context, name, run string) (demoResult, error) {
	r := demoResult{Candidate: name, Run: run}
	dir := filepath.Join(t.Dir, "verdicts", name)
	reviewer := t.people["rita"]
	b, digest, err := reviewer.Report(ctx, run)
	if err != nil {
		return r, err
	}
	rep, err := report.Decode(b, digest)
	if err != nil {
		return r, err
	}
	r.Report, r.ReportDigest = filepath.Join(dir, "report.json"), digest
	if err := replace(r.Report, b); err != nil {
		return r, err
	}
	if r.Bundle, err = t.save(ctx, run, "evidence", dir); err != nil {
		return r, err
	}
	s, err := reviewer.Submission(ctx, run)
	if err != nil {
		return r, err
	}
	if r.Approved = s.Approved; s.Approved {
		if r.Approval, err = t.save(ctx, run, "approval", dir); err != nil {
			return r, err
		}
	}
	if err := unpackModel(name, filepath.Join(t.Dir, "models", name)); err != nil {
		return r, err
	}
	d := rep.Decision
	r.Decision, r.Sentence, r.Tier, r.Findings = d.Result, d.Sentence, rep.Tier, findingsOf(d)
	r.Broke, r.Fixed = rep.Flips.Broke, rep.Flips.Fixed
	if v := rep.Flips.Change.Value; v != nil {
		r.HeadlinePP = 100 * *v
	}
	if d.Decided >= 0 {
		r.DecidedBy = &r.Findings[d.Decided]
	}
	return r, nil
}

func (t *story) save(ctx context.Context, run, which, dir string) (string, error) {
	b, err := t.people["rita"].Bundle(ctx, run, which)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, which+".bundle.json")
	return file, replace(file, b)
}

// unpackModel lays a candidate's files out, so that a gate can hash them.
func unpackModel(name, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	dir, err := fs.Sub(income.Files, path.Join("models", name))
	if err != nil {
		return err
	}
	return os.CopyFS(to, dir)
}
