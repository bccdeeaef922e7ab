package metrics

import (
	"cmp"
	"math"
	"slices"
)

// The functions of this file adjust p-values for having looked at many: a
// hypothesis is rejected at level alpha where its adjusted p is at most alpha.
// They return the adjusted p-values in the order given. A number that is no
// probability, NaN too, is no evidence: it counts as 1, and as one of the hypotheses.

// Bonferroni multiplies each by their number.
func Bonferroni(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, x := range p {
		out[i] = math.Min(1, asP(x)*float64(len(p)))
	}
	return out
}

// Sidak is a little below Bonferroni and holds where the p-values are independent:
// 1-(1-p)^m (Sidak 1967).
func Sidak(p []float64) []float64 {
	out := make([]float64, len(p))
	for i, x := range p {
		out[i] = -math.Expm1(float64(len(p)) * math.Log1p(-math.Min(1, asP(x))))
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

// Hommel rejects all that [Hochberg] does and at times more, on the same condition. It
// closes Simes's test over all subsets, in time of the square of their number (Hommel
// 1988, in the form of Wright 1992).
func Hommel(p []float64) []float64 {
	n, order := len(p), ascending(p)
	s, best := make([]float64, n), make([]float64, n) // in ascending order
	for rank, i := range order {
		s[rank] = asP(p[i])
		best[rank] = s[rank]
	}
	for m := n; m >= 2; m-- { // Simes's test over the m largest
		rest := math.Inf(1)
		for j := 2; j <= m; j++ {
			rest = math.Min(rest, float64(m)*s[n-m+j-1]/float64(j))
		}
		for rank := range best {
			best[rank] = math.Max(best[rank], math.Min(float64(m)*s[rank], rest))
		}
	}
	out := make([]float64, n)
	for rank, i := range order {
		out[i] = math.Min(1, best[rank])
	}
	return out
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
	if !(x >= 0 && x <= 1) { // so put that NaN is none
		return 1
	}
	return x
}
