package harness

import (
	"context"
	"errors"
	"strings"
	"testing"

	"proctor/harness/access"
)

// A preview shows classes first, what would show in each slice, and what the policies
// in force make of the rows; it leaves nothing behind.
func TestPreviewHoldout(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	w.rule(strings.Replace(testPolicy, "first_model:", "watch:\n  - {id: groups, metric: accuracy, over: [group], harm_pp: 5, detect_pp: 10}\nfirst_model:", 1))
	size := w.logSize()
	ask := func(spec, table string) (HoldoutPreview, error) {
		return w.s.PreviewHoldout(ctx, person("cur1"), HoldoutProposal{Spec: []byte(spec), Format: "csv", Table: strings.NewReader(table)})
	}
	v, err := ask(testSpec, table(1))
	if err != nil || v.Rows+v.Practice != testRows || v.Canaries == 0 || v.Slices[0].Dimension != "class" || len(v.Notes) != 0 {
		t.Fatalf("%+v %v", v, err)
	}
	rows := int64(0)
	for _, x := range v.Slices {
		if x.Dimension == "group" {
			rows += x.Rows
		}
		if x.VisiblePP == nil || !(*x.VisiblePP > 0 && *x.VisiblePP < 100) {
			t.Errorf("%+v", x)
		}
	}
	if int(rows) != v.Rows || len(v.Policies) != 1 || v.Policies[0].Report == nil || v.Policies[0].Lineage != "line" {
		t.Errorf("%d rows in groups, policies %+v", rows, v.Policies)
	}
	// The same table again says the same.
	if again, err := ask(testSpec, table(1)); err != nil || again.Canaries != v.Canaries || again.Rows != v.Rows {
		t.Errorf("%+v %v", again, err)
	}
	// A slice of a few rows is under the policy's minimum and too rare by itself.
	lines := strings.SplitAfter(table(1), "\n")
	for i := 1; i <= 4; i++ {
		c := strings.Split(lines[i], ",")
		c[2] = "rare"
		lines[i] = strings.Join(c, ",")
	}
	small, err := ask(testSpec, strings.Join(lines, ""))
	notes := strings.Join(small.Notes, "\n")
	if err != nil || !strings.Contains(notes, "group: 1 values are too rare") || !strings.Contains(notes, "1 of group are under its minimum of") || !strings.Contains(notes, ": rare") {
		t.Errorf("%s %v", notes, err)
	}
	// Rows on which the policy in force could not be decided at all.
	few, err := ask(testSpec, strings.Join(strings.SplitAfter(table(1), "\n")[:131], ""))
	if err != nil || len(few.Policies) != 1 || few.Policies[0].Report != nil || few.Policies[0].Refused == "" || len(few.Notes) == 0 {
		t.Errorf("%+v %v", few, err)
	}
	if _, err := ask(testSpec, "x,y\n1,2\n"); err == nil {
		t.Error("a table without the columns has a preview")
	}
	if _, err := w.s.PreviewHoldout(ctx, person("sub1"), HoldoutProposal{}); !errors.Is(err, access.ErrDenied) {
		t.Errorf("a submitter: %v", err)
	}
	if got := w.logSize(); got != size {
		t.Errorf("the log grew from %d to %d", size, got)
	}
	// So much is told with a set that is proposed, too.
	c, err := w.propose(testSpec, strings.Join(lines, ""), "")
	if err != nil || !strings.Contains(c.Note, "1 of group are under its minimum of") {
		t.Errorf("%s %v", c.Note, err)
	}
}
