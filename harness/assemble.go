package harness

import (
	"crypto/sha256"
	"fmt"

	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/metrics"
	"proctor/regress"
)

// reportFormat is the version of the stored form.
const reportFormat = "proctor/report/1"

// report puts together everything that a reviewer sees of the run.
func (t *task) report(p *paper, f *frames, e policy.Evidence, d report.Decision) (*report.Report, error) {
	r := &report.Report{
		Lineage: t.run.Lineage, Candidate: modelView(t.run.PackageName, t.run.Package, t.run.PackageKind),
		Policy: report.Ref{Name: t.force.policy.Name, Version: int(t.force.policyDoc.Version), Digest: t.force.Policy},
		Tier:   e.Tier, Binding: e.Binding, Attempt: e.Attempt,
		Probes: probeViews(e.Probes),
	}
	if b := t.force.baseline; b != nil {
		m := modelView(b.PackageName, b.Package, b.PackageKind)
		r.Baseline = &m
	}
	if b := t.force.anchor; b != nil {
		m := modelView(b.PackageName, b.Package, b.PackageKind)
		r.Anchor = &m
	}
	for _, h := range t.force.holdouts {
		r.Holdouts = append(r.Holdouts, report.Ref{Name: h.Name, Version: h.Version, Digest: h.Digest})
	}
	for _, s := range t.force.suiteDocs {
		r.Suites = append(r.Suites, report.Ref{Name: s.Name, Version: int(s.Version), Digest: s.Digest})
	}
	if err := fill(r, t.force.resolved, f.candidate, f.diff, f.judged, d); err != nil {
		return nil, err
	}
	var err error
	if r.Curves, err = curves(f.baseline, f.candidate); err != nil {
		return nil, err
	}
	if r.Search, err = whereItBroke(f.diff, p.exam.Inputs, f.candidate.Dimensions(), t.force.policy.Confidence, t.seed); err != nil {
		return nil, err
	}
	policy.ByRows(r, e)
	seed := sha256.Sum256(append([]byte("proctor/run/1/plant"), t.seed...))
	r.Planted, err = policy.Plant(t.force.resolved, e, seed, plants)
	return r, err
}

// plants is how many harms of known size are planted into copies of the results
// of each run, to show that this exam could have failed.
const plants = 200

func modelView(name, digest, kind string) report.Model {
	return report.Model{Name: name, Digest: digest, Kind: kind}
}

// nameRuntimes says in the report what ran each model, so that a change of an
// interpreter or of a library shows beside the change of the model.
func (a *replies) nameRuntimes(r *report.Report) {
	anchor := a.anchor
	if anchor == nil {
		anchor = a.baseline // the same model, asked once
	}
	for _, m := range []struct {
		ran   *answered
		model *report.Model
	}{{a.candidate, &r.Candidate}, {a.baseline, r.Baseline}, {anchor, r.Anchor}} {
		if m.ran != nil && m.model != nil {
			m.model.Runtime = &report.Runtime{Name: m.ran.runtime.Name, Digest: m.ran.runtime.Digest}
		}
	}
}

// fill adds what was measured and decided. diff is nil when there was nothing to
// compare with.
func fill(r *report.Report, rule *policy.Resolved, candidate *metrics.Frame, diff *regress.Diff, judged []*regress.Judged, d report.Decision) error {
	confidence := rule.Policy.Confidence
	r.Format, r.Decision = reportFormat, d
	var err error
	if diff == nil {
		r.Tests = regress.FirstResults(judged)
		r.Flips.N = int64(candidate.Len())
		r.Metrics, err = regress.FirstMetrics(candidate, confidence)
		return err
	}
	r.Flips, r.Tests = diff.Flips(confidence), diff.TestResults(confidence)
	r.BrokeRows, r.Shown = diff.BrokeRows(report.MaxRows), r.Flips.Broke
	if r.Slices, err = diff.Slices(rule.Dimensions(), rule.Covered, confidence); err != nil {
		return err
	}
	if r.SliceCosts, err = sliceCosts(rule, diff.Pair, r.Slices); err != nil {
		return err
	}
	if r.Cost, r.Burden, err = diff.Costs(rule.Costs(), rule.Dimensions(), confidence); err != nil {
		return err
	}
	if r.Calibration, err = diff.Calibration(confidence); err != nil {
		return err
	}
	r.Metrics, err = diff.Metrics(confidence)
	return err
}

// probeViews says in words what the always-on checks counted.
func probeViews(p *policy.Probes) []report.Probe {
	none := p.LabelCounts[len(p.LabelCounts)-1]
	out := []report.Probe{
		{Name: "coverage", N: p.Asked, Hits: p.Answered, Detail: "rows that were answered"},
		{Name: "repeat", N: p.Repeated, Hits: p.RepeatsDiffer, Detail: "rows asked twice, in other batches and places, that were answered differently"},
		{Name: "second process", N: p.Same.Rows, Hits: p.Same.Differ, Detail: "rows of the same batches that a second process answered differently"},
		{Name: "invariance.order", N: p.Moved.Rows, Hits: p.Moved.Differ, Detail: "rows that a second process answered differently in another order and company"},
		{Name: "invariance.batch", N: p.Alone.Rows, Hits: p.Alone.Differ, Detail: "rows that a second process answered differently alone in a batch"},
		{Name: "invariance.clock", N: p.Clock.Rows, Hits: p.Clock.Differ, Detail: clockDetail(p.Clock)},
		{Name: "memorisation", N: p.Canaries, Hits: p.CanaryAgree,
			Detail: fmt.Sprintf("canaries whose flipped label the candidate knows; %d only it, %d only the deployed model", p.CanaryOnlyCandidate, p.CanaryOnlyBaseline)},
		{Name: "twins", N: p.Twins, Hits: p.TwinOriginalOnly,
			Detail: fmt.Sprintf("copies changed by a hair that the candidate has wrong while it has the original right; %d the other way round", p.TwinTwinOnly)},
		{Name: "degenerate", N: p.Asked, Hits: none, Detail: "scored rows that were answered with none of the classes"},
	}
	if x := p.Trained; x != nil && x.Missing == "" {
		out = append(out, report.Probe{Name: "training overlap", N: x.Rows, Hits: x.Shared, Detail: "scored rows that the package's own training fingerprint has"})
	} else if x != nil {
		out = append(out, report.Probe{Name: "training overlap", Detail: "not compared: " + x.Missing})
	}
	return out
}

func clockDetail(c policy.Clock) string {
	switch {
	case c.Rows > 0:
		return "rows that were answered differently at another date"
	case c.Missing != "":
		return "not covered: " + c.Missing
	}
	return "the model's code has no clock"
}

// coarse is the one reason that a submitter sees: which kind of rule decided, and
// neither a number nor a slice.
func coarse(d report.Decision) string {
	if d.Result == report.Pass || d.Decided < 0 || d.Decided >= len(d.Findings) {
		return ""
	}
	f := d.Findings[d.Decided]
	switch {
	case f.List == report.Always:
		return f.Claim
	case d.Result == report.Inconclusive:
		return "not-enough-evidence"
	case f.List == report.Prove:
		return "required-claim"
	}
	return "harm"
}
