package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/harness/secret"
)

type doctorCmd struct {
	dataDir
	confinement
	Addr string `help:"Address that the service is to listen on." default:"127.0.0.1:7800"`
	Tier string `name:"tier-at-least" help:"Weakest tier that will do for models that bring code." default:"landlock" enum:"none,landlock,jail-nocg,jail,gvisor"`
	JSON bool   `help:"Print the checks as JSON."`
}

// States of a check.
const (
	checkOK   = "ok"
	checkWarn = "warn" // the service runs, something is less than it could be
	checkBad  = "bad"
)

// A check is one thing that a service needs of its machine.
type check struct {
	Name  string `json:"check"`
	State string `json:"state"`
	Says  string `json:"says"`
	Do    string `json:"do,omitempty"` // what would mend it
}

// Run looks, and changes nothing. It ends with the code for fail if anything is bad.
func (c *doctorCmd) Run(ctx context.Context, o console) error {
	checks := append(c.confined(ctx), c.machine()...)
	bad := 0
	for _, k := range checks {
		if k.State == checkBad {
			bad++
		}
	}
	if c.JSON {
		if err := printJSON(o.Out, checks); err != nil {
			return err
		}
	} else {
		printChecks(o, checks)
	}
	if bad > 0 {
		return &coded{exitFail, fmt.Errorf("%s would keep a service from running as it should", count(bad, "finding"))}
	}
	return nil
}

func printChecks(o console, checks []check) {
	for _, k := range checks {
		fmt.Fprintf(o.Out, "  %-5s %-12s %s\n", strings.ToUpper(k.State), k.Name, k.Says)
		if k.Do != "" {
			fmt.Fprintf(o.Out, "  %-5s %-12s -> %s\n", "", "", k.Do)
		}
	}
}

// confined says how models can be confined here, and shown other dates.
func (c *doctorCmd) confined(ctx context.Context) []check {
	var out []check
	if err := c.ready(); err != nil {
		out = append(out, check{"runsc", checkBad, err.Error(), "give the digest of the program that is meant, or leave it out"})
	}
	return append(append(out, tierChecks(jail.Tier(c.Tier))...), c.interpreters(ctx)...)
}

func tierChecks(least jail.Tier) []check {
	tier, why := jail.Probe()
	t := check{"tier", checkOK, fmt.Sprintf("models run at tier %s", tier), ""}
	if len(why) > 0 {
		t.Says += "; not stronger, for " + strings.Join(why, "; ")
	}
	switch {
	case !tier.AtLeast(least):
		t.State, t.Do = checkBad, fmt.Sprintf("tier %s is asked for: run where user namespaces and cgroups may be made, or as root", least)
	case !tier.AtLeast(jail.Jail):
		t.State, t.Do = checkWarn, "docs/package.md says what a weaker tier leaves open"
	}
	out := []check{t, {"cgroups", checkOK, "memory and processes of a whole model can be bounded", ""}}
	if err := jail.Cgroups(); err != nil {
		out[1] = check{"cgroups", checkWarn, "a model's memory is bounded for each of its processes only: " + err.Error(), "under systemd say Delegate=yes; in a container bound the container"}
	}
	l := check{"landlock", checkOK, fmt.Sprintf("version %d", jail.LandlockVersion()), ""}
	switch v := jail.LandlockVersion(); {
	case v == 0:
		l.State, l.Says, l.Do = checkWarn, "the kernel has none, so that there is no tier landlock and no second wall in a jail", "put landlock into the kernel's list of security modules (lsm=)"
	case v < 6:
		l.State, l.Says = checkWarn, l.Says+": signals and abstract sockets are closed by namespaces alone, from version 6 on by Landlock too"
	}
	return append(out, l)
}

// interpreters says which programs commands can start with, and whether they can be
// shown another date.
func (c *doctorCmd) interpreters(ctx context.Context) []check {
	var out []check
	for _, word := range []string{"python3", "node"} {
		path, clock, err := c.runner().Interpreter(ctx, word)
		k := check{Name: word, State: checkOK, Says: path}
		switch {
		case path == "":
			k.State, k.Says = checkWarn, "not found: packages that start with it cannot run"
			k.Do = "install it where all users can reach it, such as /usr/bin"
		case err != nil:
			k.State, k.Says = checkWarn, fmt.Sprintf("%s does not start in a jail: %v", path, err)
		case clock == runner.ClockMoves:
			k.Says += ", is asked at other dates too"
		case clock == runner.ClockNoLib:
			k.Says += ", is asked at today's date only"
			k.Do = "give --faketime, so that models that wait for a date are seen"
		default:
			k.State, k.Says = checkWarn, k.Says+", does not take another date from libfaketime: verdicts will say that the clock is not covered"
		}
		out = append(out, k)
	}
	return out
}

// machine looks at what a service keeps and uses.
func (c *doctorCmd) machine() []check {
	out := []check{c.folder()}
	if out[0].State != checkBad && exists(c.path("FORMAT")) {
		out = append(out, c.keyModes(), c.clock())
	}
	return append(out, c.disk(), synced(), c.port())
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (c *doctorCmd) folder() check {
	k := check{Name: "data", State: checkOK}
	entries, err := os.ReadDir(c.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		k.Says = fmt.Sprintf("%s is new: serve will make it", c.Dir)
		return k
	case err == nil:
		err = c.whole()
	}
	if err == nil {
		err = mustExist(c.head())
	}
	if err != nil {
		return check{"data", checkBad, err.Error(), "see docs/operations.md, Backup and restore"}
	}
	k.Says = c.Dir + " is whole"
	if c.Head == "" {
		k.State, k.Do = checkWarn, "put the log's head elsewhere with --head: whoever can write both can rewrite history"
		k.Says += ", and holds the log's head too"
	}
	return k
}

// keyModes holds the keys to their modes, as the service will.
func (c *doctorCmd) keyModes() check {
	files, err := filepath.Glob(c.path("keys/*"))
	for _, f := range files {
		if _, rerr := secret.Read(f); rerr != nil && err == nil {
			err = rerr
		}
	}
	if err != nil {
		return check{"keys", checkBad, err.Error(), ""}
	}
	return check{"keys", checkOK, fmt.Sprintf("%s, readable by their owner only", count(len(files), "file")), ""}
}

// clock compares the machine's with what was written last: approvals are valid by days.
func (c *doctorCmd) clock() check {
	newest := time.Time{}
	for _, f := range []string{c.path("FORMAT"), c.path("proctor.db"), c.head()} {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if ahead := time.Until(newest); ahead > time.Minute {
		return check{"clock", checkBad, fmt.Sprintf("the data folder was written %v from now: the clock is behind", ahead.Round(time.Second)), "set the clock: verdicts and approvals carry its time"}
	}
	return check{"clock", checkOK, "not behind what was written last, " + newest.UTC().Format(time.RFC3339), ""}
}

// port says whether the address can be had. A service that runs has it.
func (c *doctorCmd) port() check {
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return check{"port", checkWarn, fmt.Sprintf("%s is not to be had: %v", c.Addr, err), "if a service runs there, this is as it should be; else give another --addr"}
	}
	l.Close()
	return check{"port", checkOK, c.Addr + " is free", ""}
}

// Free space below which a service is in danger, and below which it should not start.
const (
	fewBytes = 5 << 30
	noBytes  = 512 << 20
)

func (c *doctorCmd) disk() check {
	dir := c.Dir
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	free, network, err := diskOf(dir)
	if err != nil {
		return check{"disk", checkWarn, err.Error(), ""}
	}
	k := check{"disk", checkOK, fmt.Sprintf("%.1f GiB free for %s", float64(free)/(1<<30), c.Dir), ""}
	switch {
	case network != "":
		k.State, k.Says, k.Do = checkBad, fmt.Sprintf("%s is on %s", dir, network), "put it on a local disk: the database's locks do not hold there"
	case free < noBytes:
		k.State, k.Do = checkBad, "make room: what cannot be written is refused"
	case free < fewBytes:
		k.State, k.Do = checkWarn, "every package and report is kept: make room"
	}
	return k
}
