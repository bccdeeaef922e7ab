package main

import (
	"context"
	"fmt"
	"os"

	"proctor/holdout"
)

type holdoutFingerprint struct {
	Table    string   `arg:"" help:"CSV, JSONL, Parquet or Arrow IPC file that a model is trained on." type:"path"`
	Features []string `help:"The features of the set, in any order." required:"" placeholder:"NAME"`
	Text     []string `help:"Columns that are text though they look like numbers." placeholder:"NAME"`
	Out      string   `help:"File to write it to." required:"" type:"path" placeholder:"FILE" env:"-"`
}

// Run writes the fingerprint of a training table. It asks no service.
func (c *holdoutFingerprint) Run(ctx context.Context, o console) error {
	t, err := decodeFile(ctx, c.Table, c.Text...)
	if err != nil {
		return err
	}
	f, err := holdout.NewFingerprint(t, c.Features)
	if err != nil {
		return usagef("%s: %w", c.Table, err)
	}
	if err := replace(c.Out, f.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "%s: %d rows by %d features, %d bytes. In a package it is called training-fingerprint.bin; 'proctor seal --training' takes it too\n", c.Out, t.Len(), len(f.Features), len(f.Bytes()))
	return err
}

// checkTraining holds a table that is to be sealed against declared training tables,
// and says how much of it they had.
func checkTraining(ctx context.Context, o console, spec []byte, table string, fingerprints []string) error {
	if len(fingerprints) == 0 {
		return nil
	}
	s, err := holdout.ParseSpec(spec)
	if err != nil {
		return usagef("seal specification: %w", err)
	}
	t, err := decodeFile(ctx, table, s.TextColumns()...)
	if err != nil {
		return err
	}
	for _, path := range fingerprints {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := holdout.ParseFingerprint(b)
		if err != nil {
			return usagef("%s: %w", path, err)
		}
		shared, err := holdout.CheckTraining(s, t, f)
		if err != nil {
			return usagef("%s: %w", path, err)
		}
		fmt.Fprintf(o.Err, "%s: %d of %d rows (%.2f %%) are in it\n", path, shared, t.Len(), 100*float64(shared)/float64(max(1, t.Len())))
	}
	return nil
}
