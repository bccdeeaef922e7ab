package metrics

import "math"

const noProbs = "the model gave no probabilities"

// logClip keeps the log of a probability finite: it is the spacing of float64 at 1.
const logClip = 0x1p-52

// withoutProbs says why a metric of probabilities is undefined here, or "".
func (v view) withoutProbs() string {
	if len(v.answers) == 0 {
		return "no rows"
	}
	if v.probs == nil {
		return noProbs
	}
	return ""
}

// row returns the probabilities of row i.
func (v view) row(i int) []float64 {
	k := len(v.classes)
	return v.probs[i*k : (i+1)*k]
}

// logLoss scales each row to sum 1. A row of zeros gives its true class the
// least probability that there is.
func (v view) logLoss() score {
	if why := v.withoutProbs(); why != "" {
		return noScore(why)
	}
	x := make([]float64, len(v.answers))
	for i, y := range v.answers {
		p, total := v.row(i), 0.0
		for _, q := range p {
			total += q
		}
		share := 0.0
		if total > 0 {
			share = p[y] / total
		}
		x[i] = -math.Log(math.Min(1-logClip, math.Max(logClip, share)))
	}
	return meanScore(x)
}

func (v view) brier() score {
	if why := v.withoutProbs(); why != "" {
		return noScore(why)
	}
	x := make([]float64, len(v.answers))
	for i, y := range v.answers {
		if v.positive >= 0 {
			d := v.row(i)[v.positive] - float64(oneIf(int(y) == v.positive))
			x[i] = d * d
			continue
		}
		for k, q := range v.row(i) {
			d := q - float64(oneIf(k == int(y)))
			x[i] += float64(d * d)
		}
	}
	return meanScore(x)
}
