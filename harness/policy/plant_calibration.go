package policy

import (
	"math"

	"proctor/metrics"
)

// Turns of a calibration harm: p of each class becomes proportional to p^t, with t
// above 1 or below.
const (
	sharper = "sharper"
	flatter = "flatter"
)

// A brierScale turns a loss of the Brier score into the exponent that makes it.
type brierScale struct {
	frame *metrics.Frame
	logs  []float64 // of the probabilities, row-major
	start float64   // the candidate's Brier score as it is
	lost  float64   // what it has lost against the baseline already
}

// newBrierScale returns nil where there are no probabilities of both models.
func newBrierScale(e Evidence) *brierScale {
	probs := e.Candidate.Probs()
	l, err := e.Diff.Pair.Limits("brier", 0.05)
	if probs == nil || err != nil || l.Undefined != "" {
		return nil
	}
	s := &brierScale{frame: e.Candidate, logs: make([]float64, len(probs)), lost: l.Change}
	for i, p := range probs {
		s.logs[i] = math.Log(p)
	}
	s.start = s.of(probs)
	return s
}

// of is the Brier score as brier@1 defines it.
func (s *brierScale) of(probs []float64) float64 {
	k, positive := len(s.frame.Classes()), s.frame.Positive()
	sum := 0.0
	for i, y := range s.frame.Answers() {
		row := probs[i*k : (i+1)*k]
		for c, p := range row {
			if positive >= 0 && c != positive {
				continue
			}
			d := p
			if c == int(y) {
				d--
			}
			sum += float64(d * d)
		}
	}
	return sum / float64(len(s.frame.Answers()))
}

// power fills out with the probabilities to the power t, scaled to sum 1. A row of
// zeros stays one.
func (s *brierScale) power(out []float64, t float64) {
	k := len(s.frame.Classes())
	for i := 0; i < len(out); i += k {
		most := math.Inf(-1)
		for _, l := range s.logs[i : i+k] {
			most = math.Max(most, l)
		}
		sum := 0.0
		for c, l := range s.logs[i : i+k] {
			out[i+c] = 0
			if !math.IsInf(l, -1) {
				out[i+c] = math.Exp(t * (l - most))
			}
			sum += out[i+c]
		}
		for c := range k {
			if sum > 0 {
				out[i+c] /= sum
			}
		}
	}
}

const (
	furthest = 6  // exponents from 2^-6 to 2^6
	steps    = 24 // of bisection: the loss is met to far less than it is told
)

func (s *brierScale) turn(value string, x float64) float64 {
	if value == flatter {
		x = -x
	}
	return math.Exp2(x)
}

// sizes lists the losses that a turn can make.
func (s *brierScale) sizes(a place) []harm {
	out, probs := []harm(nil), make([]float64, len(s.logs))
	s.power(probs, s.turn(a.value, furthest))
	most := s.of(probs) - s.start + s.lost
	for _, size := range calibrationSizes {
		if size > s.lost && size <= most {
			out = append(out, harm{at: a, size: size})
		}
	}
	return out
}

// harmed returns probabilities with a loss of at least size, and as little more as
// bisection can.
func (s *brierScale) harmed(h harm) []float64 {
	low, high := 0.0, float64(furthest)
	probs := make([]float64, len(s.logs))
	for range steps {
		mid := (low + high) / 2
		s.power(probs, s.turn(h.at.value, mid))
		if s.of(probs)-s.start+s.lost >= h.size {
			high = mid
		} else {
			low = mid
		}
	}
	s.power(probs, s.turn(h.at.value, high))
	return probs
}

// recalibrated returns the effects after all probabilities have been turned. They
// may be used until release.
func (p *planter) recalibrated(h harm) (out []effect, release func(), err error) {
	out = append(out, p.effects...)
	needsProbs := func(d metrics.Def) bool { return d.NeedsProbs }
	if !p.asks(needsProbs) {
		return out, nothing, nil
	}
	release, err = p.measure(out, metrics.Predictions{Labels: p.e.Candidate.Labels(), Probs: p.brier.harmed(h)}, needsProbs)
	return out, release, err
}
