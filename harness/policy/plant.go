package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"

	"proctor/harness/report"
	"proctor/metrics"
)

// Kinds of planted harm.
const (
	plantOverall     = "overall"     // answers of rows drawn from all are made wrong
	plantSlice       = "slice"       // of one value of a slice column, or of two
	plantClass       = "class"       // of one true class
	plantCalibration = "calibration" // all probabilities are sharpened or flattened
	plantSuite       = "suite"       // passed cases of one test are made to fail
)

var plantKinds = []string{plantOverall, plantSlice, plantClass, plantCalibration, plantSuite}

// maxPlants bounds how many harms are planted.
const maxPlants = 10_000

// Plant plants up to n harms of known size into copies of the candidate's results,
// one at a time, judges each as [Judge] would and says which were caught. It shows
// that the exam could have failed, and where it could not. The decision on the
// candidate itself is not touched: evidence is only read, and no model is run.
//
// Sizes are losses against the baseline, so a harm adds what the candidate's own
// change leaves to its size. Which subjects and sizes are tried does not depend on
// the policy's claims but on the set and the suites alone: a policy that watches
// less catches less. Subjects on which the candidate itself does not hold are left
// out, since what is shut cannot be shut. Kinds take turns until n harms are planted
// or there are no more; the seed draws subjects, sizes and rows. Equal arguments
// give equal results.
//
// A harm in answers leaves the probabilities as they are, so that only claims on
// answers see it. Probes are those of the real run, and so is the comparison with an
// anchor that is not the baseline. Both err on the side of missing a harm.
func Plant(r *Resolved, e Evidence, seed [32]byte, n int) (*report.Planted, error) {
	if r == nil || r.Policy == nil {
		return nil, errors.New("plant: there is no policy")
	}
	if n < 1 || n > maxPlants {
		return nil, fmt.Errorf("plant: %d harms; it is 1 to %d", n, maxPlants)
	}
	if why := unplantable(r, e); why != "" {
		return &report.Planted{Kinds: []report.PlantedKind{}, Missed: []report.PlantedHarm{}, Sentence: "No harm was planted: " + why + "."}, nil
	}
	p := newPlanter(r, e, seed)
	var done []planted
	for _, h := range p.draw(n) {
		x, err := p.plant(h)
		if err != nil {
			return nil, fmt.Errorf("plant %s harm: %w", h.at.kind, err)
		}
		done = append(done, x)
	}
	return summary(done), nil
}

// unplantable says why there is nothing to plant into.
func unplantable(r *Resolved, e Evidence) string {
	switch {
	case e.Diff == nil || e.Diff.Pair == nil || e.Diff.Changes() == nil:
		return "nothing was compared"
	case e.Candidate == nil || int64(e.Candidate.Len()) != r.Holdout.Rows || e.Diff.Pair.N() != r.Holdout.Rows || len(e.Diff.Changes()) != e.Candidate.Len():
		return "the answers are not on the rows that were committed"
	case r.Holdout.dependent():
		return "harms are planted into rows that count as independent ones, and these come in clusters or have weights"
	}
	return ""
}

// A planter holds the real run, and what each harm changes of it.
type planter struct {
	r         *Resolved
	e         Evidence
	rnd       *rand.Rand
	changes   []int8 // by row: -1 broke, +1 fixed
	crossings map[string]crossing
	members   map[string][][]int // by dimension and code: hypotheses that count the row
	effects   []effect           // by hypothesis
	fixed     []report.Finding   // of the real run: what is always on
	before    ranks
	brier     *brierScale // nil: there are no probabilities
}

// A planted is one harm and what became of it.
type planted struct {
	harm     harm
	caught   bool
	violated bool
}

func newPlanter(r *Resolved, e Evidence, seed [32]byte) *planter {
	source := sha256.Sum256(append([]byte("proctor/planted/1\n"), seed[:]...))
	p := &planter{r: r, e: e, rnd: rand.New(rand.NewChaCha8(source)), changes: e.Diff.Changes(), crossings: map[string]crossing{}, members: map[string][][]int{}}
	for i, h := range r.Hypotheses {
		x := undefined(0, "the suite was not run")
		if !missingSuite(h, e) {
			x = r.of(h, e)
		}
		p.effects = append(p.effects, x.remembered())
		if h.Dimension != "" {
			p.join(i, h)
		}
	}
	p.fixed = always(r, e)
	p.before = p.judge(p.effects, e.Diff.Pair.Cells(), false)
	p.brier = newBrierScale(e)
	return p
}

// join notes which rows a hypothesis on a slice counts.
func (p *planter) join(i int, h Hypothesis) {
	c, ok := p.crossing(h.Dimension)
	if !ok {
		return // its effect is undefined
	}
	if p.members[h.Dimension] == nil {
		p.members[h.Dimension] = make([][]int, c.size())
	}
	for code := range c.size() {
		if v := c.name(code); v == h.Value && h.Pooled == nil || contains(h.Pooled, v) {
			p.members[h.Dimension][code] = append(p.members[h.Dimension][code], i)
		}
	}
}

// plant makes one copy with a harm and judges it.
func (p *planter) plant(h harm) (planted, error) {
	var after ranks
	switch h.at.kind {
	case plantSuite:
		after = p.judge(p.withFailed(h), p.e.Diff.Pair.Cells(), p.e.Diff.Tests[h.at.test].Test.Critical)
	case plantCalibration:
		effects, release, err := p.recalibrated(h)
		if err != nil {
			return planted{}, err
		}
		defer release()
		after = p.judge(effects, p.e.Diff.Pair.Cells(), false)
	default:
		rows := p.drawRows(h)
		effects, release, err := p.withWrong(rows)
		if err != nil {
			return planted{}, err
		}
		defer release()
		after = p.judge(effects, p.lost(p.e.Diff.Pair.Cells(), rows), false)
	}
	x := planted{harm: h}
	for i, rank := range after {
		if p.before[i] == rankHolds && rank != rankHolds {
			x.caught = true
			x.violated = x.violated || rank == rankViolated
		}
	}
	return x, nil
}

// lost counts rows as wrong that the candidate had right.
func (p *planter) lost(c metrics.Cells, rows []int) metrics.Cells {
	for _, row := range rows {
		c = lose(c, p.changes[row] > 0)
	}
	return c
}

// lose makes one row wrong that was right, under the candidate only or under both.
func lose(c metrics.Cells, fixed bool) metrics.Cells {
	if fixed {
		c.Fixed, c.SameWrong = c.Fixed-1, c.SameWrong+1
	} else {
		c.BothRight, c.Broke = c.BothRight-1, c.Broke+1
	}
	return c
}
