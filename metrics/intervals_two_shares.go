package metrics

import "math"

// TwoShares are shares of two independent sets of rows, K1 of N1 and K2 of N2, such as
// one model's accuracy in two groups. For two models on the same rows use [Cells].
//
// The intervals are of the difference, first share minus second, in [-1, 1]. They are
// undefined where a set has no rows; it is an error if a count is outside its set or
// the confidence outside (0, 1).
type TwoShares struct{ K1, N1, K2, N2 int64 }

// Swap exchanges the sets.
func (s TwoShares) Swap() TwoShares { return TwoShares{s.K2, s.N2, s.K1, s.N1} }

func (s TwoShares) difference() float64 {
	return float64(s.K1)/float64(s.N1) - float64(s.K2)/float64(s.N2)
}

func (s TwoShares) interval(method string, confidence float64, limits func(z float64) (low, high float64)) (Estimate, error) {
	if err := checkShare(s.K1, s.N1); err != nil {
		return Estimate{}, err
	}
	if err := checkShare(s.K2, s.N2); err != nil {
		return Estimate{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	if s.N1 == 0 || s.N2 == 0 {
		return undefined("a set has no rows", 0), nil
	}
	e := Estimate{Value: s.difference(), N: min(s.N1, s.N2), Interval: true, Confidence: confidence, Method: method}
	low, high := limits(upperZ((1 - confidence) / 2))
	e.Low, e.High = math.Max(-1, low), math.Min(1, high)
	return e, nil
}

// Newcombe is the hybrid of two Wilson intervals (Newcombe 1998 II, method 10).
func (s TwoShares) Newcombe(confidence float64) (Estimate, error) {
	return s.interval("Newcombe hybrid score", confidence, func(z float64) (low, high float64) {
		p1, p2, d := float64(s.K1)/float64(s.N1), float64(s.K2)/float64(s.N2), s.difference()
		l1, u1 := wilson(p1, float64(s.N1), z)
		l2, u2 := wilson(p2, float64(s.N2), z)
		return d - math.Hypot(p1-l1, u2-p2), d + math.Hypot(u1-p1, p2-l2)
	})
}

// Wald is the textbook interval, to compare with published numbers: it is of width 0
// where both sets are all of one kind.
func (s TwoShares) Wald(confidence float64) (Estimate, error) {
	return s.interval("Wald", confidence, func(z float64) (low, high float64) { return s.wald(0, 0, z) })
}

// AgrestiCaffo is Wald's interval after a hit and a miss are added to each set
// (Agresti and Caffo 2000).
func (s TwoShares) AgrestiCaffo(confidence float64) (Estimate, error) {
	return s.interval("Agresti-Caffo", confidence, func(z float64) (low, high float64) { return s.wald(1, 2, z) })
}

func (s TwoShares) wald(hits, rows, z float64) (low, high float64) {
	d, se := s.added(hits, rows)
	return d - float64(z*se), d + float64(z*se)
}

// added is the difference and its standard error with hits and rows added to each set.
func (s TwoShares) added(hits, rows float64) (d, se float64) {
	n1, n2 := float64(s.N1)+rows, float64(s.N2)+rows
	p1, p2 := (float64(s.K1)+hits)/n1, (float64(s.K2)+hits)/n2
	return p1 - p2, math.Sqrt(p1*(1-p1)/n1 + p2*(1-p2)/n2)
}

// AgrestiCaffoP is the two-sided p-value of no difference that belongs to
// [TwoShares.AgrestiCaffo]. Errors as there.
func (s TwoShares) AgrestiCaffoP() (float64, error) {
	if e, err := s.AgrestiCaffo(0.95); err != nil || e.Undefined != "" {
		return 1, err
	}
	d, se := s.added(1, 2)
	return 2 * normalUpper(math.Abs(d)/se), nil
}

// MiettinenNurminen is the score interval with the variance under each hypothesis, and
// n/(n-1) (Miettinen and Nurminen 1985).
func (s TwoShares) MiettinenNurminen(confidence float64) (Estimate, error) {
	return s.interval("Miettinen-Nurminen score", confidence, func(z float64) (low, high float64) {
		return s.scoreLower(z), -s.Swap().scoreLower(z)
	})
}

func (s TwoShares) scoreLower(z float64) float64 {
	return bisect(-1, s.difference(), func(d float64) bool { return s.scoreZ(d) > z })
}

// scoreZ is the score statistic of the hypothesis that the difference is d.
func (s TwoShares) scoreZ(d float64) float64 {
	n1, n2 := float64(s.N1), float64(s.N2)
	p2 := s.likeliestSecond(d)
	p1 := p2 + d
	v := math.Max(0, p1*(1-p1))/n1 + math.Max(0, p2*(1-p2))/n2
	num := s.difference() - d
	if num == 0 {
		return 0
	}
	return num / math.Sqrt(v*(n1+n2)/(n1+n2-1))
}

// likeliestSecond is the second share with the greatest likelihood if the first is
// larger by d. It is bisected on the slope, which falls: the closed form of the cubic
// loses its digits at the ends.
func (s TwoShares) likeliestSecond(d float64) float64 {
	slope := func(k, n int64, p float64) float64 {
		return ratioOr0(float64(k), p) - ratioOr0(float64(n-k), 1-p)
	}
	lo, hi := math.Max(0, -d), math.Min(1, 1-d)
	for range 60 {
		mid := lo + float64((hi-lo)/2)
		if slope(s.K1, s.N1, mid+d)+slope(s.K2, s.N2, mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + float64((hi-lo)/2)
}

// ratioOr0 is x/y, and 0 where x is.
func ratioOr0(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x / y
}
