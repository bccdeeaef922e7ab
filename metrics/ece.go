package metrics

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
)

// eceBins is the number of bins of [0, 1), part of the definition ece@1.
const eceBins = 15

// eceReplicates and eceSeed fix the draws of the standard error.
const (
	eceReplicates = 1000
	eceSeed       = 1
)

var methodECE = fmt.Sprintf("Gaussian multiplier bootstrap, %d replicates, seed %d", eceReplicates, eceSeed)

// confidence is the probability of row i that ece is about, and whether it came true.
func (v *view) confidence(i int) (p float64, hit bool) {
	k, row := v.positive, v.row(i)
	if k < 0 {
		k = largest(row)
	}
	return row[k], int(v.answers[i]) == k
}

// eceSide is how many bins there are, with the one for exactly 1.
const eceSide = eceBins + 1

// residualPoint holds right minus confidence, in [-1, 1].
const residualPoint = fixedPoint(62)

// binTable holds the moments of the residuals, right minus confidence, of the rows
// that fall into one bin under the baseline and one under the candidate, at
// baseline*eceSide + candidate. A model that gave no probabilities has residuals of
// 0, all in bin 0.
type binTable [eceSide * eceSide]moments

func (t *binTable) addRows(baseline, candidate view) {
	if baseline.probs == nil && candidate.probs == nil {
		return
	}
	var x, y [block]binned
	for from := 0; from < len(candidate.answers); from += block {
		n := min(block, len(candidate.answers)-from)
		baseline.residuals(from, x[:n])
		candidate.residuals(from, y[:n])
		for i := range n {
			t[x[i].bin*eceSide+y[i].bin].add(x[i].residual, y[i].residual)
		}
	}
}

// A binned residual is in fixed point.
type binned struct {
	bin      int
	residual int64
}

func (v view) residuals(from int, out []binned) {
	for i := range out {
		if v.probs != nil {
			p, hit := v.confidence(from + i)
			out[i] = binned{binOf(p, eceBins), residualPoint.fixed(float64(oneIf(hit)) - p)}
		}
	}
}

func (t *binTable) join(u *binTable) {
	for at := range t {
		t[at].join(u[at])
	}
}

// alone are the residuals of one model: the candidate's, or those of the baseline in
// their place.
func (t *binTable) alone(baseline bool) *binTable {
	var out binTable
	for at, m := range t {
		if baseline {
			out[at/eceSide].join(moments{n: m.n, c: m.b, cc: m.bb})
		} else {
			out[at%eceSide].join(moments{n: m.n, c: m.c, cc: m.cc})
		}
	}
	return &out
}

// ece is the expected calibration error: bins [j/15, (j+1)/15) and one for exactly 1,
// the absolute sum of right minus confidence in each, over n.
func (t *Tally) ece() reading {
	r := reading{candidate: t.eceScore(t.probs[1], t.bins.alone(false))}
	if !t.alone {
		r.baseline = t.eceScore(t.probs[0], t.bins.alone(true))
		r.variance = t.bins.variance(t.N())
	}
	return r
}

func (t *Tally) eceScore(probs bool, bins *binTable) score {
	switch {
	case t.N() == 0:
		return noScore(noRows)
	case !probs:
		return noScore(noProbs)
	}
	total := new(big.Int)
	for at := range bins {
		x := bins[at].c.big()
		total.Add(total, x.Abs(x))
	}
	return score{
		value: residualPoint.float(total, 1, float64(t.N())), n: t.N(), variance: bins.variance(t.N()), method: methodECE,
		warnings: []string{"the expected calibration error is biased upwards where bins hold few rows"},
	}
}

// binOf is the last bin whose lower edge is at most p. The edges are multiples
// of 1/bins as float64 rounds them, as numpy's linspace has them; a value within
// rounding of an edge is held against the edge itself.
func binOf(p float64, bins int) int {
	b, width := int(p*float64(bins)), 1/float64(bins)
	if b < bins && float64(b+1)*width <= p {
		return b + 1
	}
	if b < bins && float64(b)*width > p {
		return b - 1
	}
	return b
}

// largest is the index of the largest value, the first of equals.
func largest(p []float64) int {
	best := 0
	for k, q := range p {
		if q > p[best] {
			best = k
		}
	}
	return best
}

// A binCell is the moments of one cell in floating point, from which the sums of the
// rows times independent standard normals can be drawn exactly.
type binCell struct{ b, c, bb, bc, cc float64 }

func (m *moments) cell() binCell {
	one := func(w wide) float64 { return residualPoint.float(w.big(), 1, 1) }
	two := func(w wide) float64 { return residualPoint.float(w.big(), 2, 1) }
	return binCell{one(m.b), one(m.c), two(m.bb), two(m.bc), two(m.cc)}
}

// variance is that of the change of ece from baseline to candidate over n rows, from
// replicates in which each row's residual is counted 1 + g times, g standard normal,
// the same g in both models. It is no less than that of two rows that move.
func (t *binTable) variance(n int64) float64 {
	var cells []placedCell
	for at := range t {
		if t[at].n > 0 {
			cells = append(cells, placedCell{t[at].cell(), at / eceSide, at % eceSide})
		}
	}
	rnd := rand.New(rand.NewPCG(eceSeed, uint64(n)))
	rows := float64(n)
	x := make([]float64, eceReplicates)
	for r := range x {
		x[r] = redraw(cells, rnd) / rows
	}
	mean := sum(x) / eceReplicates
	for r := range x {
		x[r] -= mean
	}
	return max(leastMean(rows), sumSquares(x, nil)/(eceReplicates-1))
}

// A placedCell is a cell with its bins.
type placedCell struct {
	binCell
	baseline, candidate int
}

// redraw draws every bin's sum of residuals anew and returns the change of their
// absolute values.
func redraw(cells []placedCell, rnd *rand.Rand) float64 {
	var sb, sc [eceSide]float64
	for _, m := range cells {
		g, h := rnd.NormFloat64(), rnd.NormFloat64()
		along, across := 0.0, math.Sqrt(m.cc)
		if m.bb > 0 {
			along = m.bc / math.Sqrt(m.bb)
			across = math.Sqrt(math.Max(0, m.cc-float64(along*along)))
		}
		sb[m.baseline] += m.b + float64(math.Sqrt(m.bb)*g)
		sc[m.candidate] += m.c + float64(along*g) + float64(across*h)
	}
	change := 0.0
	for j := range eceSide {
		change += math.Abs(sc[j]) - math.Abs(sb[j])
	}
	return change
}
