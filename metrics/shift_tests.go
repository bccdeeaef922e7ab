package metrics

import (
	"math"
)

// A ShiftTest is a statistic of two samples with the p-value of "both come from
// one distribution".
type ShiftTest struct {
	Estimate
	P       float64
	PMethod string
}

func noShift(why string, n int) ShiftTest {
	return ShiftTest{Estimate: undefined(why, int64(n)), P: 1}
}

// exactKS is up to which product of the sample sizes the p-value of
// [Samples.KS] is exact.
const exactKS = 10_000

// KS is the two-sided Kolmogorov-Smirnov test ("ks@1"): the largest difference of
// the distribution functions, in [0, 1]. P is exact where the sizes' product is
// at most 10,000, else asymptotic.
func (s *Samples) KS() ShiftTest {
	if float64(len(s.x))*float64(len(s.y)) <= exactKS {
		return s.KSExact()
	}
	return s.KSAsymptotic()
}

// widest is the largest difference as a multiple of 1/(n m), in whole numbers so
// that equal differences are equal.
func (s *Samples) widest() int64 {
	n, m, most := int64(len(s.x)), int64(len(s.y)), int64(0)
	s.steps(func(t pooled) {
		most = max(most, int64(t.below[1])*n-int64(t.below[0])*m, int64(t.below[0])*m-int64(t.below[1])*n)
	})
	return most
}

func (s *Samples) ks() (ShiftTest, int64) {
	if s.empty() {
		return noShift(noRows, 0), 0
	}
	wide := s.widest()
	d := float64(wide) / float64(len(s.x)) / float64(len(s.y))
	return ShiftTest{Estimate: number("ks@1", d, s.rows()), P: 1}, wide
}

// exactKSMost bounds the time and rows of [Samples.KSExact].
const exactKSMost = 100_000_000

// KSExact gives the exact p-value for samples without ties (conservative with
// them): over all orders of the n + m rows, the probability that the path of the
// two counts leaves the band (Hodges 1958). O(n m). It is undefined where the
// sizes' product is above 10^8.
func (s *Samples) KSExact() ShiftTest {
	t, wide := s.ks()
	if t.Undefined != "" {
		return t
	}
	if float64(len(s.x))*float64(len(s.y)) > exactKSMost {
		return noShift("too many rows for the exact distribution", s.rows())
	}
	t.P, t.PMethod = leavesBand(int64(len(s.x)), int64(len(s.y)), wide), "exact"
	return t
}

// leavesBand is P(|i m - j n| >= wide somewhere) over paths from (0,0) to (n,m).
// The last step into (i,j) raised i with probability i/(i+j).
func leavesBand(n, m, wide int64) float64 {
	out := make([]float64, m+1) // by j, of the current i
	for i := range n + 1 {
		for j := range m + 1 {
			switch {
			case max(i*m-j*n, j*n-i*m) >= wide:
				out[j] = 1
			case i == 0 && j == 0:
				out[j] = 0
			case i == 0:
				out[j] = out[j-1]
			case j > 0:
				k := float64(i + j)
				out[j] = float64(float64(i)/k*out[j]) + float64(float64(j)/k*out[j-1])
			}
		}
	}
	return math.Min(1, out[m])
}

// KSAsymptotic takes the difference for that of one sample of round(nm/(n+m))
// rows against a known distribution, as scipy does.
func (s *Samples) KSAsymptotic() ShiftTest {
	t, _ := s.ks()
	if t.Undefined != "" {
		return t
	}
	n, m := float64(len(s.x)), float64(len(s.y))
	t.P, t.PMethod = kolmogorovUpper(int(math.RoundToEven(n*m/(n+m))), t.Value), "asymptotic"
	return t
}

// fewKolmogorov is up to how many rows both sides' probabilities are told apart
// far into the tail, and maxKolmogorov bounds the matrix of the exact distribution.
const fewKolmogorov, maxKolmogorov = 140, 200

// kolmogorovUpper is P(D >= d) of the one-sample statistic of n rows. In the tail
// it is twice Smirnov's one-sided probability, since both sides hardly happen at
// once (Miller 1956): from n d^2 = 4 on, and with more than 140 rows from 2.2 on,
// where that is 2 parts in a million too much (Simard and L'Ecuyer 2011). Before
// it is exact (Marsaglia, Tsang and Wang 2003) up to some 4,000 rows, and then the
// limit at Vrbik's corrected argument (Vrbik 2018), within 1e-5.
func kolmogorovUpper(n int, d float64) float64 {
	f := float64(n)
	square := f * d * d
	switch {
	case n < 1 || d <= 0.5/f:
		return 1
	case d >= 1 || square > 370:
		return 0
	case square >= 4 || n > fewKolmogorov && square >= 2.2:
		return math.Min(1, 2*smirnovUpper(n, d))
	case 2*math.Ceil(f*d) <= maxKolmogorov:
		return 1 - marsaglia(n, d)
	}
	root := math.Sqrt(f)
	z := float64(d * root)
	return kolmogorovLimit(z + 1/float64(6*root) + (z-1)/float64(4*f))
}

// kolmogorovLimit is 2 sum (-1)^(k-1) exp(-2 k^2 z^2), or for small z one less
// its theta-transformed series, which converges there.
func kolmogorovLimit(z float64) float64 {
	total := 0.0
	if z < 1 {
		for k := 1.0; k < 20; k += 2 {
			total += math.Exp(-k * k * math.Pi * math.Pi / (8 * z * z))
		}
		return math.Max(0, 1-float64(math.Sqrt(2*math.Pi)/z*total))
	}
	sign := 1.0
	for k := 1.0; k < 20; k++ {
		total += float64(sign * math.Exp(-2*k*k*z*z))
		sign = -sign
	}
	return math.Min(1, 2*total)
}

// smirnovUpper is P(D+ >= d), a sum of positive terms (Birnbaum and Tingey 1951).
func smirnovUpper(n int, d float64) float64 {
	f, total := float64(n), 0.0
	for j := range int(math.Floor(f*(1-d))) + 1 {
		a, b := d+float64(j)/f, 1-d-float64(j)/f
		if b <= 0 {
			continue // the last term is 0, but for rounding
		}
		total += math.Exp(lnBinomial(int64(j), int64(n), a, b)) / a
	}
	return total * d
}

// marsaglia is P(D < d): n!/n^n times the middle of the n-th power of a matrix of
// 2k-1 rows, k = ceil(n d) (Marsaglia, Tsang and Wang 2003).
func marsaglia(n int, d float64) float64 {
	k := int(math.Ceil(float64(n) * d))
	h, side := float64(k)-float64(float64(n)*d), 2*k-1
	a := marsagliaMatrix(side, h)
	power := make([]float64, side*side)
	for i := range side {
		power[i*side+i] = 1
	}
	for e := n; e > 0; e >>= 1 {
		if e&1 == 1 {
			power = matrixProduct(power, a, side)
		}
		a = matrixProduct(a, a, side)
	}
	f := float64(n) // n! e^n/n^n, since the matrix is scaled down by e
	p := power[(k-1)*side+k-1] * math.Sqrt(2*math.Pi*f) * math.Exp(stirlingError(f))
	return math.Max(0, math.Min(1, p))
}

// marsagliaMatrix is divided by e, which keeps its n-th power in range: n!/n^n is
// near e^-n.
func marsagliaMatrix(side int, h float64) []float64 {
	a := make([]float64, side*side)
	factorial := make([]float64, side+1)
	factorial[0] = 1
	for i := 1; i <= side; i++ {
		factorial[i] = factorial[i-1] * float64(i)
	}
	for i := range side {
		for j := range min(i+2, side) {
			v := 1.0
			if j == 0 {
				v -= math.Pow(h, float64(i+1))
			}
			if i == side-1 {
				v -= math.Pow(h, float64(side-j))
			}
			if i == side-1 && j == 0 && 2*h > 1 {
				v += math.Pow(2*h-1, float64(side))
			}
			a[i*side+j] = v / factorial[i-j+1] / math.E
		}
	}
	return a
}

func matrixProduct(a, b []float64, side int) []float64 {
	out := make([]float64, side*side)
	for i := range side {
		for k, x := range a[i*side : (i+1)*side] {
			if x == 0 {
				continue
			}
			for j, y := range b[k*side : (k+1)*side] {
				out[i*side+j] += float64(x * y)
			}
		}
	}
	return out
}

// MannWhitney is the test of "neither sample tends to be larger"
// ("mann_whitney@1"): U of the baseline, the pairs in which it is the larger, ties
// half, in [0, nm]. P is normal with the variance for ties and a continuity
// correction of 1/2.
func (s *Samples) MannWhitney() ShiftTest {
	if s.empty() {
		return noShift(noRows, 0)
	}
	var ties tieCount
	twice, before := int64(0), [2]int{}
	s.steps(func(t pooled) {
		ties.add(t.tied)
		mine := int64(t.below[0] - before[0])
		twice += mine * int64(t.below[1]+before[1])
		before = t.below
	})
	n, m := float64(len(s.x)), float64(len(s.y))
	all := n + m
	t := ShiftTest{Estimate: number("mann_whitney@1", float64(twice)/2, s.rows()), P: 1, PMethod: "normal, continuity correction"}
	if sd := math.Sqrt(n * m / 12 * (all + 1 - ties.cubes/(all*(all-1)))); sd > 0 {
		z := (math.Abs(t.Value-float64(n*m/2)) - 0.5) / sd
		t.P = math.Min(1, 2*normalUpper(z))
	}
	return t
}

// CramerVonMises is the two-sample test of Anderson (1962) on midranks
// ("cramer_von_mises@1"), with the p-value of the limit distribution at the
// statistic scaled to its exact mean and variance. Undefined with fewer than 2 rows
// on a side.
func (s *Samples) CramerVonMises() ShiftTest {
	if len(s.x) < 2 || len(s.y) < 2 {
		return noShift("need at least 2 rows on each side", s.rows())
	}
	n, m := float64(len(s.x)), float64(len(s.y))
	all, u := n+m, 0.0
	before := [2]int{}
	s.steps(func(t pooled) {
		rank := float64(before[0]+before[1]) + float64(float64(t.tied+1)/2)
		u += float64(n*squaresFrom(rank, before[0], t.below[0])) + float64(m*squaresFrom(rank, before[1], t.below[1]))
		before = t.below
	})
	v := u/(n*m*all) - (float64(4*n*m)-1)/(6*all)
	mean := (1 + 1/all) / 6
	variance := (all + 1) / (45 * all * all * 4 * n * m) * (float64(4*m*n*all) - float64(3*(float64(m*m)+float64(n*n))) - float64(2*m*n))
	t := ShiftTest{Estimate: number("cramer_von_mises@1", v, s.rows()), P: 1, PMethod: "asymptotic"}
	if z := 1.0/6 + (v-mean)/math.Sqrt(45*variance); z >= 0.003 {
		t.P = math.Min(1, math.Max(0, 1-cramerLimit(z)))
	}
	return t
}

// squaresFrom is the sum of (rank - i)^2 over i = from+1 to to.
func squaresFrom(rank float64, from, to int) float64 {
	n, mid := float64(to-from), float64(float64(from+to+1)/2)
	return float64(n*(rank-mid)*(rank-mid)) + float64(n*(float64(n*n)-1)/12)
}

// cramerLimit is the limit distribution function of the statistic (Anderson and
// Darling 1952, equation 4.35). The series ends with the first term below 1e-7, as
// in scipy: p-values under that say no more than that they are small.
func cramerLimit(x float64) float64 {
	total := 0.0
	for k := range 100 {
		f := float64(k)
		a, _ := math.Lgamma(f + 0.5)
		b, _ := math.Lgamma(f + 1)
		y := float64(4*f) + 1
		q := y * y / (16 * x)
		term := float64(math.Exp(a-b) / (math.Pow(math.Pi, 1.5) * math.Sqrt(x)) * math.Sqrt(y) * math.Exp(-2*q) * scaledBessel(0.25, q))
		total += term
		if term < 1e-7 {
			break
		}
	}
	return total
}

// scaledBessel is e^q K_v(q), the integral of exp(-q (cosh t - 1)) cosh(v t) over
// t >= 0 by the trapezoidal rule, which for this integrand converges faster than
// any power of the step. q > 0.
func scaledBessel(v, q float64) float64 {
	const width = 1.0 / 64
	total := 0.5
	for i := 1; ; i++ {
		t := float64(i) * width
		s := math.Sinh(t / 2)
		term := float64(math.Exp(-2*q*s*s) * math.Cosh(v*t))
		total += term
		if term < 1e-18*total {
			return total * width
		}
	}
}

// AndersonDarling is the two-sample statistic on midranks, less its mean and over
// its standard deviation ("anderson_darling@1"; Scholz and Stephens 1987,
// equation 7). No p-value: P is 1. Undefined where all numbers are equal or there
// are fewer than 4 rows.
func (s *Samples) AndersonDarling() ShiftTest {
	all := s.rows()
	if s.empty() || all < 4 {
		return noShift("need at least 4 rows", all)
	}
	n := [2]float64{float64(len(s.x)), float64(len(s.y))}
	N, total, groups := float64(all), 0.0, 0
	before := [2]int{}
	s.steps(func(t pooled) {
		l := float64(t.tied)
		b := float64(before[0]+before[1]) + float64(l/2)
		for i := range n {
			mid := float64(before[i]) + float64(float64(t.below[i]-before[i])/2)
			d := float64(N*mid) - float64(b*n[i])
			if scale := float64(b*(N-b)) - float64(N*l/4); scale > 0 {
				total += l / N * d * d / scale / n[i]
			}
		}
		groups++
		before = t.below
	})
	if groups < 2 {
		return noShift("all numbers are equal", all)
	}
	statistic := total * (N - 1) / N
	return ShiftTest{Estimate: number("anderson_darling@1", (statistic-1)/andersonSD(n, N), all), P: 1}
}

// andersonSD is the standard deviation of the statistic of two samples (Scholz
// and Stephens 1987, equation 4).
func andersonSD(n [2]float64, N float64) float64 {
	h, g, harmonic := 0.0, 0.0, 1/n[0]+1/n[1]
	for i := 1.0; i < N; i++ {
		h += 1 / i
	}
	tail := 0.0 // sum of 1/j over i < j < N
	for i := N - 1; i >= 1; i-- {
		g += tail / (N - i)
		tail += 1 / i
	}
	const k = 2
	a := float64((float64(4*g)-6)*(k-1)) + float64((10-float64(6*g))*harmonic)
	b := float64((float64(2*g)-4)*k*k) + float64(float64(8*h)*k) + float64((float64(2*g)-float64(14*h)-4)*harmonic) - float64(8*h) + float64(4*g) - 6
	c := float64((float64(6*h)+float64(2*g)-2)*k*k) + float64((float64(4*h)-float64(4*g)+6)*k) + float64((float64(2*h)-6)*harmonic) + float64(4*h)
	d := float64((float64(2*h)+6)*k*k) - float64(float64(4*h)*k)
	return math.Sqrt((float64(a*N*N*N) + float64(b*N*N) + float64(c*N) + d) / ((N - 1) * (N - 2) * (N - 3)))
}
