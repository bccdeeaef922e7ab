package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	registry "github.com/google/go-containerregistry/pkg/v1/remote"

	"proctor/harness/runner"
)

type packageImage struct {
	Image    string   `arg:"" help:"Image by digest: REGISTRY/NAME@sha256:..."`
	Dir      string   `arg:"" help:"Folder to make; it must not exist, or be empty." type:"path"`
	Classes  []string `name:"class" help:"A class of the model, in the order of its probabilities; repeat it." required:"" placeholder:"NAME" env:"-" sep:"none"`
	Platform string   `help:"Of an image for several." default:"${platform}" placeholder:"OS/ARCH" env:"-"`
}

// platform is the machine's own: what the service most likely is.
const platform = "linux/" + runtime.GOARCH

// Run pulls the image into a package. The submitter's machine dials the registry,
// with the submitter's credentials; the service never does.
func (c *packageImage) Run(ctx context.Context, o console) error {
	ref, err := name.NewDigest(c.Image)
	if err != nil {
		return usagef("%s: name the image by digest, NAME@sha256:...: a tag means another image tomorrow", c.Image)
	}
	want, err := v1.ParsePlatform(c.Platform)
	if err != nil {
		return usagef("--platform %q: want OS/ARCH, such as linux/amd64", c.Platform)
	}
	if err := emptyFolder(c.Dir); err != nil {
		return err
	}
	img, err := registry.Image(ref, registry.WithContext(ctx), registry.WithAuthFromKeychain(authn.DefaultKeychain), registry.WithPlatform(*want))
	if err != nil {
		return fmt.Errorf("pull %s: %w", ref, err)
	}
	if err := writeImage(filepath.Join(c.Dir, runner.ImageDir), img); err != nil {
		return fmt.Errorf("pull %s: %w", ref, err)
	}
	digest, err := img.Digest() // of an image for one platform: an index has another
	if err != nil {
		return err
	}
	m, err := json.MarshalIndent(map[string]any{"protocol": runner.Protocol, "kind": runner.KindImage, "image": digest.String(), "task": "classification", "classes": c.Classes}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, runner.ManifestFile), append(m, '\n'), 0o644); err != nil {
		return err
	}
	if _, err := runner.ReadPackage(c.Dir); err != nil {
		return usagef("%w", err)
	}
	fmt.Fprintln(o.Out, c.Dir)
	fmt.Fprintf(o.Err, "next: put a few rows into %s\nthen: proctor package lint %s\n", filepath.Join(c.Dir, "example.jsonl"), c.Dir)
	return nil
}

// writeImage checks every blob against its digest while it arrives.
func writeImage(dir string, img v1.Image) error {
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return l.AppendImage(img)
}
