package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"filippo.io/age"

	"proctor/holdout"
)

type keyCmd struct {
	Rotate  keyRotate  `cmd:"" help:"At the machine of the service, which is stopped: make a new key-encryption key, here or in a Vault, and wrap every data key with it; no set is sealed anew."`
	Escrow  keyEscrow  `cmd:"" help:"At the machine of the service, which is stopped: encrypt the data key of a set with age for somebody who keeps it."`
	Restore keyRestore `cmd:"" help:"At the machine of the service, which is stopped: put a data key from escrow back."`
}

type keyRotate struct {
	dataDir
	Vault string `help:"Address of a HashiCorp Vault whose transit engine keeps the key; its token is VAULT_TOKEN." placeholder:"URL" env:"-"`
	Mount string `help:"Mount of the transit engine." default:"transit" env:"-"`
	Key   string `help:"Name of the Vault's key, of a type with associated data such as aes256-gcm96." default:"proctor" env:"-"`
}

// Run adds the new key, wraps with it, and only then drops the old: broken off
// anywhere, it is run again.
func (c *keyRotate) Run(ctx context.Context, o console) error {
	s, err := c.openHere(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	path := c.path("keys/kek")
	var k *holdout.FileKeyring
	if c.Vault != "" {
		k, err = holdout.AddVaultKey(path, c.Vault, c.Mount, c.Key)
	} else {
		k, err = holdout.AddFileKey(path)
	}
	if err != nil {
		return usagef("the new key: %w", err)
	}
	s.Keyring = k
	n, err := s.RewrapKeys(ctx)
	if err != nil {
		return fmt.Errorf("%w; the old key is still there: run the command again", err)
	}
	if _, err := holdout.DropOldKeys(path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "%s wrapped by the new key; the old one is gone: with it, copies of the database open nothing\n", count(n, "data key"))
	return err
}

// openHere opens the data folder while no service has it.
func (d dataDir) openHere(ctx context.Context, o console) (*service, error) {
	if err := d.whole(); err != nil {
		return nil, err
	}
	return d.open(ctx, slog.New(warnings{slog.NewTextHandler(o.Err, nil)}), nil)
}

type keyEscrow struct {
	dataDir
	Holdout string   `arg:"" help:"The holdout."`
	Version int      `arg:"" help:"Its version."`
	To      []string `help:"age recipient who keeps it." required:"" placeholder:"age1..." env:"-"`
	Out     string   `help:"File to write." required:"" type:"path" placeholder:"FILE" env:"-"`
}

// Run writes ciphertext only.
func (c *keyEscrow) Run(ctx context.Context, o console) error {
	var to []age.Recipient
	for _, text := range c.To {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return usagef("--to: %q is no age recipient like age1...", clip(text))
		}
		to = append(to, r)
	}
	s, err := c.openHere(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	key, err := s.ExportKey(ctx, c.Holdout, c.Version)
	if err != nil {
		return err
	}
	defer clear(key)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return err
	}
	if _, err := w.Write(key); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return replace(c.Out, out.Bytes())
}

type keyRestore struct {
	dataDir
	Holdout  string `arg:"" help:"The holdout."`
	Version  int    `arg:"" help:"Its version."`
	File     string `arg:"" help:"What 'proctor key escrow' wrote." type:"path"`
	Identity string `help:"File with the age identity of whom it was written for." required:"" type:"path" placeholder:"FILE" env:"-"`
}

const maxEscrow = 1 << 16

// Run decrypts the data key and wraps it with the key-encryption key of today.
func (c *keyRestore) Run(ctx context.Context, o console) error {
	f, err := os.Open(c.Identity)
	if err != nil {
		return err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return usagef("%s holds no age identity", c.Identity)
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	r, err := age.Decrypt(bytes.NewReader(b), ids...)
	if err != nil {
		return usagef("%s: %w", c.File, err)
	}
	key, err := io.ReadAll(io.LimitReader(r, maxEscrow))
	if err != nil {
		return usagef("%s: %w", c.File, err)
	}
	defer clear(key)
	s, err := c.openHere(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.ImportKey(ctx, c.Holdout, c.Version, key); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "%s version %d can be opened\n", c.Holdout, c.Version)
	return err
}
