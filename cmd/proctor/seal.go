package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
)

type sealCmd struct {
	remote
	Spec    string `arg:"" help:"Seal specification (YAML)." type:"path"`
	Table   string `arg:"" help:"CSV, JSONL, Parquet or Arrow IPC file with features and answer." type:"path"`
	Reserve string `help:"Rows of the same shape, kept fresh for rotation." type:"path" placeholder:"FILE" env:"-"`
}

func (c *sealCmd) Run(ctx context.Context, o console) error {
	spec, err := os.ReadFile(c.Spec)
	if err != nil {
		return err
	}
	format, err := formatOf(c.Table)
	if err != nil {
		return err
	}
	table, err := os.Open(c.Table)
	if err != nil {
		return err
	}
	defer table.Close()
	var reserve io.Reader
	if c.Reserve != "" {
		f, err := os.Open(c.Reserve)
		if err != nil {
			return err
		}
		defer f.Close()
		reserve = f
	}
	change, err := c.client().ProposeHoldout(ctx, format, spec, table, reserve)
	if err != nil {
		return err
	}
	return printChange(o, change)
}

func formatOf(path string) (string, error) {
	switch ext := filepath.Ext(path); ext {
	case ".csv":
		return "csv", nil
	case ".jsonl":
		return "jsonl", nil
	case ".parquet":
		return "parquet", nil
	case ".arrow", ".feather":
		return "arrow", nil
	default:
		return "", usagef("%s: a table ends in .csv, .jsonl, .parquet or .arrow, not %q", path, ext)
	}
}
