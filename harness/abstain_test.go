package harness

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/report"
)

// T40: a model that gives no answer where it is unsure. Each row without an answer counts
// as wrong, whatever the share; more than half a percent of them is no model at all. The
// same model with those rows answered passes, which is what leaving them out would make
// of it. (Null, NaN, text, and rows that are missing end a run: TestMisbehaviour.)
func TestAbstaining(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	w.rule(strings.NewReplacer("tier_at_least: none", "tier_at_least: landlock", "budget_runs: 3", "budget_runs: 4").Replace(testPolicy))
	w.deploy("v1", model(0, ""))
	for _, c := range []struct {
		near   float64
		result string
	}{{0, report.Pass}, {nearest(1), report.Pass}, {nearest(12), report.Fail}} {
		rows, wrong := border(c.near)
		v := w.run("silent", misbehaver(t, "silent-"+strconv.FormatFloat(c.near, 'g', -1, 64)))
		if v.Result != c.result {
			t.Fatalf("silent on %d rows: %+v\n%s", rows, v, w.log)
		}
		r := w.report(v.ID)
		if got := r.Flips.BothRight + r.Flips.Fixed; r.Flips.N != testRows || got != int64(testRows-wrong) {
			t.Errorf("silent on %d rows: %d of %d right, want %d", rows, got, r.Flips.N, testRows-wrong)
		}
		if finding := violated(r); c.result == report.Fail && !strings.Contains(finding, "degenerate") {
			t.Errorf("silent on %d rows: violated are %q", rows, finding)
		}
	}
	w.clean()
}

func violated(r *report.Report) (list string) {
	for _, f := range r.Decision.Findings {
		if f.Outcome == report.Violated {
			list += f.Claim + " " + f.Subject + " "
		}
	}
	return list
}

// border counts the sealed rows nearer than near to a half, and those that are wrong by
// the rule or for having no answer.
func border(near float64) (rows, wrong int) {
	eachRow(func(x float64, yes bool) {
		silent := math.Abs(x-0.5) < near
		if silent {
			rows++
		}
		if silent || (x > 0.5) != yes {
			wrong++
		}
	})
	return rows, wrong
}

// nearest is the distance from a half within which exactly n rows lie.
func nearest(n int) float64 {
	near := 1e-6
	for rows, _ := border(near); rows < n; rows, _ = border(near) {
		near += 1e-6
	}
	return near
}

func eachRow(do func(x float64, yes bool)) {
	for _, line := range strings.Split(strings.TrimSpace(table(1)), "\n")[1:] {
		f := strings.Split(line, ",")
		x, _ := strconv.ParseFloat(f[0], 64)
		do(x, f[3] == "yes")
	}
}
