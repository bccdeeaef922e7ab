package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/gate"
	"proctor/harness/runner"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
	"proctor/web/api"
)

var update = flag.Bool("update", false, "make ../../testdata/vectors again, with new keys")

const vectors = "../../testdata/vectors"

var today = verdicttest.At.Add(24 * time.Hour)

// files are the arguments of an honest call.
type files struct{ bundle, evidence, trust, requirements, model string }

func in(dir string) files {
	p := func(name string) string { return filepath.Join(dir, name) }
	return files{p("approval.json"), p("evidence.json"), p("trust.json"), p("requirements.json"), p("model")}
}

func (f files) args(more ...string) []string {
	return append([]string{"--bundle", f.bundle, "--evidence", f.evidence, "--trust", f.trust, "--requirements", f.requirements, "--model", f.model}, more...)
}

func call(now time.Time, args ...string) (int, string) {
	var out bytes.Buffer
	exit := run(args, now, &out, io.Discard)
	return exit, out.String()
}

// The vectors were made once. What was accepted then is accepted for ever, and
// what was refused is refused.
func TestVectors(t *testing.T) {
	if *update {
		makeVectors(t)
	}
	if exit, out := call(today, in(vectors).args()...); exit != 0 || !strings.HasPrefix(out, "OPEN: v2 (sha256:") || strings.Count(out, "\n") != 1 {
		t.Errorf("exit %d: %s", exit, out)
	}
	rejects, err := filepath.Glob(filepath.Join(vectors, "reject", "*.json"))
	if err != nil || len(rejects) < 15 {
		t.Fatalf("%d vectors to refuse: %v", len(rejects), err)
	}
	for _, path := range rejects {
		f := in(vectors)
		f.bundle = path
		exit, out := call(today, f.args("--json")...)
		var a answer
		if err := json.Unmarshal([]byte(out), &a); err != nil || exit != exitInvalid || a.Open || a.Code != gate.Invalid || a.Step != 1 {
			t.Errorf("%s: exit %d: %s", filepath.Base(path), exit, out)
		}
	}
}

// Each kind of refusal has its exit code, and one line says why.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := in(vectors)
	empty, huge, nul := file("empty", ""), file("huge", strings.Repeat(" ", verdict.MaxBundle+1)), file("nul", "\x00")
	requirements, err := os.ReadFile(good.requirements)
	if err != nil {
		t.Fatal(err)
	}
	other := file("other", strings.Replace(string(requirements), "gates/income", "gates/credit", 1))
	misspelt := file("misspelt", strings.Replace(string(requirements), "resource_uri", "resource_url", 1))
	with := func(change func(*files)) []string { f := good; change(&f); return f.args() }
	for name, c := range map[string]struct {
		args []string
		now  time.Time
		exit int
		says string
	}{
		"open":                 {good.args(), today, exitOpen, "OPEN: "},
		"old":                  {good.args(), today.AddDate(0, 1, 0), exitDenied, "CLOSED: the approval is valid from"},
		"another gate":         {with(func(f *files) { f.requirements = other }), today, exitDenied, "gates/credit"},
		"another model":        {with(func(f *files) { f.model = dir }), today, exitDenied, "the model in the folder"},
		"evidence as approval": {with(func(f *files) { f.bundle = f.evidence }), today, exitAwaiting, "not its approval"},
		"approval as evidence": {with(func(f *files) { f.evidence = f.bundle }), today, exitInvalid, "not logged evidence"},
		"rubbish":              {with(func(f *files) { f.bundle = nul }), today, exitInvalid, "not JSON"},
		"no arguments":         {nil, today, exitUsage, "--model is missing"},
		"no such command":      {[]string{"chek"}, today, exitUsage, `"chek" is no command`},
		"unknown flag":         {good.args("--insecure"), today, exitUsage, ""},
		"extra argument":       {good.args("x"), today, exitUsage, "no such file"},
		"help":                 {[]string{"--help"}, today, exitUsage, ""},
		"bundle missing":       {with(func(f *files) { f.bundle = "" }), today, exitUsage, "--bundle is missing"},
		"bundle absent":        {with(func(f *files) { f.bundle += "x" }), today, exitUsage, "no such file"},
		"bundle empty":         {with(func(f *files) { f.bundle = empty }), today, exitUsage, "empty is empty"},
		"bundle huge":          {with(func(f *files) { f.bundle = huge }), today, exitUsage, "longer than"},
		"bundle a folder":      {with(func(f *files) { f.bundle = dir }), today, exitUsage, "directory"},
		"endless bundle":       {with(func(f *files) { f.bundle = "/dev/zero" }), today, exitUsage, "longer than"},
		"evidence empty":       {with(func(f *files) { f.evidence = empty }), today, exitUsage, "empty is empty"},
		"evidence needed":      {with(func(f *files) { f.evidence = "" }), today, exitUsage, "give its bundle"},
		"trust empty":          {with(func(f *files) { f.trust = empty }), today, exitUsage, "empty is empty"},
		"trust is no trust":    {with(func(f *files) { f.trust = f.requirements }), today, exitUsage, "trust: key"},
		"requirements empty":   {with(func(f *files) { f.requirements = empty }), today, exitUsage, "empty is empty"},
		"requirements wrong":   {with(func(f *files) { f.requirements = misspelt }), today, exitUsage, `"resource_url" is unknown`},
		"model missing":        {with(func(f *files) { f.model = "" }), today, exitUsage, "--model is missing"},
		"model absent":         {with(func(f *files) { f.model += "x" }), today, exitUsage, "no such file"},
	} {
		exit, out := call(c.now, c.args...)
		if exit != c.exit || !strings.Contains(out, c.says) || c.exit != 0 && strings.Contains(out, "OPEN") || strings.Count(out, "\n") > 1 {
			t.Errorf("%s: exit %d, want %d: %s", name, exit, c.exit, out)
		}
		if exit, out := call(c.now, append([]string{"--json"}, c.args...)...); exit != c.exit || out != "" && !json.Valid([]byte(out)) {
			t.Errorf("%s, --json: exit %d, want %d: %s", name, exit, c.exit, out)
		}
	}
}

// The gate remembers what it saw: another history of the same size does not pass, and
// a yes that cannot be remembered is none.
func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.json")
	args := in(vectors).args("--memory", path)
	for range 2 {
		if exit, out := call(today, args...); exit != exitOpen {
			t.Fatalf("exit %d: %s", exit, out)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := gate.ParseMemory(b)
	if err != nil || m.Size < 1 {
		t.Fatalf("%+v %v", m, err)
	}
	m.Root = strings.Repeat("A", 43) + "="
	other, _ := json.Marshal(m)
	if err := os.WriteFile(path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, out := call(today, args...); exit != exitDenied || !strings.Contains(out, "another history") {
		t.Errorf("exit %d: %s", exit, out)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, out := call(today, args...); exit != exitUsage {
		t.Errorf("a damaged memory: exit %d: %s", exit, out)
	}
	if exit, out := call(today, in(vectors).args("--memory", filepath.Join(t.TempDir(), "none", "m"))...); exit != exitInternal || strings.Contains(out, "OPEN") {
		t.Errorf("not remembered: exit %d: %s", exit, out)
	}
}

// What the gate explains is what docs/verify.md lists, and it never says that a step
// passed which was not reached.
func TestExplain(t *testing.T) {
	doc, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range gate.Untried() {
		found := false
		for line := range strings.Lines(string(doc)) {
			found = found || strings.HasPrefix(line, fmt.Sprintf("| %d |", i+1)) && strings.Contains(line, "| "+strings.Fields(step.Stops)[0])
		}
		if !found {
			t.Errorf("docs/verify.md has no step %d against %s", i+1, step.Stops)
		}
	}
	good := in(vectors)
	old := today.AddDate(0, 1, 0)
	for name, c := range map[string]struct {
		args                                  []string
		now                                   time.Time
		exit, passed, notReached, notDemanded int
	}{
		"open":      {good.args("--explain"), today, 0, 8, 0, 6},
		"by a word": {append([]string{"explain"}, good.args()...), today, 0, 8, 0, 6},
		"stale":     {good.args("--explain"), old, exitDenied, 4, 9, 0},
		"nothing":   {[]string{"--explain"}, today, exitUsage, 0, 14, 0},
	} {
		exit, out := call(c.now, c.args...)
		if exit != c.exit || strings.Count(out, "  passed ") != c.passed || strings.Count(out, "  not reached ") != c.notReached || strings.Count(out, "  not demanded ") != c.notDemanded {
			t.Errorf("%s: exit %d\n%s", name, exit, out)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A yes that nobody could read is not a yes.
func TestAnswerNotWritten(t *testing.T) {
	if exit := run(in(vectors).args(), today, broken{}, io.Discard); exit != exitInternal {
		t.Errorf("exit %d", exit)
	}
}

func TestTrustFile(t *testing.T) {
	text, err := os.ReadFile(in(vectors).trust)
	if err != nil {
		t.Fatal(err)
	}
	var keys api.Trust
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*api.Trust){
		"one key for both": func(k *api.Trust) { k.Approve = k.Evidence },
		"no log":           func(k *api.Trust) { k.Log = "" },
		"no approve key":   func(k *api.Trust) { k.Approve = "" },
		"two keys in one":  func(k *api.Trust) { k.Approve += k.Evidence },
	} {
		k := keys
		change(&k)
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gate.ParseTrust(b); err == nil {
			t.Errorf("%s: trusted", name)
		}
	}
}

// The gate and the service give a package one digest, or both none.
func TestDigestAgreesWithRunner(t *testing.T) {
	var dirs []string
	err := filepath.WalkDir("../../testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == runner.ManifestFile {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	if err != nil || len(dirs) < 2 {
		t.Fatalf("%d models: %v", len(dirs), err)
	}
	deep := t.TempDir()
	for name, text := range map[string]string{
		"proctor-model.json": `{"protocol":"proctor/1","kind":"command","command":["./serve"],"input":"jsonl","batch_max":4,"task":"classification","classes":["a","b"]}`,
		"serve":              "x", "a/b": "1", "a-b": "2", "a/é": "3", "B": "4", ".git/HEAD": "5", "empty": "", "a.b/c": "6",
	} {
		path := filepath.Join(deep, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(deep, "empty-folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, dir := range append(dirs, deep) {
		p, err := runner.ReadPackage(dir)
		if err != nil && strings.Contains(err.Error(), "is not in the package") {
			continue // the source of a package that is built first
		}
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		compared++
		if got, err := gate.PackageDigest(dir); err != nil || got != p.Digest {
			t.Errorf("%s: the gate says %s (%v), the service %s", dir, got, err, p.Digest)
		}
	}
	if compared < 3 {
		t.Errorf("%d packages were compared", compared)
	}
	// What the service refuses never has an approval; what the digest cannot bind
	// the gate refuses by itself.
	if err := os.Symlink("a-b", filepath.Join(deep, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := runner.ReadPackage(deep); err == nil {
		t.Error("the service took a link")
	}
	if _, err := gate.PackageDigest(deep); err == nil {
		t.Error("the gate took a link")
	}
}

// The commands of docs/verify.md give the same digest with stock tools.
func TestDigestBySha256sum(t *testing.T) {
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip("sha256sum is not installed")
	}
	doc, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(doc), "<!-- test: digest -->\n```sh\n")
	if !ok {
		t.Fatal("docs/verify.md has no commands for the digest")
	}
	script, _, _ = strings.Cut(script, "```")
	want, err := gate.PackageDigest(filepath.Join(vectors, "model"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("bash", "-euc", script)
	c.Dir = vectors
	if out, err := c.Output(); err != nil || "sha256:"+strings.Fields(string(out) + " -")[0] != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}

// makeVectors writes bundles by new keys that nobody keeps.
func makeVectors(t *testing.T) {
	w := verdicttest.New(t)
	for i := range 5 {
		w.Append(t, fmt.Appendf(nil, "entry %d", i))
	}
	put := func(name string, b []byte) {
		path := filepath.Join(vectors, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(bytes.TrimSuffix(b, []byte("\n")), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("model/proctor-model.json", []byte(`{"protocol":"proctor/1","kind":"command","command":["./serve"],"input":"jsonl","batch_max":64,"task":"classification","classes":["no","yes"]}`))
	put("model/serve", []byte("#!/bin/sh\nexit 1"))
	put("model/weights/layer-0.txt", []byte("0.25 0.5"))
	digest, err := gate.PackageDigest(filepath.Join(vectors, "model"))
	if err != nil {
		t.Fatal(err)
	}
	env, evidence := w.Issue(t, verdicttest.Passed(digest))
	signed, approval := w.Issue(t, w.Approval(t, env))
	put("evidence.json", evidence)
	put("approval.json", approval)
	req, err := json.MarshalIndent(gate.Requirements{Format: gate.RequirementsFormat, VerifierID: verdicttest.VerifierID, ResourceURI: verdicttest.ResourceURI,
		PolicyDigest: verdicttest.Digest("c"), Binding: "package", TierAtLeast: "jail"}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	put("requirements.json", req)
	keys := api.Trust{Log: w.Log.Key()}
	if keys.Evidence, err = verdict.PublicPEM(w.Evidence.Public()); err != nil {
		t.Fatal(err)
	}
	if keys.Approve, err = verdict.PublicPEM(w.Approve.Public()); err != nil {
		t.Fatal(err)
	}
	root, err := verdict.TrustedRoot(w.Log.Key(), verdicttest.At)
	if err != nil {
		t.Fatal(err)
	}
	keys.Root = string(root)
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	put("trust.json", text)
	for name, b := range rejected(t, w, signed, approval) {
		put("reject/"+name+".json", b)
	}
}

// rejected are bundles that some client accepts and ours does not, among others.
func rejected(t *testing.T, w *verdicttest.World, signed *verdict.Envelope, approval []byte) map[string][]byte {
	payload := func(old, new string) []byte {
		if !bytes.Contains(signed.Payload(), []byte(old)) {
			t.Fatalf("%s is not in the payload", old)
		}
		return bytes.Replace(signed.Payload(), []byte(old), []byte(new), 1)
	}
	forged := func(old, new string) []byte {
		return w.Bundle(t, verdicttest.Forgery{Payload: payload(old, new), Key: w.Approve}, nil)
	}
	edited := func(v any, path ...any) []byte {
		o := verdicttest.Parse(t, approval)
		o.Set(v, path...)
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	entry := func(v any, path ...any) []byte {
		return edited(v, append([]any{"verificationMaterial", "tlogEntries", 0}, path...)...)
	}
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	other := verdicttest.New(t)
	return map[string][]byte{
		"signed-by-evidence-key": w.Bundle(t, verdicttest.Forgery{Payload: signed.Payload(), Key: w.Evidence}, nil),
		"signed-by-unknown-key":  w.Bundle(t, verdicttest.Forgery{Payload: signed.Payload(), Key: other.Approve}, nil),
		"logged-elsewhere":       other.Bundle(t, verdicttest.Forgery{Payload: signed.Payload(), Key: w.Approve}, nil),
		"signed-without-pae":     w.Bundle(t, verdicttest.Forgery{Payload: signed.Payload(), Key: w.Approve, NoPAE: true}, nil),
		"result-failed":          forged("PASSED", "FAILED"),
		"statement-v0.1":         forged("Statement/v1", "Statement/v0.1"),
		"duplicate-key":          forged(`"verificationResult"`, `"verificationResult":"FAILED","verificationResult"`),
		"key-in-two-cases":       forged(`"verificationResult"`, `"VerificationResult":"FAILED","verificationResult"`),
		"second-subject":         forged(`"subject":[`, `"subject":[{"name":"x","digest":{"sha256":"`+strings.Repeat("2", 64)+`"}},`),
		"second-digest":          forged(`"digest":{"sha256"`, `"digest":{"sha512":"00","sha256"`),
		"unknown-field":          forged(`"predicateType"`, `"extra":1,"predicateType"`),
		"trailing-bytes":         w.Bundle(t, verdicttest.Forgery{Payload: append(bytes.Clone(signed.Payload()), "{}"...), Key: w.Approve}, nil),
		"payload-edited":         edited(base64.StdEncoding.EncodeToString(payload("2026-09-20", "2027-09-20")), "dsseEnvelope", "payload"),
		"payload-type":           edited("application/json", "dsseEnvelope", "payloadType"),
		"keyid":                  edited("k", "dsseEnvelope", "signatures", 0, "keyid"),
		"no-signature":           edited([]any{}, "dsseEnvelope", "signatures"),
		"no-log-entry":           edited([]any{}, "verificationMaterial", "tlogEntries"),
		"outer-log-index":        entry("1", "logIndex"),
		"inner-log-index":        entry("1", "inclusionProof", "logIndex"),
		"tree-size":              entry("99", "inclusionProof", "treeSize"),
		"root-hash":              entry(zero, "inclusionProof", "rootHash"),
		"proof-hash":             entry(zero, "inclusionProof", "hashes", 0),
		"integrated-time":        entry("1700000000", "integratedTime"),
		"kind-version":           entry("0.0.1", "kindVersion", "version"),
		"canonicalized-body":     entry(zero, "canonicalizedBody"),
		"log-id":                 entry(zero, "logId", "keyId"),
	}
}
