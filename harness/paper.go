package harness

import (
	"fmt"
	"slices"

	"proctor/harness/policy"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// A paper is everything that one exam asks, part after part: scored rows,
// canaries, twins, and the examples of each suite, all with the same columns, so
// that a model cannot tell by their form which of them count.
type paper struct {
	exam   *holdout.Exam
	set    holdout.Commitment
	suites []*regress.Suite
	table  rows.Table
	ends   []int // where each part ends in table
	grant  holdout.Grant
}

// Parts of a paper; suites follow.
const (
	partScored = iota
	partCanaries
	partTwins
	partSuites
)

func newPaper(set holdout.Commitment, exam *holdout.Exam, suites []*regress.Suite) (*paper, error) {
	p := &paper{exam: exam, set: set, suites: suites}
	parts := []rows.Table{exam.Inputs, exam.Canaries, exam.Twins}
	for _, s := range suites {
		t, err := s.Table(set.Features)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
	}
	n := 0
	for _, t := range parts {
		n += t.Len()
		p.ends = append(p.ends, n)
	}
	var err error
	p.table, err = rows.Concat(parts...)
	return p, err
}

// part cuts the predictions for one part out of those for the whole paper.
func (p *paper) part(i int, all metrics.Predictions) metrics.Predictions {
	lo := 0
	if i > 0 {
		lo = p.ends[i-1]
	}
	hi, k := p.ends[i], len(p.set.Classes)
	out := metrics.Predictions{Labels: all.Labels[lo:hi:hi]}
	if all.Probs != nil {
		out.Probs = all.Probs[lo*k : hi*k : hi*k]
	}
	return out
}

// answers gives the scored rows' answers in the form that metrics take.
func (p *paper) answers() metrics.Answers {
	a := metrics.Answers{Classes: p.set.Classes, Positive: slices.Index(p.set.Classes, p.set.Positive), Labels: p.exam.Labels}
	for _, s := range p.exam.Slices {
		a.Dimensions = append(a.Dimensions, metrics.Dimension{Name: s.Name, Values: s.Values, Codes: s.Codes})
	}
	return a
}

// judge gives a model's outcome on every case of every suite.
func (p *paper) judge(all metrics.Predictions) ([]*regress.Judged, error) {
	js := make([]*regress.Judged, len(p.suites))
	for i, s := range p.suites {
		j, err := s.Judge(p.set.Classes, p.part(partSuites+i, all))
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", s.Name, err)
		}
		js[i] = j
	}
	return js, nil
}

// probes counts how the candidate answered what is not scored. baseline is nil
// for a first model.
func (p *paper) probes(candidate, baseline *answered) *policy.Probes {
	canaries, twins, scored := p.part(partCanaries, candidate.predictions), p.part(partTwins, candidate.predictions), p.part(partScored, candidate.predictions)
	out := &policy.Probes{
		Asked: int64(p.table.Len()), Answered: int64(len(candidate.predictions.Labels)),
		Repeated: int64(candidate.repeated), RepeatsDiffer: int64(candidate.differ),
		Canaries: int64(len(p.exam.CanaryLabels)), Twins: int64(len(p.exam.TwinOf)),
		LabelCounts: make([]int64, len(p.set.Classes)+1),
	}
	if a := candidate.again; a != nil {
		out.Same, out.Moved, out.Alone, out.Clock = a.parts[askSame], a.parts[askMoved], a.parts[askAlone], a.clock
	}
	for i, flipped := range p.exam.CanaryLabels {
		agree, before := canaries.Labels[i] == flipped, false
		if baseline != nil {
			before = p.part(partCanaries, baseline.predictions).Labels[i] == flipped
			if agree && !before {
				out.CanaryOnlyCandidate++
			}
			if before && !agree {
				out.CanaryOnlyBaseline++
			}
		}
		if agree {
			out.CanaryAgree++
		}
	}
	for i, of := range p.exam.TwinOf {
		original, twin := scored.Labels[of] == p.exam.Labels[of], twins.Labels[i] == p.exam.Labels[of]
		if original && !twin {
			out.TwinOriginalOnly++
		}
		if twin && !original {
			out.TwinTwinOnly++
		}
	}
	for _, l := range scored.Labels {
		if l < 0 {
			l = int32(len(p.set.Classes))
		}
		out.LabelCounts[l]++
	}
	return out
}

// trained holds the scored rows against what the candidate declares to be trained on.
func (p *paper) trained(f *holdout.Fingerprint) *policy.Trained {
	if f == nil {
		return nil
	}
	out := &policy.Trained{Rows: int64(p.exam.Inputs.Len()), MostPct: p.exam.DuplicatesAtMostPct}
	shared, err := f.Overlap(p.exam.Inputs)
	if err != nil {
		out.Missing = err.Error()
	}
	out.Shared = int64(shared)
	return out
}

// classOrder says where each class of a package stands among those of the set:
// order[i] is the set's index of the package's class i. Both must have the same.
func classOrder(set, pkg []string) ([]int32, error) {
	order := make([]int32, len(pkg))
	for i, c := range pkg {
		at := slices.Index(set, c)
		if at < 0 {
			return nil, fmt.Errorf("class %q is not one of the holdout's: %q", c, set)
		}
		order[i] = int32(at)
	}
	if len(pkg) != len(set) {
		return nil, fmt.Errorf("it declares %d classes, the holdout has %d: %q", len(pkg), len(set), set)
	}
	return order, nil
}
