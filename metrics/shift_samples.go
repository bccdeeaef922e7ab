package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Samples are a baseline's and a candidate's numbers, each sorted once for all
// that is asked of them. They need not be of the same rows, and nothing here says
// that they are: two models can differ on a fifth of the rows and have equal
// distributions, so no test of shift is a test of change. Only [NewSamples] makes
// one; the zero value has no value.
type Samples struct {
	x, y []float64 // ascending
}

// NewSamples sorts n and m numbers. It is an error if either has no rows or
// holds NaN or an infinity.
func NewSamples(baseline, candidate []float64) (*Samples, error) {
	if err := errors.Join(checkNumbers("baseline", baseline), checkNumbers("candidate", candidate)); err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	return &Samples{x: sorted(baseline), y: sorted(candidate)}, nil
}

func (s *Samples) rows() int { return len(s.x) + len(s.y) }

func (s *Samples) empty() bool { return len(s.x) == 0 || len(s.y) == 0 }

// A pooled point is a different number of both samples together: below[0] rows of
// the baseline and below[1] of the candidate are at or below it.
type pooled struct {
	at    float64
	next  float64
	tied  int // rows of both at the point
	below [2]int
	last  bool // the point is the largest
}

// steps calls f for each different number, ascending.
func (s *Samples) steps(f func(pooled)) {
	i, j := 0, 0
	for i < len(s.x) || j < len(s.y) {
		v := s.smaller(i, j)
		from := i + j
		for i < len(s.x) && s.x[i] == v {
			i++
		}
		for j < len(s.y) && s.y[j] == v {
			j++
		}
		st := pooled{at: v, tied: i + j - from, below: [2]int{i, j}, last: i == len(s.x) && j == len(s.y)}
		if !st.last {
			st.next = s.smaller(i, j)
		}
		f(st)
	}
}

func (s *Samples) smaller(i, j int) float64 {
	switch {
	case i == len(s.x):
		return s.y[j]
	case j == len(s.y):
		return s.x[i]
	}
	return min(s.x[i], s.y[j])
}

// gap is the difference of the distribution functions, candidate less baseline.
func (s *Samples) gap(t pooled) float64 {
	return float64(t.below[1])/float64(len(s.y)) - float64(t.below[0])/float64(len(s.x))
}

// area is the integral of f(gap) between the numbers.
func (s *Samples) area(f func(gap float64) float64) float64 {
	total, part, count := 0.0, 0.0, 0
	s.steps(func(t pooled) {
		if !t.last {
			part += float64(f(s.gap(t)) * (t.next - t.at))
		}
		if count++; count%block == 0 {
			total, part = total+part, 0
		}
	})
	return total + part
}

// Wasserstein is the first Wasserstein distance ("wasserstein@1"), the area
// between the two distribution functions, in the units of the numbers, in
// [0, inf). O(n log n).
func (s *Samples) Wasserstein() Estimate {
	if s.empty() {
		return undefined(noRows, 0)
	}
	return number("wasserstein@1", s.area(math.Abs), s.rows())
}

// Energy is the energy distance ("energy@1"), the root of twice the integrated
// squared difference of the distribution functions (Szekely and Rizzo 2013;
// scipy's scale), in [0, inf).
func (s *Samples) Energy() Estimate {
	if s.empty() {
		return undefined(noRows, 0)
	}
	return number("energy@1", math.Sqrt(2*s.area(func(g float64) float64 { return g * g })), s.rows())
}

// mmdRows bounds the rows of [Samples.MMD], whose time grows with their square.
const mmdRows = 10_000

// MMD is the squared maximum mean discrepancy with the kernel
// exp(-gamma (x-y)^2), without bias ("mmd2_rbf_unbiased@1") and with
// ("mmd2_rbf_biased@1") (Gretton 2012, equations 3 and 5). The unbiased one can be
// negative and needs 2 rows on each side. Both are undefined for more than 10,000
// rows together or a gamma that is not positive and finite.
func (s *Samples) MMD(gamma float64) (unbiased, biased Estimate) {
	n, m := float64(len(s.x)), float64(len(s.y))
	switch {
	case s.empty():
		return undefined(noRows, 0), undefined(noRows, 0)
	case s.rows() > mmdRows:
		u := undefined(fmt.Sprintf("%d rows, at most %d are computed with", s.rows(), mmdRows), int64(s.rows()))
		return u, u
	case !(gamma > 0) || math.IsInf(gamma, 0):
		u := undefined("gamma is not a positive number", int64(s.rows()))
		return u, u
	}
	xx, yy := 2*kernelWithin(s.x, gamma), 2*kernelWithin(s.y, gamma)
	xy := kernelSum(s.x, s.y, gamma)
	biased = number("mmd2_rbf_biased@1", math.Max(0, (xx+n)/(n*n)+(yy+m)/(m*m)-2*xy/(n*m)), s.rows())
	if n < 2 || m < 2 {
		return undefined("need at least 2 rows on each side", int64(s.rows())), biased
	}
	return number("mmd2_rbf_unbiased@1", xx/(n*(n-1))+yy/(m*(m-1))-2*xy/(n*m), s.rows()), biased
}

// kernelWithin sums the kernel over the pairs of a sample.
func kernelWithin(x []float64, gamma float64) float64 {
	total := 0.0
	for i := range x {
		total += kernelSum(x[i:i+1], x[i+1:], gamma)
	}
	return total
}

func kernelSum(x, y []float64, gamma float64) float64 {
	total := 0.0
	for _, a := range x {
		total += blockSum(len(y), func(j int) float64 {
			d := a - y[j]
			return math.Exp(-gamma * d * d)
		})
	}
	return total
}

// A Stability holds a population stability index and the bins that it rests on:
// bin i is from edge i-1 to edge i, the outer ones without end, or one category
// each where there are no edges.
type Stability struct {
	Estimate
	Edges               []float64
	Baseline, Candidate []int64
}

// leastShare is the share that an emptier bin counts as, part of "psi@1".
const leastShare = 1e-4

// PSI is the population stability index sum (q-p) ln(q/p) over bins cut at the
// baseline's quantiles i/bins, linear between the rows, equal cuts merged, bins
// closed on the right, shares below 0.0001 counted as 0.0001 ("psi@1"). In
// [0, inf). Other binnings give other numbers: see [Samples.PSISturges]. It is
// undefined for fewer than 2 or more than 1000 bins.
func (s *Samples) PSI(bins int) Stability {
	if s.empty() {
		return Stability{Estimate: undefined(noRows, 0)}
	}
	if bins < 2 || bins > 1000 {
		return Stability{Estimate: undefined(fmt.Sprintf("%d bins, need 2 to 1000", bins), int64(s.rows()))}
	}
	var out Stability
	for i := 1; i < bins; i++ {
		out.Edges = append(out.Edges, quantileOfSorted(s.x, float64(i)/float64(bins)))
	}
	out.Edges = slices.Compact(out.Edges)
	out.Baseline, out.Candidate = countBins(s.x, out.Edges, false), countBins(s.y, out.Edges, false)
	p, q := shares(out.Baseline), shares(out.Candidate)
	for i := range p {
		p[i], q[i] = math.Max(p[i], leastShare), math.Max(q[i], leastShare)
	}
	out.Estimate = number("psi@1", stability(p, q), s.rows())
	return out
}

// quantileOfSorted is [Quantile] of numbers in ascending order.
func quantileOfSorted(x []float64, q float64) float64 {
	h := float64(q * float64(len(x)-1))
	i := int(h)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + float64((h-float64(i))*(x[i+1]-x[i]))
}

// countBins counts ascending numbers by bin: at or below an edge, or with left
// below it only.
func countBins(x, edges []float64, left bool) []int64 {
	counts, from := make([]int64, len(edges)+1), 0
	for b, edge := range edges {
		to, on := slices.BinarySearch(x, edge)
		for on && !left && to < len(x) && x[to] == edge {
			to++
		}
		counts[b], from = int64(to-from), to
	}
	counts[len(edges)] = int64(len(x) - from)
	return counts
}

func shares(counts []int64) []float64 {
	total := int64(0)
	for _, c := range counts {
		total += c
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = float64(c) / float64(total)
	}
	return out
}

func stability(p, q []float64) float64 {
	return blockSum(len(p), func(i int) float64 { return float64((q[i] - p[i]) * math.Log(q[i]/p[i])) })
}

// fewValues is up to how many different values of the baseline evidently takes a
// number for a category.
const fewValues = 20

// PSISturges is the index as evidently 0.x computes it ("psi_sturges@1"): bins of
// equal width over both samples, their number by Sturges' rule, closed on the
// left and the last on both sides; or one bin for each value where the baseline
// has at most 20. Empty bins alone are filled, with 0.0001, or with a millionth of
// the smallest share where that is 0.0001 or less.
func (s *Samples) PSISturges() Stability {
	if s.empty() {
		return Stability{Estimate: undefined(noRows, 0)}
	}
	var out Stability
	if len(slices.Compact(slices.Clone(s.x))) <= fewValues {
		before := [2]int{}
		s.steps(func(t pooled) {
			out.Baseline = append(out.Baseline, int64(t.below[0]-before[0]))
			out.Candidate = append(out.Candidate, int64(t.below[1]-before[1]))
			before = t.below
		})
	} else {
		if out.Edges = s.sturges(); out.Edges == nil {
			return Stability{Estimate: undefined("the range of the numbers cannot be cut into bins", int64(s.rows()))}
		}
		inner := out.Edges[1 : len(out.Edges)-1]
		out.Baseline, out.Candidate = countBins(s.x, inner, true), countBins(s.y, inner, true)
	}
	out.Estimate = number("psi_sturges@1", stability(filled(out.Baseline), filled(out.Candidate)), s.rows())
	return out
}

// sturges returns the edges of ceil(log2(n) + 1) bins of equal width, outer ones
// included, or nil where the range overflows or vanishes. Their number is computed
// from the range, as numpy does, and with its rounding.
func (s *Samples) sturges() []float64 {
	low, high := min(s.x[0], s.y[0]), max(s.x[len(s.x)-1], s.y[len(s.y)-1])
	width := (high - low) / (math.Log2(float64(s.rows())) + 1)
	cuts := math.Ceil((high - low) / width)
	if !(cuts >= 1 && cuts <= 100) {
		return nil
	}
	bins := int(cuts)
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = low + float64(float64(i)*((high-low)/float64(bins)))
	}
	edges[bins] = high
	return edges
}

func filled(counts []int64) []float64 {
	p, least := shares(counts), 1.0
	for _, x := range p {
		if x > 0 {
			least = math.Min(least, x)
		}
	}
	fill := leastShare
	if least <= leastShare {
		fill = least / 1e6
	}
	for i, x := range p {
		if x == 0 {
			p[i] = fill
		}
	}
	return p
}
