package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"proctor/harness/intake"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/web/api"
)

type holdoutCmd struct {
	Prove       holdoutProve       `cmd:"" help:"Prove that a row that you have is in the active version."`
	Verify      holdoutVerify      `cmd:"" help:"Check such a proof; offline."`
	Audit       holdoutAudit       `cmd:"" help:"Derive everything that is claimed of a set from log and blobs."`
	Rotate      holdoutRotate      `cmd:"" help:"Propose the reserve as the next version."`
	Amend       holdoutAmend       `cmd:"" help:"Propose the set with rows corrected, erased or added."`
	Destroy     holdoutDestroy     `cmd:"" help:"Propose that nobody can open a retired version any more."`
	Fingerprint holdoutFingerprint `cmd:"" help:"Tell which rows a model was trained on, without the rows; offline."`
	Practice    holdoutPractice    `cmd:"" help:"Fetch the practice rows, which are never scored."`
	Show        holdoutShow        `cmd:"" help:"Show rows of a run's set to a reviewer; each is counted and leaves scoring at the next rotation."`
}

type holdoutProve struct {
	remote
	Name  string `arg:"" help:"The holdout."`
	Row   int    `arg:"" help:"Number of the scored row, from 1: its place in the sealed table, practice rows left out."`
	Table string `arg:"" help:"CSV or JSONL with the row as it was sealed." type:"path"`
	Line  int    `help:"Number of the row in that file, from 1; the same as ROW if not given." placeholder:"N"`
	Out   string `help:"File to write the proof to; else it is printed." type:"path" placeholder:"FILE" env:"-"`
}

// Run sends one row and writes the proof.
func (c *holdoutProve) Run(ctx context.Context, o console) error {
	line := c.Line
	if line == 0 {
		line = c.Row
	}
	values, err := rowFrom(ctx, c.Table, line)
	if err != nil {
		return err
	}
	proof, err := c.client().ProveRow(ctx, c.Name, api.RowClaim{Row: c.Row, Values: values})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, proof, "", "  "); err != nil {
		return fmt.Errorf("read the proof: %w", err)
	}
	text.WriteByte('\n')
	if c.Out != "" {
		return replace(c.Out, text.Bytes())
	}
	_, err = o.Out.Write(text.Bytes())
	return err
}

// rowFrom reads one row of a table as a JSON object of texts: what is a number in
// the set, the set knows.
func rowFrom(ctx context.Context, path string, line int) (json.RawMessage, error) {
	t, err := sealedTable(ctx, path, intake.Options{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range t.Fields() {
		names = append(names, f.Name)
	}
	if t, err = sealedTable(ctx, path, intake.Options{Text: names}); err != nil {
		return nil, err
	}
	if line < 1 || line > t.Len() {
		return nil, usagef("%s has rows 1 to %d, not %d", path, t.Len(), line)
	}
	return t.AppendJSON(nil, line-1), nil
}

// sealedTable reads a table as the service would: in a jailed child.
func sealedTable(ctx context.Context, path string, opt intake.Options) (rows.Table, error) {
	format, err := formatOf(path)
	if err != nil {
		return rows.Table{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return rows.Table{}, err
	}
	defer f.Close()
	t, err := intake.Decode(ctx, format, f, opt)
	var bad *intake.FileError
	if errors.As(err, &bad) {
		return t, usagef("%s: %w", path, err)
	}
	return t, err
}

type holdoutVerify struct {
	Proof  string `arg:"" help:"The proof." type:"path"`
	Digest string `help:"Digest of the set, from the log, 'proctor change list' or whoever keeps it; never from the proof." required:"" placeholder:"sha256:HEX"`
}

// Run ends with the code for tampering if the proof does not hold.
func (c *holdoutVerify) Run(o console) error {
	b, err := os.ReadFile(c.Proof)
	if err != nil {
		return err
	}
	var p holdout.RowProof
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return &coded{exitTampered, fmt.Errorf("%s is no proof: %w", c.Proof, err)}
	}
	var values bytes.Buffer // people may indent a proof; what is hashed has one form
	if err := json.Compact(&values, p.Values); err != nil {
		return &coded{exitTampered, fmt.Errorf("%s is no proof: %w", c.Proof, err)}
	}
	p.Values = values.Bytes()
	if err := p.Verify(c.Digest); err != nil {
		return &coded{exitTampered, err}
	}
	_, err = fmt.Fprintf(o.Out, "row %d of %d of %s version %d, sealed in %s\n%s\n", p.Row, p.Rows, p.Holdout, p.Version, p.Digest, p.Values)
	return err
}

type holdoutAudit struct {
	remote
	Name string `arg:"" help:"The holdout."`
	JSON bool   `help:"Print what was checked and found as JSON."`
}

// Run ends with the code for tampering if anything is not as sealed and logged.
func (c *holdoutAudit) Run(ctx context.Context, o console) error {
	a, err := c.client().AuditHoldout(ctx, c.Name)
	if err != nil {
		return err
	}
	return showAudit(o, a, c.JSON)
}

type holdoutRotate struct {
	remote
	Name    string `arg:"" help:"The holdout."`
	Reserve string `help:"Fresh rows of the same shape, which become the reserve after that." type:"path" placeholder:"FILE" env:"-"`
}

// Run proposes the rotation; a second person activates it.
func (c *holdoutRotate) Run(ctx context.Context, o console) error {
	var reserve io.Reader
	var format string
	if c.Reserve != "" {
		var err error
		if format, err = formatOf(c.Reserve); err != nil {
			return err
		}
		f, err := os.Open(c.Reserve)
		if err != nil {
			return err
		}
		defer f.Close()
		reserve = f
	}
	v, err := c.client().RotateHoldout(ctx, c.Name, format, reserve)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type holdoutAmend struct {
	remote
	Name        string `arg:"" help:"The holdout."`
	Corrections string `arg:"" help:"JSON lines: {\"row\":17,\"set\":{...}}, {\"row\":18,\"erase\":true} or {\"add\":{...}}." type:"path"`
}

// Run proposes the amendment; a second person activates it.
func (c *holdoutAmend) Run(ctx context.Context, o console) error {
	f, err := os.Open(c.Corrections)
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := c.client().AmendHoldout(ctx, c.Name, f)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type holdoutDestroy struct {
	remote
	Name    string `arg:"" help:"The holdout."`
	Version int    `arg:"" help:"A version that is not in force."`
}

// Run proposes the destruction; a second person activates it.
func (c *holdoutDestroy) Run(ctx context.Context, o console) error {
	v, err := c.client().DestroyHoldout(ctx, c.Name, c.Version)
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type holdoutPractice struct {
	remote
	Name string `arg:"" help:"The holdout."`
	Out  string `help:"File to write the rows to, as JSON lines; else they are printed." type:"path" placeholder:"FILE" env:"-"`
}

// Run fetches rows that submitters may have.
func (c *holdoutPractice) Run(ctx context.Context, o console) error {
	b, err := c.client().Practice(ctx, c.Name)
	if err != nil {
		return err
	}
	if c.Out != "" {
		return replace(c.Out, b)
	}
	_, err = o.Out.Write(b)
	return err
}

type holdoutShow struct {
	remote
	ID   string `arg:"" name:"run" help:"The run in whose review."`
	Rows []int  `arg:"" help:"Scored rows, from 1."`
}

// Run shows rows, one JSON object a line.
func (c *holdoutShow) Run(ctx context.Context, o console) error {
	v, err := c.client().ShowRows(ctx, c.ID, c.Rows)
	if err != nil {
		return err
	}
	for _, r := range v.Rows {
		fmt.Fprintf(o.Out, "%d\t%s\n", r.Row, r.Values)
	}
	_, err = fmt.Fprintf(o.Err, "people may still see %s of this set before it rotates\n", count(v.Left, "row"))
	return err
}
