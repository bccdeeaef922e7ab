package metrics

import (
	"errors"
	"fmt"
	"slices"
)

// A Tally is what rows say about one or two models, as far as the metrics and
// dimensions that it was made for need: counts, exact sums and, for metrics of rank
// alone, the rows. Tallies of neighbouring parts of the rows add up to the tally of
// all of them, bit for bit, wherever the cuts are; [Pair.Limits] and its kin are read
// from the tally of one part. [Pair.Tally] and [Frame.Tally] make one, [DecodeTally]
// reads one.
type Tally struct {
	From, To int64 // the rows, numbered over all parts

	classes    []string
	positive   int
	alone      bool    // there is no baseline
	probs      [2]bool // whether baseline and candidate gave probabilities
	families   families
	dimensions []groupTable

	cells     Cells      // of a model alone: its rows right and wrong, as if they had both been so
	labels    labelTable // family labelFamily, and so on
	logLosses *moments
	briers    *moments
	bins      *binTable
	ranks     *rankRows
}

// families are sets of them: what is counted serves all metrics of a family.
type families uint8

const (
	labelFamily families = 1 << iota
	logLossFamily
	brierFamily
	binFamily
	rankFamily
	allFamilies = 1<<iota - 1
)

// A groupTable counts the cells of each value of a dimension.
type groupTable struct {
	name   string
	values []string
	cells  []Cells
}

// Tally counts the rows of the pair, the first of which has the number from, for the
// named metrics and dimensions, as [Pair.By] has them. It is an error if there is no
// such metric or dimension or from is negative. The tally borrows the rows where a
// metric of rank is asked for.
func (p *Pair) Tally(from int64, metrics, dimensions []string) (*Tally, error) {
	f, err := familiesOf(metrics)
	if err != nil {
		return nil, err
	}
	if from < 0 || from > maxTallyRows {
		return nil, fmt.Errorf("tally: the first row is %d", from)
	}
	t := p.tally(f)
	t.From, t.To = from, from+t.To
	for _, name := range dimensions {
		d, err := p.baseline.dimension(name)
		if err != nil {
			return nil, err
		}
		t.dimensions = append(t.dimensions, p.groups(d))
	}
	return t, nil
}

// Tally is [Pair.Tally] of one model.
func (f *Frame) Tally(from int64, metrics []string) (*Tally, error) {
	return f.alone().Tally(from, metrics, nil)
}

// alone is the frame without a baseline.
func (f *Frame) alone() *Pair { return &Pair{candidate: f.view} }

func familiesOf(names []string) (families, error) {
	var f families
	for _, name := range names {
		m, err := find(name)
		if err != nil {
			return 0, err
		}
		f |= m.family
	}
	return f, nil
}

// tally counts for the families, rows from 0.
func (p *Pair) tally(f families) *Tally {
	v := p.candidate
	t := &Tally{
		To: int64(len(v.answers)), classes: v.classes, positive: v.positive, families: f,
		alone: p.baseline.classes == nil, probs: [2]bool{p.baseline.probs != nil, v.probs != nil}, cells: p.Cells(),
	}
	if t.alone {
		t.cells = Cells{BothRight: t.cells.BothRight, SameWrong: t.cells.BothWrong()}
	}
	if f&labelFamily != 0 {
		t.labels = countLabels(len(v.classes), v.answers, p.baseline.labels, v.labels)
	}
	if f&logLossFamily != 0 {
		t.logLosses = &moments{}
		t.logLosses.addLosses(p.baseline, v, view.logLosses)
	}
	if f&brierFamily != 0 {
		t.briers = &moments{}
		t.briers.addLosses(p.baseline, v, view.briers)
	}
	if f&binFamily != 0 {
		t.bins = &binTable{}
		t.bins.addRows(p.baseline, v)
	}
	if f&rankFamily != 0 {
		probs := [2][]float64{slices.Clip(p.baseline.probs), slices.Clip(v.probs)} // borrowed: not to be appended to
		t.ranks = &rankRows{slices.Clip(v.answers), probs, len(v.classes), 0}
	}
	return t
}

func (p *Pair) groups(d Dimension) groupTable {
	g := groupTable{d.Name, d.Values, make([]Cells, len(d.Values))}
	for i, v := range d.Codes {
		g.cells[v].count(bit(p.baseline.correct, i), bit(p.candidate.correct, i), bit(p.same, i))
	}
	return g
}

// maxTallyRows bounds the rows of all parts. Counts of them are exact in float64.
const maxTallyRows = 1 << 40

// N returns the number of rows.
func (t *Tally) N() int64 { return t.To - t.From }

// Cells counts the rows by who was right.
func (t *Tally) Cells() Cells { return t.cells }

// Add adds the tally of the rows that come next. Tallies that leave out or repeat
// rows, or are of other models, metrics or dimensions, are an error, and nothing is
// added then: so parts that were added one by one are all rows, each once.
func (t *Tally) Add(u *Tally) error {
	if err := t.continues(u); err != nil {
		return fmt.Errorf("add tally: %w", err)
	}
	t.To = u.To
	t.cells = t.cells.Add(u.cells)
	for i := range t.dimensions {
		t.dimensions[i] = t.dimensions[i].join(u.dimensions[i])
	}
	if t.families&labelFamily != 0 {
		t.labels = t.labels.join(u.labels)
	}
	if t.families&logLossFamily != 0 {
		t.logLosses.join(*u.logLosses)
	}
	if t.families&brierFamily != 0 {
		t.briers.join(*u.briers)
	}
	if t.families&binFamily != 0 {
		t.bins.join(u.bins)
	}
	if t.families&rankFamily != 0 {
		t.ranks = t.ranks.join(u.ranks, t.positive)
	}
	return nil
}

func (t *Tally) continues(u *Tally) error {
	switch {
	case len(t.classes) == 0 || len(u.classes) == 0:
		return errors.New("there is none")
	case t.To != u.From || u.To > maxTallyRows:
		return fmt.Errorf("rows %d to %d do not follow rows %d to %d", u.From, u.To, t.From, t.To)
	case !slices.Equal(t.classes, u.classes) || t.positive != u.positive:
		return errors.New("the parts have different classes")
	case t.alone != u.alone || t.probs != u.probs:
		return errors.New("the parts are of other models, or only one has probabilities")
	case t.families != u.families || !slices.EqualFunc(t.dimensions, u.dimensions, groupTable.alike):
		return errors.New("the parts were counted for different metrics or dimensions")
	}
	return nil
}

func (g groupTable) alike(h groupTable) bool {
	return g.name == h.name && slices.Equal(g.values, h.values)
}

func (g groupTable) join(h groupTable) groupTable {
	out := groupTable{g.name, g.values, make([]Cells, len(g.values))}
	for i := range out.cells {
		out.cells[i] = g.cells[i].Add(h.cells[i])
	}
	return out
}

// By is [Pair.By] of a dimension that the tally was made for.
func (t *Tally) By(dimension string) ([]Group, error) {
	for _, g := range t.dimensions {
		if g.name == dimension {
			return g.groups(), nil
		}
	}
	return nil, fmt.Errorf("the tally has no dimension %q", dimension)
}

func (g groupTable) groups() []Group {
	var out []Group
	for i, c := range g.cells {
		if c.N() > 0 {
			out = append(out, Group{g.values[i], c})
		}
	}
	return out
}
