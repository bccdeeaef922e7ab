package harness

import (
	"context"
	"errors"
	"testing"

	"proctor/harness/access"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// A person who was revoked has accounts still, until they end, and does nothing by them:
// he reviews, proposes and activates no more, and nothing is judged by what he decided.
func TestRevokedPerson(t *testing.T) {
	ctx := context.Background()
	for _, off := range []bool{false, true} { // off: nobody was revoked, and all of it is done
		w := newWorld(t).begin()
		v := w.run("v1", model(0, ""))
		other := must1[api.Change](w)(w.s.ProposeRevocation(ctx, person("aud1"), api.Revocation{Kind: verdict.RevokePackage, Digest: verdict.PersonDigest("nobody"), Reason: "x"}))
		if !off {
			w.revoke(verdict.RevokePerson, verdict.PersonDigest("rev1"))
		}
		_, reviewed := w.review("rev1", v.ID, true)
		_, decided := w.s.DecideChange(ctx, person("rev1"), other.ID, false)
		_, proposed := w.s.ProposeWaiver(ctx, person("rev1"), api.Waiver{Run: v.ID, Environment: "prod", Admission: "CHG-1", Hours: 1, Reason: "x"})
		for what, err := range map[string]error{"review": reviewed, "decide": decided, "propose": proposed} {
			var refused *Error
			if off != (err == nil) || !off && !errors.As(err, &refused) {
				t.Errorf("off %v, %s: %v", off, what, err)
			}
		}
		w.clean()
	}
}

// Nothing is judged by a policy that a revoked person put in force, in the tables or after
// a restart, until others put another in its place.
func TestRevokedDecider(t *testing.T) {
	w := newWorld(t).begin()
	must1[api.Submission](w)(w.submit("sub1", "before", model(0, "a")))
	w.revoke(verdict.RevokePerson, verdict.PersonDigest("own1"))
	_, err := w.submit("sub1", "after", model(0, "b"))
	w.refused("own1 is revoked", err)
	w.restart()
	_, err = w.submit("sub1", "after", model(0, "b"))
	w.refused("own1 is revoked", err)
	w.clean()
}

// A key that is revoked signs no verdict that counts: the service that still has it takes
// no model, and approves none that it had judged.
func TestRevokedKeySignsNothing(t *testing.T) {
	for what, key := range map[string]func(*Service) verdict.Signer{
		"evidence": func(s *Service) verdict.Signer { return s.Evidence },
		"approve":  func(s *Service) verdict.Signer { return s.Approve },
	} {
		w := newWorld(t).begin()
		v := w.run("v1", model(0, ""))
		digest := must1[string](w)(verdict.KeyDigest(key(w.s).Public()))
		c, err := w.s.ProposeRevocation(context.Background(), person("aud1"), api.Revocation{Kind: verdict.RevokeKey, Digest: digest, From: w.record(v.ID).Evidence + 1, Reason: "stolen"})
		w.activate(c, err, "op1")
		if got := w.see(v.ID); got.Revoked != "" {
			t.Errorf("%s: what it signed before is revoked: %+v", what, got)
		}
		_, err = w.submit("sub1", "v2", model(0, "b"))
		w.refused("signs with is revoked", err)
		_, err = w.review("rev1", v.ID, true)
		w.refused("signs with is revoked", err)
		if n := w.approvals(); n != 0 {
			t.Errorf("%s: %d approvals", what, n)
		}
		w.clean()
	}
}

// A model whose approval was revoked is not put in force as what others are compared with.
func TestRevokedIsNoBaseline(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("v1", model(0, ""))
	must1[api.Submission](w)(w.review("rev1", v.ID, true))
	must1[api.Submission](w)(w.review("rev2", v.ID, true))
	c := must1[api.Change](w)(w.s.ProposeBaseline(context.Background(), person("rev1"), api.Baseline{Lineage: "line", Run: v.ID}))
	w.revoke(verdict.RevokePackage, v.Package)
	_, err := w.s.DecideChange(context.Background(), person("op1"), c.ID, true)
	w.refused("is revoked: it does not become", err)
	w.clean()
}

// The submitter's second account asks for no waiver either: it would be one of the two.
func TestWaiverBySubmitter(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("v1", model(0, ""))
	ask := api.Waiver{Run: v.ID, Environment: "prod", Admission: "CHG-1", Hours: 4, Reason: "it is mine"}
	_, err := w.s.ProposeWaiver(context.Background(), access.Principal{ID: "rev8", Person: "sub1", Roles: []access.Role{access.Reviewer}}, ask)
	w.refused("submitted", err)
	must1[api.Change](w)(w.s.ProposeWaiver(context.Background(), person("rev8"), ask))
}

// A look at the queue that fails half-way leaves no run in nobody's hands.
func TestQueueUnreadable(t *testing.T) {
	w := newWorld(t).begin()
	id := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a"))).ID
	if _, err := w.s.takeUp(context.Background(), id); err != nil { // it is found first, and can be read
		t.Fatal(err)
	}
	must1[api.Submission](w)(w.submit("sub1", "b", model(0, "b")))
	w.sql(`UPDATE runs SET attempt = 'none' WHERE state = 'queued'`) // and this one cannot
	if _, err := w.s.takeNext(context.Background()); err == nil {
		t.Error("a queue that cannot be read gave a run")
	}
	w.sql(`UPDATE runs SET attempt = 0 WHERE state = 'queued'`)
	if got, err := w.s.takeNext(context.Background()); got != id || err != nil {
		t.Errorf("the run is in nobody's hands: %q %v", got, err)
	}
}
