package verdict_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// The commands of docs/verify.md, run with the tools that they name and with
// nothing of ours.
func TestOpenSSL(t *testing.T) {
	for _, tool := range []string{"openssl", "jq", "bash", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	doc, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(doc), "<!-- test: openssl -->\n```sh\n")
	script, _, ok2 := strings.Cut(script, "```")
	if !ok || !ok2 {
		t.Fatal("docs/verify.md has no openssl commands")
	}
	w := verdicttest.New(t)
	env, _ := w.Issue(t, verdicttest.Passed(pkg))
	_, b := w.Issue(t, w.Approval(t, env))
	key, err := verdict.PublicPEM(w.Approve.Public())
	if err != nil {
		t.Fatal(err)
	}
	evidenceKey, err := verdict.PublicPEM(w.Evidence.Public())
	if err != nil {
		t.Fatal(err)
	}
	run := func(bundle []byte, key string) (string, error) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "approval.json"), bundle)
		write(t, filepath.Join(dir, "approve.pem"), []byte(key))
		c := exec.Command("bash", "-euc", script)
		c.Dir = dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run(b, key); err != nil || !strings.Contains(out, "Verified OK") || !strings.Contains(out, "PASSED") || !strings.Contains(out, strings.Repeat("1", 64)) {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run(b, evidenceKey); err == nil {
		t.Errorf("verified with another key:\n%s", out)
	}
	o := verdicttest.Parse(t, b)
	o.Set(base64.StdEncoding.EncodeToString(bytes.Replace(payloadOf(t, b), []byte("PASSED"), []byte("PASSES"), 1)), "dsseEnvelope", "payload")
	changed, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(changed, key); err == nil {
		t.Errorf("verified after a change:\n%s", out)
	}
}

func payloadOf(t *testing.T, bundle []byte) []byte {
	v, _ := verdicttest.Parse(t, bundle).At("dsseEnvelope", "payload")
	b, err := base64.StdEncoding.DecodeString(v.(string))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// verify.cjs is what a user of @sigstore/verify writes: bundle, key, trusted root.
const sigstoreJS = `
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toTrustMaterial, toSignedEntity } = require('@sigstore/verify');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const crypto = require('crypto'), fs = require('fs');
const read = f => JSON.parse(fs.readFileSync(f));
const key = crypto.createPublicKey(fs.readFileSync('key.pem'));
const material = toTrustMaterial(TrustedRoot.fromJSON(read('trusted_root.json')), () => ({ publicKey: key, validFor: () => true }));
const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });
const bundle = bundleFromJSON(read('bundle.json'));
verifier.verify(toSignedEntity(bundle));
const statement = JSON.parse(bundle.content.dsseEnvelope.payload);
console.log('verified', statement.predicateType, statement.subject[0].digest.sha256);
`

// Unmodified @sigstore/verify accepts our bundles offline, log proof included, and
// refuses the same bundle when one of its signed parts is changed.
func TestSigstoreJS(t *testing.T) {
	modules := os.Getenv("PROCTOR_SIGSTORE_JS")
	if modules == "" {
		t.Skip("PROCTOR_SIGSTORE_JS names no folder with @sigstore/verify")
	}
	w := verdicttest.New(t)
	for range 5 {
		w.Append(t, []byte("other entry"))
	}
	env, evidence := w.Issue(t, verdicttest.Passed(pkg))
	_, approval := w.Issue(t, w.Approval(t, env))
	root, err := verdict.TrustedRoot(w.Log.Key(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	run := func(bundle []byte, s verdict.Signer) (string, error) {
		dir := t.TempDir()
		key, err := verdict.PublicPEM(s.Public())
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "key.pem"), []byte(key))
		write(t, filepath.Join(dir, "trusted_root.json"), root)
		write(t, filepath.Join(dir, "bundle.json"), bundle)
		write(t, filepath.Join(dir, "verify.cjs"), []byte(sigstoreJS))
		c := exec.Command("node", "verify.cjs")
		c.Dir = dir
		c.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run(evidence, w.Evidence); err != nil || !strings.Contains(out, "verified "+verdict.EvidenceType+" "+strings.Repeat("1", 64)) {
		t.Errorf("evidence: %v\n%s", err, out)
	}
	if out, err := run(approval, w.Approve); err != nil || !strings.Contains(out, "verified "+verdict.ApprovalType) {
		t.Errorf("approval: %v\n%s", err, out)
	}
	edit := func(v any, path ...any) []byte {
		o := verdicttest.Parse(t, approval)
		o.Set(v, path...)
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, c := range map[string]struct {
		b []byte
		s verdict.Signer
	}{
		"another key":     {approval, w.Evidence},
		"payload changed": {edit(base64.StdEncoding.EncodeToString([]byte(`{}`)), "dsseEnvelope", "payload"), w.Approve},
		"proof changed":   {edit(zero, "verificationMaterial", "tlogEntries", 0, "inclusionProof", "hashes", 0), w.Approve},
		"no log entry":    {edit([]any{}, "verificationMaterial", "tlogEntries"), w.Approve},
		"unknown log":     {edit(zero, "verificationMaterial", "tlogEntries", 0, "logId", "keyId"), w.Approve},
	} {
		if out, err := run(c.b, c.s); err == nil {
			t.Errorf("%s: verified\n%s", name, out)
		}
	}
}
