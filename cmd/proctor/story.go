package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"proctor/harness/access"
	"proctor/harness/jail"
	"proctor/testdata/income"
	"proctor/web/api"
	"proctor/web/client"
)

// A story is a demo that is being told.
type story struct {
	*demoCmd
	say     io.Writer
	service *service
	base    string
	people  map[string]*client.Client
	tokens  map[string]string
	trust   []byte
	summary demoSummary
}

func (t *story) printf(format string, args ...any) { fmt.Fprintf(t.say, format, args...) }

// tell runs the steps. Each is a call over HTTP with the token of the one who does it.
func (t *story) tell(ctx context.Context) error {
	tier, why := jail.Probe()
	t.summary.Dir, t.summary.Page, t.summary.Tier = t.Dir, t.base, string(tier)
	t.printf("proctor demo\n  folder   %s\n  page     %s\n  tier     %s: how this machine can confine a model\n", t.Dir, t.base, tier)
	for _, w := range why {
		t.printf("           not stronger: %s\n", w)
	}
	t.printf("\nThe exam, each part proposed by one person and activated by another:\n")
	for _, step := range []func(context.Context) error{t.hire, t.seal, t.suites, t.policy, t.first, t.candidates, t.requirements, t.audit} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cast are the people of the demo; everybody is one person with one account.
var cast = []struct {
	id    string
	roles []access.Role
	robot bool
}{
	{"cora", []access.Role{access.Curator}, false}, {"carl", []access.Role{access.Curator}, false},
	{"paula", []access.Role{access.PolicyOwner}, false}, {"pavel", []access.Role{access.PolicyOwner}, false},
	{"rita", []access.Role{access.Reviewer}, false}, {"rob", []access.Role{access.Reviewer}, false},
	{"anna", []access.Role{access.Auditor}, false},
	{"pipeline", []access.Role{access.Submitter}, true},
}

func (t *story) hire(ctx context.Context) error {
	for _, p := range cast {
		token, err := t.service.AddAccount(ctx, access.Principal{ID: p.id, Person: p.id, Robot: p.robot, Roles: p.roles}, 30*24*time.Hour)
		if err != nil {
			return err
		}
		t.people[p.id], t.tokens[p.id] = &client.Client{Base: t.base, Token: token}, token
	}
	b, err := json.MarshalIndent(t.tokens, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.Dir, "tokens.json"), append(b, '\n'), 0o600)
}

// activate has a second person put a proposal in force.
func (t *story) activate(ctx context.Context, c api.Change, err error, by string) error {
	if err != nil {
		return err
	}
	if _, err := t.people[by].Decide(ctx, c.ID, true); err != nil {
		return err
	}
	t.printf("  %-8s %s (%s, %s)\n", c.Kind, c.Note, c.Proposer, by)
	return nil
}

func (t *story) seal(ctx context.Context) error {
	spec, err := fs.ReadFile(income.Files, "seal.yaml")
	if err != nil {
		return err
	}
	var tables [2][]byte
	for i, name := range []string{"sealed.csv.gz", "reserve.csv.gz"} {
		if tables[i], err = unzip(name); err != nil {
			return err
		}
	}
	c, err := t.people["cora"].ProposeHoldout(ctx, "csv", spec, bytes.NewReader(tables[0]), bytes.NewReader(tables[1]))
	return t.activate(ctx, c, err, "carl")
}

func unzip(name string) ([]byte, error) {
	f, err := income.Files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func (t *story) suites(ctx context.Context) error {
	dir, err := fs.Sub(income.Files, "suites")
	if err != nil {
		return err
	}
	for _, name := range []string{"income-triggers", "income-invariance"} {
		b, err := archiveSuite(ctx, dir, name+".yaml")
		if err != nil {
			return err
		}
		c, err := t.people["cora"].ProposeSuite(ctx, bytes.NewReader(b))
		if err := t.activate(ctx, c, err, "carl"); err != nil {
			return err
		}
	}
	return nil
}

func (t *story) policy(ctx context.Context) error {
	text, err := fs.ReadFile(income.Files, "policy.yaml")
	if err != nil {
		return err
	}
	c, err := t.people["paula"].ProposePolicy(ctx, text)
	return t.activate(ctx, c, err, "pavel")
}

// first brings v1 in: nothing is there to compare it with, so that two people look.
func (t *story) first(ctx context.Context) error {
	t.printf("\nThe first model, by the rule for first models:\n")
	r, err := t.submit(ctx, "v1")
	if err != nil {
		return err
	}
	t.printf("  %-14s %-12s %s\n", r.Candidate, r.Decision, told(r))
	for _, who := range []string{"rita", "rob"} {
		if err := t.review(ctx, who, r.Run, r.ReportDigest, "First model; both of us read the report."); err != nil {
			return err
		}
	}
	c, err := t.people["rita"].ProposeBaseline(ctx, demoLineage, r.Run)
	if err := t.activate(ctx, c, err, "rob"); err != nil {
		return err
	}
	t.summary.FirstModel = r
	return nil
}

func (t *story) review(ctx context.Context, who, run, digest, reason string) error {
	_, err := t.people[who].Review(ctx, run, api.Review{Approve: true, Reason: reason, Report: digest})
	return err
}
