package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// exactFlips is up to how many differences SignFlip enumerates.
const exactFlips = 14

// SignFlip is the two-sided permutation p-value that the differences are symmetric
// around 0: the share of ways to sign them whose sum is at least as far from 0. Up to
// 14 differences that are not 0 it is exact; beyond, (1+hits)/(1+replicates) of random
// signs drawn from src, which never is 0. Sums that differ by rounding only are equal.
// Without a difference it is 1. For rows of 0 and 1 use [McNemar], which is the same
// test. It is an error if replicates is below 1 or src nil where they are needed.
func (x *Differences) SignFlip(replicates int, src rand.Source) (float64, error) {
	var d []float64
	for _, v := range x.d {
		if v != 0 {
			d = append(d, v)
		}
	}
	switch {
	case len(d) == 0:
		return 1, nil
	case len(d) <= exactFlips:
		return exactSigns(d), nil
	case replicates < 1 || src == nil:
		return 1, fmt.Errorf("sign flips: %d differences need replicates and a source of random numbers", len(d))
	}
	return randomSigns(d, replicates, src), nil
}

// farEnough is the distance from 0 that counts as that of the sum seen.
func farEnough(d []float64) float64 {
	size := 0.0
	for _, v := range d {
		size += math.Abs(v)
	}
	return math.Abs(sum(d)) - float64(1e-12*size)
}

func exactSigns(d []float64) float64 {
	least, hits, all := farEnough(d), 0, 1<<len(d)
	for signs := range all {
		s := 0.0
		for i, v := range d {
			s += float64(v * float64(1-2*(signs>>i&1)))
		}
		hits += oneIf(math.Abs(s) >= least)
	}
	return float64(hits) / float64(all)
}

func randomSigns(d []float64, replicates int, src rand.Source) float64 {
	least, hits := farEnough(d), 0
	flipped := make([]float64, len(d))
	for range replicates {
		for from := 0; from < len(d); from += 64 {
			word := src.Uint64()
			for j := range min(64, len(d)-from) {
				flipped[from+j] = d[from+j] * float64(1-2*int(word>>j&1))
			}
		}
		hits += oneIf(math.Abs(sum(flipped)) >= least)
	}
	return float64(1+hits) / float64(1+replicates)
}

// SignTest is the exact two-sided binomial p-value that as many differences are above
// 0 as below. Those that are 0 say nothing.
func (x *Differences) SignTest() float64 {
	var up, down int64
	for _, v := range x.d {
		up += int64(oneIf(v > 0))
		down += int64(oneIf(v < 0))
	}
	return McNemar(down, up)
}

// wilcoxonRows bounds the differences that Wilcoxon ranks exactly.
const wilcoxonRows = 200

// Wilcoxon is the exact signed-rank test on the differences that are not 0: the smaller
// of the sums of ranks above and below 0, and its two-sided p-value over all ways to
// sign them. Ties share their mean rank, and the p-value is that of the ranks as they
// are (Wilcoxon 1945). Without a difference it is (0, 1). It is an error beyond 200.
func (x *Differences) Wilcoxon() (statistic, p float64, err error) {
	var size []float64
	var up []bool
	for _, v := range x.d {
		if v != 0 {
			size, up = append(size, math.Abs(v)), append(up, v > 0)
		}
	}
	if len(size) == 0 {
		return 0, 1, nil
	}
	if len(size) > wilcoxonRows {
		return 0, 1, fmt.Errorf("signed ranks: %d differences, at most %d are computed exactly", len(size), wilcoxonRows)
	}
	ranks, _ := midranks(size)
	doubled, above, total := make([]int, len(size)), 0, 0 // ranks come in halves
	for i, r := range ranks {
		doubled[i] = int(2 * r)
		total += doubled[i]
		above += doubled[i] * oneIf(up[i])
	}
	least := min(above, total-above)
	return float64(least) / 2, math.Min(1, 2*subsetsUpTo(doubled, least)), nil
}

// subsetsUpTo is the share of the subsets of some numbers whose sum is at most most.
func subsetsUpTo(numbers []int, most int) float64 {
	ways := make([]float64, most+1) // shares, halved with each number
	ways[0] = 1
	for _, x := range numbers {
		for s := most; s >= 0; s-- {
			ways[s] = float64(ways[s] / 2)
			if s >= x {
				ways[s] += float64(ways[s-x] / 2)
			}
		}
	}
	return sum(ways)
}
