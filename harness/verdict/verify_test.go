package verdict_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

type object = verdicttest.Object

var pkg = verdicttest.Digest("1")

func wantEvidence() verdict.Expectation {
	return verdict.Expectation{Type: verdict.EvidenceType, Subject: pkg}
}

func wantApproval() verdict.Expectation {
	return verdict.Expectation{Type: verdict.ApprovalType, Subject: pkg}
}

// An honest way through everything, for each kind of statement.
func TestEveryStatement(t *testing.T) {
	w := verdicttest.New(t)
	e := verdicttest.Passed(pkg)
	env, _ := w.Issue(t, e)
	at, ref := e.At, verdict.Ref{Name: "census", Version: 2, Digest: verdicttest.Digest("d")}
	for _, s := range []verdict.Statement{
		e, w.Approval(t, env),
		&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.Digest("9"), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: at},
		&verdict.Review{Run: e.Run, Candidate: e.Inputs.Candidate, Evidence: env.Digest(), Report: e.Report, Decision: "approve", By: "rae", Person: "Rae", Reason: "read all of it", At: at},
		&verdict.Change{ID: "c1", Verifier: verdicttest.VerifierID, Action: "activated", Kind: "holdout", Document: ref, By: "oz", Person: "Oz", At: at},
		&verdict.Exposure{Run: e.Run, Holdout: ref, Used: 1, Budget: 6, At: at},
		&verdict.Custody{Verifier: e.Run.Verifier, Action: verdict.CustodyShow, Holdout: ref, Lines: []int{3, 17}, By: "rae", Person: "rae", At: at},
		&verdict.Abort{Run: e.Run, Candidate: e.Inputs.Candidate, Plan: 0, Reason: "the disk was full", At: at},
	} {
		env, b := w.Issue(t, s)
		v, err := verdict.Verify(b, w.Trust, verdict.Expectation{Type: env.Type(), Subject: env.Subject().Digest})
		if err != nil {
			t.Errorf("%s: %v", env.Type(), err)
			continue
		}
		if v.Digest() != env.Digest() || v.Index != v.TreeSize-1 {
			t.Errorf("%s: another statement came back", env.Type())
		}
		if back, err := verdict.Open(env.Bytes(), w.Trust, 0); err != nil || back.Digest() != env.Digest() {
			t.Errorf("%s: bare envelope: %v", env.Type(), err)
		}
		for _, other := range []string{verdict.EvidenceType, verdict.PlanType, verdict.ReviewType, verdict.ChangeType, verdict.ExposureType, verdict.AbortType, verdict.ApprovalType, ""} {
			if _, err := verdict.Verify(b, w.Trust, verdict.Expectation{Type: other, AnySubject: true}); (err == nil) != (other == env.Type()) {
				t.Errorf("%s taken for %q: %v", env.Type(), other, err)
			}
		}
	}
}

// payload returns the bytes of an honest statement, changed.
func payload(t *testing.T, w *verdicttest.World, s verdict.Statement, old, new string) []byte {
	t.Helper()
	p, err := verdict.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	e, err := verdict.Issue(t.Context(), p, w.Signer(s))
	if err != nil {
		t.Fatal(err)
	}
	b := e.Payload()
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s is not in %s", old, b)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// Validly signed and logged statements that must not be believed. The forger has
// the evidence key and the log; the same forgery unchanged is accepted.
func TestStatementForms(t *testing.T) {
	w := verdicttest.New(t)
	hex := strings.Repeat("1", 64)
	subject := `{"name":"v2","digest":{"sha256":"` + hex + `"}}`
	second := `,{"name":"x","digest":{"sha256":"` + strings.Repeat("2", 64) + `"}}`
	for _, c := range []struct{ name, old, new, err string }{
		{"honest", `"_type"`, `"_type"`, ""},
		{"white space", `{"_type"`, "{ \n\"_type\"", ""},
		{"_type v9", "Statement/v1", "Statement/v9", "_type is"},
		{"_type v0.1", "Statement/v1", "Statement/v0.1", "_type is"},
		{"no _type", `"_type":"https://in-toto.io/Statement/v1",`, ``, "is missing"},
		{"predicate missing", `,"predicate":{`, `,"x":{`, "unknown"},
		{"predicate null", `"predicate":{`, `"predicate":null,"x":{`, "unknown"},
		{"duplicate key", `"_type"`, `"_type":"https://in-toto.io/Statement/v1","_type"`, "twice"},
		{"duplicate result", `"result":"PASS"`, `"result":"FAIL","result":"PASS"`, "twice"},
		{"key in another case", `"result":"PASS"`, `"Result":"PASS"`, "unknown"},
		{"key in two cases", `"result":"PASS"`, `"result":"FAIL","RESULT":"PASS"`, "twice"},
		{"key with a letter that folds", `"seed"`, `"ſeed"`, "unknown"},
		{"unknown key in the statement", `"_type"`, `"extra":1,"_type"`, "unknown"},
		{"unknown key in the predicate", `"result":"PASS"`, `"result":"PASS","override":true`, "unknown"},
		{"missing key in the predicate", `"result":"PASS",`, ``, "missing"},
		{"number where text must be", `"result":"PASS"`, `"result":1`, "wrong type"},
		{"64-bit number not as text", `"sample_size":"9007199254740993"`, `"sample_size":9007199254740993`, "not JSON of the right form"},
		{"number in another form", `"attempt":1`, `"attempt":1e0`, "wrong type"},
		{"two subjects", subject, subject + second, "2 subjects"},
		{"right subject second", subject, second[1:] + "," + subject, "2 subjects"},
		{"no subject", subject, ``, "0 subjects"},
		{"two digests", `{"sha256":"` + hex + `"}`, `{"sha256":"` + hex + `","sha512":"00"}`, "unknown"},
		{"sha512 only", `"digest":{"sha256"`, `"digest":{"sha512"`, "unknown"},
		{"subject differs from predicate", `"sha256":"` + hex, `"sha256":"` + strings.Repeat("2", 64), "another subject"},
		{"upper-case hex", `"sha256":"1111`, `"sha256":"AAAA`, "another subject"},
		{"unknown predicate type", "behaviour-verdict/v1", "behaviour-verdict/v2", "unknown"},
		{"PASS with a violated finding", `"HOLDS"`, `"VIOLATED"`, "do not hold"},
		{"PASS with an undecided finding", `"HOLDS"`, `"UNDECIDED"`, "do not hold"},
		{"unknown result", `"PASS"`, `"PASSED"`, "none of"},
		{"required check not executed", `"overall","triggers"`, `"more","overall","triggers"`, "not executed"},
		{"not UTF-8", `"v2"`, "\"v\xff\"", "UTF-8"},
		{"deep", `"predicate":{`, `"predicate":` + strings.Repeat(`{"a":`, 30) + `1` + strings.Repeat(`}`, 30) + `,"x":{`, "deeper"},
	} {
		p := payload(t, w, verdicttest.Passed(pkg), c.old, c.new)
		checkRefused(t, c.name, w, verdicttest.Forgery{Payload: p, Key: w.Evidence}, nil, wantEvidence(), c.err)
	}
	honest := payload(t, w, verdicttest.Passed(pkg), "{", "{")
	upper := strings.ReplaceAll(string(payload(t, w, verdicttest.Passed(verdicttest.Digest("a")), "{", "{")), strings.Repeat("a", 64), strings.Repeat("A", 64))
	for name, c := range map[string]struct {
		p   string
		err string
	}{
		"upper case everywhere": {upper, "lower-case"}, "trailing brace": {string(honest) + "}", "not JSON"}, "trailing object": {string(honest) + "{}", "not JSON"},
		"trailing NUL": {string(honest) + "\x00", "not JSON"}, "byte order mark": {"\ufeff" + string(honest), "not JSON"}, "cut": {string(honest[:len(honest)-1]), "not JSON"},
		"empty": {"", "empty"}, "null": {"null", ""}, "list": {"[" + string(honest) + "]", ""}, "oversized": {string(honest) + strings.Repeat(" ", verdict.MaxPayload), "longer"},
	} {
		if c.err == "" {
			c.err = " "
		}
		checkRefused(t, name, w, verdicttest.Forgery{Payload: []byte(c.p), Key: w.Evidence}, nil, verdict.Expectation{Type: verdict.EvidenceType, AnySubject: true}, c.err)
	}
}

func checkRefused(t *testing.T, name string, w *verdicttest.World, f verdicttest.Forgery, edit func(object), want verdict.Expectation, wantErr string) {
	t.Helper()
	_, err := verdict.Verify(w.Bundle(t, f, edit), w.Trust, want)
	switch {
	case wantErr == "" && err != nil:
		t.Errorf("%s: refused: %v", name, err)
	case wantErr != "" && err == nil:
		t.Errorf("%s: accepted", name)
	case wantErr != "" && !strings.Contains(err.Error(), wantErr):
		t.Errorf("%s: refused with %q, want %q in it", name, err, wantErr)
	}
}

// Forms of an approval that a gate must not follow, signed by the right key.
func TestApprovalForms(t *testing.T) {
	w := verdicttest.New(t)
	env, _ := w.Issue(t, verdicttest.Passed(pkg))
	for _, c := range []struct{ name, old, new, err string }{
		{"honest", "PASSED", "PASSED", ""},
		{"FAILED", "PASSED", "FAILED", "verificationResult"},
		{"no policy", `"policy":{"uri":"` + verdicttest.PolicyURI + `","digest":{"sha256":"` + strings.Repeat("c", 64) + `"}},`, ``, "missing"},
		{"no time", `"timeVerified":"2026-09-14T12:00:00Z",`, ``, "missing"},
		{"local time", `12:00:00Z`, `12:00:00+02:00`, "UTC"},
		{"no level", `"PROCTOR_BEHAVIOUR_PASS",`, ``, "level PROCTOR_BEHAVIOUR_PASS"},
		{"SLSA level of its own", `"PROCTOR_BEHAVIOUR_PASS"`, `"PROCTOR_BEHAVIOUR_PASS","SLSA_BUILD_LEVEL_3"`, "not one of ours"},
		{"no day", `VALID_ON_2026-09-14`, `VALID_ON_2026-09-99`, "no day"},
		{"two inputs", `"inputAttestations":[`, `"inputAttestations":[{"digest":{"sha256":"` + strings.Repeat("3", 64) + `"}},`, "input attestations"},
	} {
		p := payload(t, w, w.Approval(t, env), c.old, c.new)
		checkRefused(t, c.name, w, verdicttest.Forgery{Payload: p, Key: w.Approve}, nil, wantApproval(), c.err)
	}
}

// Signatures and envelopes.
func TestSignatures(t *testing.T) {
	w, other := verdicttest.New(t), verdicttest.New(t)
	honest := payload(t, w, verdicttest.Passed(pkg), "{", "{")
	env, _ := w.Issue(t, verdicttest.Passed(pkg))
	approval := payload(t, w, w.Approval(t, env), "{", "{")
	ok := func(p []byte) verdicttest.Forgery { return verdicttest.Forgery{Payload: p, Key: w.Evidence} }
	sig := []any{"dsseEnvelope", "signatures"}
	for _, c := range []struct {
		name string
		f    verdicttest.Forgery
		edit func(object)
		want verdict.Expectation
		err  string
	}{
		{"honest", ok(honest), nil, wantEvidence(), ""},
		{"another key", verdicttest.Forgery{Payload: honest, Key: other.Evidence}, nil, wantEvidence(), "no trusted key"},
		{"approval by the evidence key", ok(approval), nil, wantApproval(), "may not sign"},
		{"evidence by the approve key", verdicttest.Forgery{Payload: honest, Key: w.Approve}, nil, wantEvidence(), "may not sign"},
		{"payload signed without its type", verdicttest.Forgery{Payload: honest, Key: w.Evidence, NoPAE: true}, nil, wantEvidence(), "no trusted key"},
		{"another payload type, signed", verdicttest.Forgery{Payload: honest, Key: w.Evidence, PayloadType: "application/json"}, nil, wantEvidence(), "payloadType"},
		{"payload type edited", ok(honest), func(o object) { o.Set("application/json", "dsseEnvelope", "payloadType") }, wantEvidence(), "payloadType"},
		{"r and s without DER", verdicttest.Forgery{Payload: honest, Key: w.Evidence, Sig: rawSignature}, nil, wantEvidence(), "no trusted key"},
		// An altered signature that is valid is the same statement, and the thief of
		// a log key could log it; its Digest is the same.
		{"s to n-s, logged so", verdicttest.Forgery{Payload: honest, Key: w.Evidence, Sig: malleate}, nil, wantEvidence(), ""},
		{"s to n-s, logged as it was", ok(honest), func(o object) {
			s, _ := o.At("dsseEnvelope", "signatures", 0, "sig")
			b, _ := base64.StdEncoding.DecodeString(s.(string))
			o.Set(base64.StdEncoding.EncodeToString(malleate(b)), "dsseEnvelope", "signatures", 0, "sig")
		}, wantEvidence(), "not in the log"},
		{"no signature", ok(honest), func(o object) { o.Set([]any{}, sig...) }, wantEvidence(), "0 signatures"},
		{"two signatures", ok(honest), func(o object) { s, set := o.At(sig...); set(append(s.([]any), s.([]any)[0])) }, wantEvidence(), "2 signatures"},
		{"empty signature", ok(honest), func(o object) { o.Set("", "dsseEnvelope", "signatures", 0, "sig") }, wantEvidence(), "no trusted key"},
		{"keyid", ok(honest), func(o object) { o.Set("x", "dsseEnvelope", "signatures", 0, "keyid") }, wantEvidence(), "unknown"},
		{"line end in base64", ok(honest), func(o object) {
			s, set := o.At("dsseEnvelope", "payload")
			set(s.(string) + "\n")
		}, wantEvidence(), "base64"},
		{"unknown key in the envelope", ok(honest), func(o object) { o.Set(1, "dsseEnvelope", "extra") }, wantEvidence(), "unknown"},
		{"embedded key", ok(honest), func(o object) { o.Set("AA==", "verificationMaterial", "publicKey", "rawBytes") }, wantEvidence(), "unknown"},
		{"certificate", ok(honest), func(o object) { o.Set(object{}, "verificationMaterial", "certificate") }, wantEvidence(), "unknown"},
		{"hint changed, which nobody trusts", ok(honest), func(o object) { o.Set("bWluZQ==", "verificationMaterial", "publicKey", "hint") }, wantEvidence(), ""},
		{"another bundle version", ok(honest), func(o object) { o.Set("application/vnd.dev.sigstore.bundle.v0.2+json", "mediaType") }, wantEvidence(), "mediaType"},
		{"another subject expected", ok(honest), nil, verdict.Expectation{Type: verdict.EvidenceType, Subject: verdicttest.Digest("2")}, "speaks of"},
		{"no subject expected", ok(honest), nil, verdict.Expectation{Type: verdict.EvidenceType}, "speaks of"},
	} {
		checkRefused(t, c.name, w, c.f, c.edit, c.want, c.err)
	}
	if _, err := verdict.Verify([]byte("{}"), verdict.Trust{}, wantEvidence()); err == nil || !strings.Contains(err.Error(), "no keys") {
		t.Errorf("the zero Trust: %v", err)
	}
}

type rs struct{ R, S *big.Int }

// malleate turns a signature into the other one that is valid, without the key.
func malleate(der []byte) []byte {
	var v rs
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		panic(err)
	}
	v.S.Sub(elliptic.P256().Params().N, v.S)
	b, _ := asn1.Marshal(v)
	return b
}

func rawSignature(der []byte) []byte {
	var v rs
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		panic(err)
	}
	return append(v.R.FillBytes(make([]byte, 32)), v.S.FillBytes(make([]byte, 32))...)
}

// Copies and proofs: stock clients accept some of these edits, we none.
func TestProofs(t *testing.T) {
	w, other := verdicttest.New(t), verdicttest.New(t)
	for range 6 {
		w.Append(t, []byte("other entry"))
		other.Append(t, []byte("other entry"))
	}
	_, foreign := other.Issue(t, verdicttest.Passed(pkg))
	_, neighbour := w.Issue(t, verdicttest.Passed(verdicttest.Digest("2")))
	f := verdicttest.Forgery{Payload: payload(t, w, verdicttest.Passed(pkg), "{", "{"), Key: w.Evidence}
	entry := []any{"verificationMaterial", "tlogEntries", 0}
	at := func(path ...any) []any { return append(append([]any{}, entry...), path...) }
	from := func(bundle []byte, path ...any) func(object) {
		return func(o object) { v, _ := verdicttest.Parse(t, bundle).At(path...); o.Set(v, path...) }
	}
	set := func(v any, path ...any) func(object) { return func(o object) { o.Set(v, at(path...)...) } }
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, c := range []struct {
		name string
		edit func(object)
		err  string
	}{
		{"honest", nil, ""},
		{"no entry", func(o object) { o.Set([]any{}, "verificationMaterial", "tlogEntries") }, "0 log entries"},
		{"two entries", func(o object) {
			v, s := o.At("verificationMaterial", "tlogEntries")
			s(append(v.([]any), v.([]any)[0]))
		}, "2 log entries"},
		{"outer logIndex", set("2", "logIndex"), "logIndex differs"},
		{"inner logIndex", set("2", "inclusionProof", "logIndex"), "not in the log"},
		{"both logIndex", func(o object) { o.Set("2", at("logIndex")...); o.Set("2", at("inclusionProof", "logIndex")...) }, "not in the log"},
		{"negative logIndex", set("-1", "inclusionProof", "logIndex"), "not a number"},
		{"logIndex with a zero before", set("07", "inclusionProof", "logIndex"), "not a number"},
		{"logIndex beyond the tree", set("99", "inclusionProof", "logIndex"), "in a log of"},
		{"treeSize", set("9", "inclusionProof", "treeSize"), "differs from the signed"},
		{"rootHash", set(zero, "inclusionProof", "rootHash"), "differs from the signed"},
		{"a hash", set(zero, "inclusionProof", "hashes", 0), "not in the log"},
		{"no hashes", set([]any{}, "inclusionProof", "hashes"), "not in the log"},
		{"64 hashes", set(slicesOf(zero, 64), "inclusionProof", "hashes"), "64 hashes"},
		{"a short hash", set("AAAA", "inclusionProof", "hashes", 0), "32 bytes"},
		{"integratedTime", set("1700000000", "integratedTime"), "unknown"},
		{"inclusionPromise", set(object{"signedEntryTimestamp": "AA=="}, "inclusionPromise"), "unknown"},
		{"logId", set(zero, "logId", "keyId"), "logId"},
		{"kind", set("dsse", "kindVersion", "kind"), "kindVersion"},
		{"kind version", set("0.0.1", "kindVersion", "version"), "kindVersion"},
		{"body of another entry", from(neighbour, at("canonicalizedBody")...), "canonicalizedBody"},
		{"proof of another entry", from(neighbour, at("inclusionProof")...), "not in the log"},
		{"entry of another entry", from(neighbour, entry...), "not in the log"},
		{"checkpoint of another log", from(foreign, at("inclusionProof", "checkpoint")...), "did not sign"},
		{"entry of another log", from(foreign, entry...), "did not sign"},
		{"no checkpoint", set("", "inclusionProof", "checkpoint", "envelope"), "did not sign"},
		{"checkpoint edited", func(o object) {
			v, s := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			s(strings.Replace(v.(string), "\n", "\n1", 1))
		}, "did not sign"},
		{"signature of the checkpoint in another base64 form", func(o object) {
			v, s := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			s(otherForm(v.(string)))
		}, "one form of base64"},
		{"a witness's line", func(o object) {
			v, s := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			s(v.(string) + "— witness.example AAAAAAAAAAAAAAAA\n")
		}, ""},
		{"long checkpoint", func(o object) {
			v, s := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			s(v.(string) + strings.Repeat("— witness.example AAAAAAAAAAAAAAAA\n", 1000))
		}, "longer"},
	} {
		checkRefused(t, c.name, w, f, c.edit, wantEvidence(), c.err)
	}
}

// otherForm changes a bit that base64 pads with.
func otherForm(checkpoint string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := len(checkpoint) - len("x=\n")
	return checkpoint[:i] + string(digits[strings.IndexByte(digits, checkpoint[i])^1]) + "=\n"
}

func slicesOf(v any, n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// Each step of Verify stops an attack that succeeds when the step is left out.
func TestNegativeControls(t *testing.T) {
	w, other := verdicttest.New(t), verdicttest.New(t)
	for range 3 {
		w.Append(t, []byte("other entry"))
	}
	env, _ := w.Issue(t, verdicttest.Passed(pkg))
	honest := payload(t, w, verdicttest.Passed(pkg), "{", "{")
	approval := payload(t, w, w.Approval(t, env), "{", "{")
	_, neighbour := w.Issue(t, verdicttest.Passed(verdicttest.Digest("2")))
	mine := func(edit func(object)) []byte {
		return w.Bundle(t, verdicttest.Forgery{Payload: honest, Key: w.Evidence}, edit)
	}
	entry := []any{"verificationMaterial", "tlogEntries", 0}
	// Signed by the right key and never logged, with the proof of something that was.
	unlogged := mine(func(o object) {
		v, _ := verdicttest.Parse(t, neighbour).At(entry...)
		o.Set(v, entry...)
	})
	for _, c := range []struct {
		bundle []byte
		want   verdict.Expectation
		steps  []string
	}{
		{w.Bundle(t, verdicttest.Forgery{Payload: honest, Key: other.Evidence}, nil), wantEvidence(), []string{"signature", "leaf"}},
		{w.Bundle(t, verdicttest.Forgery{Payload: approval, Key: w.Evidence}, nil), wantApproval(), []string{"key type"}},
		{mine(nil), wantApproval(), []string{"expected type"}},
		{mine(nil), verdict.Expectation{Type: verdict.EvidenceType, Subject: verdicttest.Digest("7")}, []string{"subject"}},
		{unlogged, wantEvidence(), []string{"leaf"}},
		{unlogged, wantEvidence(), []string{"inclusion", "copies"}},
		{other.Bundle(t, verdicttest.Forgery{Payload: honest, Key: w.Evidence}, nil), wantEvidence(), []string{"checkpoint", "copies"}},
		{mine(func(o object) { o.Set("0", append(entry, "logIndex")...) }), wantEvidence(), []string{"copies"}},
	} {
		if _, err := verdict.Verify(c.bundle, w.Trust, c.want); err == nil {
			t.Errorf("with all steps: the attack on %v succeeds", c.steps)
		}
		if _, err := verdict.Verify(c.bundle, w.Trust.Without(c.steps...), c.want); err != nil {
			t.Errorf("without %v the attack fails too, so it tests something else: %v", c.steps, err)
		}
		for i := range c.steps { // each of the steps alone is enough
			rest := append(append([]string{}, c.steps[:i]...), c.steps[i+1:]...)
			if _, err := verdict.Verify(c.bundle, w.Trust.Without(rest...), c.want); err == nil {
				t.Errorf("%q does not stop the attack by itself (without %v)", c.steps[i], rest)
			}
		}
	}
}

// No bundle that differs in its meaning by one bit is accepted; nor is a part.
func TestBitFlips(t *testing.T) {
	w := verdicttest.New(t)
	for range 3 {
		w.Append(t, []byte("other entry"))
	}
	env, b := w.Issue(t, verdicttest.Passed(pkg))
	accepted := 0
	for i := range b {
		bits := []byte{1 << (i % 8)}
		if i%4 == 0 {
			bits = append(bits, 32) // another case
		}
		for _, bit := range bits {
			c := bytes.Clone(b)
			c[i] ^= bit
			v, err := verdict.Verify(c, w.Trust, wantEvidence())
			if err != nil {
				continue
			}
			accepted++
			if v.Digest() != env.Digest() || !sameButHint(t, b, c) {
				t.Fatalf("byte %d, bit %#x: accepted with another meaning", i, bit)
			}
		}
	}
	if accepted == 0 {
		t.Error("not even the hint may change: the comparison above was never made")
	}
	for n := 0; n < len(b); n += 31 {
		if _, err := verdict.Verify(b[:n], w.Trust, wantEvidence()); err == nil {
			t.Fatalf("the first %d bytes are accepted", n)
		}
	}
	if _, err := verdict.Verify(append(bytes.Clone(b), bytes.Repeat([]byte(" "), verdict.MaxBundle)...), w.Trust, wantEvidence()); err == nil {
		t.Error("an oversized bundle is accepted")
	}
}

// sameButHint compares bundles apart from the hint, which nobody trusts, and from
// signatures of witnesses that we do not know.
func sameButHint(t *testing.T, a, b []byte) bool {
	x, y := verdicttest.Parse(t, a), verdicttest.Parse(t, b)
	x.Set("", "verificationMaterial", "publicKey", "hint")
	y.Set("", "verificationMaterial", "publicKey", "hint")
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}

// Notes that the log's key signed, and that are no checkpoints of it. The tree has
// one entry, so that its root is the leaf's hash and every text below is true.
func TestCheckpointForms(t *testing.T) {
	honest := "log.proctor.example\n1\nROOT\n"
	for name, c := range map[string]struct{ text, err string }{
		"honest":           {honest, ""},
		"another origin":   {"other.example\n1\nROOT\n", "origin, size, root"},
		"no origin":        {"1\nROOT\n", "origin, size, root"},
		"extension line":   {honest + "more\n", "origin, size, root"},
		"size 01":          {"log.proctor.example\n01\nROOT\n", "not a number"},
		"size +1":          {"log.proctor.example\n+1\nROOT\n", "not a number"},
		"size -1":          {"log.proctor.example\n-1\nROOT\n", "not a number"},
		"size 0":           {"log.proctor.example\n0\nROOT\n", "in a log of 0"},
		"root cut":         {"log.proctor.example\n1\nAAAA\n", "bad root"},
		"root not base64":  {"log.proctor.example\n1\n----\n", "bad root"},
		"go.sum tree":      {"go.sum database tree\n1\nROOT\n", "origin, size, root"},
		"another language": {"log.proctor.example\n１\nROOT\n", "not a number"},
	} {
		w := verdicttest.New(t)
		f := verdicttest.Forgery{Payload: payload(t, w, verdicttest.Passed(pkg), "{", "{"), Key: w.Evidence}
		checkRefused(t, name, w, f, func(o object) {
			at := []any{"verificationMaterial", "tlogEntries", 0, "inclusionProof"}
			root, _ := o.At(append(at, "rootHash")...)
			o.Set(string(w.Note(t, strings.Replace(c.text, "ROOT", root.(string), 1))), append(at, "checkpoint", "envelope")...)
		}, wantEvidence(), c.err)
		// tlog reads checkpoints too, and agrees.
		signed := w.Note(t, strings.Replace(c.text, "ROOT", strings.Repeat("A", 43)+"=", 1))
		if _, err := tlog.ParseCheckpoint(signed, w.Log.Key()); (err == nil) != (c.err == "" || name == "size 0") {
			t.Errorf("%s: tlog: %v", name, err)
		}
	}
}

// The checkpoint in a bundle is a note that any reader of notes verifies.
func TestCheckpointIsANote(t *testing.T) {
	w := verdicttest.New(t)
	_, b := w.Issue(t, verdicttest.Passed(pkg))
	v, _ := verdicttest.Parse(t, b).At("verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope")
	nv, err := note.NewVerifier(w.Log.Key())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open([]byte(v.(string)), note.VerifierList(nv)); err != nil || len(n.Sigs) != 1 {
		t.Errorf("%v %v", n, err)
	}
}
