package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"proctor/harness"
	"proctor/harness/tlog"
)

type logCmd struct {
	Audit logAuditCmd `cmd:"" help:"Recompute the log of a data folder from its leaves and name the first entry that is wrong."`
}

type logAuditCmd struct {
	dataDir
	Trust      string   `help:"File with the pinned keys; a copy of your own, not one from the folder." required:"" type:"path" env:"-" placeholder:"FILE"`
	Root       string   `help:"File with the root keys, if --trust is a file that they signed." type:"path" env:"-" placeholder:"FILE"`
	Checkpoint []string `help:"Older checkpoint that you kept, which the log must contain. Can be repeated." type:"path" env:"-" placeholder:"FILE"`
}

// Run needs no running service and changes nothing; one may run.
func (c *logAuditCmd) Run(ctx context.Context, o console) error {
	keys, trust, err := readTrust(c.Trust, c.Root)
	if err != nil {
		return err
	}
	_, head, err := tlog.ReadHead(c.head(), keys.Log)
	if err != nil {
		return err
	}
	known := []tlog.Tree{head}
	for _, path := range c.Checkpoint {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		t, err := tlog.ParseCheckpoint(b, keys.Log)
		if err != nil {
			return &coded{exitTampered, fmt.Errorf("%s: %w", path, err)}
		}
		known = append(known, t)
	}
	st, err := c.readStore(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	tree, err := harness.AuditLog(ctx, st, trust, known)
	var bad *tlog.BadEntryError
	if errors.As(err, &bad) || errors.Is(err, tlog.ErrForked) {
		return &coded{exitTampered, err}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "log of %d entries, root %x: every leaf, signature, form and order; it contains %s\n", tree.N, tree.Hash[:], count(len(known), "checkpoint"))
	return err
}
