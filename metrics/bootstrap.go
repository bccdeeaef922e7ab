package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bootstrap resamples a table of counts: each replicate draws as many rows as
// the table has from its cells. For a statistic that depends on counts only this
// is the bootstrap over rows, exactly, at a cost that does not grow with the
// rows. stat may not keep its argument. The draws follow from seed alone. It is an error
// if replicates is below 1 or a count is negative or above 2^40.
func Bootstrap(cells []int64, replicates int, seed uint64, stat func(cells []int64) float64) ([]float64, error) {
	if replicates < 1 {
		return nil, fmt.Errorf("bootstrap: %d replicates", replicates)
	}
	for i, c := range cells {
		if c < 0 || c > mostCount {
			return nil, fmt.Errorf("bootstrap: count %d is %d, not in [0, 2^40]", i, c)
		}
	}
	src := rand.NewPCG(seed, 0)
	draw, out := make([]int64, len(cells)), make([]float64, replicates)
	for r := range out {
		multinomial(draw, cells, src)
		out[r] = stat(draw)
	}
	return out, nil
}

// multinomial draws by conditional binomials: each cell takes its share of the
// rows that are left.
func multinomial(draw, cells []int64, src rand.Source) {
	var left, weight int64
	for _, c := range cells {
		left += c
	}
	weight = left
	for i, c := range cells {
		draw[i] = 0
		switch {
		case c == weight:
			draw[i] = left
		case c > 0 && left > 0:
			draw[i] = int64(distuv.Binomial{N: float64(left), P: float64(c) / float64(weight), Src: src}.Rand())
		}
		left -= draw[i]
		weight -= c
	}
}

// Quantile is the q-quantile of x by linear interpolation between order
// statistics: type 7 of Hyndman and Fan, numpy's default. It is an error if there is no
// x, a number is NaN or infinite, or q is outside [0, 1].
func Quantile(x []float64, q float64) (float64, error) {
	if err := checkNumbers("numbers", x); err != nil {
		return 0, fmt.Errorf("quantile: %w", err)
	}
	if !(q >= 0 && q <= 1) {
		return 0, fmt.Errorf("quantile: %v is not in [0, 1]", q)
	}
	return quantile(x, q), nil
}

// quantile is [Quantile] of what is known to have one.
func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	h := float64(q * float64(len(s)-1))
	i := int(h)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	part, step := h-float64(i), s[i+1]-s[i]
	if math.IsInf(step, 0) { // far apart: the difference has no float64, the mean has one
		return float64((1-part)*s[i]) + float64(part*s[i+1])
	}
	return s[i] + float64(part*step)
}
