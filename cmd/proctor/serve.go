package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/jail"
	"proctor/web"
)

type serveCmd struct {
	dataDir
	Addr    string `help:"Address to listen on." default:"127.0.0.1:7800"`
	TLS     bool   `help:"The service is reached over TLS (by a proxy in front of it): cookies demand it."`
	Workers int    `help:"Runs that are evaluated at the same time." default:"1"`
}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context, o console) error {
	if c.Workers < 1 {
		return usagef("--workers is at least 1")
	}
	log := slog.New(slog.NewJSONHandler(o.Err, nil))
	l, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := c.open(ctx, log, nil)
	if err != nil {
		return err
	}
	defer s.close()
	tier, why := jail.Probe()
	log.Info("serving", "address", l.Addr().String(), "data", c.Dir, "tier", tier, "not_stronger", why)
	fmt.Fprintf(o.Out, "http://%s\n", l.Addr())
	return s.serve(ctx, l, log, c.TLS, c.Workers)
}

// listen takes the port before anything is opened, so that a second service does
// not touch the data of the first.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, usagef("%s is taken by another program; give another address with --addr", addr)
	}
	if err != nil {
		return nil, usagef("cannot listen on %s: %v", addr, err)
	}
	return l, nil
}

// serve answers and evaluates until ctx ends. A run that is cut off is taken up
// again by the next start.
func (s *service) serve(ctx context.Context, l net.Listener, log *slog.Logger, tls bool, workers int) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop, err := s.Work(work, workers)
	if err != nil {
		return err
	}
	err = web.New(s.Service, log, tls).Serve(ctx, l)
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	return errors.Join(err, stop(grace))
}

type userCmd struct {
	Add userAdd `cmd:"" help:"Add an account and print its API token, which is shown once."`
}

type userAdd struct {
	dataDir
	ID     string        `arg:"" help:"The account."`
	Person string        `help:"The human behind it; two accounts of one person count as one." required:""`
	Role   []string      `help:"submitter, curator, policy-owner, reviewer, operator or auditor." required:""`
	Robot  bool          `help:"A pipeline: it may submit and never decides."`
	Valid  time.Duration `help:"How long the token lasts." default:"2160h"`
}

// Run writes to the data folder, whether a service runs on it or not.
func (c *userAdd) Run(ctx context.Context, o console) error {
	if _, err := os.Stat(c.path("FORMAT")); err != nil {
		if err := c.prepare(); err != nil {
			return err
		}
	}
	st, err := c.store(ctx, slog.New(slog.DiscardHandler))
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
	fmt.Fprintln(o.Out, token)
	return nil
}
