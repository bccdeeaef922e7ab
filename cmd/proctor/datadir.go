package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"proctor/harness"
	"proctor/harness/store"
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
//	proctor.db    runs, documents, ledger, log, queue
//	blobs/        sealed chunks, packages, reports; named by digest
//	keys/         secret: evidence.pem, approve.pem, officer.pem, log.key, kek
//	trusted/head  the newest checkpoint of the log; better elsewhere, see --head
//	scratch/      packages in use; emptied at start
type dataDir struct {
	Dir  string `help:"Folder of the service's data; made if it is not there." default:"proctor-data" type:"path"`
	Head string `help:"File that holds the log's newest checkpoint. Put it where whoever can write the data folder cannot." type:"path"`
	Name string `help:"URI that names this service in verdicts." default:"https://proctor.local"`
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
	if err := d.prepare(); err != nil {
		return nil, err
	}
	c := harness.Config{Name: d.Name, Scratch: d.path("scratch"), Logger: log, Now: time.Now, Rand: rand.Reader}
	if err := d.keys(&c); err != nil {
		return nil, err
	}
	l, err := tlog.OpenKey(d.path("keys/log.key"))
	if err != nil {
		return nil, err
	}
	c.LogKey = l.Key()
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

func (d dataDir) store(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	return sqlite.Open(ctx, d.path("proctor.db"), time.Now, log)
}

// prepare makes a new folder whole or finds an existing one of this format.
func (d dataDir) prepare() error {
	format, err := os.ReadFile(d.path("FORMAT"))
	switch {
	case err == nil && strings.TrimSpace(string(format)) != dataFormat:
		return usagef("%s holds data of format %q, this program reads %s: use the program that wrote it, or a newer one", d.Dir, clip(strings.TrimSpace(string(format))), dataFormat)
	case err == nil:
		if err := os.RemoveAll(d.path("scratch")); err != nil {
			return err
		}
		return os.Mkdir(d.path("scratch"), 0o711)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	entries, err := os.ReadDir(d.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return usagef("%s is not empty and has no file FORMAT: it is no data folder, or one that was made only in part; give another folder", d.Dir)
	}
	return d.make()
}

// make fills a new folder. FORMAT comes last, so that a folder made in part is
// never taken for a whole one.
func (d dataDir) make() error {
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
	if err := tlog.CreateHead(d.head(), l); err != nil {
		return err
	}
	return writeSynced(d.path("FORMAT"), []byte(dataFormat+"\n"))
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
	if c.Keyring, err = holdout.OpenFileKeyring(d.path("keys/kek")); err != nil {
		return err
	}
	if c.Officer, err = openOfficer(d.path("keys/officer.pem")); err != nil {
		return err
	}
	info, err := os.Stat(d.path("FORMAT"))
	if err == nil {
		c.LogBegan = info.ModTime()
	}
	return err
}

func createOfficer(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeSynced(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func openOfficer(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open officer key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open officer key: others can read %s: run chmod 600 on it, and make a new key if anybody did", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open officer key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("open officer key: %s holds no PEM key", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := k.(ed25519.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("open officer key: %s holds no Ed25519 key", path)
}

// writeSynced writes a new file that only its owner can read, durably.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

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
