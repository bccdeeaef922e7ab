package onnx

import (
	"fmt"
	"io"
	"os"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// Serve answers the pipe protocol for the ONNX package in dir, which the caller has
// staged: its bytes are those that were hashed. Only the manifest and the file that it
// names are opened, and nothing outside of dir even through a link. Columns are learned
// from the first batch.
func Serve(dir string, in io.Reader, out io.Writer) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	manifest, err := readFile(root, runner.ManifestFile, runner.MaxManifest)
	if err != nil {
		return err
	}
	m, err := runner.ParseManifest(manifest)
	if err != nil {
		return err
	}
	if m.Kind != runner.KindONNX {
		return fmt.Errorf("%s: kind is %q, want %q", runner.ManifestFile, m.Kind, runner.KindONNX)
	}
	file, err := readFile(root, m.Model, MaxFile)
	if err != nil {
		return err
	}
	model, err := Load(file)
	if err != nil {
		return err
	}
	var bound *Bound
	return runner.Serve(in, out, m, func(t rows.Table) (labels []int32, probs []float64, err error) {
		if bound == nil {
			if bound, err = model.Bind(t.Fields(), m.Classes); err != nil {
				return nil, nil, err
			}
		}
		return bound.Predict(t)
	})
}

// readFile reads one file of at most max bytes.
func readFile(root *os.Root, name string, max int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, max)
	}
	return b, nil
}
