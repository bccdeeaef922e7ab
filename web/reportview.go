package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"proctor/harness/report"
)

// A reportView is a report as templates show it: in reading order, every number
// written, nothing left to compute.
type reportView struct {
	Lineage, Candidate, Baseline string // Baseline "": the first model, nothing was compared
	Result, Sentence             string
	Digest                       string // of the report's bytes
	Binding, Tier                string
	Unbound                      bool // prediction files: no bytes were bound, no approval exists
	Attempt                      int
	Headline                     headline
	InShort                      []changed
	Deciding                     *findingView
	Flips                        *flipsView
	Slices                       sliceTable
	Tests                        testTable
	Probes                       []probeView
	Calibration                  string       // what changed; "": not both models gave probabilities
	Metrics                      []metricView // that the policy asks about
	MoreMetrics                  []metricView // the rest of the catalogue
	Findings                     findingsView
	NotCovered                   []string
	Package                      *report.Package // nil: nothing to say of it
	Planted                      *plantedView
	Search                       *searchView
	Burden                       *burdenView
	Broke                        brokeView
	Curves                       *curvesView // nil: the report has none
	Matrix                       *matrixView // nil: there are no tests
	At                           string      // address of the run; "": the page is a file
	Cases                        string      // address of its cases; "": it has kept none
	Digests                      []digestView
}

type headline struct{ Value, Label, Interval, Detail string }

// changed is one line of the summary: for whom what changes.
type changed struct {
	Direction     direction
	Subject, Text string
}

type probeView struct{ Name, N, Hits, Share, Detail string }

// plantedView tells how many harms of known size the exam caught.
type plantedView struct {
	Sentence string
	Kinds    []plantedKind
}

type plantedKind struct{ Name, Caught, From, Smallest string }

func newPlantedView(p *report.Planted) *plantedView {
	if p == nil {
		return nil
	}
	v := &plantedView{Sentence: p.Sentence}
	for _, k := range p.Kinds {
		row := plantedKind{Name: k.Kind, Caught: fmt.Sprintf("%d of %d", k.Caught, k.Planted), From: none, Smallest: none}
		if k.From != nil {
			row.From = size(*k.From, k.Unit)
		}
		if k.Smallest != nil {
			row.Smallest = strings.TrimSpace(size(k.Smallest.Size, k.Smallest.Unit) + " " + k.Smallest.Subject)
		}
		v.Kinds = append(v.Kinds, row)
	}
	return v
}

// size prints the size of a planted harm.
func size(v float64, unit string) string {
	return strings.TrimSpace(strconv.FormatFloat(v, 'g', 3, 64) + " " + unit)
}

type digestView struct{ What, Name, Digest string }

type metricView struct {
	ID, Name, Wish                        string // Wish: which way is better
	Baseline, Candidate, Change, Interval string
	Note                                  string // why undefined, warnings, method
	Direction                             direction
}

// newReportView makes the view of a report. at is the address of its run, "" where the
// page is a file.
func newReportView(r *report.Report, digest, at string) reportView {
	v := reportView{
		Lineage: r.Lineage, Candidate: r.Candidate.Name, Result: r.Decision.Result, Sentence: r.Decision.Sentence,
		Digest: digest, Binding: r.Binding, Tier: r.Tier, Unbound: r.Binding == "none", Attempt: r.Attempt,
		NotCovered: r.Decision.NotCovered, Digests: digestsOf(r, digest), Findings: findings(r), Planted: newPlantedView(r.Planted), Search: newSearchView(r.Search),
		Curves: newCurvesView(r), Matrix: matrix(r, at), At: at, Cases: casesLink(r, at, nil),
	}
	v.Metrics, v.MoreMetrics = partMetrics(r, metricsOf(r))
	if r.Calibration != nil {
		v.Calibration = r.Calibration.Sentence
	}
	if p := r.Package; p != nil && (len(p.Credentials) > 0 || len(p.Attestations) > 0 || p.Training != nil) {
		v.Package = p
	}
	for _, p := range r.Probes {
		v.Probes = append(v.Probes, probeView{p.Name, count(p.N), count(p.Hits), share(p.Hits, p.N), p.Detail})
	}
	if len(v.Findings.Open) > 0 && v.Findings.Open[0].Decided {
		v.Deciding = &v.Findings.Open[0]
	}
	v.Tests = tests(r)
	if r.Baseline == nil {
		v.Headline = firstHeadline(r)
		return v
	}
	v.Baseline = r.Baseline.Name
	v.Flips, v.Burden = flips(r.Flips), newBurdenView(r)
	v.Slices = slicesOf(r)
	v.Broke = broke(r)
	v.Headline = changeHeadline(r.Flips)
	v.InShort = inShort(v)
	return v
}

// changeHeadline is the change of accuracy over all rows.
func changeHeadline(f report.Flips) headline {
	e := f.Change
	h := headline{
		Value: points.signed(e.Value), Label: "accuracy", Interval: points.interval(e.Low, e.High),
		Detail: fmt.Sprintf("%s → %s on %s", share(f.BothRight+f.Broke, f.N), share(f.BothRight+f.Fixed, f.N), plural(f.N, "row")),
	}
	if h.Interval != "" {
		h.Interval += " at " + level(e.Confidence)
	}
	if f.P != nil {
		h.Detail += ", p = " + probability(f.P)
	}
	if e.Value == nil {
		h.Detail = cmp.Or(e.Undefined, "undefined")
	}
	return h
}

func firstHeadline(r *report.Report) headline {
	for _, m := range r.Metrics {
		if value, _ := unitOf(m.ID); m.Name == "accuracy" || value == percent {
			e := m.Candidate
			return headline{Value: value.write(e.Value), Label: cmp.Or(titles[m.Name], m.Name), Interval: value.interval(e.Low, e.High), Detail: "on " + plural(e.N, "row")}
		}
	}
	return headline{Value: none, Label: "accuracy", Detail: "not measured"}
}

func metricsOf(r *report.Report) []metricView {
	var out []metricView
	for _, m := range r.Metrics {
		value, change := unitOf(m.ID)
		v := metricView{
			ID: m.ID, Name: cmp.Or(titles[m.Name], m.Name), Wish: "lower is better", Candidate: value.write(m.Candidate.Value),
			Baseline: value.write(m.Baseline.Value), Change: change.signed(m.Change.Value), Interval: change.interval(m.Change.Low, m.Change.High),
			Direction: directionOf(m.Change, m.HigherBetter), Note: notes(m.Candidate, m.Baseline, m.Change),
		}
		if m.HigherBetter {
			v.Wish = "higher is better"
		}
		if r.Baseline == nil {
			v.Baseline, v.Change, v.Direction = none, none, unclear
			v.Interval = value.interval(m.Candidate.Low, m.Candidate.High)
			v.Note = notes(m.Candidate)
		}
		out = append(out, v)
	}
	return out
}

// partMetrics parts the metrics that the policy asks about from all others. Where it
// asks about none, none is folded.
func partMetrics(r *report.Report, all []metricView) (asked, more []metricView) {
	for _, m := range all {
		if slices.ContainsFunc(r.Decision.Findings, func(f report.Finding) bool { return f.Metric == m.ID }) {
			asked = append(asked, m)
		} else {
			more = append(more, m)
		}
	}
	if asked == nil {
		return more, nil
	}
	return asked, more
}

// notes says once each why a number is undefined and what warnings it carries.
func notes(list ...report.Estimate) string {
	var out []string
	for _, e := range list {
		for _, s := range append([]string{e.Undefined}, e.Warnings...) {
			if s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	text := ""
	for i, s := range out {
		if i > 0 {
			text += "; "
		}
		text += s
	}
	return text
}

// inShort says for whom the candidate would change what: slices and tests whose
// interval leaves out zero, worst first, at most four each way.
func inShort(v reportView) []changed {
	var out []changed
	add := func(d direction, subject, text string) {
		n := 0
		for _, c := range out {
			if c.Direction == d {
				n++
			}
		}
		if n < 4 {
			out = append(out, changed{d, subject, text})
		}
	}
	for _, s := range v.Slices.Covered {
		if s.Direction == worse && s.Dimension != "class" {
			add(worse, s.Dimension+" = "+s.Value, fmt.Sprintf("%s → %s of %s right", s.Baseline, s.Candidate, plural(s.rows, "row")))
		}
	}
	for _, t := range v.Tests.All() {
		if t.Direction == worse {
			add(worse, "test "+t.Suite+" / "+t.Name, fmt.Sprintf("%s → %s of %s failed", t.Old, t.New, plural(t.cases, "case")))
		}
	}
	for i := len(v.Slices.Covered) - 1; i >= 0; i-- {
		if s := v.Slices.Covered[i]; s.Direction == better && s.Dimension != "class" {
			add(better, s.Dimension+" = "+s.Value, fmt.Sprintf("%s → %s of %s right", s.Baseline, s.Candidate, plural(s.rows, "row")))
		}
	}
	slices.SortStableFunc(out, func(a, b changed) int { return cmp.Compare(rank(a.Direction), rank(b.Direction)) })
	return out
}

func rank(d direction) int {
	return slices.Index([]direction{worse, unclear, better}, d)
}

func digestsOf(r *report.Report, digest string) []digestView {
	var out []digestView
	model := func(what string, m *report.Model) {
		if m == nil {
			return
		}
		out = append(out, digestView{what, m.Name + " (" + m.Kind + ")", m.Digest})
		if m.Runtime != nil {
			out = append(out, digestView{what + ", run by", m.Runtime.Name, m.Runtime.Digest})
		}
	}
	model("candidate", &r.Candidate)
	model("baseline", r.Baseline)
	model("anchor", r.Anchor)
	ref := func(what string, x report.Ref) {
		out = append(out, digestView{what, fmt.Sprintf("%s, version %d", x.Name, x.Version), x.Digest})
	}
	ref("policy", r.Policy)
	for _, h := range r.Holdouts {
		ref("holdout", h)
	}
	for _, s := range r.Suites {
		ref("suite", s)
	}
	return append(out, digestView{"report", "this report's bytes", digest})
}
