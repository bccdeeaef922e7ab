package metrics

import (
	"math"
	"math/big"
	"math/bits"
)

const noProbs = "the model gave no probabilities"

// logClip keeps the log of a probability finite: it is the spacing of float64 at 1.
const logClip = 0x1p-52

// withoutProbs says why a metric of probabilities is undefined here, or "".
func (v view) withoutProbs() string {
	if len(v.answers) == 0 {
		return noRows
	}
	if v.probs == nil {
		return noProbs
	}
	return ""
}

// row returns the probabilities of row i.
func (v *view) row(i int) []float64 {
	k := len(v.classes)
	return v.probs[i*k : (i+1)*k]
}

// logLosses puts the losses of the rows from on into out. It scales a row to sum 1; one
// of zeros gives its true class the least probability that there is.
func (v view) logLosses(from int, out []int64) {
	for i := range out {
		p, total, share := v.row(from+i), 0.0, 0.0
		for _, q := range p {
			total += q
		}
		if total > 0 {
			share = p[v.answers[from+i]] / total
		}
		out[i] = logLossPoint.fixed(-math.Log(min(1-logClip, max(logClip, share))))
	}
}

func (v view) briers(from int, out []int64) {
	point := brierPoint(len(v.classes))
	for i := range out {
		p, y := v.row(from+i), int(v.answers[from+i])
		if v.positive >= 0 {
			d := p[v.positive] - float64(oneIf(y == v.positive))
			out[i] = point.fixed(d * d)
			continue
		}
		s := 0.0
		for k, q := range p {
			d := q - float64(oneIf(k == y))
			s += float64(d * d)
		}
		out[i] = point.fixed(s)
	}
}

// logLossPoint holds losses of up to 52 ln 2.
const logLossPoint = fixedPoint(56)

// brierPoint holds losses of up to the number of classes.
func brierPoint(classes int) fixedPoint { return fixedPoint(62 - bits.Len(uint(classes))) }

// addLosses adds the rows of models that gave probabilities; what the other one lost
// is 0.
func (m *moments) addLosses(baseline, candidate view, losses func(v view, from int, out []int64)) {
	b, c := baseline.probs != nil, candidate.probs != nil
	if !b && !c {
		return
	}
	var x, y [block]int64
	for from := 0; from < len(candidate.answers); from += block {
		n := min(block, len(candidate.answers)-from)
		if b {
			losses(baseline, from, x[:n])
		}
		if c {
			losses(candidate, from, y[:n])
		}
		for i := range n {
			m.add(x[i], y[i])
		}
	}
}

func (t *Tally) logLoss() reading { return t.onMoments(t.logLosses, logLossPoint) }
func (t *Tally) brier() reading   { return t.onMoments(t.briers, brierPoint(len(t.classes))) }

// onMoments reads a mean: its variance is s^2/n, the clustered variance with one row
// a cluster (Miller 2024), and no less than that of two rows that move, one up and
// one down.
func (t *Tally) onMoments(m *moments, u fixedPoint) reading {
	r := reading{
		baseline:  t.meanScore(t.probs[0], u, m.b.big(), m.bb.big()),
		candidate: t.meanScore(t.probs[1], u, m.c.big(), m.cc.big()),
	}
	r.variance = u.variance(t.N(), m.change)
	return r
}

func (t *Tally) meanScore(probs bool, u fixedPoint, sum, squares *big.Int) score {
	switch {
	case t.N() == 0:
		return noScore(noRows)
	case !probs:
		return noScore(noProbs)
	}
	n := float64(t.N())
	s := score{value: u.float(sum, 1, n), n: t.N(), df: n - 1, method: methodMean}
	if t.N() < 2 {
		s.few = fewRows
		return s
	}
	s.variance = u.variance(t.N(), func() (*big.Int, *big.Int) { return sum, squares })
	return s
}

// variance is that of the mean of n fixed numbers.
func (u fixedPoint) variance(n int64, of func() (sum, squares *big.Int)) float64 {
	if n < 2 {
		return 0
	}
	sum, squares := of()
	rows := float64(n)
	return max(leastMean(rows), u.float(deviations(n, sum, squares), 2, rows*rows*(rows-1)))
}
