package verdict_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/gate"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
	"proctor/web/api"
)

var update = flag.Bool("update", false, "make ../../testdata/vectors/corpus again")

const corpusDir = "../../testdata/vectors/corpus"

// A vector is one bundle of the corpus and what a verifier must say of it.
type vector struct {
	Name     string `json:"name"` // file NAME.json
	Accept   bool   `json:"accept"`
	Type     string `json:"type"`               // predicate type that the caller asks for
	Subject  string `json:"subject"`            // digest that the caller asks for
	Category string `json:"category,omitempty"` // where the one fault is
	Says     string `json:"says,omitempty"`     // part of our reason
	// Stock is true for a vector to refuse that @sigstore/verify accepts: it leaves the
	// fault to its caller, or does not look at a copy that nobody signed.
	Stock bool `json:"stock_accepts,omitempty"`

	bundle []byte
}

// Whatever version made the corpus, this one decides as it says. The same bundles are
// tried on the gate in its own test, and on @sigstore/verify below.
func TestCorpus(t *testing.T) {
	made := makeCorpus(t)
	if *update {
		writeCorpus(t, made)
	}
	kept, trust := readCorpus(t)
	good, bad := 0, 0
	for i, v := range kept {
		got, err := verdict.Verify(v.bundle, trust, verdict.Expectation{Type: v.Type, Subject: v.Subject})
		switch {
		case v.Accept && err != nil:
			t.Errorf("%s: refused: %v", v.Name, err)
		case !v.Accept && err == nil:
			t.Errorf("%s: accepted: %s", v.Name, got.Payload())
		case !v.Accept && !strings.Contains(err.Error(), v.Says):
			t.Errorf("%s: refused with %q, want %q in it", v.Name, err, v.Says)
		}
		if v.Accept {
			good++
		} else {
			bad++
		}
		// The generator makes what is kept, byte for byte.
		if i >= len(made) || made[i].Name != v.Name || !bytes.Equal(made[i].bundle, v.bundle) {
			t.Fatalf("%s: the generator makes another bundle; go test ./harness/verdict -run TestCorpus -update, and look at what changed", v.Name)
		}
	}
	if good < 30 || bad < 120 || len(made) != len(kept) {
		t.Errorf("%d to accept, %d to refuse, %d made", good, bad, len(made))
	}
}

func readCorpus(t *testing.T) ([]vector, verdict.Trust) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(corpusDir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var list []vector
	if err := json.Unmarshal(read("index.json"), &list); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].bundle = read(list[i].Name + ".json")
	}
	trust, err := gate.ParseTrust(read("trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	return list, trust
}

func writeCorpus(t *testing.T, list []vector) {
	t.Helper()
	if err := os.RemoveAll(corpusDir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(corpusDir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := verdicttest.Fixed(t, "corpus")
	keys := api.Trust{Log: w.Log.Key()}
	var err error
	if keys.Evidence, err = verdict.PublicPEM(w.Evidence.Public()); err != nil {
		t.Fatal(err)
	}
	if keys.Approve, err = verdict.PublicPEM(w.Approve.Public()); err != nil {
		t.Fatal(err)
	}
	root, err := verdict.TrustedRoot(w.Log.Key(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	keys.Root = string(root)
	put := func(name string, v any) {
		b, ok := v.([]byte)
		if !ok {
			var text bytes.Buffer
			e := json.NewEncoder(&text)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			b = text.Bytes()
		}
		if err := os.WriteFile(filepath.Join(corpusDir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("trust.json", keys)
	put("index.json", list)
	for _, v := range list {
		put(v.Name+".json", v.bundle)
	}
}

// Unmodified @sigstore/verify accepts every bundle to accept, and refuses those to
// refuse but for the ones that the index names.
func TestCorpusSigstoreJS(t *testing.T) {
	modules := os.Getenv("PROCTOR_SIGSTORE_JS")
	if modules == "" {
		t.Skip("PROCTOR_SIGSTORE_JS names no folder with @sigstore/verify")
	}
	script := `
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toTrustMaterial, toSignedEntity } = require('@sigstore/verify');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const crypto = require('crypto'), fs = require('fs'), path = require('path');
const read = f => JSON.parse(fs.readFileSync(path.join(process.argv[1], f)));
const trust = read('trust.json'), root = TrustedRoot.fromJSON(JSON.parse(trust.trusted_root));
for (const v of read('index.json')) {
  const pem = /verification_summary|revocation|waiver/.test(v.type) ? trust.approve_key : trust.evidence_key;
  const material = toTrustMaterial(root, () => ({ publicKey: crypto.createPublicKey(pem), validFor: () => true }));
  let said = 'ok';
  try {
    const bundle = bundleFromJSON(read(v.name + '.json'));
    new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundle));
    const st = JSON.parse(bundle.content.dsseEnvelope.payload);
    if (st.predicateType !== v.type || 'sha256:' + st.subject[0].digest.sha256 !== v.subject) said = 'caller';
  } catch (e) { said = 'no'; }
  console.log(v.name, said);
}`
	c := exec.Command("node", "-e", script, corpusDir)
	c.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		said[name] = word
	}
	list, _ := readCorpus(t)
	for _, v := range list {
		if (said[v.Name] == "ok") != (v.Accept || v.Stock) {
			t.Errorf("%s: @sigstore/verify says %q", v.Name, said[v.Name])
		}
	}
}

// A corpus in the making.
type maker struct {
	t     *testing.T
	w     *verdicttest.World
	list  []vector
	stock map[string]bool
}

func (m *maker) add(v vector) {
	v.Stock = m.stock[v.Name]
	if v.Type == "" {
		v.Type, v.Subject = verdict.EvidenceType, pkg
	}
	m.list = append(m.list, v)
}

func (m *maker) good(name string, f verdicttest.Forgery, edit func(object)) {
	m.add(vector{Name: "good-" + name, Accept: true, bundle: m.w.Bundle(m.t, f, edit)})
}

func (m *maker) bad(category, name, says string, f verdicttest.Forgery, edit func(object)) {
	m.add(vector{Name: category + "-" + name, Category: category, Says: says, bundle: m.w.Bundle(m.t, f, edit)})
}

// as asks for another type or subject than evidence on pkg.
func (m *maker) as(typ, subject string) {
	v := &m.list[len(m.list)-1]
	v.Type, v.Subject = typ, subject
}

func makeCorpus(t *testing.T) []vector {
	m := &maker{t: t, w: verdicttest.Fixed(t, "corpus"), stock: stockAccepts()}
	for i := range 6 {
		m.w.Append(t, fmt.Appendf(nil, "entry %d", i))
	}
	m.everyType()
	m.evidenceForms()
	m.statements()
	m.approvals()
	m.signatures()
	m.copies()
	m.objects()
	m.texts()
	m.sizes()
	m.laterTypes()
	m.laterFaults()
	return m.list
}

// honest returns the payload of a statement as its signer signs it.
func (m *maker) honest(s verdict.Statement) []byte { return payload(m.t, m.w, s, "{", "{") }

func (m *maker) evidence() verdicttest.Forgery {
	return verdicttest.Forgery{Payload: m.honest(verdicttest.Passed(pkg)), Key: m.w.Evidence}
}

func (m *maker) approval() *verdict.Approval {
	p, err := verdict.Prepare(verdicttest.Passed(pkg))
	if err != nil {
		m.t.Fatal(err)
	}
	env, err := verdict.Issue(m.t.Context(), p, m.w.Evidence)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.w.Approval(m.t, env)
}

// everyType: each kind of statement verifies as itself, by its own key, and as nothing else.
func (m *maker) everyType() {
	e := verdicttest.Passed(pkg)
	at, ref := e.At, verdict.Ref{Name: "census", Version: 2, Digest: verdicttest.Digest("d")}
	list := []struct {
		name string
		s    verdict.Statement
		typ  string
		of   string
	}{
		{"evidence", e, verdict.EvidenceType, pkg},
		{"approval", m.approval(), verdict.ApprovalType, pkg},
		{"plan", &verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: at}, verdict.PlanType, pkg},
		{"review", &verdict.Review{Run: e.Run, Candidate: e.Inputs.Candidate, Evidence: verdicttest.Digest("7"), Report: e.Report, Decision: "approve", By: "rae", Person: "Rae", Reason: "read all of it", At: at}, verdict.ReviewType, pkg},
		{"change", &verdict.Change{ID: "c1", Verifier: verdicttest.VerifierID, Action: "activated", Kind: "holdout", Document: ref, By: "oz", Person: "Oz", At: at}, verdict.ChangeType, ref.Digest},
		{"exposure", &verdict.Exposure{Run: e.Run, Holdout: ref, Used: 1, Budget: 6, At: at}, verdict.ExposureType, ref.Digest},
		{"abort", &verdict.Abort{Run: e.Run, Candidate: e.Inputs.Candidate, Plan: 0, Reason: "the disk was full", At: at}, verdict.AbortType, pkg},
	}
	for i, x := range list {
		f := verdicttest.Forgery{Payload: m.honest(x.s), Key: m.w.Signer(x.s)}
		m.good("type-"+x.name, f, nil)
		m.as(x.typ, x.of)
		other := list[(i+1)%len(list)]
		m.bad("type", x.name+"-for-"+other.name, "want "+other.typ, f, nil)
		m.as(other.typ, x.of)
		m.bad("type", x.name+"-for-another-subject", "speaks of", f, nil)
		m.as(x.typ, verdicttest.Digest("9"))
		f.Key = m.w.Approve
		if x.typ == verdict.ApprovalType {
			f.Key = m.w.Evidence
		}
		m.bad("key", x.name+"-by-the-other-key", "may not sign", f, nil)
		m.as(x.typ, x.of)
	}
}

// stockAccepts names what @sigstore/verify 4.1.3 accepts of the vectors to refuse.
func stockAccepts() map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(stockList) {
		out[name] = true
	}
	return out
}

// It reads no predicate, and of a bundle's copies only some.
const stockList = `
statement-type-v9 statement-type-v0.1 statement-type-missing statement-predicate-missing statement-predicate-null statement-type-twice statement-predicate-type-twice
statement-subject-twice statement-result-twice statement-key-in-another-case statement-key-in-two-cases statement-key-that-folds statement-unknown-key
statement-unknown-predicate-key statement-unknown-finding-key statement-missing-result statement-missing-seed statement-missing-report statement-missing-binding
statement-missing-not-covered statement-number-for-text statement-list-for-text statement-null-for-text statement-text-for-bool statement-long-number-bare
statement-number-form statement-number-zero-before statement-number-overflow statement-two-subjects statement-two-digests statement-subject-name-differs
statement-violated-pass statement-undecided-pass statement-unknown-outcome statement-unknown-result statement-unknown-binding statement-check-not-executed
statement-check-not-required statement-checks-not-sorted statement-no-findings statement-seed-short statement-seed-upper-case statement-report-no-digest
statement-plan-negative statement-attempt-zero statement-time-local statement-time-none statement-not-utf8 statement-deep approval-failed approval-passed-lower-case
approval-result-twice approval-no-policy approval-policy-digest-short approval-no-time approval-time-local approval-no-verifier approval-verifier-version
approval-no-resource approval-no-level approval-slsa-level approval-level-twice approval-no-such-day approval-no-input approval-two-inputs approval-dependency-levels
envelope-of-another-payload-type envelope-keyid envelope-payload-line-end envelope-payload-no-padding envelope-embedded-key envelope-certificate envelope-timestamps
envelope-bundle-v0.2 envelope-bundle-v0.3-old-name log-outer-index log-tree-size log-root log-integrated-time log-checkpoint-other-base64 log-checkpoint-long
checkpoint-another-origin checkpoint-extension checkpoint-size-zero-before checkpoint-size-plus checkpoint-root-cut bundle-more-in-bundle
bundle-more-in-verificationMaterial bundle-more-in-publicKey bundle-no-hint-in-publicKey bundle-more-in-entry bundle-no-logIndex-in-entry bundle-more-in-logId
bundle-more-in-kindVersion bundle-more-in-inclusionProof bundle-no-rootHash-in-inclusionProof bundle-no-treeSize-in-inclusionProof bundle-more-in-checkpoint
bundle-more-in-dsseEnvelope bundle-more-in-signature text-payload-twice text-payload-in-two-cases text-envelope-twice text-invalid-utf8`
