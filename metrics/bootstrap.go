package metrics

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bootstrap resamples a table of counts: each replicate draws as many rows as
// the table has from its cells. For a statistic that depends on counts only this
// is the bootstrap over rows, exactly, at a cost that does not grow with the
// rows. stat may not keep its argument. The draws follow from seed alone.
func Bootstrap(cells []int64, replicates int, seed uint64, stat func(cells []int64) float64) []float64 {
	src := rand.NewPCG(seed, 0)
	draw, out := make([]int64, len(cells)), make([]float64, replicates)
	for r := range out {
		multinomial(draw, cells, src)
		out[r] = stat(draw)
	}
	return out
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
// statistics: type 7 of Hyndman and Fan, numpy's default. It is 0 for no x.
func Quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	h := math.Min(1, math.Max(0, q)) * float64(len(s)-1)
	i := int(h)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i] + float64((h-float64(i))*(s[i+1]-s[i]))
}
