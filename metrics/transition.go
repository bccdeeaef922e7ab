package metrics

// Transition counts rows by the baseline's class (first index) and the
// candidate's. The last row and column count the answers that are none of the
// classes. Its diagonal agrees.
func (p *Pair) Transition() [][]int64 {
	k := len(p.baseline.classes)
	t := make([][]int64, k+1)
	for i := range t {
		t[i] = make([]int64, k+1)
	}
	none := func(h int32) int {
		if h < 0 {
			return k
		}
		return int(h)
	}
	for i, h := range p.baseline.labels {
		t[none(h)][none(p.candidate.labels[i])]++
	}
	return t
}

// Agreement is the share of rows on which both give the same class
// ("agreement@1"), in [0, 1]: 1 - [Cells.Churn].
func (c Cells) Agreement(confidence float64) Estimate {
	return Share(c.N()-c.Discordant()-c.OtherWrong, c.N(), confidence, noRows)
}

// Lost is the share that broke of the rows that the baseline got right
// ("nfr_of_right@1"), in [0, 1], lower is better: 1 - [Cells.BTC].
func (c Cells) Lost(confidence float64) Estimate {
	return Share(c.Broke, c.BothRight+c.Broke, confidence, "the baseline got no row right")
}

// BECLibrary is what Microsoft's BackwardCompatibilityML calls error compatibility
// ("bec_mslib@1"), in [0, 1], higher is better: of the rows that the baseline gets
// wrong, the share that the candidate gets wrong too. It rewards repeating
// errors; [Cells.BEC] is the paper's.
func (c Cells) BECLibrary(confidence float64) Estimate {
	return Share(c.BothWrong(), c.BothWrong()+c.Fixed, confidence, "the baseline got no row wrong")
}
