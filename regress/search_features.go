package regress

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"proctor/holdout/rows"
	"proctor/metrics"
)

// NumberFeatures makes a feature to search over of every column of numbers of a
// table, in at most bins groups each, see [Quantiles]. Texts are left out.
func NumberFeatures(t rows.Table, bins int) ([]metrics.Dimension, error) {
	var out []metrics.Dimension
	for _, c := range t.Columns() {
		if !c.IsNumber() {
			continue
		}
		d, err := Quantiles(c.Name, c.Floats, bins)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// Quantiles groups numbers. Group j of bins ends at the ceil(j*n/bins)-th
// smallest number, rounded to a power of ten that is at most a twentieth of the
// distance between the numbers at 5 % and 95 %: what a report says of the groups
// is then no row's own number, unless many rows have it. Ends that fall together
// are one end, so that there may be fewer groups, and equal numbers are never
// parted. The groups are named by their ends: "at most 27", "over 27, at most 38",
// "over 38".
//
// It is an error to ask for fewer than 2 or more than 1,000 groups, of no
// numbers, or of one that is not finite: leaving out its row would hide the row
// from the search.
func Quantiles(name string, x []float64, bins int) (metrics.Dimension, error) {
	if bins < 2 || bins > 1000 {
		return metrics.Dimension{}, fmt.Errorf("feature %q: %d groups; from 2 to 1000 make sense", name, bins)
	}
	if len(x) == 0 {
		return metrics.Dimension{}, fmt.Errorf("feature %q has no numbers", name)
	}
	if i := slices.IndexFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }); i >= 0 {
		return metrics.Dimension{}, fmt.Errorf("feature %q holds a number that is not finite", name)
	}
	sorted := slices.Sorted(slices.Values(x))
	var ends []float64
	for j := 1; j < bins; j++ {
		end := roundedFor(sorted, sorted[(j*len(x)+bins-1)/bins-1])
		if end >= sorted[0] && end < sorted[len(sorted)-1] { // no group is empty
			ends = append(ends, end)
		}
	}
	ends = slices.Compact(ends)
	d := metrics.Dimension{Name: name, Values: groupNames(ends), Codes: make([]int32, len(x))}
	for i, v := range x {
		at, _ := slices.BinarySearch(ends, v) // the first end that is not below v
		d.Codes[i] = int32(at)
	}
	return d, nil
}

// roundedFor rounds a number as the spread of the sorted numbers allows.
func roundedFor(sorted []float64, v float64) float64 {
	spread := sorted[len(sorted)*95/100] - sorted[len(sorted)*5/100]
	if !(spread > 0) || math.IsInf(spread, 0) {
		return v
	}
	digits := int(math.Floor(math.Log10(spread / 20))) // the place that is rounded to
	if digits < 0 {
		if r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', -digits, 64), 64); err == nil {
			return r + 0 // not -0
		}
		return v
	}
	unit := math.Pow10(digits)
	if r := float64(math.Round(v/unit) * unit); !math.IsInf(r, 0) {
		return r + 0
	}
	return v
}

func groupNames(ends []float64) []string {
	if len(ends) == 0 {
		return []string{"any"}
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	out := []string{"at most " + text(ends[0])}
	for i, e := range ends[1:] {
		out = append(out, "over "+text(ends[i])+", at most "+text(e))
	}
	return append(out, "over "+text(ends[len(ends)-1]))
}
