package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"proctor/testdata/income"
	"proctor/testdata/models"
)

type packageInit struct {
	Kind string `help:"What the model is: ${enum}." enum:"command-python,command-node,command-go,onnx" required:"" placeholder:"KIND" env:"-"`
	Dir  string `arg:"" help:"Folder to make; it must not exist, or be empty." type:"path"`
}

// next says what to do with a fresh package of a kind.
var next = map[string]string{
	"command-python": "put your model beside serve.py and give it to wrap(); name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"command-node":   "put your model beside serve.js and give it to wrap(); name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"command-go":     "replace toy in main.go by your model and build it again: CGO_ENABLED=0 go build -o serve main.go kit.go; name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"onnx":           "replace model.onnx by yours (skl2onnx.to_onnx of a scikit-learn pipeline, for example) and name its classes in proctor-model.json",
}

// Run writes a package that passes lint as it is.
func (c *packageInit) Run(ctx context.Context, o console) error {
	files, err := template(c.Kind)
	if err != nil {
		return err
	}
	if err := emptyFolder(c.Dir); err != nil {
		return err
	}
	if err := os.CopyFS(c.Dir, files); err != nil {
		return err
	}
	if c.Kind == "command-go" {
		if err := buildTemplate(ctx, c.Dir); err != nil {
			return err
		}
	}
	fmt.Fprintf(o.Out, "%s\n", c.Dir)
	fmt.Fprintf(o.Err, "next: %s\nthen: proctor package lint %s\n", next[c.Kind], c.Dir)
	return nil
}

func template(kind string) (fs.FS, error) {
	if kind == "onnx" {
		return fs.Sub(income.Files, "models/v1")
	}
	return fs.Sub(models.Files, kind)
}

func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return usagef("%s is not empty: name a new folder", dir)
	}
	return os.MkdirAll(dir, 0o755)
}

// buildTemplate compiles the program where there is a compiler; elsewhere the line
// that is printed says how.
func buildTemplate(ctx context.Context, dir string) error {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, path, "build", "-o", "serve", "main.go", "kit.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", filepath.Join(dir, "serve"), err, out)
	}
	return nil
}
