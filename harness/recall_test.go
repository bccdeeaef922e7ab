package harness

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/gate"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// list reads the published list of revocations as a gate does.
func (w *world) list() *verdict.RevocationList {
	w.t.Helper()
	b := must1[[]byte](w)(w.s.Revocations(context.Background()))
	return must1[*verdict.RevocationList](w)(verdict.OpenRevocations(b, w.s.trust))
}

// revoke has two people take something back.
func (w *world) revoke(kind, digest string) {
	w.t.Helper()
	c, err := w.s.ProposeRevocation(context.Background(), person("aud1"), api.Revocation{Kind: kind, Digest: digest, Reason: "it must not be used"})
	w.activate(c, err, "op1")
}

// approvals is how many approvals the log holds.
func (w *world) approvals() (n int) {
	w.t.Helper()
	if err := w.store.View(context.Background(), func(tx *store.Tx) error {
		return w.s.eachOf(tx, verdict.ApprovalType, func(int64, *verdict.Envelope) { n++ })
	}); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// approvedBundle is what a gate is given.
func (w *world) approvedBundle(id string) *verdict.Verified {
	w.t.Helper()
	b := must1[[]byte](w)(w.s.Bundle(context.Background(), person("aud"), id, "approval"))
	return must1[*verdict.Verified](w)(verdict.Verify(b, w.s.trust, verdict.Expectation{Type: verdict.ApprovalType, AnySubject: true}))
}

// Whatever an approval rests on can be revoked, by two people; the list that gates poll
// then names the approval, the service stops calling it one, and the log audits.
func TestRevoke(t *testing.T) {
	for _, kind := range verdict.RevocationKinds() {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t).begin()
			v := w.deploy("v1", model(0, ""))
			e := w.evidence(v.ID)
			bundle := w.approvedBundle(v.ID)
			key := must1[string](w)(bundle.Key())
			digest := map[string]string{
				verdict.RevokeVerdict: bundle.Digest(), verdict.RevokePackage: v.Package, verdict.RevokeKey: key, verdict.RevokeHoldout: e.Inputs.Holdouts[0].Digest,
				verdict.RevokePolicy: e.Inputs.Policy.Digest, verdict.RevokeHarness: e.Run.Harness, verdict.RevokePerson: verdict.PersonDigest("rev1"),
			}[kind]
			if len(e.Inputs.Suites) > 0 {
				digest = e.Inputs.Suites[0].Digest
			}
			if kind == verdict.RevokeSuite { // the policy has none: nothing rests on one
				_, err := w.s.ProposeRevocation(context.Background(), person("aud1"), api.Revocation{Kind: kind, Digest: v.Package, Reason: "x"})
				w.refused("no verdict rests on", err)
				return
			}
			if n := len(w.list().Revoked); n != 0 {
				t.Fatalf("%d are revoked", n)
			}
			hits := must1[[]api.Impact](w)(w.s.Impact(context.Background(), person("aud1"), digest))
			if len(hits) != 1 || hits[0].Kind != kind || hits[0].Approval != bundle.Digest() || hits[0].Revoked != "" {
				t.Errorf("impact %+v", hits)
			}
			w.revoke(kind, digest)
			r := w.list().Revoked
			if len(r) != 1 {
				t.Fatalf("list %+v", r)
			}
			if why, err := r[0].Hits(bundle); why == "" || err != nil {
				t.Errorf("the list does not hit the approval: %q %v", why, err)
			}
			if v = w.see(v.ID); v.Approved || v.Revoked == "" {
				t.Errorf("the service says %+v", v)
			}
			if hits = must1[[]api.Impact](w)(w.s.Impact(context.Background(), person("aud1"), digest)); hits[0].Revoked == "" {
				t.Errorf("impact %+v", hits)
			}
			w.restart()
			if n := len(w.list().Revoked); n != 1 {
				t.Errorf("after a restart %d are revoked", n)
			}
			w.clean()
		})
	}
}

// What is revoked does not come back: nothing is judged or approved by it any more.
func TestRevokedStays(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("v1", model(0, ""))
	w.revoke(verdict.RevokePackage, v.Package)
	_, err := w.review("rev1", v.ID, true)
	w.refused("is revoked", err)
	_, err = w.submit("sub1", "again", model(0, ""))
	w.refused("is revoked", err)
	queued := must1[api.Submission](w)(w.submit("sub1", "other", model(0, "o")))
	w.revoke(verdict.RevokeHoldout, w.evidence(v.ID).Inputs.Holdouts[0].Digest)
	if got := w.work(queued.ID); got.State != store.Aborted || got.Reason != "revoked" {
		t.Errorf("what waited: %+v", got)
	}
	_, err = w.submit("sub1", "third", model(0, "p"))
	w.refused("is revoked", err)
	if n := w.approvals(); n != 0 {
		t.Errorf("%d approvals", n)
	}
	w.clean()
}

// One person revokes nothing, nor do robots and submitters; a gate's list does not change.
func TestRevokeRefused(t *testing.T) {
	w := newWorld(t).begin()
	v := w.deploy("v1", model(0, ""))
	r := api.Revocation{Kind: verdict.RevokePackage, Digest: v.Package, Reason: "x"}
	ctx := context.Background()
	c := must1[api.Change](w)(w.s.ProposeRevocation(ctx, person("aud1"), r))
	_, err := w.s.DecideChange(ctx, person("aud1"), c.ID, true)
	w.refused("second person", err)
	again := person("op9")
	again.Person = "aud1"
	_, err = w.s.DecideChange(ctx, again, c.ID, true)
	w.refused("second person", err)
	_, err = w.s.ProposeRevocation(ctx, person("sub1"), r)
	w.refused("not allowed", err)
	for _, bad := range []api.Revocation{
		{Kind: "weather", Digest: v.Package, Reason: "x"}, {Kind: "package", Digest: "sha256:00", Reason: "x"}, {Kind: "package", Digest: v.Package},
		{Kind: "package", Digest: v.Package, Reason: "x", From: 3}, {Kind: "key", Digest: v.Package, Reason: "x", From: -1}, {Kind: "verdict", Digest: v.Package, Reason: "x"},
	} {
		_, err := w.s.ProposeRevocation(ctx, person("aud1"), bad)
		var refused *Error
		if !errors.As(err, &refused) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if list := w.list(); len(list.Revoked) != 0 || w.see(v.ID).Revoked != "" {
		t.Errorf("revoked: %+v", list)
	}
	w.clean()
}

// From the second person's word to a gate that polls every five minutes takes no longer
// than its own clock: the list is signed anew when the log grows, and twice a minute.
func TestRevocationReaches(t *testing.T) {
	w := newWorld(t).begin()
	v := w.deploy("v1", model(0, ""))
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	w.s.Now = func() time.Time { return now }
	before := w.list()
	now = now.Add(listFresh / 2)
	if again := w.list(); again.At != before.At {
		t.Error("the list is signed for every question")
	}
	w.revoke(verdict.RevokePackage, v.Package)
	if l := w.list(); len(l.Revoked) != 1 || l.Sequence <= before.Sequence {
		t.Errorf("at once: %+v", l)
	}
	was := w.list()
	now = now.Add(listFresh)
	if l := w.list(); l.At == was.At || l.Sequence != was.Sequence {
		t.Errorf("later: %+v", l)
	}
	now = now.Add(-time.Hour) // a clock that was set back signs anew
	if l := w.list(); l.At != now.Format(time.RFC3339) {
		t.Errorf("earlier: %+v", l)
	}
}

// A waiver is two people's, neither of them the model's submitter, for one admission. It
// is no approval: the run stays what it was.
func TestWaiver(t *testing.T) {
	w := newWorld(t).begin()
	w.deploy("v1", model(0, ""))
	v := w.run("v2", model(.4, "s"))
	if v.Result == "PASS" {
		t.Fatalf("%+v", v)
	}
	ctx := context.Background()
	ask := api.Waiver{Run: v.ID, Environment: "prod", Admission: "CHG-1", Hours: 4, Reason: "the old one is on fire"}
	c := must1[api.Change](w)(w.s.ProposeWaiver(ctx, person("own1"), ask))
	for _, who := range []access.Principal{person("own1"), {ID: "rev8", Person: "sub1", Roles: []access.Role{access.Reviewer}}, {ID: "bot", Person: "x", Robot: true, Roles: []access.Role{access.Reviewer}}} {
		if _, err := w.s.DecideChange(ctx, who, c.ID, true); !errors.Is(err, access.ErrDenied) {
			t.Errorf("%s: %v", who.ID, err)
		}
	}
	_, err := w.s.WaiverBundle(ctx, person("sub1"), c.ID)
	w.refused("no waiver is in force", err)
	w.activate(c, nil, "rev2")
	b := must1[[]byte](w)(w.s.WaiverBundle(ctx, person("sub1"), c.ID))
	got := must1[*verdict.Verified](w)(verdict.Verify(b, w.s.trust, verdict.Expectation{Type: verdict.WaiverType, Subject: v.Package})).Statement().(*verdict.Waiver)
	if got.Result != v.Result || got.Environment != "prod" || got.Admission != "CHG-1" || got.Gate != w.s.Gate("line") || got.ProposedPerson != "own1" || got.Person != "rev2" {
		t.Errorf("%+v", got)
	}
	if v = w.see(v.ID); v.Approved {
		t.Errorf("the run is approved: %+v", v)
	}
	_, err = gate.Check(gate.Input{Approval: b, Trust: w.s.trust, Now: time.Now(), Requirements: gate.Requirements{
		Format: gate.RequirementsFormat, VerifierID: w.s.Name, ResourceURI: w.s.Gate("line"), PolicyDigest: w.evidence(v.ID).Inputs.Policy.Digest,
	}})
	w.refused("waiver", err)
	for _, bad := range []func(*api.Waiver){
		func(v *api.Waiver) { v.Hours = 25 }, func(v *api.Waiver) { v.Hours = 0 }, func(v *api.Waiver) { v.Reason = " " }, func(v *api.Waiver) { v.Environment = "" },
		func(v *api.Waiver) { v.Admission = "a\nb" }, func(v *api.Waiver) { v.Run = "none" },
	} {
		x := ask
		bad(&x)
		var refused *Error
		if _, err := w.s.ProposeWaiver(ctx, person("own1"), x); !errors.As(err, &refused) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	w.revoke(verdict.RevokePackage, v.Package)
	c = must1[api.Change](w)(w.s.ProposeWaiver(ctx, person("own1"), ask))
	_, err = w.s.DecideChange(ctx, person("rev2"), c.ID, true)
	w.refused("is revoked", err)
	events := must1[[]api.Event](w)(w.s.Events(ctx, person("aud"), 0, 500))
	if !slices.ContainsFunc(events, func(e api.Event) bool { return e.Kind == "waiver" && len(e.Alerts) == 1 }) {
		t.Error("no event tells of the waiver")
	}
	w.clean()
}
