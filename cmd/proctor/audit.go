package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"proctor/web/api"
)

type auditCmd struct {
	remote
	JSON bool `help:"Print what was checked and found as JSON."`
}

// Run ends with the code for tampering if anything contradicts the log.
func (c *auditCmd) Run(ctx context.Context, o console) error {
	b, err := c.client().Audit(ctx)
	if err != nil {
		return err
	}
	var a api.Audit
	if err := json.Unmarshal(b, &a); err != nil {
		return fmt.Errorf("read the audit: %w", err)
	}
	return showAudit(o, a, c.JSON)
}

// showAudit prints an audit; one that found something, or nothing at all, is an error.
func showAudit(o console, a api.Audit, asJSON bool) (err error) {
	if asJSON {
		err = printJSON(o.Out, a)
	} else {
		err = printAudit(o, a)
	}
	if err == nil && (!a.OK || a.Size == 0 && len(a.Checked) == 0) {
		err = &coded{exitTampered, fmt.Errorf("the audit found %s", count(len(a.Problems), "contradiction"))}
	}
	return err
}

func printAudit(o console, a api.Audit) error {
	for _, s := range a.Checked {
		fmt.Fprintf(o.Out, "  checked   %s\n", s)
	}
	for _, s := range a.Problems {
		fmt.Fprintf(o.Out, "  PROBLEM   %s\n", s)
	}
	_, err := fmt.Fprintf(o.Out, "log of %d entries, root %s\n", a.Size, a.Root)
	return err
}

type trustFetch struct {
	remote
	Dir string `help:"Folder to write trust.json, trusted_root.json, evidence.pub.pem and approve.pub.pem to; else trust.json is printed." type:"path" env:"-" placeholder:"FOLDER"`
}

// Run fetches the keys. They are worth as much as the way they came: compare them
// once with a copy that came another way, then keep them.
func (c *trustFetch) Run(ctx context.Context, o console) error {
	t, err := c.client().Trust(ctx)
	if err != nil {
		return err
	}
	if c.Dir == "" {
		return printJSON(o.Out, t)
	}
	if err := writeTrust(c.Dir, t); err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.Err, "compare these keys once with a copy that came another way: whoever sent them could have sent his own")
	return err
}

// writeTrust writes what verifiers pin, in the forms of their tools.
func writeTrust(dir string, t api.Trust) error {
	var all bytes.Buffer
	if err := printJSON(&all, t); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"trust.json", all.Bytes()}, {"trusted_root.json", []byte(t.Root)}, {"evidence.pub.pem", []byte(t.Evidence)}, {"approve.pub.pem", []byte(t.Approve)}} {
		if err := replace(filepath.Join(dir, f.name), append(bytes.TrimSpace(f.text), '\n')); err != nil {
			return err
		}
	}
	return nil
}
