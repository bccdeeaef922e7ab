package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"proctor/harness/runner"
	"proctor/holdout/blob"
	"proctor/web/api"
)

var errFault = errors.New("the disk failed")

// faultyBlobs fails its next write but some once, without or with having kept it.
type faultyBlobs struct {
	blob.Store
	fail, keep atomic.Bool
	pass       atomic.Int32 // writes that succeed before
}

func (f *faultyBlobs) Put(ctx context.Context, b []byte) (blob.Ref, error) {
	if f.pass.Add(-1) >= 0 || !f.fail.Swap(false) {
		return f.Store.Put(ctx, b)
	}
	if f.keep.Load() {
		if _, err := f.Store.Put(ctx, b); err != nil {
			return "", err
		}
	}
	return "", errFault
}

// A write of a blob fails, and was kept or not: nobody is told of success, nothing
// is half there, and the same request again succeeds.
func TestBlobFaults(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint("kept ", keep), func(t *testing.T) {
			w := newWorld(t)
			w.blobs.keep.Store(keep)
			w.blobs.fail.Store(true)
			_, err := w.s.ProposeHoldout(context.Background(), person("cur1"), HoldoutProposal{Spec: []byte(testSpec), Format: "csv", Table: strings.NewReader(table(1))})
			if err == nil {
				t.Error("sealed without a chunk")
			}
			if refused := (*Error)(nil); errors.As(err, &refused) {
				t.Errorf("the curator is told of the disk: %v", err)
			}
			w.begin()

			w.blobs.fail.Store(true) // the package
			if v, err := w.submit("sub1", "m", model(0, "")); !errors.Is(err, errFault) || v.ID != "" {
				t.Errorf("%+v %v", v, err)
			}
			v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
			w.blobs.pass.Store(1)    // what the models answered
			w.blobs.fail.Store(true) // the report, after rows were given
			v = w.work(v.ID)
			if v.State != "aborted" || v.Reason != "service.error" || w.charges() != 1 || !w.abortOf(v.ID).Charged || v.BudgetLeft != 2 {
				t.Errorf("the report was not stored: %+v, %d charges", v, w.charges())
			}
			w.clean()
			w.blobs.pass.Store(1)    // the package
			w.blobs.fail.Store(true) // what the models answered: no verdict hangs on it
			if v = w.run("m", model(0, "")); v.State != "done" || v.Repeated || v.BudgetLeft != 1 {
				t.Errorf("again: %+v", v)
			}
			w.clean()
		})
	}
}

// Each statement that writes fails once, in every step of a run, as when a disk is
// full: what was answered stands, the rest is as if not asked, and asking again works.
func TestDatabaseFaults(t *testing.T) {
	for _, table := range []string{"runs", "log_leaves", "log_hashes", "exposures", "river_job"} {
		for _, on := range []string{"INSERT", "UPDATE"} {
			if on == "UPDATE" && table != "runs" {
				continue
			}
			t.Run(on+" "+table, func(t *testing.T) {
				w := newWorld(t).begin()
				w.exec(`CREATE TRIGGER full BEFORE ` + on + ` ON ` + table + ` BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`)
				v, err := w.submit("sub1", "m", model(0, ""))
				if err == nil {
					err = w.s.evaluate(context.Background(), v.ID)
				}
				if err == nil { // what could still be written was an uncharged abort
					if v = w.see(v.ID); v.Reason != "service.error" || w.charges() != 0 || w.abortOf(v.ID).Charged {
						t.Errorf("%+v, %d charges", v, w.charges())
					}
				} else if !strings.Contains(err.Error(), "disk is full") {
					t.Errorf("got %v", err)
				}
				w.clean()
				w.exec(`DROP TRIGGER full`)
				v = must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
				if v = w.work(v.ID); !v.Done() || w.charges() > 1 {
					t.Errorf("again: %+v, %d charges", v, w.charges())
				}
				w.clean()
				w.restart()
				w.clean()
			})
		}
	}
}

// A fault of ours that counts no rows, after rows went out, gives no charge back; one
// before that does.
func TestFaultBetweenRows(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	w := newWorld(t).begin()
	w.s.Limits = runner.Limits{}
	w.s.Runner.Faketime = "/nowhere/libfaketime.so.1" // the clock is tried after the exam
	v := w.run("m", pack(map[string]string{"serve.py": fmt.Sprintf(bomb, 1<<40),
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"command","command":["python3","serve.py"],"batch_max":64,"task":"classification","classes":["no","yes"]}`}))
	if v.State != "aborted" || v.Reason != runner.ServiceError || w.charges() != 1 || !w.abortOf(v.ID).Charged || v.BudgetLeft != 2 {
		t.Errorf("after the exam: %+v, %d charges\n%s", v, w.charges(), w.log)
	}
	v = must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
	w.damage(w.record(v.ID).PackageBlob)
	if v = w.work(v.ID); v.State != "aborted" || w.charges() != 1 || w.abortOf(v.ID).Charged || v.BudgetLeft != 2 {
		t.Errorf("before a row went out: %+v, %d charges", v, w.charges())
	}
}

// exec changes the database's form.
func (w *world) exec(query string) {
	w.t.Helper()
	db, err := sql.Open("sqlite3", w.dir+"/p.db?_busy_timeout=5000")
	if err == nil {
		defer db.Close()
		_, err = db.Exec(query)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}
