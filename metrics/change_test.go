package metrics

import (
	"math"
	"slices"
	"testing"
)

// TestFlipsOfCostOneAreShares: with all costs 1 the costs are NFR, PFR and minus
// the change of accuracy, with the clustered interval of one row a cluster.
func TestFlipsOfCostOneAreShares(t *testing.T) {
	p := randomPair(t, 2, 800, 3)
	ones := Costs{{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}}
	c, err := p.FlipCost(ones, .95)
	if err != nil {
		t.Fatal(err)
	}
	cells := p.Cells()
	if math.Abs(c.Broke.Value-cells.NFR(.95).Value)+math.Abs(c.Fixed.Value-cells.PFR(.95).Value)+math.Abs(c.Change.Value+cells.Change(.95).Value) > 1e-14 {
		t.Errorf("%+v, cells %+v", c, cells)
	}
	if !c.Change.Interval || !(c.Change.Low < c.Change.Value && c.Change.Value < c.Change.High) {
		t.Errorf("%+v", c.Change)
	}
	tens, err := p.FlipCost(Costs{{0, 10, 10, 10}, {10, 0, 10, 10}, {10, 10, 0, 10}}, .95)
	if err != nil || math.Abs(tens.Change.High-10*c.Change.High) > 1e-12 {
		t.Errorf("ten times the cost: %+v, %v", tens, err)
	}
}

// TestCostsTellErrorsApart that accuracy cannot: one wrong answer for a worse one.
func TestCostsTellErrorsApart(t *testing.T) {
	a := Answers{Classes: classNames(3), Positive: -1, Labels: []int32{0, 0, 1, 2}, Dimensions: []Dimension{{"site", []string{"x", "y", "empty"}, []int32{0, 0, 1, 1}}}}
	p, err := NewPair(mustJoin(t, a, Predictions{Labels: []int32{0, 1, 1, 0}}), mustJoin(t, a, Predictions{Labels: []int32{2, 2, -1, 2}}))
	if err != nil {
		t.Fatal(err)
	}
	costs := Costs{{0, 1, 5, 9}, {1, 0, 1, 3}, {2, 1, 0, 1}}
	c, err := p.FlipCost(costs, .95)
	if err != nil || c.Broke.Value != (5+3)/4.0 || c.Fixed.Value != 2/4.0 || c.Change.Value != (5+4+3-2)/4.0 {
		t.Errorf("%+v, %v", c, err)
	}
	// Of the cost 8 of broken rows x bears 5, y 3, each with half of the rows.
	k, err := p.FlipConcentration("site", costs)
	if err != nil || k.Worst != "x" || k.Index.Value != .125 || k.Lift.Value != 1.25 {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err := p.FlipConcentration("site", nil); err != nil || k.Index.Value != 0 || k.Lift.Value != 1 {
		t.Errorf("counted once each: %+v, %v", k, err)
	}
	same, err := NewPair(mustJoin(t, a, Predictions{Labels: a.Labels}), mustJoin(t, a, Predictions{Labels: a.Labels}))
	if err != nil {
		t.Fatal(err)
	}
	if k, err := same.FlipConcentration("site", nil); err != nil || k.Index.Undefined == "" || k.Lift.Undefined == "" {
		t.Errorf("nothing broke: %+v, %v", k, err)
	}
	if _, err := p.FlipConcentration("nowhere", nil); err == nil {
		t.Error("no such dimension")
	}
	for name, bad := range map[string]Costs{"few rows": {{0, 1}}, "few columns": {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}, "negative": {{0, -1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}}, "NaN": {{0, math.NaN(), 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}}, "right costs": {{1, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}}} {
		if _, err := p.FlipCost(bad, .95); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := p.FlipConcentration("site", bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := p.FlipCost(costs, 1); err == nil {
		t.Error("confidence 1")
	}
}

// TestTransition counts all rows, with the answers that are no class last; what it
// says is what the cells say.
func TestTransition(t *testing.T) {
	p := randomPair(t, 6, 700, 3)
	rows, same := int64(0), int64(0)
	var base []int64
	for i, row := range p.Transition() {
		base = append(base, 0)
		for j, n := range row {
			rows += n
			base[i] += n
			same += n * int64(oneIf(i == j))
		}
	}
	cells := p.Cells()
	if rows != 700 || math.Abs(float64(same)/700-cells.Agreement(.95).Value) > 1e-15 || math.Abs(cells.Agreement(.95).Value+cells.Churn(.95).Value-1) > 1e-15 {
		t.Errorf("%d rows, %d the same, cells %+v", rows, same, cells)
	}
	want := make([]int64, 4)
	for _, h := range p.baseline.labels {
		want[(int(h)+4)%4]++
	}
	if !slices.Equal(base, want) || want[3] == 0 {
		t.Errorf("the baseline gave %v, the table has %v", want, base)
	}
}

// TestTwoErrorCompatibilities: the paper's looks at the candidate's errors, the
// library's at the baseline's.
func TestTwoErrorCompatibilities(t *testing.T) {
	c := Cells{BothRight: 50, Broke: 10, Fixed: 30, SameWrong: 5, OtherWrong: 5}
	if c.BEC(.95).Value != .5 || c.BECLibrary(.95).Value != .25 || math.Abs(c.Lost(.95).Value+c.BTC(.95).Value-1) > 1e-15 {
		t.Errorf("%+v, %+v", c.BEC(.95), c.BECLibrary(.95))
	}
	if e := (Cells{BothRight: 3, Broke: 1}).BECLibrary(.95); e.Undefined == "" {
		t.Errorf("a baseline without errors: %+v", e)
	}
}
