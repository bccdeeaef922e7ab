package verdict_test

import (
	"bytes"
	"time"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// laterStatements are the types that came after the corpus was begun. They stand at its
// end, so that the vectors before keep their place in the log.
func laterStatements() []struct {
	name string
	s    verdict.Statement
	typ  string
	of   string
} {
	at, of := verdicttest.At.Format(time.RFC3339), verdict.Ref{Name: "census", Version: 1, Digest: verdicttest.Digest("d")}
	e := verdicttest.Passed(pkg)
	return []struct {
		name string
		s    verdict.Statement
		typ  string
		of   string
	}{
		{"custody", &verdict.Custody{Verifier: verdicttest.VerifierID, Action: verdict.CustodyShow, Holdout: of, Lines: []int{3, 17}, By: "rae", Person: "Rae", At: at}, verdict.CustodyType, of.Digest},
		{"revocation", &verdict.Revocation{ID: "c2", Verifier: verdicttest.VerifierID, Kind: verdict.RevokeHoldout, Target: of, Evidence: []string{verdicttest.Digest("3"), verdicttest.Digest("4")},
			Reason: "it was on the internet", ProposedBy: "abe", ProposedPerson: "Abe", By: "oz", Person: "Oz", At: at}, verdict.RevocationType, of.Digest},
		{"revocation-list", &verdict.RevocationList{Verifier: verdicttest.VerifierID, Log: verdicttest.Origin, Sequence: 9, Root: verdicttest.Digest("8"), At: at, Expires: verdicttest.At.Add(time.Hour).Format(time.RFC3339),
			Revoked: []verdict.Revoked{{Kind: verdict.RevokeKey, Digest: verdicttest.Digest("2"), From: 4, Evidence: []string{}, LogIndex: 5}}}, verdict.RevocationListType, verdicttest.Digest("8")},
		{"waiver", &verdict.Waiver{ID: "c3", Verifier: verdicttest.VerifierID, Candidate: e.Inputs.Candidate, Gate: verdicttest.ResourceURI, Environment: "prod", Admission: "CHG-1234", Evidence: verdicttest.Digest("7"), Result: verdict.Fail,
			Reason: "the old one is on fire", ProposedBy: "pia", ProposedPerson: "Pia", By: "rae", Person: "Rae", At: at, Until: verdicttest.At.Add(4 * time.Hour).Format(time.RFC3339)}, verdict.WaiverType, pkg},
	}
}

// laterTypes: each verifies as itself, by its own key; none passes for an approval, and
// no approval for one of them.
func (m *maker) laterTypes() {
	for _, x := range laterStatements() {
		f := verdicttest.Forgery{Payload: m.honest(x.s), Key: m.w.Signer(x.s)}
		m.good("type-"+x.name, f, nil)
		m.as(x.typ, x.of)
		m.bad("type", x.name+"-for-approval", "want "+verdict.ApprovalType, f, nil)
		m.as(verdict.ApprovalType, x.of)
		m.bad("type", "approval-for-"+x.name, "want "+x.typ, verdicttest.Forgery{Payload: m.honest(m.approval()), Key: m.w.Approve}, nil)
		m.as(x.typ, pkg)
		f.Key = m.w.Approve
		if m.w.Signer(x.s) == m.w.Approve {
			f.Key = m.w.Evidence
		}
		m.bad("key", x.name+"-by-the-other-key", "may not sign", f, nil)
		m.as(x.typ, x.of)
	}
}

// laterFaults: one fault each in what takes back and in what goes past an approval.
func (m *maker) laterFaults() {
	list := laterStatements()
	for _, c := range []struct {
		of int
		replaced
	}{
		{1, replaced{"one-person", `"person":"Oz"`, `"person":"Abe"`, "himself"}},
		{1, replaced{"nobody", `"proposed_person":"Abe",`, ``, "missing"}},
		{1, replaced{"unknown-kind", `"kind":"holdout"`, `"kind":"weather"`, "none of"}},
		{1, replaced{"from-for-a-holdout", `"from_log_index":"0"`, `"from_log_index":"3"`, "only a key"}},
		{1, replaced{"evidence-null", `"evidence":["` + verdicttest.Digest("3") + `","` + verdicttest.Digest("4") + `"]`, `"evidence":null`, "no list"}},
		{1, replaced{"evidence-not-sorted", verdicttest.Digest("3"), verdicttest.Digest("5"), "not sorted"}},
		{2, replaced{"sequence-zero", `"sequence":"9"`, `"sequence":"0"`, "sequence"}},
		{2, replaced{"entry-beyond", `"log_index":"5"`, `"log_index":"9"`, "before 9"}},
		{2, replaced{"revoked-null", `"revoked":[{`, `"revoked":null,"x":[{`, "unknown"}},
		{2, replaced{"expired-at-once", `"expires":"2026-09-14T13:00:00Z"`, `"expires":"2026-09-14T12:00:00Z"`, "not after"}},
		{2, replaced{"for-ever", `"expires":"2026-09-14T13:00:00Z"`, `"expires":"2027-09-14T13:00:00Z"`, "more than"}},
		{3, replaced{"one-person", `"person":"Rae"`, `"person":"Pia"`, "himself"}},
		{3, replaced{"too-long", `"until":"2026-09-14T16:00:00Z"`, `"until":"2026-09-15T12:00:01Z"`, "more than"}},
		{3, replaced{"no-admission", `"admission":"CHG-1234"`, `"admission":""`, "admission"}},
		{3, replaced{"no-environment", `"environment":"prod",`, ``, "missing"}},
		{3, replaced{"says-passed", `"result":"FAIL"`, `"result":"PASSED"`, "none of"}},
	} {
		x := list[c.of]
		honest := m.honest(x.s)
		if !bytes.Contains(honest, []byte(c.old)) {
			m.t.Fatalf("%s: %s is not in %s", c.name, c.old, honest)
		}
		m.bad(x.name, c.name, c.says, verdicttest.Forgery{Payload: bytes.Replace(honest, []byte(c.old), []byte(c.new), 1), Key: m.w.Approve}, nil)
		m.as(x.typ, x.of)
		m.list[len(m.list)-1].Stock = true // it reads no predicate
	}
}
