package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"proctor/harness/runner"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/regress/practice"
)

// answersOf reads a prediction file or a journal or, where the path is a folder, asks the
// model in it.
func answersOf(ctx context.Context, name, path string, suites []*regress.Suite, by endpoints) (*practice.Answers, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return askPackage(ctx, name, path, suites, by)
	case isJournal(path):
		return journalAnswers(name, path, suites)
	}
	return readAnswers(ctx, name, path, practice.ExampleIDs(suites))
}

// askPackage runs a package over all examples, suite by suite, confined as well as this
// machine can: it is the user's own model.
func askPackage(ctx context.Context, name, dir string, suites []*regress.Suite, by endpoints) (*practice.Answers, error) {
	elsewhere, err := by.remote()
	if err != nil {
		return nil, err
	}
	p, err := runner.ReadPackage(dir)
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	staged, remove, err := runner.StageTemp(p, dir)
	if err != nil {
		return nil, err
	}
	defer remove()
	var labels []int32
	var probs []float64
	for _, s := range suites {
		t, err := s.Table(s.Fields())
		if err != nil {
			return nil, &coded{exitUsage, err}
		}
		out, err := ask(ctx, runner.Runner{MinTier: "none", Remote: elsewhere}, staged, p, t)
		if err != nil {
			return nil, err
		}
		labels, probs = append(labels, out.Labels...), append(probs, out.Probs...)
	}
	if len(probs) < len(labels)*len(p.Manifest.Classes) { // some suite was answered without
		probs = nil
	}
	return practice.FromModel(name, p.Manifest.Classes, labels, probs)
}

func ask(ctx context.Context, run runner.Runner, staged string, p *runner.Package, t rows.Table) (runner.Output, error) {
	var batches []int
	for n := t.Len(); n > 0; n -= batches[len(batches)-1] {
		batches = append(batches, min(n, p.Manifest.BatchMax, runner.MaxBatch))
	}
	out, facts, err := run.Run(ctx, staged, p, runner.Sheet{Rows: t, Batches: batches}, runner.Limits{})
	var failed *runner.Failure
	if errors.As(err, &failed) && !failed.Service() {
		return out, brokenOff(p.Manifest.Kind, failed, facts.Stderr)
	}
	return out, err
}

// brokenOff is a FAIL: the same bytes would break it off again. An ONNX model brings no
// program that could end: our evaluator ends where a suite's columns are not its inputs,
// which says nothing about the model.
func brokenOff(kind string, failed *runner.Failure, stderr string) error {
	says := strings.TrimSpace(stderr)
	says = visible(says[strings.LastIndexByte(says, '\n')+1:])
	if kind == "onnx" && failed.Reason == runner.ExitEarly {
		return usagef("the model does not take the examples of the suite: %s", says)
	}
	return &coded{exitFail, fmt.Errorf("%w; its last words: %.200q", failed, says)}
}
