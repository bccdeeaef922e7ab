package regress

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"proctor/holdout/rows"
	"proctor/regress/generate"
)

// Jittered numbers are the same bytes on every machine: on one that fused product
// and sum, as the control does, some of them would be others.
func TestJitterIsPinned(t *testing.T) {
	var col rows.Column
	col.Name = "x"
	for i := range 40 {
		col.Floats = append(col.Floats, float64(i)/7-2)
	}
	table, err := rows.New(col)
	if err != nil {
		t.Fatal(err)
	}
	const share = 0.07
	c := change{jitter: map[string]float64{"x": share}, seed: generate.SeedOf("pinned")}
	forms, err := c.apply(table)
	if err != nil {
		t.Fatal(err)
	}
	var got, fused strings.Builder
	for i, v := range col.Floats {
		u := c.seed.With("x", formatNumber(v)).Uniform()
		fmt.Fprintf(&got, "%016x\n", math.Float64bits(forms["x"].Floats[i]))
		fmt.Fprintf(&fused, "%016x\n", math.Float64bits(v*math.FMA(share, u, 1)))
	}
	const want = "daa44e1660add8cec3e0d50de74ff258ca873f47fb6cdd63da310733aa23c49f"
	if d := generate.SeedOf(got.String()); fmt.Sprintf("%x", d) != want {
		t.Errorf("digest %x of\n%s", d, got.String())
	}
	if got.String() == fused.String() {
		t.Error("no control: fused, these numbers are the same")
	}
}
