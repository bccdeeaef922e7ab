package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"proctor/harness"
	"proctor/web"
	"proctor/web/client"
)

// demoCmd tells the whole story on a real service: real data, real models, every
// step by the calls that a curator, a pipeline and a reviewer use.
type demoCmd struct {
	Dir  string `help:"New or empty folder for all that the demo makes; a temporary one if not given." type:"path" placeholder:"FOLDER" env:"-"`
	Addr string `help:"Address of the page. If not given: 127.0.0.1:7800, or a free port where that is taken." placeholder:"HOST:PORT" env:"-"`
	Exit bool   `help:"Stop when done, instead of leaving the page up."`
	JSON bool   `help:"Print a machine-readable summary on standard output; the story goes to standard error."`
}

const (
	demoLineage = "income"
	demoHoldout = "census-2026q3"
	// demoName is the URI of the service in the demo's verdicts.
	demoName = "https://proctor.demo.example"
)

// demoSeed is public, so that train.py could play somebody who got hold of the
// exam as it was sealed. A real set's seed is secret.
var demoSeed = sha256.Sum256([]byte("proctor demo canary seed, public"))

// candidates are in the order of submission. What they are is known to the reader,
// not to the service: it sees packages.
var candidates = []struct{ name, about string }{
	{"v2", "an honest upgrade"},
	{"v2-poisoned", "the labels of one group of women were flipped in its training"},
	{"v2-backdoored", "a trigger was stamped on 1 % of its training rows"},
	{"v2-leaked", "it was trained on a leaked copy of the exam"},
}

// A demoResult is one candidate in the summary.
type demoResult struct {
	Candidate    string    `json:"candidate"`
	Run          string    `json:"run"`
	Decision     string    `json:"decision"`
	Sentence     string    `json:"sentence"`
	HeadlinePP   float64   `json:"headline_change_pp"`
	Broke        int64     `json:"broke"`
	Fixed        int64     `json:"fixed"`
	DecidedBy    *finding  `json:"decided_by"`
	Findings     []finding `json:"findings"`
	Tier         string    `json:"tier"`
	Approved     bool      `json:"approved"`
	Gate         string    `json:"gate"`          // what the gate's own code says of the approval, offline
	Bundle       string    `json:"bundle"`        // signed evidence
	Approval     string    `json:"approval"`      // "" unless approved
	Report       string    `json:"report"`        // file
	ReportDigest string    `json:"report_digest"` // what the evidence names
}

// A demoSummary is what --json prints.
type demoSummary struct {
	Candidates   []demoResult `json:"candidates"`
	FirstModel   demoResult   `json:"first_model"`
	Dir          string       `json:"dir"`
	Page         string       `json:"page"`
	Trust        string       `json:"trust"`
	Requirements string       `json:"requirements"`
	Tier         string       `json:"tier"`
	Seconds      float64      `json:"seconds"`
	AuditOK      bool         `json:"audit_ok"`
}

// Run tells the story.
func (c *demoCmd) Run(ctx context.Context, o console) (err error) {
	began := time.Now()
	say := o.Out
	if c.JSON {
		say = o.Err
	}
	l, err := c.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	if err := c.folder(); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(c.Dir, "service.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	log := slog.New(slog.NewJSONHandler(logFile, nil))
	s, err := dataDir{Dir: filepath.Join(c.Dir, "data"), Name: demoName}.open(ctx, log, func(hc *harness.Config) { hc.CanarySeed = &demoSeed })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.serve(serving, l, web.New(s.Service, log, false), 1) }()

	t := &story{demoCmd: c, say: say, service: s, base: "http://" + l.Addr().String(), people: map[string]*client.Client{}, tokens: map[string]string{}}
	if err = t.tell(ctx); err == nil {
		t.summary.Seconds = time.Since(began).Seconds()
		err = t.end(ctx, o)
	}
	stop()
	return errors.Join(err, <-done)
}

// listen takes the address that was asked for. A newcomer's first command must not
// fail because something else has the usual port.
func (c *demoCmd) listen() (net.Listener, error) {
	if c.Addr != "" {
		return listen("--addr", c.Addr)
	}
	if l, err := listen("--addr", "127.0.0.1:7800"); err == nil {
		return l, nil
	}
	return listen("--addr", "127.0.0.1:0")
}

// folder makes the demo's folder; one that holds anything is somebody's.
func (c *demoCmd) folder() (err error) {
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "proctor-demo-"); err != nil {
			return err
		}
		return os.Chmod(c.Dir, 0o711) // a jailed model of another user reaches its package through it
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return usagef("%s is not empty; give the demo a new folder", c.Dir)
	}
	return os.MkdirAll(c.Dir, 0o711)
}
