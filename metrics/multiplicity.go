package metrics

import (
	"cmp"
	"math"
	"slices"
)

// The functions of this file adjust p-values for having looked at many: a
// hypothesis is rejected at level alpha where its adjusted p is at most alpha.
// They return the adjusted p-values in the order given. A p-value that is NaN is
// no evidence: it counts as 1, and as one of the hypotheses.

// Bonferroni multiplies each by their number.
func Bonferroni(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, x := range p {
		out[i] = math.Min(1, asP(x)*float64(len(p)))
	}
	return out
}

// Holm controls the chance of any false rejection under any dependence (Holm 1979).
func Holm(p []float64) []float64 {
	return stepDown(p, func(rank, m int) float64 { return float64(m - rank) })
}

// Hochberg controls the chance of any false rejection where the p-values are
// independent or positively dependent (Hochberg 1988).
func Hochberg(p []float64) []float64 {
	return stepUp(p, func(rank, m int) float64 { return float64(m - rank) })
}

// BenjaminiHochberg controls the false discovery rate under independence or
// positive dependence (Benjamini and Hochberg 1995).
func BenjaminiHochberg(p []float64) []float64 {
	return stepUp(p, func(rank, m int) float64 { return float64(m) / float64(rank+1) })
}

// BenjaminiYekutieli controls the false discovery rate under any dependence
// (Benjamini and Yekutieli 2001).
func BenjaminiYekutieli(p []float64) []float64 {
	harmonic := 0.0
	for i := range p {
		harmonic += 1 / float64(i+1)
	}
	return stepUp(p, func(rank, m int) float64 { return harmonic * float64(m) / float64(rank+1) })
}

// stepDown multiplies from the smallest p on; no adjusted p is below one before it.
func stepDown(p []float64, factor func(rank, m int) float64) []float64 {
	out, high := make([]float64, len(p)), 0.0
	for rank, i := range ascending(p) {
		high = math.Max(high, math.Min(1, asP(p[i])*factor(rank, len(p))))
		out[i] = high
	}
	return out
}

// stepUp multiplies from the largest p on; no adjusted p is above one before it.
func stepUp(p []float64, factor func(rank, m int) float64) []float64 {
	out, low := make([]float64, len(p)), 1.0
	for rank, i := range slices.Backward(ascending(p)) {
		low = math.Min(low, asP(p[i])*factor(rank, len(p)))
		out[i] = low
	}
	return out
}

// ascending returns the indices of p from the smallest; ties in input order.
func ascending(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(asP(p[i]), asP(p[j])) })
	return order
}

func asP(x float64) float64 {
	if math.IsNaN(x) {
		return 1
	}
	return x
}
