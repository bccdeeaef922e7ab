package harness

import (
	"strings"
	"testing"

	"proctor/harness/access"
)

// Who submitted a model is in the log. Whoever can write the database and makes the
// record name somebody else, so that the submitter may review his own model, is found
// out by whoever looks at the run, and by the audit.
func TestSubmitterIsLogged(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("m", model(0, ""))
	if v.Result != "PASS" {
		t.Fatalf("%+v", v)
	}
	sam := access.Principal{ID: "rev-sam", Person: "sub1", Roles: []access.Role{access.Reviewer}}
	own := w.record(v.ID)
	w.sql(`UPDATE runs SET submitted_person = 'somebody' WHERE id = $1`, v.ID)
	// The record alone lets him: this is what the log is asked for.
	if err := access.Check(sam, access.Review, access.Object{People: []string{w.record(v.ID).SubmittedPerson}}); err != nil {
		t.Fatalf("the control: %v", err)
	}
	if _, err := w.review("rev1", v.ID, true); err == nil || !strings.Contains(err.Error(), "is not what its plan") {
		t.Errorf("a review of a run whose submitter was changed: %v", err)
	}
	if _, err := w.s.Report(t.Context(), sam, v.ID); err == nil || !strings.Contains(err.Error(), "is not what its plan") {
		t.Errorf("its report: %v", err)
	}
	if found := w.audit(); !strings.Contains(found, "is not what its plan") {
		t.Errorf("the audit found %q", found)
	}
	w.sql(`UPDATE runs SET submitted_person = $1 WHERE id = $2`, own.SubmittedPerson, v.ID)
	w.clean()
	if _, err := w.review("rev1", v.ID, true); err != nil {
		t.Errorf("as it was: %v", err)
	}
}
