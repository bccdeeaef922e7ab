package harness

import (
	"context"
	"strings"
	"testing"

	"proctor/harness/store"
)

// approveAnyway has the service sign and log an approval, past everything that Review
// asks: what whoever holds the approval key and the database can do.
func (w *world) approveAnyway(id string) {
	w.t.Helper()
	err := w.s.update(context.Background(), func(tx *store.Tx, log *appender) error {
		r, err := tx.Run(id)
		if err != nil {
			return err
		}
		env, e, err := w.s.loggedEvidence(tx, r)
		if err != nil {
			return err
		}
		f, err := w.s.plannedForce(tx, r, e)
		if err != nil {
			return err
		}
		return w.s.approve(tx, log, r, env, f.policy)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// T101: one refusal is for good. An approval that the log has after it is found by the
// audit, by whoever it was made. The same entry without a refusal is none of the audit's
// business: how many reviews a policy asks for is not in the log's own rules.
func TestAuditFindsApprovalAfterRefusal(t *testing.T) {
	for _, refused := range []bool{true, false} {
		w := newWorld(t).begin()
		v := w.run("v1", model(0, ""))
		if v.Result != "PASS" {
			t.Fatalf("%+v", v)
		}
		if refused {
			if _, err := w.review("rev1", v.ID, false); err != nil {
				t.Fatal(err)
			}
			_, err := w.review("rev2", v.ID, true)
			w.refused("a reviewer has refused", err)
		}
		w.clean() // the control: nothing is wrong before
		w.approveAnyway(v.ID)
		found := w.audit()
		if strings.Contains(found, "an approval of what a reviewer had refused") != refused {
			t.Errorf("refused %v, audit: %q", refused, found)
		}
	}
}
