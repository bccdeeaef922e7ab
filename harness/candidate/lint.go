// Package candidate tells the owner of a model what is wrong with a package, and how
// the model answers, before anything is submitted.
//
// [Lint] reads a package as the service would, runs it as the service would over a few
// rows, and words each fault for who can mend it. It works on the owner's machine, for
// the owner: it quotes what the model wrote and the rows that it was given, which the
// service never does. What Lint does not find may still break a run; what it reports as
// a problem would.
package candidate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"proctor/harness/intake"
	"proctor/harness/intake/credential"
	"proctor/harness/provenance"
	"proctor/harness/runner"
	"proctor/harness/runner/onnx"
	"proctor/harness/runner/wasm"
	"proctor/holdout/rows"
)

// Options say what Lint knows besides the package.
type Options struct {
	Runner   runner.Runner
	Limits   runner.Limits
	Practice *Practice // nil: rows of the package's own or made-up ones
	NoRun    bool      // only read, do not start the model
}

// Practice is a table that the owner may see, with the answers in one of its columns.
type Practice struct {
	Name  string
	Rows  rows.Table
	Label string // the column of the answers, which the model does not see; "": there is none

	// Features are the columns that the model is asked about, in their order, as the
	// holdout names them. A practice split has the columns of slices besides, which the
	// service does not show. nil: see asked.
	Features []string
}

// A Report is what Lint found.
type Report struct {
	Digest   string   `json:"digest,omitempty"` // absent where the folder is no package
	Kind     string   `json:"kind,omitempty"`
	Classes  []string `json:"classes,omitempty"`
	Files    int      `json:"files"`
	Bytes    int64    `json:"bytes"`
	Problems []string `json:"problems"` // each would break the submission or the run
	Warnings []string `json:"warnings"`
	Smoke    *Smoke   `json:"smoke,omitempty"` // absent: the model was not started
}

// OK says whether nothing was found that would break a submission.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) problem(format string, a ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, a...))
}

func (r *Report) warn(format string, a ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, a...))
}

// Lint reads and tries the package in dir. The error is about this machine or dir as a
// whole; what is wrong with the package is in the report.
func Lint(ctx context.Context, dir string, o Options) (*Report, error) {
	r := &Report{Problems: []string{}, Warnings: []string{}}
	p, err := runner.ReadPackage(dir)
	var bad *runner.PackageError
	if errors.As(err, &bad) {
		r.Problems = append(r.Problems, bad.Problems...)
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.Digest, r.Kind, r.Classes, r.Files = p.Digest, p.Manifest.Kind, p.Manifest.Classes, len(p.Files)
	for _, f := range p.Files {
		r.Bytes += f.Size
	}
	r.size(p)
	r.words(p)
	r.leftovers(p)
	r.manifest(p)
	r.classes(p, o.Practice)
	if err := r.credentials(dir, p); err != nil {
		return nil, err
	}
	if has(p, provenance.TrainingFile) {
		if err := training(dir); err != nil {
			r.problem("%v", err)
		}
	}
	model := r.model(dir, p)
	if o.NoRun || !r.OK() {
		return r, nil
	}
	if p.Manifest.Kind == runner.KindRemote && !r.elsewhere(p.Manifest, o.Runner) {
		return r, nil
	}
	if !o.Runner.Takes(p.Manifest.Kind) {
		r.warn("the model was not tried: packages of kind %q need the library onnxruntime, which --onnxruntime and --onnxruntime-sha256 name; whether the service has it is for its operator to say", p.Manifest.Kind)
		return r, nil
	}
	return r, r.smoke(ctx, dir, p, model, o)
}

// elsewhere says whether a model that runs elsewhere can be tried from here.
func (r *Report) elsewhere(m runner.Manifest, with runner.Runner) bool {
	r.warn("whose weights answer at the endpoint is not bound by the package: a policy takes such packages only where it says so, and what is sent there has left the house")
	if with.Remote == nil {
		r.warn("the model was not tried: --endpoints names a file of the endpoints that may be asked, see docs/package.md")
		return false
	}
	if err := with.Remote.Allows(m); err != nil {
		r.warn("the model was not tried: the file that --endpoints names does not allow %s", m.Endpoint)
		return false
	}
	return true
}

// size holds the package against what a submission may be: each file goes into the
// archive with a header and rounded up to blocks of 512 bytes.
func (r *Report) size(p *runner.Package) {
	total := int64(1024)
	for _, f := range p.Files {
		total += 1024 + (f.Size+511)/512*512
	}
	if most := intake.PackageLimits.Bytes; total > most {
		largest := slices.MaxFunc(p.Files, func(a, b runner.File) int { return int(min(max(a.Size-b.Size, -1), 1)) })
		r.problem("the package is %d MiB as an archive and a submission is at most %d MiB; its largest file is %q with %d MiB", total>>20, most>>20, largest.Path, largest.Size>>20)
	}
}

// scripts are endings of files that an interpreter is given.
var scripts = []string{".py", ".js", ".mjs", ".cjs", ".jar", ".rb", ".pl", ".sh", ".R", ".jl", ".wasm"}

// words finds files that the command names and the package does not have.
func (r *Report) words(p *runner.Package) {
	for _, w := range p.Manifest.Command[min(1, len(p.Manifest.Command)):] {
		if !slices.Contains(scripts, path.Ext(w)) || has(p, path.Clean(w)) {
			continue
		}
		if path.IsAbs(w) {
			r.problem("%s: the command names %q; in the service there is only the package's folder, so name the file from there", runner.ManifestFile, w)
			continue
		}
		r.problem("%s: the command names %q, which is not in the package", runner.ManifestFile, w)
	}
}

func has(p *runner.Package, name string) bool {
	return slices.ContainsFunc(p.Files, func(f runner.File) bool { return f.Path == name })
}

// leftovers finds what is in folders by accident. It changes the digest, and a
// package should be the same whoever made it.
func (r *Report) leftovers(p *runner.Package) {
	found := map[string]int{}
	var order []string
	for _, f := range p.Files {
		what := leftover(f.Path)
		if what == "" {
			continue
		}
		if found[what]++; found[what] == 1 {
			order = append(order, what)
		}
	}
	for _, what := range order {
		r.warn("the package holds %q (%s): is it part of the model? It changes the digest, and reviewers may see it", what, count(found[what], "file"))
	}
}

func leftover(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case ".git", ".svn", ".hg", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".venv", "venv", ".idea", ".vscode", ".DS_Store", "Thumbs.db", ".env", ".npmrc", ".pypirc", ".netrc":
			return part
		}
	}
	if ext := path.Ext(name); ext == ".swp" || ext == ".bak" || ext == ".orig" || strings.HasSuffix(name, "~") {
		return name
	}
	return ""
}

// slowBatch is where the cost of a line begins to outweigh that of its rows.
const slowBatch = 64

func (r *Report) manifest(p *runner.Package) {
	if b := p.Manifest.BatchMax; b < slowBatch {
		r.warn(`"batch_max" is %d: all models of a run get the same batches, so this makes the whole run slow; %d or more is usual`, b, slowBatch)
	}
}

// classes compares the manifest's classes with the answers of a practice set.
func (r *Report) classes(p *runner.Package, practice *Practice) {
	if practice == nil || practice.Label == "" {
		return
	}
	c, ok := practice.Rows.Column(practice.Label)
	if !ok {
		r.problem("%s has no column %q for the answers", practice.Name, practice.Label)
		return
	}
	if c.IsNumber() {
		r.problem("%s: column %q holds numbers, and classes are text: write the answers as the manifest's classes", practice.Name, practice.Label)
		return
	}
	seen := map[string]bool{}
	for _, v := range c.Strings {
		if !seen[v] && !slices.Contains(p.Manifest.Classes, v) {
			r.problem("%s has the answer %q, and %s declares the classes %s", practice.Name, v, runner.ManifestFile, quoted(p.Manifest.Classes))
		}
		seen[v] = true
	}
	for _, k := range p.Manifest.Classes {
		if !seen[k] {
			r.warn("class %q is in no answer of %s: classes must be exactly those of the sealed set", k, practice.Name)
		}
	}
}

// credentials finds what policies refuse unless they say otherwise, and what they
// tell reviewers of.
func (r *Report) credentials(dir string, p *runner.Package) error {
	names := make([]string, len(p.Files))
	for i, f := range p.Files {
		names[i] = f.Path
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := credential.ScanFS(root.FS(), names)
	for _, c := range found {
		if c.Private {
			r.problem("%s: a package with a private key is refused unless the policy says otherwise. Take it out, and replace the key where it is in use", c)
			continue
		}
		r.warn("%s: reviewers are told of it, and a policy may refuse it. Take it out, and replace it where it is in use", c)
	}
	return err
}

func training(dir string) error {
	data, err := readInside(dir, provenance.TrainingFile)
	if err == nil {
		_, err = provenance.ParseTraining(data)
	}
	return err
}

// model reads a model that the service evaluates itself; nil for any other. A module
// is compiled to see whether it could be run.
func (r *Report) model(dir string, p *runner.Package) *onnx.Model {
	if p.Manifest.Kind != runner.KindONNX && p.Manifest.Kind != runner.KindWASM {
		return nil
	}
	file, err := readInside(dir, p.Manifest.Model)
	if err != nil {
		r.problem("%v", err)
		return nil
	}
	if p.Manifest.Kind == runner.KindWASM {
		if err := wasm.Lint(file); err != nil {
			r.problem("%s: %v", p.Manifest.Model, err)
		}
		return nil
	}
	m, err := onnx.Load(file)
	if err != nil {
		r.problem("%s: %v", p.Manifest.Model, err)
	}
	return m
}

func readInside(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return fs.ReadFile(root.FS(), filepath.ToSlash(name))
}

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(out, ", ")
}

// count says how many there are of something.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
