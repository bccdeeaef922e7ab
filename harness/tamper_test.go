package harness

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/harness/tlog"
	"proctor/holdout/blob"
	"proctor/web/api"
)

func decisionOf(result string, decided int, list, claim string) report.Decision {
	return report.Decision{Result: result, Decided: decided, Findings: []report.Finding{{List: list, Claim: claim, Subject: "sex: women", Sentence: "83.25 %"}}}
}

// damage flips one bit of a stored blob.
func (w *world) damage(ref string) {
	w.t.Helper()
	hex := strings.TrimPrefix(ref, "sha256:")
	var path string
	filepath.WalkDir(w.dir+"/blobs", func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(strings.ReplaceAll(p, "/", ""), hex) {
			path = p
		}
		return nil
	})
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatalf("blob %s: %v", ref, err)
	}
	b[len(b)/2] ^= 1
	os.Chmod(path, 0o600)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// sql changes the database as whoever holds the disk can.
func (w *world) sql(query string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite3", w.dir+"/p.db?_busy_timeout=5000")
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Exec(query, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	if n, _ := r.RowsAffected(); n == 0 && !strings.HasPrefix(query, "DROP") {
		w.t.Fatalf("%s: nothing changed", query)
	}
}

// A sealed set of which one bit changed judges nobody and costs nothing.
func TestHoldoutChanged(t *testing.T) {
	w := newWorld(t).begin()
	for i, e := range must1[[]os.DirEntry](w)(os.ReadDir(w.dir + "/blobs")) {
		_, _ = i, e
	}
	refs := w.blobRefs()
	v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
	for _, ref := range refs { // all blobs so far are chunks of the set
		w.damage(ref)
	}
	v = w.work(v.ID)
	if v.State != "aborted" || v.Reason != "holdout.digest_mismatch" || v.BudgetLeft != 3 || w.charges() != 0 {
		t.Errorf("%+v, %d charges\n%s", v, w.charges(), w.log)
	}
	if found := w.audit(); !strings.Contains(found, "holdout exam version 1") {
		t.Errorf("audit: %s", found)
	}
}

func (w *world) blobRefs() (refs []string) {
	filepath.WalkDir(w.dir+"/blobs", func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		refs = append(refs, string(blob.RefOf(b)))
		return err
	})
	return refs
}

// A report whose bytes changed has no page.
func TestReportChanged(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("m", model(0, ""))
	if _, err := w.s.Report(context.Background(), person("rev1"), v.ID); err != nil {
		t.Fatal(err)
	}
	w.damage(w.record(v.ID).Report)
	_, err := w.s.Report(context.Background(), person("rev1"), v.ID)
	var damaged *blob.CorruptError
	if !errors.As(err, &damaged) {
		t.Errorf("got %v", err)
	}
	if found := w.audit(); !strings.Contains(found, "report of run "+v.ID) {
		t.Errorf("audit: %s", found)
	}
}

// forged is one change of the database, and what notices it.
type forged struct {
	name, query string
	view        string // what Submission says; "": it is served
	audit       string
}

// Whoever can write the database cannot make one model's verdict the answer for
// another model's bytes.
func TestForgedQuestion(t *testing.T) {
	w := newWorld(t).begin()
	base := w.deploy("base", model(0, ""))
	good := w.run("good", model(0, "g"))
	bad := w.run("bad", model(0.5, "w"))
	if good.Result != "PASS" || bad.Result != "FAIL" || base.ID == good.ID {
		t.Fatalf("%+v %+v", good, bad)
	}
	w.clean() // the control
	w.close()
	w.sql(`UPDATE runs SET dedupe = (SELECT dedupe FROM runs WHERE id = '` + bad.ID + `') || ' ' WHERE id = '` + good.ID + `'`)
	w.sql(`UPDATE runs SET dedupe = 'gone' WHERE id = '` + bad.ID + `'`)
	w.sql(`UPDATE runs SET dedupe = rtrim(dedupe) WHERE id = '` + good.ID + `'`)
	w.open()
	defer w.close()
	if v, err := w.submit("sub1", "bad", model(0.5, "w")); err == nil {
		t.Errorf("the bad model's bytes were answered with %+v", v)
	}
	if found := w.audit(); !strings.Contains(found, good.ID) {
		t.Errorf("audit: %q", found)
	}
}

// What whoever can write the database can change is noticed: where it would be
// shown or acted upon, and in the audit.
func TestForgedRecords(t *testing.T) {
	w := newWorld(t).begin()
	base := w.deploy("base", model(0, ""))
	worse := w.run("worse", model(0.5, "w"))
	if worse.Result != "FAIL" {
		t.Fatalf("%+v", worse)
	}
	w.clean() // the control: nothing is found while nothing is forged
	w.close()
	whole := copyDir(t, w.dir)
	for _, f := range []forged{
		{"a FAIL becomes a PASS", `UPDATE runs SET result = 'PASS', reason = '' WHERE id = '` + worse.ID + `'`, "is not what log entry", "is not what log entry"},
		{"a FAIL is approved", `UPDATE runs SET result = 'PASS', approval = evidence WHERE id = '` + worse.ID + `'`, "is not what log entry", "is not what log entry"},
		{"an approval of another run", `UPDATE runs SET approval = (SELECT approval FROM runs WHERE id = '` + base.ID + `') WHERE id = '` + worse.ID + `'`, "is not the approval", "is not the approval"},
		{"the verdict of another run", `UPDATE runs SET (evidence, result, report, package) = (SELECT evidence, result, report, package FROM runs WHERE id = '` + base.ID + `') WHERE id = '` + worse.ID + `'`, "is not what log entry", "no such verdict"},
		{"a verdict is taken back", `UPDATE runs SET state = 'planned', result = '', evidence = -1 WHERE id = '` + worse.ID + `'`, "", "the log has a verdict"},
		{"a run is gone", `DELETE FROM exposures; DELETE FROM runs WHERE id = '` + worse.ID + `'`, "there is no submission", "has a plan in the log and no record"},
		{"a charge is gone", `DELETE FROM exposures WHERE run = '` + worse.ID + `'`, "", "the ledger does not"},
		{"a charge too many", `UPDATE exposures SET holdout = 'sha256:' || substr(holdout, 8, 60) || 'ffff' WHERE run = '` + worse.ID + `'`, "*", "the log does not"},
		{"another document is active", `UPDATE active SET digest = (SELECT digest FROM documents WHERE kind = 'policy') WHERE kind = 'holdout'`, "*", "is in force, the log's last activation is of"},
		{"another model is deployed", `UPDATE lineages SET baseline = '` + worse.ID + `'`, "contradicts the log", "the log's last activation is of"},
		{"another model is the best", `UPDATE lineages SET anchor = '` + worse.ID + `'`, "contradicts the log", "is no approved run"},
		{"another policy", `UPDATE lineages SET policy = (SELECT digest FROM documents WHERE kind = 'holdout')`, "*", "is in force, the log's last activation is of"},
		{"a policy's text", `UPDATE documents SET body = replace(CAST(body AS TEXT), 'valid_days: 7', 'valid_days: 9') WHERE kind = 'policy'`, "*", "its record is another document"},
		{"a set's manifest", `UPDATE documents SET extra = x'7b7d' WHERE kind = 'holdout'`, "", "holdout exam version 1"},
		{"a set's public side", `UPDATE documents SET body = replace(CAST(body AS TEXT), '"rows":400', '"rows":900') WHERE kind = 'holdout'`, "*", "holdout exam version 1"},
		{"a review by nobody", `INSERT INTO reviews VALUES ('` + worse.ID + `', 'rev7', 'rev7', 'approve', 'r', 'sha256:00', '2026-01-01T00:00:00Z')`, "", "not in the log"},
		{"a plan of another run", `UPDATE runs SET plan = (SELECT plan FROM runs WHERE id = '` + base.ID + `') WHERE id = '` + worse.ID + `'`, "", "planned under something else"},
		{"a leaf", `DROP TRIGGER log_leaves_same; UPDATE log_leaves SET leaf = x'00' WHERE idx = 3`, "*", "log entry 3"},
		{"an envelope", `DROP TRIGGER log_leaves_same; UPDATE log_leaves SET envelope = (SELECT envelope FROM log_leaves WHERE idx = 2) WHERE idx = 3`, "*", "log entry 3"},
	} {
		t.Run(f.name, func(t *testing.T) {
			v := &world{t: t, dir: copyDir(t, whole)}
			for _, q := range strings.Split(f.query, "; ") {
				v.sql(q)
			}
			v.open()
			defer v.close()
			_, err := v.s.Submission(context.Background(), person("sub1"), worse.ID)
			switch {
			case f.view == "*":
			case f.view == "" && err != nil, f.view != "" && (err == nil || !strings.Contains(err.Error(), f.view)):
				t.Errorf("view: %v, want %q", err, f.view)
			}
			if _, err := v.s.Bundle(context.Background(), person("rev1"), worse.ID, "approval"); err == nil {
				t.Error("an approval of a failed run was given out")
			}
			if found := v.audit(); !strings.Contains(found, f.audit) {
				t.Errorf("audit: %q, want %q", found, f.audit)
			}
		})
	}
}

// A row in the table of reviews does not approve: with it, one person would be two.
func TestForgedReview(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("m", model(0, "")) // the first model: two people
	w.sql(`INSERT INTO reviews VALUES ('` + v.ID + `', 'rev7', 'rev7', 'approve', 'r', 'sha256:00', '2026-01-01T00:00:00Z')`)
	got, err := w.review("rev1", v.ID, true)
	if err == nil || got.Approved || w.record(v.ID).Approval >= 0 {
		t.Errorf("approved by one person: %+v %v", got, err)
	}
	w.sql(`DELETE FROM reviews`) // the control: two who are in the log do approve
	if _, err := w.review("rev1", v.ID, true); err != nil {
		t.Fatal(err)
	}
	if got, err := w.review("rev2", v.ID, true); err != nil || !got.Approved {
		t.Errorf("%+v %v", got, err)
	}
}

// A planned run whose record was changed is not evaluated under the changed plan.
func TestForgedPlan(t *testing.T) {
	for _, q := range []string{`UPDATE runs SET attempt = 3`, `UPDATE runs SET seed = '` + strings.Repeat("ab", 32) + `'`,
		`UPDATE runs SET plan = replace(CAST(plan AS TEXT), '"index":4', '"index":3')`, `UPDATE runs SET package_name = 'other'`, ``} {
		w := newWorld(t).begin()
		v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
		if _, err := w.s.takeUp(context.Background(), v.ID); err != nil {
			t.Fatal(err)
		}
		if q != "" {
			w.sql(q)
		}
		_, err := w.s.takeUp(context.Background(), v.ID)
		if q == "" && err != nil || q != "" && (err == nil || !strings.Contains(err.Error(), "log entry")) {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// An older database under a newer head is refused; one that is ahead is taken up.
func TestHead(t *testing.T) {
	w := newWorld(t).begin()
	w.close()
	old := copyDir(t, w.dir)
	w.open()
	w.run("m", model(0, ""))
	w.close()
	late := must1[[]byte](w)(os.ReadFile(w.dir + "/head"))

	behind := &world{t: t, dir: copyDir(t, old)}
	if err := os.WriteFile(behind.dir+"/head", late, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := behind.tryOpen(); !errors.Is(err, tlog.ErrForked) {
		t.Errorf("a database behind its head: %v", err)
	}
	ahead := &world{t: t, dir: copyDir(t, w.dir)}
	if err := os.WriteFile(ahead.dir+"/head", must1[[]byte](w)(os.ReadFile(old+"/head")), 0o600); err != nil {
		t.Fatal(err)
	}
	ahead.open()
	defer ahead.close()
	ahead.clean()
	_, tree := ahead.s.Head.Checkpoint()
	if want := int64(strings.Count(string(late), "\n")); tree.N < 6 || want == 0 {
		t.Errorf("the head did not move on: %d entries", tree.N)
	}
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "proctor-harness-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(to) })
	os.Chmod(to, 0o711)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"evidence.pem", "approve.pem", "kek", "log.key", "officer"} {
		if err := os.Chmod(filepath.Join(to, private), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
