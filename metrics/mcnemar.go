package metrics

import "math"

// McNemar is the exact two-sided p-value that the discordant rows are evenly
// split: twice the smaller tail of Binomial(broke+fixed, 1/2), at most 1. With no
// discordant row it is 1, and with counts that are no counts too.
func McNemar(broke, fixed int64) float64 {
	return math.Pow(10, McNemarLog10(broke, fixed))
}

// McNemarLog10 is log10 of [McNemar]. It is exact where the p-value itself is
// too small for a float64.
func McNemarLog10(broke, fixed int64) float64 {
	if noCounts(broke, fixed) {
		return 0
	}
	ln := math.Ln2 + lnBinomialUpper(max(broke, fixed), broke+fixed, 0.5, 0.5)
	return math.Min(0, ln/math.Ln10)
}

// McNemarWorse is the exact one-sided p-value of "the candidate is not worse":
// P(X >= broke) of Binomial(broke+fixed, 1/2).
func McNemarWorse(broke, fixed int64) float64 {
	if noCounts(broke, fixed) {
		return 1
	}
	return BinomialUpper(broke, broke+fixed, 0.5)
}

// McNemarMidP is the two-sided mid-p value: the exact one less the probability
// of what was seen (Fagerland, Lydersen and Laake 2013). For display; gates use
// the exact one.
func McNemarMidP(broke, fixed int64) float64 {
	m := broke + fixed
	if m == 0 || noCounts(broke, fixed) {
		return 1
	}
	seen := math.Exp(lnBinomial(min(broke, fixed), m, 0.5, 0.5))
	if broke == fixed {
		return 1 - float64(seen/2)
	}
	return math.Max(0, McNemar(broke, fixed)-seen)
}

func noCounts(broke, fixed int64) bool {
	return broke < 0 || fixed < 0 || broke > mostCount || fixed > mostCount
}
