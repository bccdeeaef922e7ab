package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Shares are a baseline's and a candidate's counts of the same categories. Only
// [NewShares] makes one; the zero value has no value. p is the baseline's share
// of a category, q the candidate's.
type Shares struct {
	base, cand []int64
	p, q       []float64
	n, m       int64
}

// mostCount keeps sums and products of counts in range.
const mostCount = 1 << 40

// NewShares takes k counts each. It is an error if they differ in length, a count
// is negative or above 2^40, there are more than 2^20 categories, or one side is
// empty.
func NewShares(baseline, candidate []int64) (*Shares, error) {
	if len(baseline) != len(candidate) {
		return nil, fmt.Errorf("shares: %d categories of the baseline, %d of the candidate", len(baseline), len(candidate))
	}
	if len(baseline) > maxValues {
		return nil, fmt.Errorf("shares: %d categories, at most %d", len(baseline), maxValues)
	}
	s := &Shares{base: baseline, cand: candidate}
	for i := range baseline {
		if baseline[i] < 0 || candidate[i] < 0 || baseline[i] > mostCount || candidate[i] > mostCount {
			return nil, fmt.Errorf("shares: a count is not in [0, 2^40]")
		}
		s.n += baseline[i]
		s.m += candidate[i]
	}
	if s.n == 0 || s.m == 0 {
		return nil, fmt.Errorf("shares: %d rows of the baseline, %d of the candidate", s.n, s.m)
	}
	s.p, s.q = shares(baseline), shares(candidate)
	return s, nil
}

// over sums a term over the categories.
func (s *Shares) over(id string, term func(p, q float64) float64) Estimate {
	if len(s.p) == 0 {
		return undefined(noRows, 0)
	}
	return number(id, s.sumOf(term), int(s.n+s.m))
}

func (s *Shares) sumOf(term func(p, q float64) float64) float64 {
	return blockSum(len(s.p), func(i int) float64 { return term(s.p[i], s.q[i]) })
}

// logTerm is p ln(p/q), 0 where p is 0.
func logTerm(p, q float64) float64 {
	if p == 0 {
		return 0
	}
	return p * math.Log(p/q)
}

// KL is the Kullback-Leibler divergence of the candidate from the baseline, sum p
// ln(p/q), in nats ("kl_nats@1"). Undefined, since infinite, where a category of
// the baseline is empty in the candidate.
func (s *Shares) KL() Estimate {
	for i := range s.p {
		if s.p[i] > 0 && s.q[i] == 0 {
			return undefined(infinite+"a category of the baseline is empty in the candidate", s.n+s.m)
		}
	}
	return s.over("kl_nats@1", logTerm)
}

// JSDivergence is the Jensen-Shannon divergence in nats ("js_divergence_nats@1"),
// in [0, ln 2]: the mean divergence of both from their midpoint.
func (s *Shares) JSDivergence() Estimate { return s.over("js_divergence_nats@1", jsTerm) }

func jsTerm(p, q float64) float64 {
	mid := (p + q) / 2
	return (logTerm(p, mid) + logTerm(q, mid)) / 2
}

// JSDistance is the root of the divergence to base 2 ("js_distance_base2@1"), in
// [0, 1], a metric (Endres and Schindelin 2003), as scipy has it.
func (s *Shares) JSDistance() Estimate {
	if len(s.p) == 0 {
		return undefined(noRows, 0)
	}
	return number("js_distance_base2@1", math.Sqrt(math.Min(1, math.Max(0, s.sumOf(jsTerm)/math.Ln2))), int(s.n+s.m))
}

// Hellinger is the Hellinger distance ("hellinger@1"), in [0, 1]: the length of
// sqrt p - sqrt q over sqrt 2. Summed as squares, so that equal shares give 0.
func (s *Shares) Hellinger() Estimate {
	if len(s.p) == 0 {
		return undefined(noRows, 0)
	}
	d := s.sumOf(func(p, q float64) float64 {
		d := math.Sqrt(p) - math.Sqrt(q)
		return d * d
	})
	return number("hellinger@1", math.Min(1, math.Sqrt(d/2)), int(s.n+s.m))
}

// TotalVariation is half of sum |p - q| ("total_variation@1"), in [0, 1]: the
// least share of rows that must differ.
func (s *Shares) TotalVariation() Estimate {
	return s.over("total_variation@1", func(p, q float64) float64 { return math.Abs(p-q) / 2 })
}

// LInf is the largest |p - q| ("l_infinity@1"), in [0, 1].
func (s *Shares) LInf() Estimate {
	if len(s.p) == 0 {
		return undefined(noRows, 0)
	}
	most := 0.0
	for i := range s.p {
		most = math.Max(most, math.Abs(s.p[i]-s.q[i]))
	}
	return number("l_infinity@1", most, int(s.n+s.m))
}

// PSI is sum (q-p) ln(q/p) with shares below 0.0001 counted as 0.0001 ("psi@1").
func (s *Shares) PSI() Estimate {
	return s.over("psi@1", func(p, q float64) float64 {
		p, q = math.Max(p, leastShare), math.Max(q, leastShare)
		return (q - p) * math.Log(q/p)
	})
}

// A CountTest is a test of "both are drawn from the same shares" with its degrees
// of freedom. CramersV is the effect size in [0, 1].
type CountTest struct {
	ShiftTest
	DF       int
	CramersV float64
}

// ChiSquare is Pearson's test of the two-row table ("chi_square@1"), without
// continuity correction; categories that are empty in both are dropped. It is
// undefined where fewer than 2 are left. Expected counts below 5 are warned about.
func (s *Shares) ChiSquare() CountTest {
	return s.test("chi_square@1", func(seen, expected float64) float64 {
		return (seen - expected) * (seen - expected) / expected
	})
}

// GTest is the likelihood-ratio test of the same table ("g_test@1").
func (s *Shares) GTest() CountTest {
	return s.test("g_test@1", func(seen, expected float64) float64 { return 2 * logTerm(seen, expected) })
}

func (s *Shares) test(id string, term func(seen, expected float64) float64) CountTest {
	t := CountTest{DF: -1}
	all, few := float64(s.n+s.m), 0
	x := 0.0
	for i := range s.base {
		b, c := float64(s.base[i]), float64(s.cand[i])
		if b+c == 0 {
			continue
		}
		t.DF++
		eb, ec := (b+c)*float64(s.n)/all, (b+c)*float64(s.m)/all
		x += term(b, eb) + term(c, ec)
		few += oneIf(min(eb, ec) < 5)
	}
	if t.DF < 1 {
		return CountTest{ShiftTest: noShift("need at least 2 categories with rows", int(s.n+s.m))}
	}
	x = math.Max(0, x)
	t.Estimate, t.PMethod = number(id, x, int(s.n+s.m)), "chi-square"
	t.P = mathext.GammaIncRegComp(float64(t.DF)/2, x/2)
	t.CramersV = math.Min(1, math.Sqrt(x/all))
	if few > 0 {
		t.Warnings = []string{fmt.Sprintf("%d categories expect fewer than 5 rows", few)}
	}
	return t
}
