package metrics

import "math"

// A score is the value of a metric on one view, with what its variance needs.
//
// parts are the rows' influences: the value moves by their sum when rows come in
// again, so the variance of the value is the sum of their squares, and that of a
// change the sum of the squares of their differences, row by row. For means this
// is the paired standard error, for AUC DeLong's, for ratios of counts the delta
// method.
type score struct {
	value     float64
	undefined string
	n         int64
	parts     []float64
	method    string
	warnings  []string

	extra float64  // added to the variance: for counts, one row more in each discordant cell
	least float64  // the variance is no less than this: two rows that move, one up and one down
	df    float64  // degrees of freedom of Student's t; 0: normal
	few   string   // why there is a value but no variance
	share [2]int64 // the value is share[0] of share[1] rows: exact methods apply
	bins  []uint8  // for ece: parts are residuals, and these their bins
}

func noScore(why string) score { return score{undefined: why} }

func shareScore(k, n int64, whyNot string) score {
	if n == 0 {
		return noScore(whyNot)
	}
	return score{value: float64(k) / float64(n), n: n, share: [2]int64{k, n}, method: methodShare}
}

// meanScore is the mean of x, whose influences are (x - mean)/sqrt(n(n-1)): their
// squares sum to s^2/n, the clustered variance with one row a cluster (Miller
// 2024). It overwrites x.
func meanScore(x []float64) score {
	n := float64(len(x))
	s := score{value: sum(x) / n, n: int64(len(x)), parts: x, least: 2 / (n * n), df: n - 1, method: "mean, Student t"}
	if len(x) < 2 {
		s.few = "need at least 2 rows for an interval"
		return s
	}
	scale := math.Sqrt(n * (n - 1))
	for i := range x {
		x[i] = (x[i] - s.value) / scale
	}
	return s
}

// block is how many rows a partial sum covers. It is part of what a value is:
// another block gives other last bits.
const block = 4096

// sum adds in blocks of rows, and then the blocks in order.
func sum(x []float64) float64 {
	total := 0.0
	for from := 0; from < len(x); from += block {
		part := 0.0
		for _, v := range x[from:min(from+block, len(x))] {
			part += v
		}
		total += part
	}
	return total
}

// sumSquares is the sum of (x-y)^2, in blocks. A nil y counts as zeros.
func sumSquares(x, y []float64) float64 {
	total := 0.0
	for from := 0; from < len(x); from += block {
		part := 0.0
		for i := from; i < min(from+block, len(x)); i++ {
			d := x[i]
			if y != nil {
				d -= y[i]
			}
			part += float64(d * d)
		}
		total += part
	}
	return total
}
