package metrics

import (
	"fmt"
	"math"
)

// A RankChange says how far a candidate's scores reorder the rows that a baseline
// scored. Ranks are midranks, the highest score first.
type RankChange struct {
	Pairs        Concordance
	Footrule     Estimate // sum of |rank change|, Spearman's footrule ("footrule@1")
	FootruleNorm Estimate // over its largest value floor(n^2/2), in [0, 1] ("footrule_norm@1")
	MaxMove      Estimate // largest |rank change| ("max_move@1")
	Overlap      Estimate // share of the baseline's top k that is in the candidate's ("topk_overlap@1")
	Jaccard      Estimate // both tops' common rows over all their rows ("topk_jaccard@1")
}

// CompareRanks compares n scores of each model on the same rows. The top k are by
// score, equal scores by row. It is an error if the lengths differ, there are no
// rows, a score is NaN or infinite, or k is not in [1, n]. O(n log n).
func CompareRanks(baseline, candidate []float64, k int) (RankChange, error) {
	pairs, err := CountPairs(baseline, candidate)
	if err != nil {
		return RankChange{}, fmt.Errorf("rank change: %w", err)
	}
	n := len(baseline)
	if k < 1 || k > n {
		return RankChange{}, fmt.Errorf("rank change: top %d of %d rows", k, n)
	}
	ra, _ := midranks(baseline)
	rb, _ := midranks(candidate)
	move := func(i int) float64 { return math.Abs(ra[i] - rb[i]) }
	total, most := blockSum(n, move), 0.0
	for i := range n {
		most = math.Max(most, move(i))
	}
	common := topCommon(baseline, candidate, k)
	c := RankChange{
		Pairs: pairs, Footrule: number("footrule@1", total, n), MaxMove: number("max_move@1", most, n),
		FootruleNorm: undefined("need at least 2 rows", int64(n)),
		Overlap:      number("topk_overlap@1", float64(common)/float64(k), n),
		Jaccard:      number("topk_jaccard@1", float64(common)/float64(2*k-common), n),
	}
	if n > 1 {
		c.FootruleNorm = number("footrule_norm@1", total/math.Floor(float64(n)*float64(n)/2), n)
	}
	return c, nil
}

// topCommon counts the rows that are in the top k of both.
func topCommon(a, b []float64, k int) int {
	in := make([]bool, len(a))
	for _, r := range topRows(a, k) {
		in[r] = true
	}
	common := 0
	for _, r := range topRows(b, k) {
		common += oneIf(in[r])
	}
	return common
}

// topRows returns the rows of the k highest scores, equal ones by row.
func topRows(x []float64, k int) []int32 {
	keys := sortKeys(x)
	for i := range keys {
		keys[i] = ^keys[i] // descending, and stable
	}
	_, rows := sortByKey(keys, allRows(len(x)))
	return rows[:k]
}

// A ScoreChange says how far a candidate's scores moved from a baseline's, row by
// row: d = candidate - baseline.
type ScoreChange struct {
	Mean      Estimate // of d ("score_mean_change@1")
	MeanAbs   Estimate // of |d| ("score_mean_abs_change@1")
	RMS       Estimate // root of the mean of d^2 ("score_rms_change@1")
	P95Abs    Estimate // 95th percentile of |d|, linear between rows ("score_p95_change@1")
	MaxAbs    Estimate // ("score_max_change@1")
	Symmetric Estimate // mean of 2|d|/|a+b|, 0 where both are 0 ("symmetric_prediction_difference@1", as TFMA)
	Up, Down  Estimate // shares of rows that cross the threshold ("flips_above@1", "flips_below@1", as TFMA)
}

// CompareScores compares n scores of each model on the same rows. A row is above
// the threshold only if its score exceeds it. Symmetric is undefined where a row's
// scores are opposite and not 0. Errors as [CompareRanks].
func CompareScores(baseline, candidate []float64, threshold float64) (ScoreChange, error) {
	if err := checkColumns("the baseline's scores", baseline, "the candidate's", candidate); err != nil {
		return ScoreChange{}, fmt.Errorf("score change: %w", err)
	}
	if math.IsNaN(threshold) {
		return ScoreChange{}, fmt.Errorf("score change: the threshold is NaN")
	}
	n, most := len(baseline), 0.0
	d := make([]float64, n)
	var up, down int64
	for i, a := range baseline {
		b := candidate[i]
		d[i] = b - a
		most = math.Max(most, math.Abs(d[i]))
		up += int64(oneIf(a <= threshold && b > threshold))
		down += int64(oneIf(a > threshold && b <= threshold))
	}
	rows := float64(n)
	return ScoreChange{
		Mean:      number("score_mean_change@1", sum(d)/rows, n),
		MeanAbs:   number("score_mean_abs_change@1", blockSum(n, func(i int) float64 { return math.Abs(d[i]) })/rows, n),
		RMS:       number("score_rms_change@1", math.Sqrt(sumSquares(d, nil)/rows), n),
		P95Abs:    number("score_p95_change@1", p95(d, most), n),
		MaxAbs:    number("score_max_change@1", most, n),
		Symmetric: symmetric(baseline, candidate),
		Up:        number("flips_above@1", float64(up)/rows, n),
		Down:      number("flips_below@1", float64(down)/rows, n),
	}, nil
}

func p95(d []float64, most float64) float64 {
	if math.IsInf(most, 0) {
		return most // a difference overflowed
	}
	abs := make([]float64, len(d))
	for i, v := range d {
		abs[i] = math.Abs(v)
	}
	return quantileOfSorted(sorted(abs), 0.95)
}

func symmetric(a, b []float64) Estimate {
	for i := range a {
		if a[i]+b[i] == 0 && a[i] != 0 {
			return undefined(infinite+"a row's scores are opposite", int64(len(a)))
		}
	}
	return number("symmetric_prediction_difference@1", blockSum(len(a), func(i int) float64 {
		if a[i] == 0 && b[i] == 0 {
			return 0
		}
		return 2 * math.Abs(b[i]-a[i]) / math.Abs(a[i]+b[i])
	})/float64(len(a)), len(a))
}
