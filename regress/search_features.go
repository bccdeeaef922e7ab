package regress

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"proctor/holdout/rows"
	"proctor/metrics"
)

// Features turns every column of a table into a dictionary-coded feature to
// search over: texts as they are, values in byte order; numbers in at most bins
// groups, see [Quantiles].
func Features(t rows.Table, bins int) ([]metrics.Dimension, error) {
	var out []metrics.Dimension
	for _, c := range t.Columns() {
		if !c.IsNumber() {
			out = append(out, dictionary(c.Name, c.Strings))
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

func dictionary(name string, texts []string) metrics.Dimension {
	d := metrics.Dimension{Name: name, Values: slices.Clone(texts), Codes: make([]int32, len(texts))}
	slices.Sort(d.Values)
	d.Values = slices.Compact(d.Values)
	index := make(map[string]int32, len(d.Values))
	for i, v := range d.Values {
		index[v] = int32(i)
	}
	for i, v := range texts {
		d.Codes[i] = index[v]
	}
	return d
}

// Quantiles groups numbers. Group j of bins ends at the ceil(j*n/bins)-th
// smallest number, which belongs to it; ends that fall on one number are one end,
// so that there may be fewer groups, and equal numbers are never parted. The
// groups are named by their ends: "at most 27", "over 27, at most 38", "over 38".
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
		ends = append(ends, sorted[(j*len(x)+bins-1)/bins-1])
	}
	ends = slices.Compact(ends)
	if ends[len(ends)-1] == sorted[len(sorted)-1] { // nothing is over the largest
		ends = ends[:len(ends)-1]
	}
	d := metrics.Dimension{Name: name, Values: groupNames(ends), Codes: make([]int32, len(x))}
	for i, v := range x {
		at, _ := slices.BinarySearch(ends, v) // the first end that is not below v
		d.Codes[i] = int32(at)
	}
	return d, nil
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
