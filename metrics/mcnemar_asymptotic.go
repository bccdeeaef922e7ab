package metrics

import "math"

// McNemarChi2 is McNemar's asymptotic statistic on the rows that broke and were fixed,
// with one degree of freedom, and its p-value: (b-c)^2/(b+c), or (|b-c|-1)^2/(b+c)
// with the continuity correction. For comparison with other tools: gates use the exact
// test. Without a discordant row it is (0, 1), and so with a negative count.
func McNemarChi2(broke, fixed int64, corrected bool) (statistic, p float64) {
	if broke < 0 || fixed < 0 || broke+fixed <= 0 {
		return 0, 1
	}
	d := math.Abs(float64(broke) - float64(fixed))
	if corrected {
		d--
	}
	statistic = d * d / (float64(broke) + float64(fixed))
	return statistic, math.Min(1, 2*normalUpper(math.Sqrt(statistic)))
}

// WaldChange is the textbook interval of the change of accuracy, to compare with
// published numbers: without a discordant row it has width 0. It is undefined without
// rows; it is an error if a cell is negative or the confidence outside (0, 1).
func (c Cells) WaldChange(confidence float64) (Estimate, error) {
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	if c == (Cells{}) {
		return undefined("no rows", 0), nil
	}
	if err := c.check(); err != nil {
		return Estimate{}, err
	}
	n := float64(c.N())
	d := float64(c.Fixed-c.Broke) / n
	half := float64(upperZ((1-confidence)/2) * math.Sqrt(math.Max(0, float64(c.Discordant())/n-float64(d*d))/n))
	return Estimate{
		Value: d, N: c.N(), Interval: true, Confidence: confidence, Method: "Wald",
		Low: math.Max(-1, d-half), High: math.Min(1, d+half),
	}, nil
}
