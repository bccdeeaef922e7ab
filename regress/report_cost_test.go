package regress_test

import (
	"math"
	"testing"

	"proctor/metrics"
	"proctor/regress"
)

// On the demo's rows: with costs of 1 the cost of flips is their share, and its change
// minus that of accuracy; the poisoned model's broken rows fall on women with a Masters
// several times as often as on the average row.
func TestIncomeCosts(t *testing.T) {
	d, err := regress.Compare(incomeFrame(t, "v1"), incomeFrame(t, "v2-poisoned"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dimensions := []string{"sex", "sex*education"}
	none, burden, err := d.Costs(nil, dimensions, .99)
	if err != nil || none != nil || len(burden) != 2 {
		t.Fatalf("%v %v %v", none, burden, err)
	}
	if b := burden[1]; b.Worst != "Female × Doctorate" && b.Worst != "Female × Masters" && b.Worst != "Female × Prof-school" || *b.Lift.Value < 5 || *b.Index.Value < .2 {
		t.Errorf("%s %v %v", b.Worst, *b.Lift.Value, *b.Index.Value)
	}
	f := d.Flips(.99)
	ones, same, err := d.Costs(metrics.Costs{{0, 1, 1}, {1, 0, 1}}, dimensions, .99)
	if err != nil || *ones.Broke.Value != *f.NFR.Value || *ones.Fixed.Value != *f.PFR.Value || math.Abs(*ones.Change.Value+*f.Change.Value) > 1e-12 || same[1].Worst != burden[1].Worst || *same[1].Index.Value != *burden[1].Index.Value {
		t.Errorf("%+v %v", ones, err)
	}
	dear, _, err := d.Costs(metrics.Costs{{0, 1, 1}, {4, 0, 4}}, nil, .99)
	if err != nil || !(*dear.Broke.Value > *ones.Broke.Value) {
		t.Errorf("%+v %v", dear, err)
	}
	if math.Abs(*f.Log10P-math.Log10(*f.P)) > 1e-9 {
		t.Errorf("log10 p is %v of %v", *f.Log10P, *f.P)
	}
	if _, _, err := d.Costs(metrics.Costs{{0, 1}}, nil, .99); err == nil {
		t.Error("costs of other classes are taken")
	}
	if _, _, err := d.Costs(nil, []string{"nowhere"}, .99); err == nil {
		t.Error("a dimension that is not there is taken")
	}
}
