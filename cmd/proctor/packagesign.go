package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"proctor/harness/policy"
	"proctor/harness/provenance"
	"proctor/harness/runner"
	"proctor/harness/verdict"
)

type packageSign struct {
	Dir string `arg:"" help:"Folder with the model's files and proctor-model.json." type:"path"`
	Key string `help:"The signer's private key (PEM), outside of the package; made if it is not there." required:"" type:"path" placeholder:"FILE" env:"-"`
}

// Run signs every file of the package and writes model.sig. It prints the line by which
// a policy names the key.
func (c *packageSign) Run(ctx context.Context, o console) error {
	if rel, err := filepath.Rel(c.Dir, c.Key); err == nil && filepath.IsLocal(rel) {
		return usagef("%s lies in the package, which would be sent with it: keep it elsewhere", c.Key)
	}
	p, err := runner.ReadPackage(c.Dir)
	if err != nil {
		return usagef("%w", err)
	}
	signer, err := verdict.OpenKey(c.Key)
	if errors.Is(err, fs.ErrNotExist) {
		signer, err = verdict.CreateKey(c.Key)
	}
	if err != nil {
		return usagef("%w", err)
	}
	var files []provenance.File
	for _, f := range p.Files {
		files = append(files, provenance.File{Path: f.Path, SHA256: f.SHA256})
	}
	payload, err := provenance.SignatureStatement(filepath.Base(c.Dir), files)
	if err != nil {
		return err
	}
	b, err := verdict.SignForeign(ctx, payload, signer)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, provenance.SignatureFile), append(b, '\n'), 0o644); err != nil {
		return err
	}
	text, err := verdict.PublicPEM(signer.Public())
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "package: {signature: required, keys: [{name: NAME, key: %q}]}\n", policy.KeyText(text))
	fmt.Fprintln(o.Err, "signed; a policy that names the key takes the package with the line above")
	return nil
}
