package gate

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// everyStatement is one honest statement of each type on the scene's model.
func everyStatement(s *scene) map[string]verdict.Statement {
	s.t.Helper()
	e := s.evidence
	env, _ := s.w.Issue(s.t, e)
	at, holdout := e.At, e.Inputs.Holdouts[0]
	until := verdicttest.At.Add(time.Hour).Format(time.RFC3339)
	list := []verdict.Statement{
		e, s.w.Approval(s.t, env),
		&verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: at},
		&verdict.Review{Run: e.Run, Candidate: e.Inputs.Candidate, Evidence: env.Digest(), Report: e.Report, Decision: "approve", By: "rae", Person: "Rae", Reason: "read", At: at},
		&verdict.Change{ID: "c1", Verifier: verdicttest.VerifierID, Action: "activated", Kind: "policy", Document: verdict.Ref{Name: "v2", Digest: e.Inputs.Candidate.Digest}, By: "oz", Person: "Oz", At: at},
		&verdict.Exposure{Run: e.Run, Holdout: holdout, Used: 1, Budget: 6, At: at},
		&verdict.Abort{Run: e.Run, Candidate: e.Inputs.Candidate, Reason: "stopped", At: at},
		&verdict.Custody{Verifier: verdicttest.VerifierID, Action: verdict.CustodyProve, Holdout: holdout, By: "rae", Person: "Rae", At: at},
		&verdict.Revocation{ID: "c2", Verifier: verdicttest.VerifierID, Kind: "holdout", Target: holdout, Evidence: []string{}, Reason: "x", ProposedBy: "a", ProposedPerson: "A", By: "b", Person: "B", At: at},
		&verdict.RevocationList{Verifier: verdicttest.VerifierID, Log: verdicttest.Origin, Sequence: 9, Root: verdicttest.Digest("8"), Revoked: []verdict.Revoked{}, At: at, Expires: until},
		&verdict.Waiver{ID: "c3", Verifier: verdicttest.VerifierID, Candidate: e.Inputs.Candidate, Gate: verdicttest.ResourceURI, Environment: "prod", Admission: "CHG-1234",
			Evidence: env.Digest(), Result: verdict.Pass, Reason: "x", ProposedBy: "a", ProposedPerson: "A", By: "b", Person: "B", At: at, Until: until},
	}
	out := map[string]verdict.Statement{}
	for _, st := range list {
		e, _ := s.w.Issue(s.t, st)
		out[e.Type()] = st
	}
	return out
}

// Every kind of signed thing at every place that reads one: only the diagonal is accepted.
func TestTypeMatrix(t *testing.T) {
	s := newScene(t)
	k := newCourt(t, s.w)
	types := append(append([]string{}, verdict.Types(verdict.UseEvidence)...), verdict.Types(verdict.UseApprove)...)
	things := map[string][]byte{"trust file": k.sign(0, 1), "checkpoint": s.w.Checkpoint(t, s.w.Store)}
	for typ, st := range everyStatement(s) {
		env, bundle := s.w.Issue(t, st)
		things[typ], things["envelope of "+typ] = bundle, env.Bytes()
	}
	readers := map[string]func(b []byte) error{
		"trust file": func(b []byte) error { _, err := OpenTrust(b, k.roots); return err },
		"checkpoint": func(b []byte) error { _, err := tlog.ParseCheckpoint(b, s.w.Log.Key()); return err },
		"list":       func(b []byte) error { _, err := verdict.OpenRevocations(b, s.w.Trust); return err },
		"gate":       func(b []byte) error { in := s.in; in.Approval, in.Evidence = b, nil; _, err := Check(in); return err },
		"pinned keys": func(b []byte) error {
			_, err := ParseTrust(b)
			return err
		},
		"memory":       func(b []byte) error { _, err := ParseMemory(b); return err },
		"requirements": func(b []byte) error { _, err := ParseRequirements(b); return err },
		"gate that waives": func(b []byte) error {
			in := s.in
			in.Approval, in.Evidence, in.Requirements.Waiver = b, nil, &WaiverDemand{"prod", "CHG-1234"}
			_, err := Check(in)
			return err
		},
	}
	for _, typ := range types {
		readers["verify "+typ] = func(b []byte) error {
			_, err := verdict.Verify(b, s.w.Trust, verdict.Expectation{Type: typ, AnySubject: true})
			return err
		}
	}
	want := map[string]bool{"trust file/trust file": true, "checkpoint/checkpoint": true, "list/envelope of " + verdict.RevocationListType: true, "gate/" + verdict.ApprovalType: true,
		"gate that waives/" + verdict.ApprovalType: true, "gate that waives/" + verdict.WaiverType: true}
	for _, typ := range types {
		want["verify "+typ+"/"+typ] = true
	}
	accepted, cells := 0, 0
	for reader, read := range readers {
		for thing, b := range things {
			cells++
			err := read(b)
			if (err == nil) != want[reader+"/"+thing] {
				t.Errorf("%s, given a %s: %v", reader, thing, err)
			}
			if err == nil {
				accepted++
			}
		}
	}
	if len(types) != 11 || accepted != len(want) || cells != 19*24 {
		t.Errorf("%d types, %d of %d cells accepted, want %d", len(types), accepted, cells, len(want))
	}
}

// Parts of two honest bundles put together in every way: only the two that are whole open
// a gate, each for its own model. The parts are those that a bundle has.
func TestMixAndMatch(t *testing.T) {
	parts := [][]any{
		{"dsseEnvelope", "payload"}, {"dsseEnvelope", "signatures"}, {"verificationMaterial", "tlogEntries", 0, "logIndex"}, {"verificationMaterial", "tlogEntries", 0, "canonicalizedBody"},
		{"verificationMaterial", "tlogEntries", 0, "inclusionProof", "logIndex"}, {"verificationMaterial", "tlogEntries", 0, "inclusionProof", "hashes"},
		{"verificationMaterial", "tlogEntries", 0, "inclusionProof", "rootHash"}, {"verificationMaterial", "tlogEntries", 0, "inclusionProof", "treeSize"}, {"verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint"},
	}
	a, b := newScene(t), newScene(t)
	b.w, b.in.Trust = a.w, a.w.Trust
	b.file(b.in.Model, "weights/a.bin", "better")
	digest, err := PackageDigest(b.in.Model)
	must(t, err)
	b.evidence = verdicttest.Passed(digest)
	b.approve()
	opened := 0
	for mask := range 1 << len(parts) {
		from := verdicttest.Parse(t, b.in.Approval)
		into := verdicttest.Parse(t, a.in.Approval)
		for i, p := range parts {
			if mask&(1<<i) != 0 {
				v, _ := from.At(p...)
				into.Set(v, p...)
			}
		}
		mixed, err := json.Marshal(into)
		must(t, err)
		for _, s := range []*scene{a, b} {
			in := s.in
			in.Approval, in.Evidence = mixed, nil
			whole := mask == 0 && s == a || mask == 1<<len(parts)-1 && s == b
			if _, err := Check(in); (err == nil) != whole {
				t.Errorf("parts %09b of the second: %v", mask, err)
			} else if err == nil {
				opened++
			}
		}
	}
	if opened != 2 {
		t.Errorf("%d of %d open, want 2", opened, 2<<len(parts))
	}
}

// Approval, evidence, model and list of three releases in every combination: only those
// of one release open.
func TestReleasesMixed(t *testing.T) {
	var list []*scene
	for i := range 3 {
		s := newScene(t)
		if i > 0 {
			s.w, s.in.Trust = list[0].w, list[0].w.Trust
			s.file(s.in.Model, "weights/a.bin", fmt.Sprint("model ", i))
			digest, err := PackageDigest(s.in.Model)
			must(t, err)
			s.evidence = verdicttest.Passed(digest)
			s.approve()
		}
		list = append(list, s)
	}
	opened := 0
	for ai, a := range list {
		for ei, e := range list {
			for mi, m := range list {
				for ri, r := range list { // the list revokes that release's package
					in := a.in
					in.Evidence, in.Model = e.in.Evidence, m.in.Model
					in.Revocations = a.w.Revocations(t, verdict.Revoked{Kind: "package", Digest: r.evidence.Inputs.Candidate.Digest, Evidence: []string{}, LogIndex: 5})
					if _, err := Check(in); (err == nil) != (ai == ei && ei == mi && ri != ai) {
						t.Errorf("approval %d, evidence %d, model %d, revoked %d: %v", ai, ei, mi, ri, err)
					} else if err == nil {
						opened++
					}
				}
			}
		}
	}
	if opened != 6 {
		t.Errorf("%d of 81 open, want 6", opened)
	}
}
