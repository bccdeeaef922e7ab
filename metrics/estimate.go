package metrics

// An Estimate is a number with its evidence, or undefined with a reason. Where
// it is undefined every number in it is 0 and Interval is false.
type Estimate struct {
	Value      float64
	Undefined  string // why there is no value; "" = there is one
	Low, High  float64
	Interval   bool // Low and High hold a two-sided interval at Confidence
	Confidence float64
	N          int64 // rows that the value rests on
	Method     string
	Warnings   []string
}

func undefined(why string, n int64) Estimate { return Estimate{Undefined: why, N: n} }

const methodShare = "Clopper-Pearson"

// Share is k of n with the Clopper-Pearson interval, or undefined for the given
// reason where n is 0. It is undefined too where k of n cannot be and where the
// confidence is outside (0, 1).
func Share(k, n int64, confidence float64, whyNot string) Estimate {
	switch {
	case n <= 0:
		return undefined(whyNot, 0)
	case k < 0 || k > n:
		return undefined("the counts are not those of any rows", 0)
	case checkConfidence(confidence) != nil:
		return undefined(checkConfidence(confidence).Error(), n)
	}
	e := Estimate{Value: float64(k) / float64(n), N: n, Interval: true, Confidence: confidence, Method: methodShare}
	e.Low, e.High = ClopperPearson(k, n, confidence)
	return e
}
