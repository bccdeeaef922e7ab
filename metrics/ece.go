package metrics

import (
	"fmt"
	"math"
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

func (v view) ece() score {
	if why := v.withoutProbs(); why != "" {
		return noScore(why)
	}
	conf, hit := v.confidences()
	return calibration(conf, hit, eceBins)
}

// confidences are the rows' probabilities that ece is about, and whether they
// came true.
func (v view) confidences() (conf []float64, hit []bool) {
	conf, hit = make([]float64, len(v.answers)), make([]bool, len(v.answers))
	for i, y := range v.answers {
		k := v.positive
		if k < 0 {
			k = largest(v.row(i))
		}
		conf[i], hit[i] = v.row(i)[k], int(y) == k
	}
	return conf, hit
}

// calibration is the expected calibration error: bins [j/bins, (j+1)/bins) and
// one for exactly 1, the absolute sum of right minus confidence in each, over n.
// The score's parts are the residuals.
func calibration(conf []float64, hit []bool, bins int) score {
	n := float64(len(conf))
	s := score{n: int64(len(conf)), parts: conf, bins: make([]uint8, len(conf)), least: 2 / (n * n), method: methodECE}
	s.warnings = []string{"the expected calibration error is biased upwards where bins hold few rows"}
	sums := make([]float64, bins+1)
	for i, p := range conf {
		b := binOf(p, bins)
		s.bins[i] = uint8(b)
		conf[i] = float64(oneIf(hit[i])) - p
		sums[b] += conf[i]
	}
	for _, x := range sums {
		s.value += math.Abs(x)
	}
	s.value /= n
	return s
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

// A binCell holds the sums over the rows that fall into one bin under each of
// two models: second moments of their residuals, from which the sums of the rows
// times independent standard normals can be drawn exactly.
type binCell struct{ b, c, bb, bc, cc float64 }

// eceVariance is the variance of the change of ece from b to c on the same rows
// (of the value of c alone where b is nil), from replicates in which each row's
// residual is counted 1 + g times, g standard normal, the same g in both models.
func eceVariance(b, c *score) float64 {
	const side = eceBins + 1
	var cells [side * side]binCell
	for i, x := range c.parts {
		y, at := 0.0, int(c.bins[i])
		if b != nil {
			y, at = b.parts[i], at+side*int(b.bins[i])
		}
		m := &cells[at]
		m.b += y
		m.c += x
		m.bb += float64(y * y)
		m.bc += float64(y * x)
		m.cc += float64(x * x)
	}
	rnd := rand.New(rand.NewPCG(eceSeed, uint64(len(c.parts))))
	x := make([]float64, eceReplicates)
	for r := range x {
		x[r] = redraw(&cells, rnd) / float64(len(c.parts))
	}
	mean := sum(x) / eceReplicates
	for r := range x {
		x[r] -= mean
	}
	return sumSquares(x, nil) / (eceReplicates - 1)
}

// redraw draws every bin's sum of residuals anew and returns the change of their
// absolute values.
func redraw(cells *[(eceBins + 1) * (eceBins + 1)]binCell, rnd *rand.Rand) float64 {
	const side = eceBins + 1
	var sb, sc [side]float64
	for at := range cells {
		m := &cells[at]
		if m.bb == 0 && m.cc == 0 {
			continue
		}
		g, h := rnd.NormFloat64(), rnd.NormFloat64()
		along, across := 0.0, math.Sqrt(m.cc)
		if m.bb > 0 {
			along = m.bc / math.Sqrt(m.bb)
			across = math.Sqrt(math.Max(0, m.cc-float64(along*along)))
		}
		sb[at/side] += m.b + float64(math.Sqrt(m.bb)*g)
		sc[at%side] += m.c + float64(along*g) + float64(across*h)
	}
	change := 0.0
	for j := range side {
		change += math.Abs(sc[j]) - math.Abs(sb[j])
	}
	return change
}
