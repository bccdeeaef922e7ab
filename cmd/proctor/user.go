package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"proctor/harness"
	"proctor/harness/access"
)

type userCmd struct {
	Add userAdd `cmd:"" help:"Add an account and print its API token, which is shown once."`
}

type userAdd struct {
	ID     string        `arg:"" name:"account" help:"The account."`
	Dir    string        `help:"The service's data folder." default:"proctor-data" type:"path" placeholder:"FOLDER"`
	Person string        `help:"The human behind it; two accounts of one person count as one." required:"" placeholder:"NAME" env:"-"`
	Role   []string      `help:"submitter, curator, policy-owner, reviewer, operator or auditor." required:"" env:"-"`
	Robot  bool          `help:"A pipeline: it may submit and never decides." env:"-"`
	Valid  time.Duration `help:"How long the token lasts." default:"2160h" env:"-"`
}

// Run writes to the data folder, whether a service runs on it or not.
func (c *userAdd) Run(ctx context.Context, o console) error {
	if c.Valid <= 0 {
		return usagef("--valid: a token that lasts %s is of no use", c.Valid)
	}
	d := dataDir{Dir: c.Dir}
	if _, err := os.Stat(d.path("FORMAT")); errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is no data folder; 'proctor serve --dir %s' makes one", c.Dir, c.Dir)
	}
	if err := d.whole(); err != nil {
		return err
	}
	st, err := d.store(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer st.Close()
	p := access.Principal{ID: c.ID, Person: c.Person, Robot: c.Robot}
	for _, r := range c.Role {
		p.Roles = append(p.Roles, access.Role(r))
	}
	token, err := harness.AddAccount(ctx, st, p, time.Now(), c.Valid)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.Out, token)
	return err
}
