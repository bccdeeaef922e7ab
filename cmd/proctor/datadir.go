package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"proctor/harness"
	"proctor/harness/secret"
	"proctor/harness/store"
	"proctor/harness/store/postgres"
	"proctor/harness/store/sqlite"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/holdout/blob"
)

// dataFormat is what the file FORMAT of a data folder says.
const dataFormat = "proctor/data/1"

// A dataDir is where a service keeps what must last:
//
//	FORMAT        which program may open it
//	proctor.db    runs, documents, ledger, log, queue; with --db they are in PostgreSQL
//	blobs/        sealed chunks, packages, reports; named by digest
//	keys/         secret: evidence.pem, approve.pem, officer.pem, log.key, kek, session
//	trusted/head  the newest checkpoint of the log; better elsewhere, see --head
//	trusted/trust  the trust file that root keys signed, if there is one; it is published
//	trusted/console.sock  while a service runs: see [order]
//	scratch/      packages in use; emptied at start
type dataDir struct {
	Dir  string `help:"Folder of the service's data; made if it is not there." default:"proctor-data" type:"path" placeholder:"FOLDER"`
	Head string `help:"File that holds the log's newest checkpoint. Put it where whoever can write the data folder cannot." type:"path" placeholder:"FILE"`
	DB   string `help:"PostgreSQL database in place of the file proctor.db, as libpq names it: postgres://HOST/DATABASE. Passwords: PGPASSFILE, PGPASSWORD." placeholder:"URL" env:"PROCTOR_DB"`
	Name string `help:"URI that names this service in verdicts." default:"https://proctor.local" placeholder:"URI"`
}

func (d dataDir) path(name string) string { return filepath.Join(d.Dir, name) }

func (d dataDir) head() string {
	if d.Head != "" {
		return d.Head
	}
	return d.path("trusted/head")
}

// A service is an open data folder.
type service struct {
	*harness.Service
	close func() error
}

// open opens the folder, or makes it if it is not there or empty. A folder that
// exists must be whole: what is missing is named, never made again.
func (d dataDir) open(ctx context.Context, log *slog.Logger, adjust func(*harness.Config)) (_ *service, err error) {
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	c := harness.Config{Name: d.Name, Scratch: d.path("scratch"), TrustFile: d.path("trusted/trust"), Logger: log, Now: time.Now, Rand: rand.Reader}
	if err := d.keys(&c); err != nil {
		return nil, err
	}
	l, err := tlog.OpenKey(d.path("keys/log.key"))
	if err != nil {
		return nil, err
	}
	if c.LogKey = l.Key(); l.Origin() != logOrigin(d.Name) {
		return nil, usagef("%s belongs to the service whose log is %s: give the --name that it was made with, not %s", d.Dir, l.Origin(), d.Name)
	}
	if c.Harness, err = programDigest(); err != nil {
		return nil, err
	}
	if c.Blobs, err = blob.OpenDir(d.path("blobs")); err != nil {
		return nil, err
	}
	if c.Head, err = tlog.OpenHead(d.head(), l); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Head.Close()
		}
	}()
	if c.Store, err = d.store(ctx, log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Store.Close()
		}
	}()
	if adjust != nil {
		adjust(&c)
	}
	s, err := harness.New(ctx, c)
	if err != nil {
		return nil, err
	}
	return &service{s, func() error { return errors.Join(c.Store.Close(), c.Head.Close()) }}, nil
}

// store opens the database. What it has to tell in good times is of no use to
// operators: each migration, each start of the queue.
func (d dataDir) store(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	log = slog.New(warnings{log.Handler()})
	if d.DB != "" {
		s, err := postgres.Open(ctx, d.DB, time.Now, log)
		if errors.Is(err, postgres.ErrServed) || errors.Is(err, postgres.ErrName) {
			err = usagef("%w", err)
		}
		return s, err
	}
	return sqlite.Open(ctx, d.path("proctor.db"), time.Now, log)
}

// readStore opens the database for reading alone; a service may be at work on it.
func (d dataDir) readStore(ctx context.Context) (*store.Store, error) {
	if d.DB != "" {
		return postgres.OpenRead(ctx, d.DB)
	}
	return sqlite.OpenRead(ctx, d.path("proctor.db"))
}

// isURI refuses what cannot name a service; flag is what gave it.
func isURI(flag, s string) error {
	if u, err := url.Parse(s); err != nil || u.Host == "" {
		return usagef("%s: %q is not a URI like https://proctor.example", flag, clip(s))
	}
	return nil
}

// prepare makes a new folder whole or finds an existing one so.
func (d dataDir) prepare(ctx context.Context) error {
	if err := isURI("--name", d.Name); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.Dir)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return usagef("%s is not a folder", d.Dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case len(entries) == 0:
		return d.make(ctx)
	}
	if err := d.whole(); err != nil {
		return err
	}
	if err := mustExist(d.head()); err != nil {
		return err
	}
	if err := os.RemoveAll(d.path("scratch")); err != nil {
		return err
	}
	return os.Mkdir(d.path("scratch"), 0o711)
}

const database = "proctor.db"

// parts are what a folder of this format holds. None is ever made again: a new
// key would orphan what the old one signed, a new database would forget verdicts.
var parts = []string{database, "blobs", "keys/evidence.pem", "keys/approve.pem", "keys/officer.pem", "keys/kek", "keys/log.key"}

// whole refuses a folder that this program cannot serve, and touches nothing.
func (d dataDir) whole() error {
	format, err := os.ReadFile(d.path("FORMAT"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("%s has no file FORMAT: it is no data folder, or one whose making was broken off; give another folder, or remove it if nothing of worth is in it", d.Dir)
	case err != nil:
		return err
	case strings.TrimSpace(string(format)) != dataFormat:
		return usagef("%s holds data of format %q, this program reads %s: use the program that wrote it, or a newer one", d.Dir, clip(strings.TrimSpace(string(format))), dataFormat)
	}
	for _, p := range parts {
		if p == database && d.DB != "" {
			continue
		}
		if err := mustExist(d.path(p)); err != nil {
			return err
		}
	}
	return nil
}

func mustExist(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is missing and is never made again: restore it from a backup", path)
	}
	return err
}

// make fills a new or empty folder. FORMAT comes last, so that a folder made in
// part is never taken for a whole one; what an error leaves behind is removed.
func (d dataDir) make(ctx context.Context) (err error) {
	if _, err := os.Stat(d.head()); d.Head != "" && err == nil {
		return usagef("%s is the head of a log already: a new data folder begins a new log, give another --head", d.Head)
	}
	defer func() {
		if err != nil {
			d.clear()
		}
	}()
	if err := d.folders(); err != nil {
		return err
	}
	if err := d.makeKeys(); err != nil {
		return err
	}
	st, err := d.store(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	var entries int64
	err = st.View(ctx, func(tx *store.Tx) (err error) { entries, err = tx.LogSize(); return err })
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	if entries > 0 {
		return usagef("the database holds a log of %d entries already: a new data folder begins a new log, give an empty database", entries)
	}
	return secret.Create(d.path("FORMAT"), []byte(dataFormat+"\n"))
}

func (d dataDir) folders() error {
	for _, dir := range []string{"", "keys", "trusted", "scratch", "blobs"} {
		mode := os.FileMode(0o700)
		if dir == "" || dir == "scratch" {
			mode = 0o711 // a jailed model of another user reaches its package through them
		}
		if err := os.MkdirAll(d.path(dir), mode); err != nil {
			return err
		}
		if err := os.Chmod(d.path(dir), mode); err != nil {
			return err
		}
	}
	return nil
}

func (d dataDir) makeKeys() error {
	for _, name := range []string{"evidence.pem", "approve.pem"} {
		if _, err := verdict.CreateKey(d.path("keys/" + name)); err != nil {
			return err
		}
	}
	if err := createOfficer(d.path("keys/officer.pem")); err != nil {
		return err
	}
	if _, err := holdout.CreateFileKeyring(d.path("keys/kek")); err != nil {
		return err
	}
	l, err := tlog.CreateKey(d.path("keys/log.key"), logOrigin(d.Name), rand.Reader)
	if err != nil {
		return err
	}
	return tlog.CreateHead(d.head(), l)
}

// clear empties a folder that make could not fill; it was empty before.
func (d dataDir) clear() {
	for _, name := range []string{"FORMAT", "proctor.db", "proctor.db-wal", "proctor.db-shm", "blobs", "keys", "trusted", "scratch"} {
		os.RemoveAll(d.path(name))
	}
	if d.Head != "" {
		os.Remove(d.Head)
	}
	os.Remove(d.Dir) // if nothing else is in it
}

// logOrigin names the log after the host of the service.
func logOrigin(name string) string {
	_, host, _ := strings.Cut(name, "://")
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":")
	return "log." + host
}

func (d dataDir) keys(c *harness.Config) (err error) {
	if c.Evidence, err = verdict.OpenKey(d.path("keys/evidence.pem")); err != nil {
		return err
	}
	if c.Approve, err = verdict.OpenKey(d.path("keys/approve.pem")); err != nil {
		return err
	}
	if c.Retired, err = d.retired(); err != nil {
		return err
	}
	if c.Keyring, err = holdout.OpenFileKeyring(d.path("keys/kek")); err != nil {
		return err
	}
	if c.Officer, err = openOfficer(d.path("keys/officer.pem")); err != nil {
		return err
	}
	if c.SessionKey, err = sessionKey(d.path("keys/session")); err != nil {
		return err
	}
	info, err := os.Stat(d.path("FORMAT"))
	if err == nil {
		c.LogBegan = info.ModTime()
	}
	return err
}

// sessionKey reads the key that seals sessions, or makes it: with a lost one only
// the sessions are lost.
func sessionKey(path string) ([]byte, error) {
	key, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, 32)
		rand.Read(key)
		return key, secret.Create(path, key)
	}
	if err == nil && len(key) != 32 {
		err = fmt.Errorf("%s has %d bytes, not 32: remove it; everybody signs in again", path, len(key))
	}
	return key, err
}

// warnings passes on what is at least a warning.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (h warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{h.Handler.WithAttrs(a)} }

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// programDigest names the program that evaluates: its own bytes.
func programDigest() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
