package harness

import (
	"context"
	"reflect"
	"testing"
)

// What surrounds a run: the runs of its lineage, the verdict before it and its terms,
// what is deployed today, and who holds which role.
func TestLineage(t *testing.T) {
	w := newWorld(t).begin()
	ctx := context.Background()
	must1[string](w)(w.enroll("rae", "rae", "reviewer"))
	v1 := w.deploy("v1", model(0, ""))
	v2 := w.run("v2", model(.02, "s"))
	first := must1[LineageView](w)(w.s.Lineage(ctx, person("rev1"), v1.ID))
	if first.Before != nil || first.Now.Baseline != "" || len(first.Runs) != 2 || first.Runs[0].ID != v2.ID || first.Runs[0].Result != v2.Result {
		t.Errorf("%+v", first)
	}
	second := must1[LineageView](w)(w.s.Lineage(ctx, person("aud"), v2.ID))
	if second.BeforeID != v1.ID || !reflect.DeepEqual(*second.Before, first.Now) || second.Now.Baseline != v1.Package || second.Deployed != v1.Package || second.Now.Policy != first.Now.Policy {
		t.Errorf("%+v", second)
	}
	if len(second.Holders) != 1 || second.Holders[0].Name != "rae" || len(second.Holders[0].Roles) != 1 {
		t.Errorf("%+v", second.Holders)
	}
	_, err := w.s.Lineage(ctx, person("sub1"), v2.ID)
	w.refused("not allowed", err)
	_, err = w.s.Lineage(ctx, person("rev1"), "none")
	w.refused("there is no submission", err)
	w.sql(`UPDATE runs SET report = 'sha256:00' WHERE id = '` + v1.ID + `'`)
	if _, err := w.s.Lineage(ctx, person("rev1"), v2.ID); err == nil {
		t.Error("a record that is not its verdict's is taken for the verdict before")
	}
}
