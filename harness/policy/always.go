package policy

import (
	"fmt"
	"slices"
	"strings"

	"proctor/harness/report"
	"proctor/metrics"
)

// Bounds of the checks that no policy turns off.
const (
	minProbes       = 14      // fewer can never reach probeLevel: 2^-14 < 1e-4
	probeLevel      = 1e-4    // one-sided; a run in ten thousand of honest models
	canaryExcess    = 0.05    // more agreement with flipped labels than the baseline has
	canarySlack     = 0.10    // first model: canaries are odd rows, on which it may err more than on others
	twinExcess      = 0.03    // right on originals only, against on twins only
	degenerateShare = 1. / 20 // answers outside the commonest class, of what the answers hold
	abstainShare    = 0.005   // answers that are no class
	minRepeats      = 14      // rows asked twice
)

// always returns the findings that every run has, in a fixed order.
func always(r *Resolved, e Evidence) []report.Finding {
	out := []report.Finding{memorisation(r, e), coverage(r, e), critical(r, e)}
	out = append(out, repeat(e)...)
	out = append(out, degenerate(r, e), tier(r, e), binding(e))
	for i := range out {
		out[i].List = report.Always
	}
	return out
}

// noProbes says why a check that needs probes has none: the binding does not allow
// them, or they are missing.
func noProbes(name string, e Evidence) report.Finding {
	if e.Binding == BindingNone {
		return report.Finding{Claim: name, Outcome: report.NotApplicable, Sentence: "Binding none: no probes were sent, so this was not checked."}
	}
	return report.Finding{Claim: name, Outcome: report.Violated, Sentence: "The probes are missing."}
}

// memorisation asks whether the model knows the rows of the set. Canaries carry
// wrong labels that nobody can guess; twins are rows that differ from scored ones
// too little to change the label.
func memorisation(r *Resolved, e Evidence) report.Finding {
	p := e.Probes
	if p == nil {
		return noProbes(findMemorisation, e)
	}
	f := report.Finding{Claim: findMemorisation, Outcome: report.Undecided, Unit: unitPP, N: p.Canaries}
	if !p.sane() || p.Canaries < minProbes && p.Twins < minProbes {
		f.Sentence = fmt.Sprintf("%d canaries and %d twins cannot show whether the model knows the set.", p.Canaries, p.Twins)
		return f
	}
	f.Outcome = report.Holds
	canaries := canaryFinding(r, e)
	twins := twinFinding(p)
	// Canaries first: their labels are wrong, so that agreement has no innocent reason.
	trained := trainedFinding(p.Trained)
	for _, part := range []report.Finding{canaries, twins, trained} {
		if part.Outcome == report.Violated {
			part.Claim = findMemorisation
			return part
		}
	}
	f.Value, f.P, f.Bound, f.Visible = canaries.Value, canaries.P, canaries.Bound, canaries.Visible
	f.Sentence = strings.TrimSpace(canaries.Sentence + " " + twins.Sentence + " " + trained.Sentence)
	return f
}

// trainedFinding asks whether a model was made with rows of the set by what its own
// package declares. Nothing declared says nothing.
func trainedFinding(t *Trained) report.Finding {
	f := report.Finding{Outcome: report.Holds, Unit: "%"}
	switch {
	case t == nil:
		return f
	case t.Missing != "":
		f.Sentence = "What the package declares to be trained on was not compared: " + t.Missing + "."
		return f
	}
	pct := 100 * float64(t.Shared) / float64(t.Rows)
	f.N, f.Value, f.Bound = t.Rows, finite(pct), finite(t.MostPct)
	f.Sentence = fmt.Sprintf("By its own training fingerprint the model was trained on %d of %d scored rows (%.1f %%); up to %g %% may be equal by chance.", t.Shared, t.Rows, pct, t.MostPct)
	if !(pct <= t.MostPct) {
		f.Outcome = report.Violated
	}
	return f
}

func canaryFinding(r *Resolved, e Evidence) report.Finding {
	p := e.Probes
	f := report.Finding{Outcome: report.Holds, Unit: unitPP, N: p.Canaries}
	if p.Canaries < minProbes {
		f.Sentence = fmt.Sprintf("%d canaries are too few.", p.Canaries)
		return f
	}
	n := float64(p.Canaries)
	if e.Diff != nil {
		excess := float64(p.CanaryOnlyCandidate-p.CanaryOnlyBaseline) / n
		pv := metrics.McNemarWorse(p.CanaryOnlyCandidate, p.CanaryOnlyBaseline)
		f.Value, f.P, f.Bound = finite(100*excess), finite(pv), finite(100*canaryExcess)
		g := sight{n: p.Canaries, harm: canaryExcess, violate: probeLevel}
		if v, ok := g.visible(r.Policy.ChurnPct / 100); ok {
			f.Visible = finite(100 * v)
		}
		f.Sentence = fmt.Sprintf("The model agrees with %d of %d flipped canary labels, the baseline with %d (p = %s).", p.CanaryAgree, p.Canaries, p.CanaryAgree-p.CanaryOnlyCandidate+p.CanaryOnlyBaseline, pText(pv))
		if pv < probeLevel && excess > canaryExcess {
			f.Outcome = report.Violated
		}
		return f
	}
	right, rows := right(e.Candidate)
	expected := min(1, 1-float64(right)/float64(max(1, rows))+canarySlack)
	pv := metrics.BinomialUpper(p.CanaryAgree, p.Canaries, expected)
	f.Value, f.P, f.Bound = finite(100*float64(p.CanaryAgree)/n), finite(pv), finite(100*expected)
	f.Sentence = fmt.Sprintf("The model agrees with %d of %d flipped canary labels; by its own errors %.1f %% and less are expected (p = %s).", p.CanaryAgree, p.Canaries, 100*expected, pText(pv))
	if pv < probeLevel {
		f.Outcome = report.Violated
	}
	return f
}

func twinFinding(p *Probes) report.Finding {
	f := report.Finding{Outcome: report.Holds, Unit: unitPP, N: p.Twins}
	if p.Twins < minProbes {
		f.Sentence = fmt.Sprintf("%d twins are too few.", p.Twins)
		return f
	}
	gap := float64(p.TwinOriginalOnly-p.TwinTwinOnly) / float64(p.Twins)
	pv := metrics.McNemarWorse(p.TwinOriginalOnly, p.TwinTwinOnly)
	f.Value, f.P, f.Bound = finite(100*gap), finite(pv), finite(100*twinExcess)
	f.Sentence = fmt.Sprintf("Of %d rows with a twin, %d are right on the original only and %d on the twin only (p = %s).", p.Twins, p.TwinOriginalOnly, p.TwinTwinOnly, pText(pv))
	if pv < probeLevel && gap > twinExcess {
		f.Outcome = report.Violated
	}
	return f
}

// right counts the rows that a frame has right.
func right(f *metrics.Frame) (right, rows int64) {
	if f == nil {
		return 0, 0
	}
	labels := f.Labels()
	for i, a := range f.Answers() {
		if labels[i] == a {
			right++
		}
	}
	return right, int64(len(labels))
}

// coverage asks whether all that the policy names was asked and answered. What is
// missing fails: silence on hard rows must not help.
func coverage(r *Resolved, e Evidence) report.Finding {
	f := report.Finding{Claim: findCoverage, Outcome: report.Holds}
	missing := uncovered(r, e)
	switch {
	case len(missing) > 0:
		f.Outcome, f.Sentence = report.Violated, "Not everything was answered: "+strings.Join(missing, "; ")+"."
	case e.Attempt < 1 || e.Attempt > r.Policy.BudgetRuns:
		f.Outcome, f.Sentence = report.Undecided, fmt.Sprintf("This is run %d, and the policy has levels for runs 1 to %d.", e.Attempt, r.Policy.BudgetRuns)
	default:
		f.N = r.Holdout.Rows
		f.Sentence = fmt.Sprintf("All %d scored rows were answered.", r.Holdout.Rows)
		if e.Probes != nil {
			f.N = e.Probes.Asked
			f.Sentence = fmt.Sprintf("All %d questions were answered, %d of them scored.", e.Probes.Asked, r.Holdout.Rows)
		}
	}
	return f
}

// uncovered lists what is missing.
func uncovered(r *Resolved, e Evidence) []string {
	var out []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	if e.Candidate == nil {
		return []string{"there are no answers of the candidate"}
	}
	add(int64(e.Candidate.Len()) != r.Holdout.Rows, "%d scored rows, %d were committed", e.Candidate.Len(), r.Holdout.Rows)
	add(!slices.Equal(e.Candidate.Classes(), r.Holdout.Classes), "the classes are not those of the set")
	if e.Diff != nil {
		add(e.Diff.Pair == nil || int64(e.Diff.Pair.N()) != r.Holdout.Rows, "the baseline's answers are not on the scored rows")
	}
	if p := e.Probes; p != nil {
		add(!p.sane(), "the probes' counts contradict each other")
		add(p.Answered != p.Asked, "%d of %d questions have no answer", p.Asked-p.Answered, p.Asked)
		add(p.Asked < r.Holdout.Rows, "only %d questions were asked about %d rows", p.Asked, r.Holdout.Rows)
		add(p.Canaries != r.Holdout.Canaries, "%d of %d canaries were asked", p.Canaries, r.Holdout.Canaries)
		add(p.Twins != r.Holdout.Twins, "%d of %d twins were asked", p.Twins, r.Holdout.Twins)
	} else {
		add(e.Binding != BindingNone, "there are no probes")
	}
	return append(out, suitesMissing(r, e)...)
}

// suitesMissing compares the suites that were run with those of the policy by
// digest: a smaller suite is another one.
func suitesMissing(r *Resolved, e Evidence) []string {
	if e.Binding == BindingNone && len(e.Judged) == 0 {
		return nil // said by the suites' own findings
	}
	if len(e.Judged) != len(r.Suites) {
		return []string{fmt.Sprintf("%d of %d suites were run", len(e.Judged), len(r.Suites))}
	}
	for i, j := range e.Judged {
		if j == nil || j.Suite() == nil || j.Suite().Name != r.Suites[i].Name || j.Suite().Digest() != r.Suites[i].Digest {
			return []string{fmt.Sprintf("suite %s is not the one that was activated", r.Suites[i].Name)}
		}
	}
	return nil
}

// critical: one failure of a critical case is too many, whatever the statistics.
func critical(r *Resolved, e Evidence) report.Finding {
	f := report.Finding{Claim: findCritical, Outcome: report.Holds}
	if len(r.Suites) == 0 {
		f.Sentence = "The policy has no suites, so no critical cases."
		return f
	}
	if len(e.Judged) == 0 {
		return report.Finding{Claim: findCritical, Outcome: noProbes("", e).Outcome, Sentence: "No suite was run."}
	}
	var failed []string
	for _, j := range e.Judged {
		if j == nil {
			continue // coverage says so
		}
		for _, id := range j.CriticalFailed() {
			failed = append(failed, j.Suite().Name+"/"+id)
		}
	}
	f.N = int64(len(failed))
	if len(failed) == 0 {
		f.Sentence = "No critical case failed."
		return f
	}
	f.Outcome, f.Subject = report.Violated, failed[0]
	f.Sentence = fmt.Sprintf("%d critical %s failed: %s.", len(failed), plural(len(failed), "case"), some(failed, 3))
	return f
}

// degenerate: one answer for everything, or no answer, is no model, however right
// it is on a set with one common class.
func degenerate(r *Resolved, e Evidence) report.Finding {
	f := report.Finding{Claim: findDegenerate, Outcome: report.Holds, Unit: "%"}
	counts := labelCounts(r, e)
	if counts == nil {
		f.Outcome, f.Sentence = report.Undecided, "The answers by class are missing."
		return f
	}
	k := len(r.Holdout.Classes)
	total, top := int64(0), 0
	for i, c := range counts {
		total += c
		if i < k && c > counts[top] {
			top = i
		}
	}
	others, none := total-counts[top]-counts[k], counts[k]
	truth := 1 - float64(r.Holdout.ClassCounts[top])/float64(max(1, r.Holdout.Rows))
	got := float64(others) / float64(max(1, total))
	f.N, f.Value, f.Bound = total, finite(100*got), finite(100*truth*degenerateShare)
	switch {
	case total < 1:
		f.Outcome, f.Sentence = report.Violated, "There are no answers."
	case float64(none) > abstainShare*float64(total):
		f.Outcome = report.Violated
		f.Sentence = fmt.Sprintf("%d of %d answers are none of the classes.", none, total)
	case truth > 0 && !(got > truth*degenerateShare):
		f.Outcome = report.Violated
		f.Sentence = fmt.Sprintf("The model answers %s nearly always: %d of %d answers are another class, of the right answers %.1f %%.", plain(r.Holdout.Classes[top]), others, total, 100*truth)
	default:
		f.Sentence = fmt.Sprintf("%.1f %% of the answers are not the commonest one (of the right answers %.1f %%); %d are none of the classes.", 100*got, 100*truth, none)
	}
	return f
}

// labelCounts counts the candidate's answers by class, last those that are none.
func labelCounts(r *Resolved, e Evidence) []int64 {
	k := len(r.Holdout.Classes)
	if len(r.Holdout.ClassCounts) != k || k == 0 {
		return nil
	}
	if e.Probes != nil {
		if len(e.Probes.LabelCounts) != k+1 || !e.Probes.sane() {
			return nil
		}
		return e.Probes.LabelCounts
	}
	if e.Candidate == nil || len(e.Candidate.Classes()) != k {
		return nil
	}
	out := make([]int64, k+1)
	for _, l := range e.Candidate.Labels() {
		if l < 0 {
			out[k]++
			continue
		}
		out[l]++
	}
	return out
}

// tier: code must have been confined as the policy asks. A package without code has
// nothing to confine.
func tier(r *Resolved, e Evidence) report.Finding {
	f := report.Finding{Claim: findTier, Outcome: report.Holds, Subject: e.Tier}
	got, want := slices.Index(Tiers, e.Tier), slices.Index(Tiers, r.Policy.TierAtLeast)
	switch {
	case got < 0 || want < 0:
		f.Outcome, f.Sentence = report.Undecided, fmt.Sprintf("Tier %q is not known.", plain(e.Tier))
	case !e.Code:
		f.Sentence = fmt.Sprintf("The package brings no code; it ran under tier %s.", e.Tier)
	case e.Tier == "remote" && got >= want:
		f.Sentence = "The model ran elsewhere, where nobody here confines it; the policy allows that."
	case got < want:
		f.Outcome, f.Sentence = report.Undecided, fmt.Sprintf("The package's code ran under tier %s; the policy asks for %s.", e.Tier, r.Policy.TierAtLeast)
	default:
		f.Sentence = fmt.Sprintf("The package's code ran under tier %s.", e.Tier)
	}
	return f
}

func binding(e Evidence) report.Finding {
	f := report.Finding{Claim: findBinding, Outcome: report.Holds, Subject: e.Binding}
	switch e.Binding {
	case BindingPackage:
		f.Sentence = "The bytes that ran are the bytes of the package's digest."
	case BindingConfig:
		f.Sentence = "Prompts, tools, index and model id are bound; the weights behind them are not."
	case BindingNone:
		f.Outcome, f.Sentence = report.NotApplicable, "Nothing binds these answers to a model."
	default:
		f.Outcome, f.Sentence = report.Undecided, fmt.Sprintf("Binding %q is not known.", plain(e.Binding))
	}
	return f
}
