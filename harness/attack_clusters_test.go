package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"proctor/harness/report"
)

// A set with clusters and weights is judged by them, from the sealing to the report:
// the same rows, sealed without, let a model pass that moves whole customers.
func TestClusteredRun(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(table(1)), "\n")
	lines[0] += ",customer,w"
	for i := range lines[1:] {
		lines[i+1] += fmt.Sprintf(",c%d,%d", i/4, 1+i%2)
	}
	text := strings.Join(lines, "\n") + "\n"
	rule := strings.NewReplacer("change_at_least_pp: -10", "change_at_least_pp: -20").Replace(testPolicy)
	for _, declared := range []string{"", "clusters: customer\nweights: w\n"} {
		w := newWorld(t)
		c, err := w.propose(testSpec+declared, text, "")
		w.activate(c, err, "cur2")
		if declared != "" {
			_, err := w.s.ProposePolicy(context.Background(), person("own1"), []byte(strings.Replace(rule, "prove:", "prove:\n  - {id: calibration, metric: brier, change_at_most: 0.2}", 1)))
			w.refused("only accuracy has limits", err)
		}
		w.rule(rule)
		w.deploy("v1", model(0, ""))
		v := w.run("v2", model(0.05, "s"))
		view, err := w.s.Report(context.Background(), person("rev1"), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		r := view.Report
		covered := strings.Contains(strings.Join(r.Decision.NotCovered, "\n"), "100 clusters")
		if covered != (declared != "") || (r.Flips.P == nil) != (declared != "") || r.Decision.Result != report.Pass {
			t.Errorf("declared %q: %s %q, p of rows %v", declared, r.Decision.Sentence, r.Decision.NotCovered, r.Flips.P)
		}
		if declared != "" && (r.Search.Method != "" || r.Planted.Planted != 0) {
			t.Errorf("searched %q, planted %d", r.Search.Sentence, r.Planted.Planted)
		}
		w.clean()
	}
}
