package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"proctor/harness/verdict"
	"proctor/web/api"
	"proctor/web/client"
)

// target is how something that verdicts rest on is named on the command line.
type target struct {
	What string `arg:"" help:"Digest of a package, verdict, sealed set, suite, policy or harness build; a person's name with --person; a file with a public key (PEM) with --key."`

	Person bool `help:"It is the name of a person." xor:"what" env:"-"`
	Key    bool `help:"It is a file with a signing key's public part." xor:"what" env:"-"`
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (t target) digest() (string, error) {
	switch {
	case t.Person && t.What == "":
		return "", usagef("--person: the name is empty; proctor access lists people")
	case t.Person:
		return verdict.PersonDigest(t.What), nil
	case t.Key:
		text, err := os.ReadFile(t.What)
		if err != nil {
			return "", err
		}
		k, err := verdict.ParsePublicPEM(string(text))
		if err != nil {
			return "", usagef("%s: %v", t.What, err)
		}
		return verdict.KeyDigest(k)
	case !digestForm.MatchString(t.What):
		return "", usagef("%q is no digest, sha256: and 64 lower-case hex digits; a person is named with --person, a key with --key", clip(t.What))
	}
	return t.What, nil
}

type impactCmd struct {
	remote
	target
	JSON bool `help:"Print the list as JSON." env:"-"`
}

// Run lists what would fall with it.
func (c *impactCmd) Run(ctx context.Context, o console) error {
	digest, err := c.digest()
	if err != nil {
		return err
	}
	list, err := c.client().Impact(ctx, digest)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.Out, list)
	}
	approved := 0
	for _, v := range list {
		state := "not approved"
		if v.Approval != "" {
			state = "approved until " + v.LastDay
		}
		if v.Revoked != "" {
			state = v.Revoked
		} else if v.Approval != "" {
			approved++
		}
		fmt.Fprintf(o.Out, "%s  %-12s  %-13s  %s (%s)  rests on the %s %s\n", v.Run, v.Candidate, v.Result, state, v.Lineage, v.Kind, v.Name)
	}
	_, err = fmt.Fprintf(o.Out, "%s on %s; approvals in force: %d\n", restOf(len(list)), digest, approved)
	return err
}

func restOf(n int) string {
	if n == 1 {
		return "1 verdict rests"
	}
	return fmt.Sprintf("%d verdicts rest", n)
}

type revokeCmd struct {
	remote
	target
	Kind       string `help:"What it is: verdict, package, holdout, suite, policy or harness; not needed for a person or a key." placeholder:"KIND" env:"-"`
	Reason     string `help:"Why; it is signed and logged." required:"" placeholder:"TEXT" env:"-"`
	LeakedFrom int64  `help:"Of a key that leaked: log entries from this index on may be the thief's; those before stay valid." placeholder:"INDEX" env:"-"`
}

// Run proposes; a second person activates.
func (c *revokeCmd) Run(ctx context.Context, o console) error {
	digest, err := c.digest()
	if err != nil {
		return err
	}
	kind := c.Kind
	switch {
	case c.Person:
		kind = verdict.RevokePerson
	case c.target.Key:
		kind = verdict.RevokeKey
	case kind == "":
		return usagef("--kind is missing: %s", strings.Join(verdict.RevocationKinds(), ", "))
	}
	v, err := c.client().ProposeRevocation(ctx, api.Revocation{Kind: kind, Digest: digest, From: c.LeakedFrom, Reason: c.Reason})
	if err != nil {
		return err
	}
	return printChange(o, v)
}

type revocationsCmd struct {
	Server string        `help:"Address of the service." default:"http://127.0.0.1:7800" placeholder:"URL"`
	Trust  string        `help:"File with the pinned keys." required:"" type:"path" env:"-" placeholder:"FILE"`
	Root   string        `help:"File with the root keys, if --trust is a file that they signed." type:"path" env:"-" placeholder:"FILE"`
	Out    string        `help:"File to put the list in, whole or not at all." required:"" type:"path" env:"-" placeholder:"FILE"`
	Every  time.Duration `help:"Fetch again after that long, for ever; else once." env:"-" placeholder:"TIME"`
}

// Run fetches the list for gates that stay offline. It needs no token. One that the keys
// did not sign is not kept; the old one then gets too old by itself.
func (c *revocationsCmd) Run(ctx context.Context, o console) error {
	for {
		err := c.fetch(ctx, o)
		if c.Every <= 0 || ctx.Err() != nil {
			return err
		}
		if err != nil {
			fmt.Fprintln(o.Err, "proctor: no fresh list:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
	}
}

func (c *revocationsCmd) fetch(ctx context.Context, o console) error {
	_, trust, err := readTrust(c.Trust, c.Root)
	if err != nil {
		return err
	}
	b, err := (&client.Client{Base: c.Server}).Revocations(ctx)
	if err != nil {
		return err
	}
	list, err := verdict.OpenRevocations(b, trust)
	if err != nil {
		return &coded{exitTampered, err}
	}
	if old, err := os.ReadFile(c.Out); err == nil {
		if before, err := verdict.OpenRevocations(old, trust); err == nil && before.Sequence > list.Sequence {
			return &coded{exitTampered, errors.New("the service sends a list that reaches less far than the one that is here")}
		}
	}
	if err := replace(c.Out, b); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "%d revoked, as of log entry %d, %s\n", len(list.Revoked), list.Sequence-1, list.At)
	return err
}
