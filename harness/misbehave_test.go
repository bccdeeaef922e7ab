package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// What a candidate does, and how its run ends. The modes before "flood" answer
// batches first, so that rows have left the service and the run is charged. The
// others need no row: one that is stopped before the first was sent costs nothing.
const misbehaviours = `
fewer      answer.count
more       answer.count
nan        answer.number
infinite   answer.number
sum        answer.number
garbage    answer.malformed
half       exit.early
order      answer.order
class      answer.class
stops      exit.early
panics     exit.early
slow       batch.timeout
no-end     answer.no_end
after-end  answer.after_end
code       exit.error
flood      answer
longline   answer.too_long
nothing    exit.early
dies       exit.early
hangs      start.timeout
memory     limit.memory
forks      exit.early
`

// A candidate that misbehaves ends in an abort that is in the log, with fixed words.
func TestMisbehaviour(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some twenty runs")
	}
	w := newWorld(t)
	w.s.Limits.Start, w.s.Limits.Batch = 4*time.Second, 2*time.Second // a hanging model ends soon, a slow machine does not look like one
	w.seal(1)
	w.rule(strings.Replace(testPolicy, "tier_at_least: none", "tier_at_least: landlock", 1))
	spent, early := 0, false
	for _, line := range strings.Split(strings.TrimSpace(misbehaviours), "\n") {
		mode, want := strings.Fields(line)[0], strings.Fields(line)[1]
		if spent == 3 { // the set has rotated
			w.seal(uint64(100 + w.charges()))
			w.rule(strings.Replace(testPolicy, "tier_at_least: none", "tier_at_least: landlock", 1))
			spent = 0
		}
		early = early || mode == "flood"
		before := w.charges()
		v := w.run("m", misbehaver(t, mode))
		if v.State != "aborted" || !strings.HasPrefix(v.Reason, want) || v.Result != "" || v.Approved {
			t.Errorf("%s: %+v, want %s\n%s", mode, v, want, w.log)
			continue
		}
		if v.Sentence != runner.Sentence(v.Reason) || v.Sentence == "" {
			t.Errorf("%s: the sentence is not a fixed one: %q", mode, v.Sentence)
		}
		b, _ := json.Marshal(v)
		for _, leak := range []string{"the row was", "misbehave", "Loading", "<html>", w.dir, "goroutine", "0x"} {
			if strings.Contains(string(b), leak) {
				t.Errorf("%s: the submitter sees %q: %s", mode, leak, b)
			}
		}
		charged := w.charges() - before
		spent += charged
		a := w.abortOf(v.ID)
		if a == nil || a.Reason != v.Reason || a.Charged != (charged == 1) {
			t.Errorf("%s: the log says %+v, %d charges", mode, a, charged)
		}
		delivered := w.log.String()[strings.LastIndex(w.log.String(), "run="+v.ID):]
		if strings.Contains(delivered, "charged=true") != (charged == 1) || charged != 1 && !early {
			t.Errorf("%s: %d charges; %s", mode, charged, delivered)
		}
	}
	w.clean()
}

// abortOf returns the abort of a run that is in the log, or nil.
func (w *world) abortOf(run string) *verdict.Abort {
	var found *verdict.Abort
	err := w.store.View(context.Background(), func(tx *store.Tx) error {
		size, err := tx.LogSize()
		for at := size; err == nil; {
			if at, err = tx.LogIndexBefore(verdict.AbortType, at); err != nil || at < 0 {
				return err
			}
			env, err := w.s.envelope(tx, at)
			if err != nil {
				return err
			}
			if a := env.Statement().(*verdict.Abort); a.Run.ID == run {
				found = a
				return nil
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// A command that cannot start has seen no row and costs nothing.
func TestStartFails(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("m", pack(map[string]string{"run": "not a program",
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"command","command":["./run"],"task":"classification","classes":["no","yes"]}`}))
	if v.State != "aborted" || v.Reason != runner.StartFailed || v.BudgetLeft != 3 || w.charges() != 0 {
		t.Errorf("%+v, %d charges\n%s", v, w.charges(), w.log)
	}
	w.clean()
}

// Packages that are refused at the door, in words that name no path of ours.
func TestRefusedPackages(t *testing.T) {
	w := newWorld(t).begin()
	for want, archive := range map[string][]byte{
		"archive":     []byte("not a tar"),
		"is missing":  pack(map[string]string{"a": "b"}),
		"not in the":  pack(map[string]string{runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`}),
		"one of the":  pack(map[string]string{"m.onnx": "{}", runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","maybe"]}`}),
		"not set up":  pack(map[string]string{"m.onnx": "{}", runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnxruntime","model":"m.onnx","task":"classification","classes":["no","yes"]}`}),
		"package arc": pack(map[string]string{"../m.onnx": "{}"}),
	} {
		_, err := w.submit("sub1", "m", archive)
		w.refused(want, err)
	}
	for _, name := range []string{"", "  ", "a\x1b[2J", "a\u009bb", "a\u202eb", "\xff", strings.Repeat("n", 101)} {
		_, err := w.submit("sub1", name, model(0, ""))
		w.refused("candidate's name", err)
	}
	_, err := w.s.Submit(context.Background(), person("sub1"), "no such line", "m", strings.NewReader(string(model(0, ""))))
	w.refused("there is no lineage", err)
	w.s.Scratch = w.dir + "/gone" // the machine's fault is not told
	_, err = w.submit("sub1", "m", model(0, ""))
	if err == nil || err.(interface{ Error() string }) == nil {
		t.Error("submitted without scratch")
	}
	if _, told := err.(*Error); told {
		t.Errorf("the submitter is told of the machine: %v", err)
	}
}

// When the deployed model fails, the fault is the service's: nothing is charged,
// unless the candidate may have been given rows before a crash.
func TestDeployedModelFails(t *testing.T) {
	for _, handed := range []bool{false, true} {
		w := newWorld(t).begin()
		base := w.deploy("base", model(0, ""))
		v := must1[api.Submission](w)(w.submit("sub1", "next", model(0.02, "n")))
		before := w.charges()
		if handed { // a first life: charged, and rows handed over
			x, err := w.s.takeUp(context.Background(), v.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x.open(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := w.store.Update(context.Background(), func(tx *store.Tx) error { return tx.Hand(x.run) }); err != nil {
				t.Fatal(err)
			}
		}
		w.damage(w.record(base.ID).PackageBlob)
		v = w.work(v.ID)
		if v.State != "aborted" || v.Reason != runner.ServiceError || (w.charges() > before) != handed || w.abortOf(v.ID).Charged != handed {
			t.Errorf("handed %v: %+v, %d charges before, %d now", handed, v, before, w.charges())
		}
	}
}

// coarse tells nothing but which kind of rule decided.
func TestCoarse(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(`
PASS         0 always memorisation =
FAIL         0 always memorisation = memorisation
FAIL         0 prove  overall-1.5  = required-claim
FAIL         0 watch  sex-women    = harm
INCONCLUSIVE 0 watch  sex-women    = not-enough-evidence
INCONCLUSIVE 0 prove  acc-83.25    = not-enough-evidence
FAIL        -1 watch  x            =
FAIL         9 watch  x            =
`), "\n") {
		var result, list, claim, eq, want string
		var decided int
		fmt.Sscan(line, &result, &decided, &list, &claim, &eq, &want)
		if got := coarse(decisionOf(result, decided, list, claim)); got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
}
