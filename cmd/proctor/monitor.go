package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"proctor/harness/watch"
	"proctor/web/client"
)

type monitorCmd struct {
	Server string        `help:"Address of the service whose log is watched." default:"http://127.0.0.1:7800" placeholder:"URL"`
	Token  string        `help:"Token of an auditor or reviewer: statements are looked at too. Without one, leaves only. Better given as PROCTOR_TOKEN." placeholder:"TOKEN"`
	Trust  string        `help:"File with the pinned keys; a copy of your own." required:"" type:"path" env:"-" placeholder:"FILE"`
	Root   string        `help:"File with the root keys, if --trust is a file that they signed." type:"path" env:"-" placeholder:"FILE"`
	State  string        `help:"File that remembers what was seen; made at the first look. Keep it where the service's operators cannot write." required:"" type:"path" env:"-" placeholder:"FILE"`
	Every  time.Duration `help:"Look again after that long, for ever; else once." env:"-" placeholder:"TIME"`
	JSON   bool          `help:"Print each alarm as one line of JSON." env:"-"`
}

// Run ends with the code for tampering at the first alarm. That it could not look is
// an error when it looks once, and a line when it goes on.
func (c *monitorCmd) Run(ctx context.Context, o console) error {
	keys, trust, err := readTrust(c.Trust, c.Root)
	if err != nil {
		return err
	}
	m := &watch.Monitor{Remote: watch.Remote{Base: strings.TrimSuffix(c.Server, "/") + "/log"}, Trust: trust, LogKey: keys.Log}
	if c.Token != "" {
		m.Envelopes = statements(&client.Client{Base: c.Server, Token: c.Token})
	}
	for {
		err := c.look(ctx, o, m)
		var alarm *coded
		if c.Every <= 0 || errors.As(err, &alarm) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			fmt.Fprintln(o.Err, "proctor: could not look:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
	}
}

func statements(c *client.Client) func(context.Context, int64, int) ([][]byte, error) {
	return func(ctx context.Context, from int64, n int) (out [][]byte, err error) {
		list, err := c.LogEntries(ctx, from, n)
		for _, b := range list {
			out = append(out, b)
		}
		return out, err
	}
}

func (c *monitorCmd) look(ctx context.Context, o console, m *watch.Monitor) error {
	was, err := readState(c.State)
	if err != nil {
		return err
	}
	next, alarms, err := m.Look(ctx, was)
	for _, a := range alarms {
		if err := c.say(o, a); err != nil {
			return err
		}
	}
	if len(alarms) > 0 { // the state stays: the next look says it again
		return &coded{exitTampered, fmt.Errorf("%s", count(len(alarms), "alarm"))}
	}
	if errors.Is(err, watch.ErrState) {
		return usagef("%s: %v", c.State, err)
	}
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(c.State, append(b, '\n')); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "log %s: %d entries, no alarm\n", next.Origin, next.Size)
	return err
}

func (c *monitorCmd) say(o console, a watch.Alarm) error {
	if c.JSON {
		return json.NewEncoder(o.Out).Encode(a)
	}
	at := "log"
	if a.Index >= 0 {
		at = fmt.Sprintf("entry %d", a.Index)
	}
	_, err := fmt.Fprintf(o.Out, "ALARM %s, %s: %s\n", a.Kind, at, a.Text)
	return err
}

// readState returns nil if there is none yet.
func readState(path string) (*watch.State, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s watch.State
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, usagef("%s is not the state of a monitor: %v", path, err)
	}
	return &s, nil
}
