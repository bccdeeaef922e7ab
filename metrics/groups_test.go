package metrics

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// groupFrame has group a (TP 3, FN 1, FP 1, TN 3), group b (TP 1, FN 1, FP 2, TN
// 4) and a value c without rows.
func groupFrame(t *testing.T) *Frame {
	t.Helper()
	var y, h, g []int32
	add := func(group, answer, label int32, n int) {
		for range n {
			y, h, g = append(y, answer), append(h, label), append(g, group)
		}
	}
	add(0, 1, 1, 3)
	add(0, 1, 0, 1)
	add(0, 0, 1, 1)
	add(0, 0, 0, 3)
	add(1, 1, 1, 1)
	add(1, 1, 0, 1)
	add(1, 0, 1, 2)
	add(1, 0, 0, 4)
	return mustJoin(t, Answers{Classes: []string{"no", "yes"}, Positive: 1, Labels: y, Dimensions: []Dimension{{"g", []string{"a", "b", "c"}, g}}}, Predictions{Labels: h})
}

func mustGroups(t *testing.T, f *Frame, dimension string) Groups {
	t.Helper()
	g, err := f.Groups(dimension)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGroupsByHand computes each rate from the table above.
func TestGroupsByHand(t *testing.T) {
	g := mustGroups(t, groupFrame(t), "g")
	if len(g.Cells) != 2 {
		t.Fatalf("groups %+v", g.Cells)
	}
	for _, c := range []struct {
		rate GroupRate
		a, b float64
	}{
		{SelectionRate, 4.0 / 8, 3.0 / 8}, {TPR, 3.0 / 4, 1.0 / 2}, {FNR, 1.0 / 4, 1.0 / 2}, {FPR, 1.0 / 4, 2.0 / 6}, {TNR, 3.0 / 4, 4.0 / 6},
		{PPV, 3.0 / 4, 1.0 / 3}, {FDR, 1.0 / 4, 2.0 / 3}, {NPV, 3.0 / 4, 4.0 / 5}, {FOR, 1.0 / 4, 1.0 / 5}, {Prevalence, 4.0 / 8, 2.0 / 8}, {RightRate, 6.0 / 8, 5.0 / 8},
	} {
		a, b := g.Cells[0].Rate(c.rate, 0.95), g.Cells[1].Rate(c.rate, 0.95)
		near(t, c.rate.ID+" of a", a.Value, c.a, 1e-15)
		near(t, c.rate.ID+" of b", b.Value, c.b, 1e-15)
		if !a.Interval || a.Low > a.Value || a.High < a.Value {
			t.Errorf("%s: %+v", c.rate.ID, a)
		}
		gap := g.Gap(c.rate)
		near(t, c.rate.ID+" difference", gap.Difference.Value, max(c.a, c.b)-min(c.a, c.b), 1e-15)
		near(t, c.rate.ID+" ratio", gap.Ratio.Value, min(c.a, c.b)/max(c.a, c.b), 1e-15)
		d, err := g.Disparity(c.rate, "b")
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.rate.ID+" disparity", d[0].Value, c.a/c.b, 1e-15)
		near(t, c.rate.ID+" disparity of the reference", d[1].Value, 1, 0)
	}
	near(t, "equalized odds", g.EqualizedOdds().Value, 0.25, 1e-15)
	near(t, "their ratio", g.EqualizedOddsRatio().Value, min(0.5/0.75, 0.25*3), 1e-15)
	near(t, "to overall", g.Gap(SelectionRate).ToOverall.Value, 1.0/16, 1e-15)
	if d, err := g.Disparity(TPR, ""); err != nil || d[0].Value != 1 {
		t.Errorf("the first of two equally large groups: %+v, %v", d, err)
	}
	if _, err := g.Disparity(TPR, "c"); err == nil {
		t.Error("a reference group without rows")
	}
}

// TestEmptyRatesHideNothing: a group whose rate is 0/0 makes the gap undefined.
// Taking it for 0, or leaving it out, gives a gap of 1 or none.
func TestEmptyRatesHideNothing(t *testing.T) {
	f := mustJoin(t, Answers{Classes: []string{"no", "yes"}, Positive: 1, Labels: []int32{1, 1, 0, 0}, Dimensions: []Dimension{{"g", []string{"a", "b"}, []int32{0, 0, 1, 1}}}},
		Predictions{Labels: []int32{1, 1, 0, 0}})
	g := mustGroups(t, f, "g")
	d, err := g.Disparity(TPR, "b")
	if err != nil {
		t.Fatal(err)
	}
	zero, err := g.Disparity(SelectionRate, "b")
	if err != nil {
		t.Fatal(err)
	}
	other, err := g.Disparity(TPR, "a")
	if err != nil {
		t.Fatal(err)
	}
	one := mustGroups(t, f, ByClass)
	one.Cells = one.Cells[:1]
	for i, e := range []Estimate{
		g.Gap(TPR).Difference, g.Gap(TPR).Ratio, g.Gap(TPR).ToOverall, g.Gap(FPR).Difference, g.EqualizedOdds(), g.EqualizedOddsRatio(),
		d[0], d[1], zero[0], other[1], one.Gap(RightRate).Difference, Groups{}.Gap(TPR).Ratio, g.Gap(FDR).Ratio,
	} {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("estimate %d is %+v", i, e)
		}
	}
	if want := `group "b": it has no positive rows`; g.Gap(TPR).Difference.Undefined != want {
		t.Errorf("reason %q, want %q", g.Gap(TPR).Difference.Undefined, want)
	}
}

// TestSilenceEarnsNoTrueNegative: answers that are none of the classes.
func TestSilenceEarnsNoTrueNegative(t *testing.T) {
	f := mustJoin(t, Answers{Classes: []string{"no", "yes"}, Positive: 1, Labels: []int32{0, 0, 1, 1}, Dimensions: []Dimension{{"g", []string{"a"}, []int32{0, 0, 0, 0}}}},
		Predictions{Labels: []int32{0, -1, 1, -1}})
	c := mustGroups(t, f, "g").Cells[0]
	for _, r := range []GroupRate{TNR, TPR, FNR, RightRate} {
		near(t, r.ID, c.Rate(r, 0.9).Value, 0.5, 0)
	}
	near(t, "NPV", c.Rate(NPV, 0.9).Value, 1, 0)
}

func TestGroupsLaws(t *testing.T) {
	a := randomAnswers(13, 600, 2, 1)
	p := randomPredictions(14, a)
	f := mustJoin(t, a, p)
	g := mustGroups(t, f, "sex*race")
	if all := mustGroups(t, f, "sex").Overall(); all != g.Overall() {
		t.Errorf("%+v in all, %+v by intersections", all, g.Overall())
	}
	order := rand.New(rand.NewPCG(15, 15)).Perm(600)
	b, q := a, Predictions{Labels: make([]int32, 600)}
	b.Labels, b.Dimensions = make([]int32, 600), slices.Clone(a.Dimensions)
	for d := range b.Dimensions {
		b.Dimensions[d].Codes = make([]int32, 600)
	}
	for i, r := range order {
		b.Labels[i], q.Labels[i] = a.Labels[r], p.Labels[r]
		for d := range b.Dimensions {
			b.Dimensions[d].Codes[i] = a.Dimensions[d].Codes[r]
		}
	}
	if h := mustGroups(t, mustJoin(t, b, q), "sex*race"); !slices.Equal(g.Cells, h.Cells) {
		t.Error("the order of rows matters")
	}
	if _, err := f.Groups("height"); err == nil {
		t.Error("groups of no dimension")
	}
	if _, err := mustJoin(t, randomAnswers(1, 9, 2, -1), Predictions{Labels: make([]int32, 9)}).Groups("sex"); err == nil {
		t.Error("groups without a positive class")
	}
}
