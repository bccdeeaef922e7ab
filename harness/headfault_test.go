package harness

import (
	"context"
	"fmt"
	"testing"

	"proctor/web/api"
)

// The head's file fails at each of its writes of a run, without or with having kept
// what was written; a blob may fail in the same run. No bundle is handed out until the
// service starts again, and then everything that was committed is whole: one plan, one
// charge, one end.
func TestHeadFaults(t *testing.T) {
	for _, keep := range []bool{false, true} {
		for _, blobToo := range []bool{false, true} {
			for write := 1; write <= 3; write++ { // the plan, the charge, the end
				if blobToo && write < 3 { // the blob is the report
					continue
				}
				t.Run(fmt.Sprintf("write %d, kept %v, a blob too %v", write, keep, blobToo), func(t *testing.T) {
					w := newWorld(t).begin()
					v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
					n := 0
					w.s.Head.Around = func(f func() error) error {
						if n++; n != write {
							return f()
						}
						if keep {
							if err := f(); err != nil {
								return err
							}
						}
						return errFault
					}
					w.blobs.keep.Store(keep)
					w.blobs.fail.Store(blobToo)
					err := w.s.evaluate(context.Background(), v.ID)
					if n < write {
						t.Fatalf("the run wrote the head %d times", n)
					}
					if err == nil && write < 3 { // at the last one, the run has ended in its record
						t.Error("the worker was told of success")
					}
					// What the head does not cover is not handed out.
					for _, which := range []string{"evidence", "approval"} {
						if _, err := w.s.Bundle(context.Background(), person("aud"), v.ID, which); err == nil {
							t.Errorf("the %s is handed out under a head that failed", which)
						}
					}
					w.blobs.fail.Store(false)
					w.restart()
					w.clean()
					if v = w.work(v.ID); !v.Done() || w.charges() != 1 && v.State == "done" {
						t.Errorf("%+v, %d charges", v, w.charges())
					}
					w.clean()
					if _, err := w.s.Bundle(context.Background(), person("aud"), v.ID, "evidence"); (err == nil) != (v.State == "done") {
						t.Errorf("%s, and its evidence: %v", v.State, err)
					}
				})
			}
		}
	}
}
