package policy

import (
	"math"

	"proctor/metrics"
)

// A gate is how one hypothesis treats a candidate at one run, for questions of
// power. It counts rows (counts), or knows a standard error (even), or neither: then
// nobody can say what an equal model does, and Check refuses it.
type gate struct {
	counts  bool
	even    *smooth
	rows    int64
	churn   float64
	judged  bool
	enough  float64 // power that is asked
	bounds  bounds
	hold    float64 // level of the limits
	violate float64 // level of the test at Holm's strictest step; 0: none
}

// gate returns the gate of a hypothesis at run k.
func (r *Resolved) gate(h Hypothesis, attempt int) gate {
	g := gate{rows: r.witnesses(h), churn: r.Policy.ChurnPct / 100, judged: h.Judged, enough: enoughOf(h), bounds: r.bounds(h), hold: r.level(attempt)}
	if g.bounds.harmForm {
		g.violate = r.alpha() / float64(max(1, r.watched()))
	}
	if g.counts = h.Suite != "" || h.Metric == "accuracy"; g.counts {
		return g
	}
	if d, ok := metrics.Lookup(h.Metric); ok {
		if se, ok := standardError(d, g.churn, r.Holdout.ClassCounts, r.Holdout.Positive); ok {
			g.even = &smooth{se: se, detect: g.bounds.limit, hold: g.hold, harm: g.bounds.harm, violate: g.violate}
		}
	}
	return g
}

// equal returns the probability that an equal model HOLDS.
func (g gate) equal() float64 {
	switch {
	case g.counts:
		return metrics.HoldPower(g.rows, g.churn, g.bounds.limit, g.hold)
	case g.even != nil:
		return g.even.power(0)
	}
	return 0
}

// visible returns the smallest loss that does not pass with probability .95.
func (g gate) visible() (float64, bool) {
	switch {
	case g.counts:
		s := sight{n: g.rows, detect: g.bounds.limit, hold: g.hold, harm: g.bounds.harm, violate: g.violate}
		if !g.judged {
			s.hold = 0 // it is tested for harm only
		}
		return s.visible(g.churn)
	case g.even != nil:
		return g.even.visible(), true
	}
	return 0, false
}

// needed returns the rows with which an equal model HOLDS with the power asked.
func (g gate) needed() (int64, bool) {
	switch {
	case g.counts && g.bounds.limit > 0:
		n := metrics.RowsToHold(g.churn, g.bounds.limit, g.hold, g.enough)
		return n, n < math.MaxInt64
	case g.even != nil:
		return g.even.needed(g.rows)
	}
	return 0, false
}

// bounds are a claim's numbers in the metric's own scale, turned so that more is
// worse: loss is -change where more of the metric is wanted, else +change.
type bounds struct {
	sign     float64 // loss = sign * change
	limit    float64 // HOLDS while the upper limit of the loss is below this
	harm     float64
	harmForm bool // harm and detect; else one bound
}

func (r *Resolved) bounds(h Hypothesis) bounds {
	c := r.claim(h.Claim)
	up := h.Suite == "" && higherBetter(h.Metric)
	switch {
	case c.Harm != nil && c.Detect != nil && up:
		return bounds{-1, *c.Detect * c.scale(), *c.Harm * c.scale(), true}
	case c.Harm != nil && c.Detect != nil:
		return bounds{+1, *c.Detect * c.scale(), *c.Harm * c.scale(), true}
	case c.AtLeast != nil:
		return bounds{sign: -1, limit: -*c.AtLeast * c.scale()}
	case c.AtMost != nil:
		return bounds{sign: +1, limit: *c.AtMost * c.scale()}
	}
	return bounds{sign: 1} // nothing is below 0: never HOLDS
}

func higherBetter(metric string) bool {
	d, ok := metrics.Lookup(metric)
	return ok && d.HigherBetter
}
