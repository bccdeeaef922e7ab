package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"proctor/harness/gate"
	"proctor/harness/report"
	"proctor/web/api"
)

// requirements writes what a release gate pins, and asks the gate's own code about
// every candidate, offline, from the files alone.
func (t *story) requirements(ctx context.Context) error {
	trust, err := t.people["anna"].Trust(ctx)
	if err != nil {
		return err
	}
	if t.trust, err = json.MarshalIndent(trust, "", "  "); err != nil {
		return err
	}
	t.summary.Trust, t.summary.Requirements = filepath.Join(t.Dir, "trust.json"), filepath.Join(t.Dir, "requirements.json")
	b, _, err := t.people["rita"].Report(ctx, t.summary.FirstModel.Run)
	if err != nil {
		return err
	}
	var rep report.Report
	if err := json.Unmarshal(b, &rep); err != nil {
		return err
	}
	want := gate.Requirements{
		Format: gate.RequirementsFormat, VerifierID: demoName, ResourceURI: t.service.Gate(demoLineage), PolicyDigest: rep.Policy.Digest,
	}
	text, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		return err
	}
	if err := writeTrust(t.Dir, trust); err != nil {
		return err
	}
	if err := replace(t.summary.Requirements, append(text, '\n')); err != nil {
		return err
	}
	t.printf("\nThe release gate, offline, from the files alone:\n")
	for i := range t.summary.Candidates {
		r := &t.summary.Candidates[i]
		r.Gate = t.ask(r, want)
		t.printf("  %-14s %s\n", r.Candidate, r.Gate)
	}
	return nil
}

func (t *story) ask(r *demoResult, want gate.Requirements) string {
	in := gate.Input{Requirements: want, Model: filepath.Join(t.Dir, "models", r.Candidate), Now: time.Now()}
	var err error
	if in.Trust, err = gate.ParseTrust(t.trust); err != nil {
		return "shut: " + err.Error()
	}
	file := r.Approval
	if file == "" {
		file = r.Bundle // a pipeline that tries its luck with what it has
	}
	if in.Approval, err = os.ReadFile(file); err != nil {
		return "shut: " + err.Error()
	}
	if _, err := gate.Check(in); err != nil {
		return "shut: " + err.Error()
	}
	return "open"
}

func (t *story) audit(ctx context.Context) error {
	a, err := t.people["anna"].Audit(ctx)
	if err != nil {
		return err
	}
	var v api.Audit
	if err := json.Unmarshal(a, &v); err != nil {
		return err
	}
	if t.summary.AuditOK = v.OK; !v.OK {
		return fmt.Errorf("the audit found: %v", v.Problems)
	}
	t.printf("\nThe audit recomputed %d log entries and everything that rests on them: no contradiction.\n", v.Size)
	return nil
}

// end says where everything lies and how to check it without this program, and
// keeps the page up until it is told to stop.
func (t *story) end(ctx context.Context, o console) error {
	good := t.summary.Candidates[0]
	t.printf("\nDone in %.0f s. Check a verdict yourself, offline:\n", t.summary.Seconds)
	t.printf("  %s --bundle %s \\\n    --trust %s --requirements %s --model %s\n", t.command("proctor-gate"), quote(good.Approval),
		quote(t.summary.Trust), quote(t.summary.Requirements), quote(filepath.Join(t.Dir, "models", good.Candidate)))
	t.printf("The same with openssl alone or with @sigstore/verify: docs/verify.md\n")
	t.printf("\n  %-9s %s\n  %-9s %s\n", "verdicts", filepath.Join(t.Dir, "verdicts"), "keys", filepath.Join(t.Dir, "trust.json")+", *.pub.pem, trusted_root.json")
	t.printf("  %-9s %s\n", "tokens", filepath.Join(t.Dir, "tokens.json"))
	if t.JSON {
		if err := printJSON(o.Out, t.summary); err != nil {
			return err
		}
	}
	if t.Exit {
		t.printf("\nThe page again: %s serve --dir %s --name %s\n", t.command("proctor"), quote(filepath.Join(t.Dir, "data")), demoName)
		return nil
	}
	t.printf("\nOpen the page and sign in as rita, a reviewer of this demo, with the token\n  %s\nStop with Ctrl-C.\n", t.tokens["rita"])
	<-ctx.Done()
	return nil
}

// command is how a program of this project is called from here.
func (t *story) command(name string) string {
	if _, err := os.Stat(filepath.Join("cmd", name, "main.go")); err == nil {
		return "go run ./cmd/" + name
	}
	return name
}

// quote makes one word of a path for a shell.
func quote(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@", r))
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
