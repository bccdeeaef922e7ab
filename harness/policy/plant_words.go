package policy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/harness/report"
)

// summary counts what became of the harms.
func summary(done []planted) *report.Planted {
	out := &report.Planted{Planted: int64(len(done)), Kinds: []report.PlantedKind{}, Missed: []report.PlantedHarm{}}
	for _, x := range done {
		sort := &out.Smaller
		switch {
		case math.IsInf(x.harm.at.promised, 1):
			sort = &out.NoClaim
		case x.harm.size >= x.harm.at.promised:
			sort = &out.Promised
		}
		sort.Planted++
		if !x.caught {
			out.Missed = append(out.Missed, x.harm.report())
			continue
		}
		sort.Caught++
		out.Caught++
		if x.violated {
			out.Violated++
		}
	}
	for _, kind := range plantKinds {
		if k, ok := kindOf(kind, done); ok {
			out.Kinds = append(out.Kinds, k)
		}
	}
	slices.SortStableFunc(out.Missed, func(a, b report.PlantedHarm) int { return cmp.Compare(weight(b), weight(a)) })
	out.Missed = out.Missed[:min(len(out.Missed), report.MaxMissed)]
	out.Sentence = plantSentence(out)
	return out
}

// weight orders harms of different units: points before parts of a score.
func weight(h report.PlantedHarm) float64 {
	if h.Unit == unitPP {
		return 1 + h.Size
	}
	return h.Size
}

func kindOf(kind string, done []planted) (report.PlantedKind, bool) {
	k := report.PlantedKind{Kind: kind}
	largestMissed := math.Inf(-1)
	for _, x := range done {
		if x.harm.at.kind != kind {
			continue
		}
		k.Planted, k.Unit = k.Planted+1, x.harm.unit()
		if !x.caught {
			largestMissed = math.Max(largestMissed, x.harm.shown())
			continue
		}
		k.Caught++
		if k.Smallest == nil || x.harm.shown() < k.Smallest.Size {
			h := x.harm.report()
			k.Smallest = &h
		}
	}
	for _, x := range done {
		if s := x.harm.shown(); x.harm.at.kind == kind && s > largestMissed && (k.From == nil || s < *k.From) {
			k.From = &s
		}
	}
	return k, k.Planted > 0
}

// plantSentence says what was caught, and no more than that.
func plantSentence(p *report.Planted) string {
	if p.Planted == 0 {
		return "No harm was planted: there was no place for one."
	}
	parts := []string{fmt.Sprintf("%d of %d planted harms were caught", p.Caught, p.Planted)}
	if p.Promised.Planted > 0 {
		parts = append(parts, fmt.Sprintf("%d of the %d that the policy promises to catch", p.Promised.Caught, p.Promised.Planted))
	}
	if p.Smaller.Planted > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d smaller than it promises", p.Smaller.Caught, p.Smaller.Planted))
	}
	if p.NoClaim.Planted > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d where no claim judges the subject on its own", p.NoClaim.Caught, p.NoClaim.Planted))
	}
	text := parts[0] + ": " + strings.Join(parts[1:], ", ") + "."
	for _, k := range p.Kinds {
		text += " " + kindSentence(k)
	}
	return text
}

var plantTitles = map[string]string{
	plantOverall: "All rows", plantSlice: "Slices", plantClass: "Classes", plantCalibration: "Calibration", plantSuite: "Suites",
}

func kindSentence(k report.PlantedKind) string {
	text := fmt.Sprintf("%s: %d of %d", plantTitles[k.Kind], k.Caught, k.Planted)
	if k.From != nil {
		text += ", all from " + asked(*k.From, k.Unit) + " on"
	} else {
		text += ", not even all of the largest size"
	}
	if s := k.Smallest; s != nil {
		text += fmt.Sprintf("; the smallest %s", asked(s.Size, s.Unit))
		if s.Subject != "" {
			text += " in " + plain(s.Subject)
		}
	}
	return text + "."
}
