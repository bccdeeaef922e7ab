package policy

import (
	"fmt"
	"testing"
)

// The table of threats.md c.2 at level 1e-4 and power .95, for 3 to 6 % churn: 20
// points in 135 to 165 rows, 10 in 330 to 435, 5 in 870 to 1,245.
func TestVisibleInSlice(t *testing.T) {
	for _, c := range []struct {
		few, many int64
		loss      float64
	}{{135, 165, .20}, {330, 435, .10}, {870, 1245, .05}} {
		more, ok1 := Visible(c.few, 100)
		less, ok2 := Visible(c.many, 100)
		if !ok1 || !ok2 || !(less <= c.loss+.005) || !(more >= c.loss-.005) {
			t.Errorf("%d to %d rows show %.4f to %.4f, want %.2f between", c.few, c.many, more, less, c.loss)
		}
	}
	if loss, ok := Visible(3, 100); ok {
		t.Errorf("three rows show %.3f", loss)
	}
	if _, ok := Visible(0, 0); ok {
		t.Error("no rows show something")
	}
	last := 2.0
	for _, n := range []int64{20, 50, 100, 1000, 100_000, 10_000_000} {
		loss, ok := Visible(n, 100)
		if !ok || loss > last {
			t.Errorf("%d rows show %v %v, fewer showed %v", n, loss, ok, last)
		}
		last = loss
	}
	one, _ := Visible(400, 1)
	many, _ := Visible(400, 1000)
	if !(one < many) {
		t.Error(fmt.Sprint("more slices are seen as well as one: ", one, many))
	}
}
