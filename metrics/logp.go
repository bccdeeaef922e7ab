package metrics

import (
	"fmt"
	"math"
)

// Log10TwoSidedP is log10 of the two-sided p-value of a standard normal z, in
// (-Inf, 0]. The p-value itself is 0 in float64 beyond 38 standard errors, where
// its logarithm still ranks evidence. It is an error if z is NaN or infinite.
func Log10TwoSidedP(z float64) (float64, error) {
	if z-z != 0 {
		return 0, fmt.Errorf("log10 p: z is %v, not a finite number", z)
	}
	return math.Min(0, (math.Ln2+lnNormalUpper(math.Abs(z)))/math.Ln10), nil
}

// lnNormalUpper is ln P(Z > z). Beyond 30 it sums the asymptotic series of Mills'
// ratio (Abramowitz and Stegun 26.2.12), whose terms fall below the last bit there.
func lnNormalUpper(z float64) float64 {
	if z < 0 {
		return math.Log1p(-normalUpper(-z))
	}
	if z < 30 {
		return math.Log(normalUpper(z))
	}
	s := 1 / z / z
	series := 1 - float64(s*(1-float64(3*s*(1-float64(5*s*(1-float64(7*s*(1-float64(9*s)))))))))
	return -float64(z*z/2) - math.Log(z) - float64(0.5*math.Log(2*math.Pi)) + math.Log(series)
}
