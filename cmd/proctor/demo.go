package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"time"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/gate"
	"proctor/harness/jail"
	"proctor/harness/report"
	"proctor/testdata/income"
	"proctor/web/api"
	"proctor/web/client"
)

// demoCmd tells the whole story on a real service: real data, real models, every
// step by the calls that a curator, a pipeline and a reviewer use.
type demoCmd struct {
	Dir  string `help:"Folder for the demo's data; a new temporary one if not given." type:"path"`
	Addr string `help:"Address of the page." default:"127.0.0.1:7800"`
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
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "proctor-demo-"); err != nil {
			return err
		}
	}
	l, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer l.Close()
	d := dataDir{Dir: filepath.Join(c.Dir, "data"), Name: demoName}
	if _, err := os.Stat(d.path("FORMAT")); err == nil {
		return usagef("%s holds a demo already; give another folder", c.Dir)
	}
	if err := os.MkdirAll(c.Dir, 0o711); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(c.Dir, "service.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	log := slog.New(slog.NewJSONHandler(logFile, nil))
	s, err := d.open(ctx, log, func(hc *harness.Config) { hc.CanarySeed = &demoSeed })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.serve(serving, l, log, false, 1) }()

	t := &story{demoCmd: c, say: say, dir: d, base: "http://" + l.Addr().String(), people: map[string]*client.Client{}, tokens: map[string]string{}}
	t.store = s
	if err := t.tell(ctx); err != nil {
		stop()
		return errors.Join(err, <-done)
	}
	t.summary.Seconds = time.Since(began).Seconds()
	t.end()
	if c.JSON {
		if err := printJSON(o.Out, t.summary); err != nil {
			return err
		}
	}
	if !c.Exit {
		fmt.Fprintf(say, "\nThe page is up at %s; stop with Ctrl-C.\n", t.base)
		<-ctx.Done()
	}
	stop()
	return <-done
}

// A story is a demo that is being told.
type story struct {
	*demoCmd
	say     io.Writer
	dir     dataDir
	store   *service
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
	t.printf("proctor demo: %s\n", t.Dir)
	t.printf("  this machine confines models to tier %q", tier)
	for _, w := range why {
		t.printf("\n    not stronger: %s", w)
	}
	t.printf("\n\n")
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
		token, err := harness.AddAccount(ctx, t.store.Store, access.Principal{ID: p.id, Person: p.id, Robot: p.robot, Roles: p.roles}, time.Now(), 30*24*time.Hour)
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
	t.printf("  %-8s %s\n           proposed by %s, activated by %s\n", c.Kind, c.Note, c.Proposer, by)
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
		b, err := archive(dir, suiteFiles(name+".yaml"))
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

// candidates submits each as a pipeline would, and shows it as a reviewer would see it.
func (t *story) candidates(ctx context.Context) error {
	t.printf("\nFour candidates against v1. A submitter sees the result word, one coarse reason and the\nbudget left; this is what a reviewer sees:\n\n")
	for _, c := range candidates {
		r, err := t.submit(ctx, c.name)
		if err != nil {
			return err
		}
		if r.Decision == report.Pass {
			if err := t.review(ctx, "rita", r.Run, r.ReportDigest, "Read the diff report: the flips are spread evenly and no group is worse off."); err != nil {
				return err
			}
			if r, err = t.fetch(ctx, c.name, r.Run); err != nil {
				return err
			}
		}
		t.line(r, c.about)
		t.summary.Candidates = append(t.summary.Candidates, r)
	}
	return nil
}

func (t *story) line(r demoResult, about string) {
	t.printf("  %-14s %-12s headline %+.2f pp, %d broke, %d fixed   (%s)\n", r.Candidate, r.Decision, r.HeadlinePP, r.Broke, r.Fixed, about)
	if r.DecidedBy != nil {
		t.printf("  %14s decided by %s: %s\n", "", r.DecidedBy.Claim, r.DecidedBy.Sentence)
	} else {
		t.printf("  %14s %s\n", "", r.Sentence)
	}
}

// submit sends a package and waits for its verdict.
func (t *story) submit(ctx context.Context, name string) (demoResult, error) {
	dir, err := fs.Sub(income.Files, "models/"+name)
	if err != nil {
		return demoResult{}, err
	}
	b, err := archive(dir, everything)
	if err != nil {
		return demoResult{}, err
	}
	s, err := t.people["pipeline"].Submit(ctx, demoLineage, name, bytes.NewReader(b))
	if err != nil {
		return demoResult{}, err
	}
	last := ""
	s, err = t.people["pipeline"].Wait(ctx, s.ID, func(s api.Submission) {
		if s.Stage != last {
			t.printf("  %-14s ... %s\n", name, s.Stage)
			last = s.Stage
		}
	})
	if err != nil {
		return demoResult{}, err
	}
	if s.State != "done" {
		return demoResult{}, fmt.Errorf("%s ended without a verdict: %s %s", name, s.Reason, s.Sentence)
	}
	return t.fetch(ctx, name, s.ID)
}

// fetch writes what is signed about a run to the demo's folder and says what it holds.
func (t *story) fetch(ctx context.Context, name, run string) (demoResult, error) {
	r := demoResult{Candidate: name, Run: run}
	dir := filepath.Join(t.Dir, "verdicts", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r, err
	}
	reviewer := t.people["rita"]
	b, digest, err := reviewer.Report(ctx, run)
	if err != nil {
		return r, err
	}
	rep, err := report.Decode(b, digest)
	if err != nil {
		return r, err
	}
	r.Report, r.ReportDigest = filepath.Join(dir, "report.json"), digest
	if err := os.WriteFile(r.Report, b, 0o644); err != nil {
		return r, err
	}
	if r.Bundle, err = t.save(ctx, run, "evidence", dir); err != nil {
		return r, err
	}
	s, err := reviewer.Submission(ctx, run)
	if err != nil {
		return r, err
	}
	if r.Approved = s.Approved; s.Approved {
		if r.Approval, err = t.save(ctx, run, "approval", dir); err != nil {
			return r, err
		}
	}
	if err := unpackModel(name, filepath.Join(t.Dir, "models", name)); err != nil {
		return r, err
	}
	d := rep.Decision
	r.Decision, r.Sentence, r.Tier, r.Findings = d.Result, d.Sentence, rep.Tier, findingsOf(d)
	r.Broke, r.Fixed = rep.Flips.Broke, rep.Flips.Fixed
	if v := rep.Flips.Change.Value; v != nil {
		r.HeadlinePP = 100 * *v
	}
	if d.Decided >= 0 {
		r.DecidedBy = &r.Findings[d.Decided]
	}
	return r, nil
}

func (t *story) save(ctx context.Context, run, which, dir string) (string, error) {
	b, err := t.people["rita"].Bundle(ctx, run, which)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, which+".bundle.json")
	return file, os.WriteFile(file, b, 0o644)
}

// unpackModel lays a candidate's files out, so that a gate can hash them.
func unpackModel(name, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	dir, err := fs.Sub(income.Files, path.Join("models", name))
	if err != nil {
		return err
	}
	return os.CopyFS(to, dir)
}

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
		Format: gate.RequirementsFormat, VerifierID: demoName, ResourceURI: t.store.Gate(demoLineage), PolicyDigest: rep.Policy.Digest,
	}
	text, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"trust.json", t.trust}, {"requirements.json", text}, {"trusted_root.json", []byte(trust.Root)}, {"evidence.pub.pem", []byte(trust.Evidence)}, {"approve.pub.pem", []byte(trust.Approve)}} {
		if err := os.WriteFile(filepath.Join(t.Dir, f.name), append(bytes.TrimSpace(f.text), '\n'), 0o644); err != nil {
			return err
		}
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

// end says where everything lies and how to check it without this program.
func (t *story) end() {
	good := t.summary.Candidates[0]
	t.printf("\nDone in %.0f s. Check a verdict yourself, offline:\n", t.summary.Seconds)
	t.printf("  go run ./cmd/proctor-gate --bundle %s \\\n    --trust %s --requirements %s --model %s\n", good.Approval, t.summary.Trust, t.summary.Requirements, filepath.Join(t.Dir, "models", good.Candidate))
	t.printf("  or with openssl and with @sigstore/verify: docs/verify.md; keys: %s\n", filepath.Join(t.Dir, "{approve,evidence}.pub.pem"))
	t.printf("Bundles and reports: %s\nTokens of the demo's people, for the page: %s\n", filepath.Join(t.Dir, "verdicts"), filepath.Join(t.Dir, "tokens.json"))
}
