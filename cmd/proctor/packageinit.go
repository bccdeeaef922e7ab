package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"proctor/testdata/income"
	"proctor/testdata/models"
)

type packageInit struct {
	Kind string `help:"What the model is: ${enum}." enum:"command-python,command-node,command-go,wasm-go,http-oip-python,http-openai-python,onnx,onnxruntime,remote" required:"" placeholder:"KIND" env:"-"`
	Dir  string `arg:"" help:"Folder to make; it must not exist, or be empty." type:"path"`
}

// next says what to do with a fresh package of a kind.
var next = map[string]string{
	"command-python":     "put your model beside serve.py and give it to wrap(); name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"command-node":       "put your model beside serve.js and give it to wrap(); name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"command-go":         "replace toy in main.go by your model and build it again: CGO_ENABLED=0 go build -o serve main.go kit.go; name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"wasm-go":            "replace what main.go answers by your model and build it again: GOOS=wasip1 GOARCH=wasm go build -o model.wasm main.go; name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"http-oip-python":    "put your model server in place of serve.py: its start as command, its port and the model's name in proctor-model.json, with the classes; replace the rows of example.jsonl by some of yours",
	"http-openai-python": "put your model server in place of serve.py: its start as command, its port and the model's name in proctor-model.json, with the prompt, the answers and the classes; replace the rows of example.jsonl by some of yours",
	"onnxruntime":        "replace model.onnx by yours and name its classes in proctor-model.json; replace the rows of example.jsonl by some of yours",
	"remote":             "name your endpoint, its model and what it is asked in proctor-model.json, with the classes; replace the rows of example.jsonl by some of yours; put the credential into a file of your own that --endpoints names, never into the package",
	"onnx":               "replace model.onnx by yours (skl2onnx.to_onnx of a scikit-learn pipeline, for example) and name its classes in proctor-model.json",
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
	if line := build[c.Kind]; line != nil {
		if err := buildTemplate(ctx, c.Dir, line); err != nil {
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

// build says how templates that come as source are compiled: what the Go command is
// given, with variables first.
var build = map[string][]string{
	"command-go": {"GOOS=linux", "-o", "serve", "main.go", "kit.go"},
	"wasm-go":    {"GOOS=wasip1", "GOARCH=wasm", "-o", "model.wasm", "main.go"},
}

// buildTemplate compiles the program where there is a compiler; elsewhere the line
// that is printed says how.
func buildTemplate(ctx context.Context, dir string, line []string) error {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, path, "build")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	for _, word := range line {
		if strings.Contains(word, "=") {
			cmd.Env = append(cmd.Env, word)
		} else {
			cmd.Args = append(cmd.Args, word)
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the template in %s: %w: %s", dir, err, out)
	}
	return nil
}
