package metrics

// LRAP is the label ranking average precision ("lrap@1"; Tsoumakas 2010): over the
// true labels of a row, the mean of the share of true ones among the labels that
// score at least as high; over rows, the mean. A row without labels, or with all
// of them, counts 1. In (0, 1], higher is better.
func (m *MultiLabel) LRAP() Estimate {
	return m.mean("lrap@1", func(truth, _ []bool, scores []float64) float64 {
		has, total := 0, 0.0
		for j, y := range truth {
			if !y {
				continue
			}
			has++
			rank, right := 0, 0
			for l, s := range scores {
				if s >= scores[j] {
					rank++
					right += oneIf(truth[l])
				}
			}
			total += float64(right) / float64(rank)
		}
		if has == 0 {
			return 1
		}
		return total / float64(has)
	})
}

// CoverageError is how far down the ranked labels one has to go to find all true
// ones, ties to the bottom, on average over rows ("coverage_error@1"), in [0, k],
// lower is better. A row without labels counts 0.
func (m *MultiLabel) CoverageError() Estimate {
	return m.mean(coverageError, func(truth, _ []bool, scores []float64) float64 {
		deepest := 0
		for j, y := range truth {
			if y {
				deepest = max(deepest, atLeast(scores, scores[j]))
			}
		}
		return float64(deepest)
	})
}

func atLeast(scores []float64, x float64) int {
	n := 0
	for _, s := range scores {
		n += oneIf(s >= x)
	}
	return n
}

// RankingLoss is the share of pairs of a true and another label that are not in
// order, ties as wrong, on average over rows ("ranking_loss@1"), in [0, 1], lower
// is better. A row without labels, or with all of them, counts 0.
func (m *MultiLabel) RankingLoss() Estimate {
	return m.mean("ranking_loss@1", func(truth, _ []bool, scores []float64) float64 {
		pairs, wrong := 0, 0
		for j, y := range truth {
			for l, z := range truth {
				if y && !z {
					pairs++
					wrong += oneIf(scores[j] <= scores[l])
				}
			}
		}
		return float64(wrong) / float64(max(1, pairs))
	})
}
