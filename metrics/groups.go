package metrics

import (
	"errors"
	"fmt"
	"math"
)

// GroupCells are one group's counts against the positive class. A prediction of
// none of the classes is in no Pos or Neg column of its own: on a positive row it
// is a false negative, on a negative row it is counted in Negatives alone, so that
// silence earns no true negative.
type GroupCells struct {
	Value              string
	N, Right           int64 // rows; rows whose label is the answer
	Positives          int64 // rows of the positive class
	TruePos, FalsePos  int64
	TrueNeg            int64 // negative rows predicted to be of another class than the positive
	PredictedNegatives int64 // rows predicted to be of another class than the positive
}

// Negatives is the number of rows that are not of the positive class.
func (g GroupCells) Negatives() int64 { return g.N - g.Positives }

func (g GroupCells) add(h GroupCells) GroupCells {
	return GroupCells{
		Value: g.Value, N: g.N + h.N, Right: g.Right + h.Right, Positives: g.Positives + h.Positives,
		TruePos: g.TruePos + h.TruePos, FalsePos: g.FalsePos + h.FalsePos,
		TrueNeg: g.TrueNeg + h.TrueNeg, PredictedNegatives: g.PredictedNegatives + h.PredictedNegatives,
	}
}

// A GroupRate is a share of some of a group's rows, with the id of its
// definition. Its value is in [0, 1], and undefined without such rows.
type GroupRate struct {
	ID  string
	of  func(GroupCells) (k, n int64)
	why string // it is undefined
}

// The rates of a group. With predictions that are all of some class, TNR is
// 1 - FPR.
var (
	SelectionRate = GroupRate{"selection_rate@1", func(g GroupCells) (k, n int64) { return g.TruePos + g.FalsePos, g.N }, "it has no rows"}
	TPR           = GroupRate{"tpr@1", func(g GroupCells) (k, n int64) { return g.TruePos, g.Positives }, "it has no positive rows"}
	FNR           = GroupRate{"fnr@1", func(g GroupCells) (k, n int64) { return g.Positives - g.TruePos, g.Positives }, "it has no positive rows"}
	FPR           = GroupRate{"fpr@1", func(g GroupCells) (k, n int64) { return g.FalsePos, g.Negatives() }, "it has no negative rows"}
	TNR           = GroupRate{"tnr@1", func(g GroupCells) (k, n int64) { return g.TrueNeg, g.Negatives() }, "it has no negative rows"}
	PPV           = GroupRate{"ppv@1", func(g GroupCells) (k, n int64) { return g.TruePos, g.TruePos + g.FalsePos }, "none of its rows is predicted positive"}
	FDR           = GroupRate{"fdr@1", func(g GroupCells) (k, n int64) { return g.FalsePos, g.TruePos + g.FalsePos }, "none of its rows is predicted positive"}
	NPV           = GroupRate{"npv@1", func(g GroupCells) (k, n int64) { return g.TrueNeg, g.PredictedNegatives }, "none of its rows is predicted negative"}
	FOR           = GroupRate{"for@1", func(g GroupCells) (k, n int64) { return g.PredictedNegatives - g.TrueNeg, g.PredictedNegatives }, "none of its rows is predicted negative"}
	Prevalence    = GroupRate{"prevalence@1", func(g GroupCells) (k, n int64) { return g.Positives, g.N }, "it has no rows"}
	RightRate     = GroupRate{"accuracy@1", func(g GroupCells) (k, n int64) { return g.Right, g.N }, "it has no rows"}
)

// Rate is a rate of the group with its Clopper-Pearson interval.
func (g GroupCells) Rate(r GroupRate, confidence float64) Estimate {
	k, n := r.of(g)
	return Share(k, n, confidence, r.why)
}

// Groups holds the cells of every group of a dimension that has rows, in the
// order of its values.
type Groups struct {
	Dimension string
	Cells     []GroupCells
}

// Groups counts the frame's rows by a dimension as [Pair.By] names them. It is an
// error if there is no such dimension or the answers declare no positive class.
func (f *Frame) Groups(dimension string) (Groups, error) {
	if f.positive < 0 {
		return Groups{}, errors.New("groups: the answers declare no positive class")
	}
	d, err := f.dimension(dimension)
	if err != nil {
		return Groups{}, fmt.Errorf("groups: %w", err)
	}
	all := make([]GroupCells, len(d.Values))
	for i, code := range d.Codes {
		all[code].count(f.answers[i], f.labels[i], int32(f.positive))
	}
	out := Groups{Dimension: dimension}
	for i, g := range all {
		if g.N > 0 {
			g.Value = d.Values[i]
			out.Cells = append(out.Cells, g)
		}
	}
	return out, nil
}

func (g *GroupCells) count(answer, label, positive int32) {
	g.N++
	g.Right += int64(oneIf(answer == label))
	g.Positives += int64(oneIf(answer == positive))
	g.TruePos += int64(oneIf(answer == positive && label == positive))
	g.FalsePos += int64(oneIf(answer != positive && label == positive))
	g.TrueNeg += int64(oneIf(answer != positive && label != positive && label >= 0))
	g.PredictedNegatives += int64(oneIf(label != positive && label >= 0))
}

// Overall is the sum of the groups.
func (g Groups) Overall() GroupCells {
	all := GroupCells{Value: "overall"}
	for _, c := range g.Cells {
		all = all.add(c)
	}
	return all
}

// A GroupGap is how far a rate differs between groups, fairlearn's conventions.
// One group whose rate is undefined makes all three undefined: a gap over the
// others would vanish with the group that it is about.
type GroupGap struct {
	Difference Estimate // largest less smallest ("gap_difference@1"), in [0, 1]
	Ratio      Estimate // smallest over largest ("gap_ratio@1"), in [0, 1]; undefined where all are 0
	ToOverall  Estimate // largest |group - overall| ("gap_to_overall@1"), in [0, 1]
}

// Gap compares a rate over the groups. The values come without an interval.
func (g Groups) Gap(r GroupRate) GroupGap {
	if len(g.Cells) < 2 {
		u := undefined("need at least 2 groups with rows", g.Overall().N)
		return GroupGap{u, u, u}
	}
	all := g.Overall()
	low, high, far := math.Inf(1), math.Inf(-1), 0.0
	k, n := r.of(all)
	overall := float64(k) / float64(n)
	for _, c := range g.Cells {
		k, n := r.of(c)
		if n == 0 {
			u := undefined(fmt.Sprintf("group %q: %s", c.Value, r.why), all.N)
			return GroupGap{u, u, u}
		}
		x := float64(k) / float64(n)
		low, high, far = math.Min(low, x), math.Max(high, x), math.Max(far, math.Abs(x-overall))
	}
	gap := GroupGap{
		Difference: number("gap_difference@1", high-low, int(all.N)),
		Ratio:      undefined("the rate is 0 in every group", all.N),
		ToOverall:  number("gap_to_overall@1", far, int(all.N)),
	}
	if high > 0 {
		gap.Ratio = number("gap_ratio@1", low/high, int(all.N))
	}
	return gap
}

// EqualizedOdds is the larger of the gaps of TPR and FPR
// ("equalized_odds_difference@1"; Hardt, Price and Srebro 2016), in [0, 1].
func (g Groups) EqualizedOdds() Estimate {
	t, f := g.Gap(TPR).Difference, g.Gap(FPR).Difference
	switch {
	case t.Undefined != "":
		return t
	case f.Undefined != "":
		return f
	}
	return number("equalized_odds_difference@1", math.Max(t.Value, f.Value), int(t.N))
}

// EqualizedOddsRatio is the smaller of their ratios ("equalized_odds_ratio@1").
func (g Groups) EqualizedOddsRatio() Estimate {
	t, f := g.Gap(TPR).Ratio, g.Gap(FPR).Ratio
	switch {
	case t.Undefined != "":
		return t
	case f.Undefined != "":
		return f
	}
	return number("equalized_odds_ratio@1", math.Min(t.Value, f.Value), int(t.N))
}

// Disparity is each group's rate over that of the reference group ("disparity@1";
// Aequitas), in the order of the groups, in [0, inf). It is undefined where either
// rate is, or the reference's is 0. An unknown reference is an error; the name ""
// stands for the largest group, the first of equals.
func (g Groups) Disparity(r GroupRate, reference string) ([]Estimate, error) {
	ref, err := g.reference(reference)
	if err != nil {
		return nil, err
	}
	rk, rn := r.of(ref)
	out := make([]Estimate, len(g.Cells))
	for i, c := range g.Cells {
		k, n := r.of(c)
		switch {
		case n == 0:
			out[i] = undefined(fmt.Sprintf("group %q: %s", c.Value, r.why), c.N)
		case rn == 0:
			out[i] = undefined(fmt.Sprintf("reference group %q: %s", ref.Value, r.why), c.N)
		case rk == 0:
			out[i] = undefined("the rate of the reference group is 0", c.N)
		default:
			out[i] = number("disparity@1", float64(k)/float64(n)/(float64(rk)/float64(rn)), int(c.N))
		}
	}
	return out, nil
}

func (g Groups) reference(name string) (GroupCells, error) {
	var largest GroupCells
	for _, c := range g.Cells {
		if c.Value == name && name != "" {
			return c, nil
		}
		if c.N > largest.N {
			largest = c
		}
	}
	if name != "" || len(g.Cells) == 0 {
		return GroupCells{}, fmt.Errorf("groups: no reference group %q with rows", name)
	}
	return largest, nil
}
