package metrics

import (
	"fmt"
	"math"
	"slices"
)

// An SPRT is the mixture sequential probability ratio test of a mean: its alternative
// is normal around Mean with variance Prior, its rows have the known variance
// Variance (Johari, Pekelis and Walsh 2022). It equals the two-sided [NormalMixture]
// with rho = Variance/Prior.
type SPRT struct{ Mean, Variance, Prior float64 }

// LogRatio is ln of the likelihood ratio of n >= 0 rows with the given mean, a wealth
// as [AlwaysValidP] takes it. It is an error if n is negative, a number is not finite
// or a variance is not above 0.
func (s SPRT) LogRatio(mean float64, n int64) (float64, error) {
	if n < 0 || !(s.Variance > 0 && s.Prior > 0) || mean-mean != 0 || s.Mean-s.Mean != 0 {
		return 0, fmt.Errorf("sprt: mean %v of %d rows under %+v: need finite means, rows at least 0, variances above 0", mean, n, s)
	}
	rows := float64(n)
	total, d := s.Variance+float64(rows*s.Prior), mean-s.Mean
	l := float64(0.5*math.Log(s.Variance/total)) + float64(rows*d/total*(rows*s.Prior/(2*s.Variance))*d)
	if l-l != 0 {
		return 0, fmt.Errorf("sprt: mean %v of %d rows under %+v is outside the range", mean, n, s)
	}
	return l, nil
}

// EBH is the e-Benjamini-Hochberg procedure: it returns the indices, ascending, of
// the hypotheses that are rejected with a false discovery rate of at most alpha
// under any dependence, given one e-value for each (Wang and Ramdas 2022). An e-value
// is a wealth, such as exp of [Mixture.Log], taken at any time. It is an error if one
// is NaN or negative, or alpha is outside (0, 1).
func EBH(e []float64, alpha float64) ([]int, error) {
	if err := checkLevel(alpha); err != nil {
		return nil, err
	}
	for i, x := range e {
		if !(x >= 0) {
			return nil, fmt.Errorf("e-value %d is %v, not at least 0", i, x)
		}
	}
	s := slices.Sorted(slices.Values(e))
	slices.Reverse(s)
	rejected := 0
	for k, x := range s { // the largest k decides
		if x*alpha >= float64(len(e))/float64(k+1) {
			rejected = k + 1
		}
	}
	out := []int{}
	for i, x := range e {
		if rejected > 0 && x >= s[rejected-1] {
			out = append(out, i)
		}
	}
	return out, nil
}
