package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/access"
	"proctor/harness/secret"
	"proctor/harness/store/sqlite"
	"proctor/holdout/blob"
)

// A backup holds what the service knows, in sealed form, and no key: the database of
// one moment, every blob, and the log's head as it was. Whoever has it learns names,
// results and reports, and no row. Keys are kept apart by their owner.
//
// Laid over an older one, it copies only the blobs that are new.
type backupCmd struct {
	dataDir
	Into string `arg:"" help:"Folder of the backup; one that is there already is brought up to date." type:"path"`
}

// Run backs up a folder, whether a service runs on it or not. The order is what makes
// it whole: the head first, since entries are committed before the head names them, so
// that the database has all of it and perhaps more, which a start takes up; blobs last,
// since they are added before anything names them.
func (c *backupCmd) Run(ctx context.Context, o console) error {
	if c.DB != "" {
		return usagef("the database is in PostgreSQL: copy the head, then the database with pg_dump, then the folder blobs, in this order; docs/operations.md says why")
	}
	if err := c.dataDir.whole(); err != nil {
		return err
	}
	if err := mayFill(c.Into); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Into, 0o700); err != nil {
		return err
	}
	head, err := os.ReadFile(c.dataDir.head())
	if err != nil {
		return err
	}
	next := filepath.Join(c.Into, "proctor.db.new")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := sqlite.Backup(ctx, c.path("proctor.db"), next); err != nil {
		return err
	}
	kept, copied, err := copyBlobs(ctx, c.path("blobs"), filepath.Join(c.Into, "blobs"))
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"FORMAT": []byte(dataFormat + "\n"), "head.new": head} {
		if err := os.WriteFile(filepath.Join(c.Into, name), data, 0o600); err != nil {
			return err
		}
	}
	// Last, and the head after the database: one that was broken off still is the backup
	// before, or has a database that is ahead of its head.
	for _, name := range []string{"proctor.db", "head"} {
		if err := os.Rename(filepath.Join(c.Into, name+".new"), filepath.Join(c.Into, name)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(o.Out, "backed up to %s: the database, %s (%d new), every digest checked; no keys\n", c.Into, count(kept+copied, "blob"), copied)
	return err
}

// mayFill refuses a folder that holds something else than a backup.
func mayFill(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	format, err := os.ReadFile(filepath.Join(dir, "FORMAT"))
	if _, kerr := os.Stat(filepath.Join(dir, "keys")); err != nil || kerr == nil || strings.TrimSpace(string(format)) != dataFormat {
		return usagef("%s holds something else than a backup: give an empty or a new folder", dir)
	}
	return nil
}

// copyBlobs brings every blob over; each is hashed on both sides.
func copyBlobs(ctx context.Context, from, to string) (kept, copied int, err error) {
	src, err := blob.OpenDir(from)
	if err != nil {
		return 0, 0, err
	}
	dst, err := blob.OpenDir(to)
	if err != nil {
		return 0, 0, err
	}
	err = src.Each(ctx, func(ref blob.Ref) error {
		if _, err := dst.Get(ctx, ref); err == nil {
			kept++
			return nil
		} else if !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("the backup is damaged: %w", err)
		}
		data, err := src.Get(ctx, ref)
		if err != nil {
			return err
		}
		copied++
		_, err = dst.Put(ctx, data)
		return err
	})
	return kept, copied, err
}

type restoreCmd struct {
	From string `arg:"" help:"Folder of the backup." type:"existingdir"`
	Dir  string `help:"Folder to make." required:"" type:"path" placeholder:"FOLDER" env:"-"`
	Keys string `help:"Folder of the keys: the one called keys of the data folder that was lost." required:"" type:"existingdir" placeholder:"FOLDER" env:"-"`
	Head string `help:"The log's head that survived. That of the backup itself forgets, unseen, what came after the backup." required:"" type:"existingfile" placeholder:"FILE" env:"-"`
	Name string `help:"URI that names this service in verdicts." default:"https://proctor.local" placeholder:"URI"`
}

// Run makes a data folder from a backup and audits it before it is used: log, head,
// reports, sealed sets. Nothing is left of one that does not pass.
func (c *restoreCmd) Run(ctx context.Context, o console) (err error) {
	d := dataDir{Dir: c.Dir, Name: c.Name}
	if entries, err := os.ReadDir(d.Dir); err == nil && len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is there already: a backup is restored into a new folder", d.Dir)
	}
	if err := sqlite.Check(ctx, filepath.Join(c.From, "proctor.db")); err != nil {
		return &coded{exitTampered, err}
	}
	defer func() {
		if err != nil {
			d.clear()
		}
	}()
	if err := c.fill(ctx, d); err != nil {
		return err
	}
	s, err := d.open(ctx, slog.New(slog.DiscardHandler), nil)
	if own := (*coded)(nil); errors.As(err, &own) { // another --name: nothing was compared
		return err
	}
	if err != nil {
		return &coded{exitTampered, fmt.Errorf("the backup does not agree with head and keys: %w", err)}
	}
	defer func() { err = errors.Join(err, s.close()) }()
	a, err := s.Audit(ctx, access.Principal{ID: "console", Person: "console", Roles: []access.Role{access.Auditor}})
	if err != nil {
		return err
	}
	if err := printAudit(o, a); err != nil {
		return err
	}
	if !a.OK {
		return &coded{exitTampered, fmt.Errorf("the audit found %s: nothing was restored", count(len(a.Problems), "contradiction"))}
	}
	_, err = fmt.Fprintf(o.Out, "restored to %s\n", d.Dir)
	return err
}

func (c *restoreCmd) fill(ctx context.Context, d dataDir) error {
	if err := d.folders(); err != nil {
		return err
	}
	if _, _, err := copyBlobs(ctx, filepath.Join(c.From, "blobs"), d.path("blobs")); err != nil {
		return err
	}
	keys, err := os.ReadDir(c.Keys)
	if err != nil {
		return err
	}
	for _, k := range keys {
		data, err := secret.Read(filepath.Join(c.Keys, k.Name()))
		if err != nil {
			return err
		}
		if err := secret.Create(d.path("keys/"+k.Name()), data); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{filepath.Join(c.From, "proctor.db"): d.path("proctor.db"), c.Head: d.head(), filepath.Join(c.From, "FORMAT"): d.path("FORMAT")} {
		if err := copyFile(from, to); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies one file to a new one that its owner alone can read.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
