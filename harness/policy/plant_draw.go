package policy

import (
	"math"
	"slices"
	"strings"

	"proctor/harness/report"
	"proctor/metrics"
)

// What is planted: losses of a share of the subject's rows or cases, and of the
// Brier score.
var (
	overallSizes     = []float64{.003, .005, .01, .015, .02, .03}
	shareSizes       = []float64{.03, .05, .10, .15, .20, .30, .50}
	calibrationSizes = []float64{.002, .005, .01, .02, .03}
)

const (
	// minPlantRows: a share of fewer rows is no size to speak of.
	minPlantRows = 30
	// maxPlantDimensions bounds the dimensions that harms are planted in.
	maxPlantDimensions = 64
)

// A place is a subject that harm can be planted in.
type place struct {
	kind, dimension, value string
	test                   int     // of the diff, for a suite
	n                      int64   // rows or cases
	right                  int64   // of them, that the candidate has right
	net                    int64   // of them, that it has lost already: broke - fixed
	promised               float64 // loss from which no claim on it can hold; +Inf: no claim judges it
}

// subject names a place as a finding does.
func (a place) subject() string {
	switch a.kind {
	case plantSlice, plantClass:
		return a.dimension + "=" + a.value
	case plantOverall:
		return ""
	}
	return a.value
}

// A harm is a loss of a size at a place.
type harm struct {
	at   place
	size float64
	k    int64 // rows or cases to make wrong
}

// draw lists at most n harms: the kinds take turns, each in an order that the seed
// draws.
func (p *planter) draw(n int) []harm {
	by := map[string][]harm{}
	for _, a := range p.places() {
		by[a.kind] = append(by[a.kind], p.sizes(a)...)
	}
	for _, kind := range plantKinds {
		p.rnd.Shuffle(len(by[kind]), func(i, j int) { by[kind][i], by[kind][j] = by[kind][j], by[kind][i] })
	}
	var out []harm
	for turn := 0; len(out) < n; turn++ {
		before := len(out)
		for _, kind := range plantKinds {
			if turn < len(by[kind]) && len(out) < n {
				out = append(out, by[kind][turn])
			}
		}
		if len(out) == before {
			break
		}
	}
	return out
}

// sizes lists the harms that there is room for at a place: more than it has lost
// already, and not more than is right there.
func (p *planter) sizes(a place) []harm {
	if a.kind == plantCalibration {
		return p.brier.sizes(a)
	}
	all := shareSizes
	if a.kind == plantOverall {
		all = overallSizes
	}
	var out []harm
	for _, s := range all {
		k := int64(math.Ceil(float64(s*float64(a.n))-1e-9)) - a.net
		if k >= 1 && k <= a.right {
			out = append(out, harm{a, s, k})
		}
	}
	return out
}

// drawRows draws rows of a place that the candidate has right.
func (p *planter) drawRows(h harm) []int {
	in := func(int) bool { return true }
	if h.at.dimension != "" {
		c, _ := p.crossing(h.at.dimension)
		code := c.code(h.at.value)
		in = func(row int) bool { return c.at(row) == code }
	}
	labels := p.e.Candidate.Labels()
	var rows []int
	for row, y := range p.e.Candidate.Answers() {
		if labels[row] == y && in(row) {
			rows = append(rows, row)
		}
	}
	for i := range int(h.k) {
		j := i + p.rnd.IntN(len(rows)-i)
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows[:h.k]
}

// A crossing is a dimension of the frame, or several crossed.
type crossing []metrics.Dimension

func (p *planter) crossing(name string) (crossing, bool) {
	if c, ok := p.crossings[name]; ok {
		return c, true
	}
	c, ok := cross(p.e.Candidate, name)
	if ok {
		p.crossings[name] = c
	}
	return c, ok
}

// cross finds a dimension, or several, in a frame.
func cross(f *metrics.Frame, name string) (crossing, bool) {
	var c crossing
	for _, part := range strings.Split(name, "*") {
		d := metrics.Dimension{Name: part, Values: f.Classes(), Codes: f.Answers()}
		if part != metrics.ByClass {
			i := slices.IndexFunc(f.Dimensions(), func(d metrics.Dimension) bool { return d.Name == part })
			if i < 0 {
				return nil, false
			}
			d = f.Dimensions()[i]
		}
		c = append(c, d)
	}
	return c, true
}

func (c crossing) at(row int) int {
	code := 0
	for _, d := range c {
		code = code*len(d.Values) + int(d.Codes[row])
	}
	return code
}

func (c crossing) size() int {
	n := 1
	for _, d := range c {
		n *= len(d.Values)
	}
	return n
}

// name is the value of a code, as metrics.Pair.By gives it.
func (c crossing) name(code int) string {
	parts := make([]string, len(c))
	for i := len(c) - 1; i >= 0; i-- {
		n := len(c[i].Values)
		parts[i], code = c[i].Values[code%n], code/n
	}
	return strings.Join(parts, times)
}

func (c crossing) code(value string) int {
	for code := range c.size() {
		if c.name(code) == value {
			return code
		}
	}
	return -1
}

// report tells a harm in the report's types.
func (h harm) report() report.PlantedHarm {
	return report.PlantedHarm{Kind: h.at.kind, Subject: h.at.subject(), Size: h.shown(), Unit: h.unit(), Claim: !math.IsInf(h.at.promised, 1)}
}

func (h harm) unit() string {
	if h.at.kind == plantCalibration {
		return ""
	}
	return unitPP
}

// shown is the size in its unit, without the noise of a division by 100.
func (h harm) shown() float64 {
	if h.at.kind == plantCalibration {
		return h.size
	}
	return math.Round(h.size*1e4) / 100
}
