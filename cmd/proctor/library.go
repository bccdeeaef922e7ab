package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
	"proctor/testdata/models"
)

// libraries are what some kinds of packages need and this program does not bring.
type libraries struct {
	ONNXRuntime       string `name:"onnxruntime" help:"The shared library onnxruntime, for packages of kind onnxruntime; without it they are refused." placeholder:"FILE"`
	ONNXRuntimeSHA256 string `name:"onnxruntime-sha256" help:"SHA-256 of that file in hex; another file is not loaded." placeholder:"HEX"`
}

// onnxruntime is the library that was named, if it is the one that was pinned and if
// it runs the template's model: a fault of the library must not be charged to those
// who submit models.
func (l libraries) onnxruntime(ctx context.Context) (runner.Library, error) {
	if l.ONNXRuntime == "" && l.ONNXRuntimeSHA256 == "" {
		return runner.Library{}, nil
	}
	if l.ONNXRuntime == "" || l.ONNXRuntimeSHA256 == "" {
		return runner.Library{}, usagef("--onnxruntime and --onnxruntime-sha256 go together: a library that is not pinned could be any")
	}
	path, err := filepath.Abs(l.ONNXRuntime)
	if err != nil {
		return runner.Library{}, fmt.Errorf("--onnxruntime: %w", err)
	}
	lib := runner.Library{Path: path, SHA256: l.ONNXRuntimeSHA256}
	if err := lib.Check(); err != nil {
		return runner.Library{}, usagef("--onnxruntime: %v", err)
	}
	if err := tryLibrary(ctx, lib); err != nil {
		return runner.Library{}, usagef("--onnxruntime: the library was tried in a jail: %v", err)
	}
	return lib, nil
}

// tryLibrary asks the template's model about one row.
func tryLibrary(ctx context.Context, lib runner.Library) error {
	dir, err := os.MkdirTemp("", "proctor-library-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := fs.Sub(models.Files, runner.KindONNXRuntime)
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return err
	}
	p, err := runner.ReadPackage(dir)
	if err != nil {
		return err
	}
	staged, remove, err := runner.StageTemp(p, dir)
	if err != nil {
		return err
	}
	defer remove()
	row, err := rows.New(rows.Column{Name: "x", Floats: []float64{1}})
	if err != nil {
		return err
	}
	out, facts, err := runner.Runner{MinTier: jail.None, ONNXRuntime: lib}.Run(ctx, staged, p, runner.Sheet{Rows: row, Batches: []int{1}}, runner.Limits{})
	if err != nil {
		return fmt.Errorf("%w; %s", err, strings.TrimSpace(facts.Stderr))
	}
	if out.Labels[0] != 1 {
		return errors.New("it gives a wrong answer")
	}
	return nil
}
