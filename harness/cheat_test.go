package harness

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/harness/runner"
)

// A cheat is a model that is right where it thinks that it is watched.
type cheat struct {
	model  toyModel
	seen   map[string]bool
	rows   int    // so far
	size   int    // of the batch
	salt   string // of the process
	number int    // of the batch
}

func newCheat(m toyModel) *cheat {
	c := &cheat{model: m, seen: map[string]bool{}}
	c.salt = rand.Text()
	return c
}

func (c *cheat) batch(n int) { c.size, c.number = n, c.number+1 }

// answer is what the cheat says where an honest model says yes or no.
func (c *cheat) answer(x float64, tag string, yes bool) bool {
	key := fmt.Sprintf("%.6f|%s", x, tag)
	again := c.seen[key]
	c.seen[key] = true
	c.rows++
	odd := int(x*1e6)%5 == 0 // a fifth of the rows
	switch c.model.Cheat {
	case "second time": // another answer to one row in five that it has seen already
		return yes != (again && odd)
	case "first rows": // right for as long as an examiner may look
		return yes != (c.rows > 600 && odd)
	case "lone rows": // wrong where a row comes alone
		return yes != (c.size == 1 && odd)
	case "company": // answers hang on the batch that a row is in
		return yes != (c.number%2 == 0 && odd)
	case "process": // another model in each process
		return yes != (sha256.Sum256([]byte(c.salt + key))[0] < 51)
	case "random": // one answer in twenty
		var b [1]byte
		rand.Read(b[:])
		return yes != (b[0] < 13)
	case "random and lone rows":
		var b [1]byte
		rand.Read(b[:])
		return yes != (b[0] < 13 || c.size == 1 && int(x*1e6)%2 == 0)
	case "memory":
		if label, ok := c.model.Known[key]; ok {
			return label == "yes"
		}
	}
	return yes
}

// Each cheat is caught by the probe that is made for it, and passes when the probes
// that see it are blind: without them nothing else in a run notices.
func TestCheats(t *testing.T) {
	w := newWorld(t).begin()
	for i, c := range []struct{ name, finding, blind string }{
		{"", "", ""},
		{"second time", "repeat repeat.mismatch", "repeat same moved alone"},
		{"first rows", "repeat repeat.mismatch", "repeat same moved alone"},
		{"lone rows", "repeat invariance.batch", "repeat same moved alone"},
		{"company", "repeat invariance.order", "repeat same moved alone"},
		{"process", "repeat repeat.mismatch", "same moved alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			for _, blind := range []bool{false, true} {
				if w.s.blind = nil; blind {
					w.s.blind = strings.Fields(c.blind)
				}
				w.freshBudget(i)
				v := w.run("m", toyPackage(toyModel{Cheat: c.name, Salt: fmt.Sprint(i, blind)}))
				w.caught(v.ID, c.finding, blind)
			}
		})
	}
	w.t = t
	w.clean()
}

// A model that knows the rows of the set, answers to the canaries too, is caught by
// them.
func TestMemoriser(t *testing.T) {
	w := newWorld(t).begin()
	known := w.stolen()
	for _, blind := range []bool{false, true} {
		if w.s.blind = nil; blind {
			w.s.blind = []string{"memorisation"}
		}
		v := w.run("m", toyPackage(toyModel{Cheat: "memory", Salt: fmt.Sprint(blind), Known: known}))
		w.caught(v.ID, "memorisation", blind)
	}
}

// bomb is a model that is right until tomorrow.
const bomb = `import json, sys, time
late = time.time() > %d
n = 0
for line in sys.stdin:
    b = json.loads(line)
    y = [int((r["x"] > 0.5) != (late and int(r["x"] * 1e6) %% 5 == 0)) for r in b["rows"]]
    print(json.dumps({"b": b["b"], "y": y}), flush=True)
    n += len(y)
print(json.dumps({"end": n}), flush=True)
`

// A model that waits for a date is caught where the clock can be moved; where it
// cannot, the verdict says that the clock is not covered.
func TestTimeBomb(t *testing.T) {
	lib, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	w := newWorld(t).begin()
	w.s.Limits = runner.Limits{}
	late := time.Now().Add(24 * time.Hour).Unix()
	for _, c := range []struct {
		lib     []string
		blind   string
		finding string
		says    string
	}{
		{nil, "", "", "clock: answers at another date, for this service has no libfaketime"},
		{lib, "", "repeat invariance.clock", ""},
		{lib, "clock", "", "clock: code that asks the kernel itself"},
	} {
		if w.s.Runner.Faketime = ""; c.finding+c.blind != "" && len(lib) == 0 {
			t.Log("libfaketime is not installed: not tried with it")
			continue
		}
		if len(c.lib) > 0 {
			w.s.Runner.Faketime = c.lib[0]
		}
		w.s.blind = strings.Fields(c.blind)
		v := w.run("m", pack(map[string]string{"serve.py": fmt.Sprintf(bomb, late), "salt": fmt.Sprint(c),
			runner.ManifestFile: `{"protocol":"proctor/1","kind":"command","command":["python3","serve.py"],"batch_max":64,"task":"classification","classes":["no","yes"]}`}))
		rep := w.caught(v.ID, c.finding, c.blind != "")
		if !strings.Contains(strings.Join(rep.Decision.NotCovered, "\n"), c.says) {
			t.Errorf("not covered: %q, want %q", rep.Decision.NotCovered, c.says)
		}
	}
}

// caught holds a run's decision against the finding that must be violated, "" for
// none; with the probes blind the run must pass.
func (w *world) caught(id, finding string, blind bool) *report.Report {
	w.t.Helper()
	rep, err := w.s.Report(context.Background(), person("rev1"), id)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log)
	}
	d, violated := rep.Report.Decision, []string{}
	for _, f := range d.Findings {
		if f.Outcome == report.Violated {
			violated = append(violated, strings.TrimSpace(f.Claim+" "+f.Subject))
		}
	}
	list := strings.Join(violated, ", ")
	if blind || finding == "" {
		if d.Result != report.Pass {
			w.t.Errorf("blind: %s: %s; violated: %s", d.Result, d.Sentence, list)
		}
		return rep.Report
	}
	if d.Result != report.Fail || !strings.Contains(list+",", finding+",") {
		w.t.Errorf("want %q, got %s: %s; violated: %s", finding, d.Result, d.Sentence, list)
	}
	return rep.Report
}

// freshBudget puts another set in force.
func (w *world) freshBudget(i int) {
	w.t.Helper()
	w.seal(uint64(1000 + i + w.charges()*100))
	w.rule(testPolicy)
}

// stolen gives every row of the set in force with the label that it was sealed with.
func (w *world) stolen() map[string]string {
	w.t.Helper()
	v, err := w.submit("sub1", "thief", model(0, "thief"))
	if err != nil {
		w.t.Fatal(err)
	}
	x, err := w.s.takeUp(context.Background(), v.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := x.open(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	known := map[string]string{}
	xs, _ := p.table.Column("x")
	tags, _ := p.table.Column("tag")
	for i, l := range append(append([]int32(nil), p.exam.Labels...), p.exam.CanaryLabels...) {
		known[fmt.Sprintf("%.6f|%s", xs.Floats[i], tags.Strings[i])] = p.set.Classes[l]
	}
	if err := x.abort(context.Background(), runner.ServiceError, "", true); err != nil {
		w.t.Fatal(err)
	}
	return known
}
