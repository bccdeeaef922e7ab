package verdict_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// evidenceForms: what evidence may say, and what its signer must never have signed.
func (m *maker) evidenceForms() {
	zero, tiny, huge := 0.0, 5e-324, 1.7976931348623157e308
	for _, c := range []struct {
		name   string
		change func(*verdict.Evidence)
	}{
		{"fail", func(e *verdict.Evidence) { e.Result, e.Findings[0].Outcome = verdict.Fail, "VIOLATED" }},
		{"inconclusive", func(e *verdict.Evidence) { e.Result, e.Findings[0].Outcome = verdict.Inconclusive, "UNDECIDED" }},
		{"first-model", func(e *verdict.Evidence) { e.Inputs.Baseline = nil }},
		{"anchor", func(e *verdict.Evidence) { e.Inputs.Anchor = &verdict.Ref{Name: "v0", Digest: verdicttest.Digest("0")} }},
		{"two-holdouts", func(e *verdict.Evidence) {
			e.Inputs.Holdouts = append(e.Inputs.Holdouts, verdict.Ref{Name: "b", Version: 9, Digest: verdicttest.Digest("6")})
		}},
		{"no-suite", func(e *verdict.Evidence) { e.Inputs.Suites = []verdict.Ref{} }},
		{"planted", func(e *verdict.Evidence) { e.Planted = "180 of 200 planted harms were caught" }},
		{"undefined-number", func(e *verdict.Evidence) {
			e.Findings[0].Value, e.Findings[0].Low, e.Findings[0].High = nil, nil, nil
		}},
		{"extreme-numbers", func(e *verdict.Evidence) {
			e.Findings[0].Value, e.Findings[0].Low, e.Findings[0].High = &zero, &tiny, &huge
		}},
		{"nothing-uncovered", func(e *verdict.Evidence) { e.NotCovered = []string{} }},
		{"many-uncovered", func(e *verdict.Evidence) { e.NotCovered = strings.Fields(strings.Repeat("slice ", 100)) }},
		{"other-languages", func(e *verdict.Evidence) {
			e.Sentence, e.Inputs.Candidate.Name = "besser, 更好, أفضل", "модель-2"
		}},
		{"angle-brackets", func(e *verdict.Evidence) { e.Inputs.Candidate.Name = "<script>&\u2028" }},
		{"config-binding", func(e *verdict.Evidence) { e.Binding = "config" }},
	} {
		e := verdicttest.Passed(pkg)
		c.change(e)
		m.good("evidence-"+c.name, verdicttest.Forgery{Payload: m.honest(e), Key: m.w.Evidence}, nil)
	}
}

// replaced is one change of a text.
type replaced struct{ name, old, new, says string }

// statements: one fault each in the signed bytes of evidence.
func (m *maker) statements() {
	hex := strings.Repeat("1", 64)
	subject := `{"name":"v2","digest":{"sha256":"` + hex + `"}}`
	second := `,{"name":"x","digest":{"sha256":"` + strings.Repeat("2", 64) + `"}}`
	honest := m.honest(verdicttest.Passed(pkg))
	for _, c := range []replaced{
		{"space", `{"_type"`, "{ \n\"_type\"", ""},
		{"escapes", `"overall"`, `"\u006fverall"`, ""},
		{"type-v9", "Statement/v1", "Statement/v9", "_type is"},
		{"type-v0.1", "Statement/v1", "Statement/v0.1", "_type is"},
		{"type-missing", `"_type":"https://in-toto.io/Statement/v1",`, ``, "is missing"},
		{"predicate-missing", `,"predicate":{`, `,"x":{`, "unknown"},
		{"predicate-null", `"predicate":{`, `"predicate":null,"x":{`, "unknown"},
		{"type-twice", `"_type"`, `"_type":"https://in-toto.io/Statement/v1","_type"`, "twice"},
		{"predicate-type-twice", `"predicateType"`, `"predicateType":"x","predicateType"`, "twice"},
		{"subject-twice", `"subject"`, `"subject":[],"subject"`, "twice"},
		{"result-twice", `"result":"PASS"`, `"result":"FAIL","result":"PASS"`, "twice"},
		{"key-in-another-case", `"result":"PASS"`, `"Result":"PASS"`, "unknown"},
		{"key-in-two-cases", `"result":"PASS"`, `"result":"FAIL","RESULT":"PASS"`, "twice"},
		{"key-that-folds", `"seed"`, `"\u017feed"`, "unknown"},
		{"unknown-key", `"_type"`, `"extra":1,"_type"`, "unknown"},
		{"unknown-predicate-key", `"result":"PASS"`, `"result":"PASS","override":true`, "unknown"},
		{"unknown-finding-key", `"check":"overall"`, `"check":"overall","why":""`, "unknown"},
		{"missing-result", `"result":"PASS",`, ``, "missing"},
		{"missing-seed", `"seed":"` + strings.Repeat("0f", 32) + `",`, ``, "missing"},
		{"missing-report", `"report":"` + verdicttest.Digest("f") + `",`, ``, "missing"},
		{"missing-binding", `"binding":"package",`, ``, "missing"},
		{"missing-not-covered", `"not_covered":["race=Other: 86 rows are too few"],`, ``, "missing"},
		{"number-for-text", `"result":"PASS"`, `"result":1`, "wrong type"},
		{"list-for-text", `"result":"PASS"`, `"result":["PASS"]`, "wrong type"},
		{"null-for-text", `"result":"PASS"`, `"result":null`, "not written as it must be"},
		{"text-for-bool", `"code":false`, `"code":"false"`, "wrong type"},
		{"long-number-bare", `"sample_size":"9007199254740993"`, `"sample_size":9007199254740993`, "not JSON of the right form"},
		{"number-form", `"attempt":1`, `"attempt":1e0`, "wrong type"},
		{"number-zero-before", `"sample_size":"121"`, `"sample_size":"0121"`, "not written as it must be"},
		{"number-overflow", `"attempt":1`, `"attempt":9223372036854775808`, "wrong type"},
		{"two-subjects", subject, subject + second, "2 subjects"},
		{"right-subject-second", subject, second[1:] + "," + subject, "2 subjects"},
		{"no-subject", subject, ``, "0 subjects"},
		{"two-digests", `{"sha256":"` + hex + `"}`, `{"sha256":"` + hex + `","sha512":"00"}`, "unknown"},
		{"sha512-alone", `"digest":{"sha256"`, `"digest":{"sha512"`, "unknown"},
		{"subject-not-the-predicates", `"sha256":"` + hex, `"sha256":"` + strings.Repeat("2", 64), "another subject"},
		{"subject-upper-case", `"sha256":"1111`, `"sha256":"AAAA`, "another subject"},
		{"subject-short", `"sha256":"1111`, `"sha256":"111`, "another subject"},
		{"subject-name-differs", `"subject":[{"name":"v2"`, `"subject":[{"name":"v3"`, "another subject"},
		{"predicate-type-unknown", "behaviour-verdict/v1", "behaviour-verdict/v2", "unknown"},
		{"predicate-type-approval", `"predicateType":"` + verdict.EvidenceType, `"predicateType":"` + verdict.ApprovalType, "unknown"},
		{"violated-pass", `"HOLDS"`, `"VIOLATED"`, "do not hold"},
		{"undecided-pass", `"HOLDS"`, `"UNDECIDED"`, "do not hold"},
		{"unknown-outcome", `"HOLDS"`, `"HOLD"`, "none of"},
		{"unknown-result", `"PASS"`, `"PASSED"`, "none of"},
		{"unknown-binding", `"binding":"package"`, `"binding":"none"`, "none of"},
		{"check-not-executed", `"overall","triggers"`, `"more","overall","triggers"`, "not executed"},
		{"check-not-required", `["overall","triggers"]`, `["triggers"]`, "not required"},
		{"checks-not-sorted", `["overall","triggers"]`, `["triggers","overall"]`, "not sorted"},
		{"no-findings", `"findings":[{`, `"findings":[],"x":[{`, "unknown"},
		{"seed-short", strings.Repeat("0f", 32), "0f", "seed"},
		{"seed-upper-case", strings.Repeat("0f", 32), strings.Repeat("0F", 32), "seed"},
		{"report-no-digest", `"report":"sha256:`, `"report":"sha512:`, "report"},
		{"plan-negative", `"plan_log_index":"0"`, `"plan_log_index":"-1"`, "plan"},
		{"attempt-zero", `"attempt":1`, `"attempt":0`, "attempt 0"},
		{"time-local", verdicttest.Passed(pkg).At, "2026-09-14T12:00:00+02:00", "UTC"},
		{"time-none", verdicttest.Passed(pkg).At, "", "at"},
		{"not-utf8", `"v2"`, "\"v\xff\"", "UTF-8"},
		{"deep", `"predicate":{`, `"predicate":` + strings.Repeat(`{"a":`, 30) + `1` + strings.Repeat(`}`, 30) + `,"x":{`, "deeper"},
		{"trailing-brace", `}`, `}`, ""},
	} {
		if !bytes.Contains(honest, []byte(c.old)) {
			m.t.Fatalf("%s: %s is not in the payload", c.name, c.old)
		}
		f := verdicttest.Forgery{Payload: bytes.Replace(honest, []byte(c.old), []byte(c.new), 1), Key: m.w.Evidence}
		switch {
		case c.name == "trailing-brace":
			f.Payload = append(bytes.Clone(honest), '}')
			m.bad("statement", c.name, "not JSON", f, nil)
		case c.says == "":
			m.good("statement-"+c.name, f, nil)
		default:
			m.bad("statement", c.name, c.says, f, nil)
		}
	}
	for _, c := range []struct{ name, payload, says string }{
		{"empty", "", "empty"}, {"null", "null", "not written as it must be"}, {"list", "[" + string(honest) + "]", "wrong type"}, {"two-values", string(honest) + "{}", "not JSON"},
		{"nul-after", string(honest) + "\x00", "not JSON"}, {"byte-order-mark", "\ufeff" + string(honest), "not JSON"}, {"cut", string(honest[:len(honest)-1]), "not JSON"},
	} {
		m.bad("statement", c.name, c.says, verdicttest.Forgery{Payload: []byte(c.payload), Key: m.w.Evidence}, nil)
	}
}

// approvals: one fault each in an approval by the right key.
func (m *maker) approvals() {
	honest := m.honest(m.approval())
	input := `"inputAttestations":[`
	for _, c := range []replaced{
		{"key-order", `"slsaVersion":"1.0"`, `"slsaVersion": "1.0"`, ""},
		{"one-day", `,"PROCTOR_VALID_ON_2026-09-15","PROCTOR_VALID_ON_2026-09-16","PROCTOR_VALID_ON_2026-09-17","PROCTOR_VALID_ON_2026-09-18","PROCTOR_VALID_ON_2026-09-19","PROCTOR_VALID_ON_2026-09-20"`, "", ""},
		{"failed", "PASSED", "FAILED", "verificationResult"},
		{"passed-lower-case", "PASSED", "passed", "verificationResult"},
		{"result-twice", `"verificationResult"`, `"verificationResult":"FAILED","verificationResult"`, "twice"},
		{"no-policy", `"policy":{"uri":"` + verdicttest.PolicyURI + `","digest":{"sha256":"` + strings.Repeat("c", 64) + `"}},`, ``, "missing"},
		{"policy-digest-short", strings.Repeat("c", 64), "cc", "policy"},
		{"no-time", `"timeVerified":"2026-09-14T12:00:00Z",`, ``, "missing"},
		{"time-local", `12:00:00Z`, `12:00:00+02:00`, "UTC"},
		{"no-verifier", `"id":"` + verdicttest.VerifierID + `"`, `"id":""`, "verifier id"},
		{"verifier-version", `"verifier":{`, `"verifier":{"version":{},`, "unknown"},
		{"no-resource", `"resourceUri":"` + verdicttest.ResourceURI + `"`, `"resourceUri":""`, "resourceUri"},
		{"no-level", `"PROCTOR_BEHAVIOUR_PASS",`, ``, "level PROCTOR_BEHAVIOUR_PASS"},
		{"slsa-level", `"PROCTOR_BEHAVIOUR_PASS"`, `"PROCTOR_BEHAVIOUR_PASS","SLSA_BUILD_LEVEL_3"`, "not one of ours"},
		{"level-twice", `"PROCTOR_BEHAVIOUR_PASS"`, `"PROCTOR_BEHAVIOUR_PASS","PROCTOR_BEHAVIOUR_PASS"`, "twice"},
		{"no-such-day", `VALID_ON_2026-09-14`, `VALID_ON_2026-09-99`, "no day"},
		{"no-input", input + `{"digest":{"sha256":"`, `"x":[{"digest":{"sha256":"`, "unknown"},
		{"two-inputs", input, input + `{"digest":{"sha256":"` + strings.Repeat("3", 64) + `"}},`, "input attestations"},
		{"dependency-levels", `"slsaVersion"`, `"dependencyLevels":{},"slsaVersion"`, "unknown"},
	} {
		if !bytes.Contains(honest, []byte(c.old)) {
			m.t.Fatalf("%s: %s is not in the payload", c.name, c.old)
		}
		f := verdicttest.Forgery{Payload: bytes.Replace(honest, []byte(c.old), []byte(c.new), 1), Key: m.w.Approve}
		if c.says == "" {
			m.good("approval-"+c.name, f, nil)
		} else {
			m.bad("approval", c.name, c.says, f, nil)
		}
		m.as(verdict.ApprovalType, pkg)
	}
}

// signatures: the envelope around honest bytes.
func (m *maker) signatures() {
	f := m.evidence()
	sig, other := []any{"dsseEnvelope", "signatures"}, verdicttest.Fixed(m.t, "stranger")
	with := func(change func(*verdicttest.Forgery)) verdicttest.Forgery { g := f; change(&g); return g }
	set := func(v any, path ...any) func(object) { return func(o object) { o.Set(v, path...) } }
	sigOf := func(o object) []byte {
		s, _ := o.At("dsseEnvelope", "signatures", 0, "sig")
		b, _ := base64.StdEncoding.DecodeString(s.(string))
		return b
	}
	text := func(path []any, change func(string) string) func(object) {
		return func(o object) { v, _ := o.At(path...); o.Set(change(v.(string)), path...) }
	}
	payloadAt, sigAt := []any{"dsseEnvelope", "payload"}, []any{"dsseEnvelope", "signatures", 0, "sig"}
	m.good("signature-other-s-logged-so", with(func(g *verdicttest.Forgery) { g.Sig = malleate }), nil)
	m.good("hint-changed", f, set("bWluZQ==", "verificationMaterial", "publicKey", "hint"))
	for _, c := range []struct {
		name, says string
		f          verdicttest.Forgery
		edit       func(object)
	}{
		{"by-a-stranger", "no trusted key", with(func(g *verdicttest.Forgery) { g.Key = other.Evidence }), nil},
		{"of-the-bare-payload", "no trusted key", with(func(g *verdicttest.Forgery) { g.NoPAE = true }), nil},
		{"of-another-payload-type", "payloadType", with(func(g *verdicttest.Forgery) { g.PayloadType = "application/json" }), nil},
		{"payload-type-edited", "payloadType", f, set("application/json", "dsseEnvelope", "payloadType")},
		{"payload-type-empty", "payloadType", f, set("", "dsseEnvelope", "payloadType")},
		{"r-and-s", "no trusted key", with(func(g *verdicttest.Forgery) { g.Sig = rawSignature }), nil},
		{"other-s-logged-as-it-was", "not in the log", f, func(o object) { o.Set(base64.StdEncoding.EncodeToString(malleate(sigOf(o))), sigAt...) }},
		{"none", "0 signatures", f, set([]any{}, sig...)},
		{"two-of-one", "2 signatures", f, func(o object) { s, set := o.At(sig...); set(append(s.([]any), s.([]any)[0])) }},
		{"a-stranger-first", "2 signatures", f, func(o object) {
			s, set := o.At(sig...)
			set([]any{object{"sig": "AAAA"}, s.([]any)[0]})
		}},
		{"empty", "no trusted key", f, set("", sigAt...)},
		{"zeros", "no trusted key", f, set(base64.StdEncoding.EncodeToString([]byte{0x30, 6, 2, 1, 0, 2, 1, 0}), sigAt...)},
		{"trailing-bytes", "no trusted key", f, func(o object) { o.Set(base64.StdEncoding.EncodeToString(append(sigOf(o), 0)), sigAt...) }},
		{"keyid", "unknown", f, set("x", "dsseEnvelope", "signatures", 0, "keyid")},
		{"payload-line-end", "base64", f, text(payloadAt, func(s string) string { return s + "\n" })},
		{"payload-no-padding", "base64", f, text(payloadAt, func(s string) string { return strings.TrimRight(s, "=") })},
		{"payload-url-alphabet", "base64", f, text(payloadAt, func(s string) string { return "-" + s[1:] })},
		{"payload-empty", "no trusted key", f, set("", payloadAt...)},
		{"payload-edited", "no trusted key", f, text(payloadAt, func(s string) string {
			b, _ := base64.StdEncoding.DecodeString(s)
			return base64.StdEncoding.EncodeToString(bytes.Replace(b, []byte(`"attempt":1`), []byte(`"attempt":2`), 1))
		})},
		{"embedded-key", "unknown", f, set("AA==", "verificationMaterial", "publicKey", "rawBytes")},
		{"certificate", "unknown", f, set(object{"rawBytes": "AA=="}, "verificationMaterial", "certificate")},
		{"timestamps", "unknown", f, set(object{"rfc3161Timestamps": []any{}}, "verificationMaterial", "timestampVerificationData")},
		{"message-signature", "unknown", f, set(object{}, "messageSignature")},
		{"bundle-v0.2", "mediaType", f, set("application/vnd.dev.sigstore.bundle.v0.2+json", "mediaType")},
		{"bundle-v0.3-old-name", "mediaType", f, set("application/vnd.dev.sigstore.bundle+json;version=0.3", "mediaType")},
	} {
		m.bad("envelope", c.name, c.says, c.f, c.edit)
	}
}

// copies: the proof, and what a bundle repeats of it.
func (m *maker) copies() {
	f := m.evidence()
	stranger := verdicttest.Fixed(m.t, "stranger")
	for i := range 6 {
		stranger.Append(m.t, fmt.Appendf(nil, "entry %d", i))
	}
	foreign := stranger.Bundle(m.t, f, nil)
	e := verdicttest.Passed(verdicttest.Digest("2"))
	neighbour := m.w.Bundle(m.t, verdicttest.Forgery{Payload: m.honest(e), Key: m.w.Evidence}, nil)
	entry := []any{"verificationMaterial", "tlogEntries", 0}
	at := func(path ...any) []any { return append(slices.Clone(entry), path...) }
	from := func(bundle []byte, path ...any) func(object) {
		return func(o object) { v, _ := verdicttest.Parse(m.t, bundle).At(path...); o.Set(v, path...) }
	}
	set := func(v any, path ...any) func(object) { return func(o object) { o.Set(v, at(path...)...) } }
	note := func(change func(string) string) func(object) {
		return func(o object) {
			v, s := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			s(change(v.(string)))
		}
	}
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	m.good("unknown-witness", f, note(func(s string) string { return s + "— witness.example AAAAAAAAAAAAAAAA\n" }))
	for _, c := range []struct {
		name, says string
		edit       func(object)
	}{
		{"no-entry", "0 log entries", func(o object) { o.Set([]any{}, "verificationMaterial", "tlogEntries") }},
		{"two-entries", "2 log entries", func(o object) {
			v, s := o.At("verificationMaterial", "tlogEntries")
			s(append(v.([]any), v.([]any)[0]))
		}},
		{"outer-index", "logIndex differs", set("2", "logIndex")},
		{"inner-index", "not in the log", set("2", "inclusionProof", "logIndex")},
		{"both-indexes", "not in the log", func(o object) { o.Set("2", at("logIndex")...); o.Set("2", at("inclusionProof", "logIndex")...) }},
		{"negative-index", "not a number", set("-1", "inclusionProof", "logIndex")},
		{"index-zero-before", "not a number", set("07", "inclusionProof", "logIndex")},
		{"index-plus", "not a number", set("+7", "inclusionProof", "logIndex")},
		{"index-empty", "not a number", set("", "inclusionProof", "logIndex")},
		{"index-bare-number", "wrong type", set(7, "inclusionProof", "logIndex")},
		{"index-beyond", "in a log of", set("99999", "inclusionProof", "logIndex")},
		{"tree-size", "differs from the signed", set("99999", "inclusionProof", "treeSize")},
		{"root", "differs from the signed", set(zero, "inclusionProof", "rootHash")},
		{"hash", "not in the log", set(zero, "inclusionProof", "hashes", 0)},
		{"hashes-none", "not in the log", set([]any{}, "inclusionProof", "hashes")},
		{"hashes-null", "not in the log", set(nil, "inclusionProof", "hashes")},
		{"hashes-one-more", "not in the log", func(o object) {
			v, s := o.At(at("inclusionProof", "hashes")...)
			s(append(v.([]any), zero))
		}},
		{"hashes-turned", "not in the log", func(o object) {
			v, s := o.At(at("inclusionProof", "hashes")...)
			h := slices.Clone(v.([]any))
			slices.Reverse(h)
			s(h)
		}},
		{"hashes-64", "64 hashes", set(slicesOf(zero, 64), "inclusionProof", "hashes")},
		{"hash-short", "32 bytes", set("AAAA", "inclusionProof", "hashes", 0)},
		{"integrated-time", "unknown", set("1700000000", "integratedTime")},
		{"promise", "unknown", set(object{"signedEntryTimestamp": "AA=="}, "inclusionPromise")},
		{"log-id", "logId", set(zero, "logId", "keyId")},
		{"kind", "kindVersion", set("dsse", "kindVersion", "kind")},
		{"kind-version", "kindVersion", set("0.0.1", "kindVersion", "version")},
		{"body-of-another", "canonicalizedBody", from(neighbour, at("canonicalizedBody")...)},
		{"body-empty", "canonicalizedBody", set("", "canonicalizedBody")},
		{"proof-of-another", "not in the log", from(neighbour, at("inclusionProof")...)},
		{"entry-of-another", "not in the log", from(neighbour, entry...)},
		{"checkpoint-of-another-log", "did not sign", from(foreign, at("inclusionProof", "checkpoint")...)},
		{"entry-of-another-log", "did not sign", from(foreign, entry...)},
		{"no-checkpoint", "did not sign", set("", "inclusionProof", "checkpoint", "envelope")},
		{"checkpoint-size-edited", "did not sign", note(func(s string) string { return strings.Replace(s, "\n", "\n1", 1) })},
		{"checkpoint-unsigned", "did not sign", note(func(s string) string { return s[:strings.Index(s, "\n\n")+2] })},
		{"checkpoint-other-base64", "one form of base64", note(otherForm)},
		{"checkpoint-line-ends", "did not sign", note(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })},
		{"checkpoint-long", "longer", note(func(s string) string { return s + strings.Repeat("— witness.example AAAAAAAAAAAAAAAA\n", 1000) })},
	} {
		m.bad("log", c.name, c.says, f, c.edit)
	}
	m.checkpointTexts(f, at)
}

// checkpointTexts: notes that the log's key signed, and that are no checkpoints.
func (m *maker) checkpointTexts(f verdicttest.Forgery, at func(...any) []any) {
	for _, c := range []replaced{
		{"another-origin", "log.proctor.example\n", "other.example\n", "origin, size, root"},
		{"no-origin", "log.proctor.example\n", "", "origin, size, root"},
		{"extension", "=\n", "=\nmore\n", "origin, size, root"},
		{"size-zero-before", "example\n", "example\n0", "not a number"},
		{"size-plus", "example\n", "example\n+", "not a number"},
		{"root-cut", "=\n", "\n", "bad root"},
	} {
		m.bad("checkpoint", c.name, c.says, f, func(o object) {
			v, set := o.At(at("inclusionProof", "checkpoint", "envelope")...)
			text, _, _ := strings.Cut(v.(string), "\n\n")
			set(string(m.w.Note(m.t, strings.Replace(text+"\n", c.old, c.new, 1))))
		})
	}
}

// objects: each object of a bundle with a key too many, and each key gone.
func (m *maker) objects() {
	f := m.evidence()
	entry := []any{"verificationMaterial", "tlogEntries", 0}
	for _, path := range [][]any{{}, {"verificationMaterial"}, {"verificationMaterial", "publicKey"}, entry, append(slices.Clone(entry), "logId"), append(slices.Clone(entry), "kindVersion"),
		append(slices.Clone(entry), "inclusionProof"), append(slices.Clone(entry), "inclusionProof", "checkpoint"), {"dsseEnvelope"}, {"dsseEnvelope", "signatures", 0}} {
		name := "bundle"
		for _, p := range path {
			name = fmt.Sprint(p, "")
		}
		if name == "0" {
			name = map[int]string{3: "entry", 2: "signature"}[len(path)]
			if path[0] == "dsseEnvelope" {
				name = "signature"
			}
		}
		m.bad("bundle", "more-in-"+name, "unknown", f, func(o object) { o.Set(1, append(slices.Clone(path), "zzz")...) })
		at, _ := verdicttest.Parse(m.t, m.w.Bundle(m.t, f, nil)).At(path...)
		var keys []string
		switch v := at.(type) {
		case map[string]any:
			for k := range v {
				keys = append(keys, k)
			}
		case object:
			for k := range v {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			m.bad("bundle", "no-"+key+"-in-"+name, "", f, func(o object) {
				v, _ := o.At(path...)
				switch v := v.(type) {
				case map[string]any:
					delete(v, key)
				case object:
					delete(v, key)
				}
			})
		}
	}
}

// texts: the bytes of a bundle.
func (m *maker) texts() {
	b := m.w.Bundle(m.t, m.evidence(), nil)
	put := func(category, name, says string, bundle []byte) {
		m.add(vector{Name: category + "-" + name, Category: category, Says: says, Accept: says == "", bundle: bundle})
	}
	put("good", "spaces", "", append(append([]byte(" \n"), bytes.ReplaceAll(b, []byte(`","`), []byte("\" ,\t\""))...), '\n'))
	put("good", "escaped", "", bytes.Replace(b, []byte(`"hashedrekord"`), []byte(`"\u0068ashedrekord"`), 1))
	put("text", "empty", "empty", nil)
	put("text", "two", "not JSON", append(bytes.Clone(b), b...))
	put("text", "list", "wrong type", append(append([]byte("["), b...), ']'))
	put("text", "null", "not written as it must be", []byte("null"))
	put("text", "cut", "not JSON", b[:len(b)/2])
	put("text", "nul", "not JSON", append(bytes.Clone(b), 0))
	put("text", "byte-order-mark", "not JSON", append([]byte("\xef\xbb\xbf"), b...))
	put("text", "comment", "not JSON", append(bytes.Clone(b), "//x"...))
	put("text", "payload-twice", "twice", bytes.Replace(b, []byte(`"payload":`), []byte(`"payload":"e30=","payload":`), 1))
	put("text", "payload-in-two-cases", "twice", bytes.Replace(b, []byte(`"payload":`), []byte(`"Payload":"e30=","payload":`), 1))
	put("text", "envelope-twice", "twice", bytes.Replace(b, []byte(`"dsseEnvelope":`), []byte(`"dsseEnvelope":null,"dsseEnvelope":`), 1))
	put("text", "snake-case", "unknown", bytes.Replace(b, []byte(`"dsseEnvelope":`), []byte(`"dsse_envelope":`), 1))
	put("text", "invalid-utf8", "UTF-8", bytes.Replace(b, []byte(`"hint":"`), []byte("\"hint\":\"\xff"), 1))
}

// sizes: entries at the edges of trees.
func (m *maker) sizes() {
	f := m.evidence()
	for n, _ := m.w.Store.LogSize(); n%64 != 62; n++ {
		m.w.Append(m.t, fmt.Appendf(nil, "filler %d", n))
	}
	for range 4 { // trees of 64k-1 to 64k+2 entries
		n, _ := m.w.Store.LogSize()
		m.good(fmt.Sprintf("entry-%d", n), f, nil)
	}
}
