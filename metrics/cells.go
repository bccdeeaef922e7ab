package metrics

// Cells count the rows of a pair by who was right. They are all that accuracy,
// flips, McNemar's test and Tango's interval need.
type Cells struct {
	BothRight  int64
	Broke      int64 // right under the baseline only: negative flips
	Fixed      int64 // right under the candidate only: positive flips
	SameWrong  int64 // both wrong with the same answer
	OtherWrong int64 // both wrong with different answers
}

// N returns the number of rows.
func (c Cells) N() int64 { return c.BothRight + c.Broke + c.Fixed + c.BothWrong() }

// BothWrong returns the rows that neither model got right.
func (c Cells) BothWrong() int64 { return c.SameWrong + c.OtherWrong }

// Discordant returns the rows that exactly one model got right.
func (c Cells) Discordant() int64 { return c.Broke + c.Fixed }

// none says whether no rows have these counts.
func (c Cells) none() bool {
	return min(c.BothRight, c.Broke, c.Fixed, c.SameWrong, c.OtherWrong) < 0 || max(c.BothRight, c.Broke, c.Fixed, c.SameWrong, c.OtherWrong) > mostCount
}

// Add returns the cells of the rows of both.
func (c Cells) Add(d Cells) Cells {
	return Cells{c.BothRight + d.BothRight, c.Broke + d.Broke, c.Fixed + d.Fixed, c.SameWrong + d.SameWrong, c.OtherWrong + d.OtherWrong}
}

// BaselineAccuracy is the share of rows that the baseline got right.
func (c Cells) BaselineAccuracy(confidence float64) Estimate {
	return Share(c.BothRight+c.Broke, c.N(), confidence, "no rows")
}

// CandidateAccuracy is the share of rows that the candidate got right.
func (c Cells) CandidateAccuracy(confidence float64) Estimate {
	return Share(c.BothRight+c.Fixed, c.N(), confidence, "no rows")
}

// NFR is the negative flip rate: the share of rows that broke (Yan 2021).
func (c Cells) NFR(confidence float64) Estimate { return Share(c.Broke, c.N(), confidence, "no rows") }

// PFR is the positive flip rate: the share of rows that were fixed.
func (c Cells) PFR(confidence float64) Estimate { return Share(c.Fixed, c.N(), confidence, "no rows") }

// BTC is backward trust compatibility: of the rows that the baseline got right,
// the share that the candidate gets right too.
func (c Cells) BTC(confidence float64) Estimate {
	return Share(c.BothRight, c.BothRight+c.Broke, confidence, "the baseline got no row right")
}

// BEC is backward error compatibility as its paper defines it: of the rows that
// the candidate gets wrong, the share that the baseline got wrong too. The number
// of the same name in Microsoft's library has another denominator.
func (c Cells) BEC(confidence float64) Estimate {
	return Share(c.BothWrong(), c.BothWrong()+c.Broke, confidence, "the candidate got no row wrong")
}

// NFI is the negative flip impact: of the rows that the candidate gets wrong, the
// share that broke.
func (c Cells) NFI(confidence float64) Estimate {
	return Share(c.Broke, c.BothWrong()+c.Broke, confidence, "the candidate got no row wrong")
}

// Churn is the share of rows whose predicted class differs.
func (c Cells) Churn(confidence float64) Estimate {
	return Share(c.Discordant()+c.OtherWrong, c.N(), confidence, "no rows")
}

// Change is the change of accuracy, candidate minus baseline, with Tango's interval.
func (c Cells) Change(confidence float64) Estimate {
	n := c.N()
	switch {
	case n == 0:
		return undefined("no rows", 0)
	case c.none():
		return undefined("the counts are not those of any rows", 0)
	case checkConfidence(confidence) != nil:
		return undefined(checkConfidence(confidence).Error(), n)
	}
	e := Estimate{Value: float64(c.Fixed-c.Broke) / float64(n), N: n, Interval: true, Confidence: confidence, Method: methodTango}
	e.Low, e.High = Tango(c.Broke, c.Fixed, n, confidence)
	return e
}
