package regress

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"proctor/harness/report"
	"proctor/metrics"
)

// searchLevels is the most conditions of a slice that a report looks for: three
// would cost seventeen times the correction for little that two do not point at.
const searchLevels = 2

// fewestRows is the fewest rows of a slice that is searched for: it says of nobody
// what one row says, and fewer could not stand after correction.
const fewestRows = 30

// WhereItBroke searches for slices in which the candidate broke rows: over the
// frames' slice columns, and further features, which stand in place of slice columns
// of the same name. confidence is that of all slices together; the
// seed decides the halves where a search needs them. It is no part of a decision, so
// that what cannot be searched has a sentence and is no error.
func (d *Diff) WhereItBroke(further []metrics.Dimension, confidence float64, seed [32]byte) *report.Search {
	changes := d.Changes()
	features := d.searched(further)
	s := Search{Levels: searchLevels, MinRows: max(fewestRows, len(changes)/1000), Top: report.MaxFound, Confidence: confidence}
	out := &report.Search{Levels: searchLevels, MinRows: int64(s.MinRows), Confidence: confidence, Features: []string{}, Slices: []report.FoundSlice{}}
	for _, f := range features {
		out.Features = append(out.Features, f.Name)
	}
	f, err := s.Where(features, changes, seed)
	if err != nil {
		out.Sentence = "No slices were searched for: " + Plain(err.Error()) + "."
		return out
	}
	out.Method, out.Levels, out.Cut = f.Method, f.Levels, f.Cut
	out.Rows, out.Tested, out.Shown = f.Rows, f.Tested, f.SignificantHolm
	if f.Method == methodSplit {
		_, second := halves(len(changes), seed)
		features, changes = pickRows(features, second), pickChanges(changes, second)
	}
	for _, x := range f.Slices {
		out.Slices = append(out.Slices, foundSlice(f, x, confidence, features, changes))
	}
	out.Sentence = searchSentence(out)
	return out
}

// searched lists the features of a search. The true class is none of them: whoever
// moves a threshold gets rows of one class wrong and of the other right, and slices
// of one class would say that over and over; its recall stands among the slices.
func (d *Diff) searched(further []metrics.Dimension) []metrics.Dimension {
	if d.candidate == nil {
		return nil
	}
	var out []metrics.Dimension
	for _, c := range d.candidate.Dimensions() {
		if !slices.ContainsFunc(further, func(f metrics.Dimension) bool { return f.Name == c.Name }) {
			out = append(out, c)
		}
	}
	return append(out, further...)
}

// foundSlice tells one slice. Each end of its interval is at the level of one test,
// so that the upper ends of all slices that were tested hold together.
func foundSlice(f *Found, x BrokenSlice, confidence float64, features []metrics.Dimension, changes []int8) report.FoundSlice {
	cells := metrics.Cells{BothRight: x.Rows - x.Broke - x.Fixed, Broke: x.Broke, Fixed: x.Fixed} // the change depends on no more
	out := report.FoundSlice{
		N: x.Rows, Broke: x.Broke, Fixed: x.Fixed, P: number64(x.P), Adjusted: number64(x.Holm),
		Change: estimate(cells.Change(1 - 2*(1-confidence)/float64(max(2, f.Tested)))),
		Shown:  x.Holm <= 1-confidence, Within: x.Within,
	}
	out.Divergence, out.T, _ = Divergence(Rate{x.Broke, x.Rows - x.Broke}, Rate{f.Broke, f.Rows - f.Broke})
	if f.Broke > 0 {
		out.Score = sliceScore(discoverAlpha, float64(f.Broke)/float64(f.Rows), int(f.Rows), int(x.Rows), float64(x.Broke))
	}
	adds := contributions(features, changes, x.Predicates)
	for i, p := range x.Predicates {
		c := report.Condition{Feature: p.Feature, Value: p.Value}
		if adds != nil {
			c.Adds = number64(adds[i])
		}
		out.Conditions = append(out.Conditions, c)
	}
	out.Sentence = foundSentence(f, x, out)
	return out
}

// contributions shares the divergence of a slice among its conditions. nil where there is nothing to share.
func contributions(features []metrics.Dimension, changes []int8, slice []Predicate) []float64 {
	var yesNo []metrics.Dimension
	for _, p := range slice {
		d := features[slices.IndexFunc(features, func(d metrics.Dimension) bool { return d.Name == p.Feature })]
		code := int32(slices.Index(d.Values, p.Value))
		x := metrics.Dimension{Name: p.Feature, Values: []string{"in", "out"}, Codes: make([]int32, len(d.Codes))}
		for i, c := range d.Codes {
			x.Codes[i] = int32(oneIf(c != code))
		}
		yesNo = append(yesNo, x)
	}
	broke := make([]int8, len(changes))
	for i, c := range changes {
		broke[i] = int8(oneIf(c < 0))
	}
	sets, err := DivExplorer(yesNo, broke, 1/float64(len(changes)), len(slice))
	if err != nil {
		return nil
	}
	at := slices.IndexFunc(sets.List, func(x Itemset) bool {
		return len(x.Predicates) == len(slice) && !slices.ContainsFunc(x.Predicates, func(p Predicate) bool { return p.Value != "in" })
	})
	if at < 0 {
		return nil
	}
	adds, _ := sets.Shapley(at)
	return adds
}

// foundSentence says one slice in plain words.
func foundSentence(f *Found, x BrokenSlice, s report.FoundSlice) string {
	words := make([]string, len(x.Predicates))
	for i, p := range x.Predicates {
		words[i] = Plain(p.String())
	}
	text := fmt.Sprintf("%d of %d rows broke and %d were fixed where %s", x.Broke, x.Rows, x.Fixed, strings.Join(words, " and "))
	if s.Change.Value != nil {
		text += ": accuracy changed by " + points(*s.Change.Value)
		if s.Change.Low != nil {
			text += fmt.Sprintf(", within %s to %s", points(*s.Change.Low), points(*s.Change.High))
		}
	}
	text += fmt.Sprintf(" (p = %.2g after correction over %s slices).", x.Holm, thousands(f.Tested))
	switch {
	case !s.Shown:
		text += " This can be chance."
	case x.Within >= 0:
		text += " Without the rows of a slice that is listed before, nothing is left of it."
	}
	return text
}

// searchSentence sums a search up.
func searchSentence(s *report.Search) string {
	text := fmt.Sprintf("%s slices of up to %d conditions were tested", thousands(s.Tested), s.Levels)
	if s.Cut != "" {
		text += " (not all that there are: " + s.Cut + ")"
	}
	own := 0
	for _, x := range s.Slices {
		if x.Shown && x.Within < 0 {
			own++
		}
	}
	switch {
	case s.Tested == 0:
		text = "No slice had rows enough to be tested"
		if s.Cut != "" {
			text += " (" + s.Cut + ")"
		}
	case s.Shown == 0:
		text += "; of none is it shown that it got worse"
	case s.Shown == 1:
		text += "; one is shown to have got worse"
	case s.Shown <= int64(len(s.Slices)):
		text += fmt.Sprintf("; %d are shown to have got worse, %d of them by rows of their own", s.Shown, own)
	default:
		text += fmt.Sprintf("; %s are shown to have got worse, %d of the %d listed by rows of their own", thousands(s.Shown), own, len(s.Slices))
	}
	return text + ". This was found by search: it is no claim and decides nothing."
}

// points prints a change of a share in points.
func points(v float64) string { return fmt.Sprintf("%+.1f pp", math.Round(1000*v)/10+0) }

// thousands prints a count with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
