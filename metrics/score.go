package metrics

import "math"

// A score is the value of a metric of one model, with what its interval needs.
type score struct {
	value     float64
	undefined string
	n         int64
	variance  float64
	method    string
	warnings  []string

	df    float64  // degrees of freedom of Student's t; 0: normal
	few   string   // why there is a value but no variance
	share [2]int64 // the value is share[0] of share[1] rows: exact methods apply
}

// A reading is a metric of both models on the same rows. Of one model alone, only
// the candidate's score is there.
type reading struct {
	baseline, candidate score
	variance            float64 // of the change
	cells               *Cells  // the metric is accuracy on these rows: exact methods apply to its change
}

func noScore(why string) score { return score{undefined: why} }

func shareScore(k, n int64, whyNot string) score {
	if n == 0 {
		return noScore(whyNot)
	}
	return score{value: float64(k) / float64(n), n: n, share: [2]int64{k, n}, method: methodShare}
}

// columnMean is the mean of numbers of any size. Its variance is s^2/n, the clustered
// variance with one row a cluster (Miller 2024).
func columnMean(x []float64) score {
	n := float64(len(x))
	s := score{value: sum(x) / n, n: int64(len(x)), df: n - 1, method: methodMean}
	if len(x) < 2 {
		s.few = fewRows
		return s
	}
	scale := math.Sqrt(n * (n - 1))
	s.variance = blockSum(len(x), func(i int) float64 {
		d := (x[i] - s.value) / scale
		return float64(d * d)
	})
	return s
}

const (
	methodMean = "mean, Student t"
	fewRows    = "need at least 2 rows for an interval"
)

// leastMean is the least variance of a mean of n rows whose losses are of the order of
// 1: that of two rows that move, one up and one down.
func leastMean(n float64) float64 { return 2 / (n * n) }

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
