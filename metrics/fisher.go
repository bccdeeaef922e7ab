package metrics

import "math"

// FisherWorse is the exact one-sided p-value (Fisher 1934) of "the second group has no
// larger share than the first", where only counts are known: k of n in the first, l of
// m in the second. It is the probability of l or more, given all margins. Counts that
// are no counts, an empty group included, are no evidence: 1. Time is linear in the
// smallest margin. For two models on the same rows use [McNemarWorse].
func FisherWorse(k, n, l, m int64) float64 {
	if k < 0 || l < 0 || k > n || l > m || n == 0 || m == 0 || n > mostCount || m > mostCount {
		return 1
	}
	all := k + l
	lo, hi := max(0, all-n), min(m, all)
	mode := min(hi, max(lo, int64(float64(all+1)*float64(m+1)/float64(n+m+2))))
	// The weight of x in the second group against that of x-1; weights begin at the mode.
	step := func(x int64) float64 {
		return float64(m-x+1) * float64(all-x+1) / (float64(x) * float64(n-all+x))
	}
	var sum, tail float64
	count := func(x int64, w float64) {
		sum += w
		if x >= l {
			tail += w
		}
	}
	w := 1.0
	for x := mode; x <= hi; x++ {
		if x > mode {
			w *= step(x)
		}
		count(x, w)
	}
	w = 1
	for x := mode; x > lo; x-- {
		w /= step(x)
		count(x-1, w)
	}
	return math.Min(1, tail/sum)
}
