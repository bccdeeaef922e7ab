package policy

import (
	"proctor/harness/report"
	"proctor/metrics"
)

// Judge decides. It is total: any evidence gives a decision, and evidence that is
// missing, undefined or not covered by a rule never gives a PASS.
//
// PASS needs every finding to be HOLDS, or NOT_APPLICABLE where the binding is
// none. Among several violations the one named is, in this order: memorisation,
// then the other checks that are always on, because they say that the measurements
// themselves mean nothing; then the claim with the smallest adjusted p, and of
// those with the same p the first of the policy.
func Judge(r *Resolved, e Evidence) report.Decision {
	if r == nil || r.Policy == nil {
		f := report.Finding{Claim: findCoverage, List: report.Always, Outcome: report.Undecided, Sentence: "There is no policy."}
		return decide(nil, e, []report.Finding{f}, nil)
	}
	fs := always(r, e)
	var quiet []report.Finding
	if e.Diff == nil {
		fs = append(fs, first(r, e))
	} else {
		var claims []report.Finding
		claims, quiet = compare(r, e)
		fs = append(fs, claims...)
	}
	if f, ok := anchor(r, e); ok {
		fs = append(fs, f)
	}
	return decide(r, e, fs, quiet)
}

// decide turns findings into a result. quiet are hypotheses that were tested for
// harm, showed none, and are too small to show that there is none.
func decide(r *Resolved, e Evidence, fs, quiet []report.Finding) report.Decision {
	d := report.Decision{Result: report.Inconclusive, Decided: -1, Findings: fs}
	violated, undecided := -1, -1
	pass := len(fs) > 0
	for i, f := range fs {
		switch {
		case f.Outcome == report.Holds:
		case f.Outcome == report.NotApplicable && e.Binding == BindingNone:
		case f.Outcome == report.Violated:
			pass = false
			if violated < 0 || before(f, fs[violated]) {
				violated = i
			}
		default: // UNDECIDED, and whatever no rule knows
			pass = false
			if undecided < 0 {
				undecided = i
			}
		}
	}
	switch {
	case violated >= 0:
		d.Result, d.Decided = report.Fail, violated
	case pass:
		d.Result = report.Pass
	default:
		d.Decided = undecided
	}
	d.Sentence = sentence(r, e, d)
	d.NotCovered = notCovered(r, e, fs, quiet)
	return d
}

// before says whether claim a decides rather than the finding b that came before it:
// checks that are always on come first and stay first, claims go by adjusted p.
func before(a, b report.Finding) bool {
	return b.List != report.Always && adjusted(a) < adjusted(b)
}

func adjusted(f report.Finding) float64 {
	switch {
	case f.Adjusted != nil:
		return *f.Adjusted
	case f.P != nil:
		return *f.P
	}
	return 1
}

// compare judges the policy's claims. It returns one finding for each hypothesis
// but those that are too small to judge: they count in Holm, give a finding when
// they are violated, and else are returned as quiet.
func compare(r *Resolved, e Evidence) (found, quiet []report.Finding) {
	effects := make([]effect, len(r.Hypotheses))
	var ps []float64
	var at []int
	for i, h := range r.Hypotheses {
		if missingSuite(h, e) {
			effects[i] = undefined(0, "the suite was not run")
		} else {
			effects[i] = r.of(h, e)
		}
		if h.List == report.Watch {
			ps, at = append(ps, r.pValue(h, effects[i])), append(at, i)
		}
	}
	adjust := make([]float64, len(r.Hypotheses))
	for k, p := range metrics.Holm(ps) {
		adjust[at[k]] = p
	}
	for i, h := range r.Hypotheses {
		f := r.judge(h, effects[i], adjust[i], e)
		small := !h.Judged && (h.Dimension != "" || h.Suite != "")
		if small && f.Outcome != report.Violated && f.Outcome != report.NotApplicable && effects[i].n == expected(h, effects[i]) {
			quiet = append(quiet, f)
			continue
		}
		found = append(found, f)
	}
	return found, quiet
}

// expected returns how many rows a small hypothesis must have to stay quiet: those
// of the commitment. The cases of a test that apply depend on the models.
func expected(h Hypothesis, e effect) int64 {
	if h.Suite != "" {
		return e.n
	}
	return h.Rows
}

// missingSuite says whether a hypothesis needs a suite that the binding does not
// allow to run.
func missingSuite(h Hypothesis, e Evidence) bool {
	return h.Suite != "" && e.Binding == BindingNone && len(e.Judged) == 0 && len(e.Diff.Tests) == 0
}

// pValue returns the p of a watch hypothesis against no harm, 1 where nothing is
// known: it takes part in Holm all the same, since it was asked.
func (r *Resolved) pValue(h Hypothesis, e effect) float64 {
	if e.undefined != "" {
		return 1
	}
	p := e.worse
	if b := r.bounds(h); !b.harmForm {
		p = e.pBeyond(b.sign, b.limit)
	}
	if !(p >= 0 && p <= 1) {
		return 1
	}
	return p
}

// judge gives the outcome of one hypothesis. Each condition is written so that NaN
// makes it false, and what is neither shown good nor shown bad stays UNDECIDED.
func (r *Resolved) judge(h Hypothesis, e effect, adjusted float64, ev Evidence) report.Finding {
	level := r.level(max(1, ev.Attempt))
	f := e.finding(r, h, level)
	f.Outcome = report.Undecided
	if missingSuite(h, ev) {
		f.Outcome, f.Sentence = report.NotApplicable, "Binding none: the suite was not run, so this was not checked."
		return f
	}
	if e.undefined != "" {
		f.Sentence = sentenceUndefined(h, e)
		return f
	}
	b := r.bounds(h)
	_, upper, okUpper := e.lossLimits(b.sign, level)
	if okUpper && upper < b.limit {
		f.Outcome = report.Holds
	}
	if r.violated(h, e, adjusted, &f) {
		f.Outcome = report.Violated
	}
	c := r.claim(h.Claim)
	if h.List == report.Watch {
		f.P, f.Adjusted = finite(r.pValue(h, e)), finite(adjusted)
	}
	f.Bound = r.shownBound(h, f.Outcome)
	if h.Visible != nil {
		f.Visible = finite(*h.Visible / c.scale())
	}
	f.Sentence = r.sentenceOf(h, e, f, upper)
	return f
}

// violated says whether a hypothesis is shown not to be so.
func (r *Resolved) violated(h Hypothesis, e effect, adjusted float64, f *report.Finding) bool {
	b := r.bounds(h)
	switch {
	case h.List == report.Prove:
		lower, _, ok := e.lossLimits(b.sign, r.alpha())
		if !(ok && lower > b.limit) {
			return false
		}
		f.P = finite(e.pBeyond(b.sign, b.limit))
		return true
	case b.harmForm:
		return adjusted <= r.alpha() && e.loss(b.sign) > b.harm
	}
	return adjusted <= r.alpha() && e.loss(b.sign) > b.limit
}

// shownBound returns the number that decided: harm for a violation, detect else, or
// the one bound of the claim.
func (r *Resolved) shownBound(h Hypothesis, outcome string) *float64 {
	c := r.claim(h.Claim)
	switch {
	case c.Harm != nil && outcome == report.Violated:
		return finite(*c.Harm)
	case c.Detect != nil:
		return finite(*c.Detect)
	case c.AtLeast != nil:
		return finite(*c.AtLeast)
	case c.AtMost != nil:
		return finite(*c.AtMost)
	}
	return nil
}

// anchor compares with the best version ever approved. Without one of its own, the
// baseline is it.
func anchor(r *Resolved, e Evidence) (report.Finding, bool) {
	pair := e.Anchor
	if pair == nil && e.Diff != nil {
		pair = e.Diff.Pair
	}
	if r.Policy.Anchor == nil || pair == nil && e.Diff == nil {
		return report.Finding{}, false
	}
	bound := r.Policy.Anchor.ChangeAtLeastPP
	f := report.Finding{Claim: findAnchor, List: report.Prove, Outcome: report.Undecided, Metric: metricID("accuracy"), Unit: unitPP, Bound: finite(bound)}
	if pair == nil || pair.N() != r.Holdout.Rows {
		f.Sentence = "There are no rows of both models."
		return f, true
	}
	x := counted(pair.Cells())
	if why := r.otherwise(e); why != "" {
		x = undefined(pair.N(), why)
	} else if r.Holdout.dependent() {
		x = dependentAnchor(e)
	}
	f.N = x.n
	if x.undefined != "" {
		f.Sentence = "Accuracy is undefined: " + x.undefined + "."
		return f, true
	}
	low, up, ok := x.limits(r.level(max(1, e.Attempt)))
	_, highest, ok2 := x.limits(r.alpha())
	if !ok || !ok2 {
		f.Sentence = "The limits of the change are undefined."
		return f, true
	}
	f.Value, f.Low, f.High = finite(100*x.value), finite(100*low), finite(100*up)
	switch {
	case 100*low > bound:
		f.Outcome = report.Holds
	case 100*highest < bound:
		f.Outcome, f.P = report.Violated, finite(x.pBeyond(-1, -bound/100))
	}
	f.Sentence = sentenceAnchor(e, f)
	return f, true
}

// first judges a lineage's first model: nothing is compared.
func first(r *Resolved, e Evidence) report.Finding {
	f := report.Finding{Claim: findFirst, List: report.Prove, Outcome: report.Undecided, Metric: metricID("accuracy"), Unit: "%"}
	rule := r.Policy.FirstModel
	if rule == nil {
		f.Sentence = "There is no baseline, and the policy has no rule for a first model."
		return f
	}
	k, n := right(e.Candidate)
	f.N, f.Bound = n, finite(rule.AccuracyAtLeastPct)
	if n < 1 {
		f.Sentence = "There are no answers of the candidate."
		return f
	}
	share := float64(k) / float64(n)
	low, up := metrics.ClopperPearson(k, n, 1-2*r.level(max(1, e.Attempt)))
	_, highest := metrics.ClopperPearson(k, n, 1-2*r.alpha())
	if r.Holdout.dependent() || r.otherwise(e) != "" {
		s, why := r.rightShare(e)
		if why != "" {
			f.Sentence = "Accuracy is undefined: " + why + "."
			return f
		}
		var ok, ok2 bool
		share = s.mean
		low, up, ok = s.share(r.level(max(1, e.Attempt)))
		if _, highest, ok2 = s.share(r.alpha()); !ok || !ok2 {
			f.Sentence = "The limits of accuracy are undefined."
			return f
		}
	}
	f.Value, f.Low, f.High = finite(100*share), finite(100*low), finite(100*up)
	switch {
	case 100*low > rule.AccuracyAtLeastPct:
		f.Outcome = report.Holds
	case 100*highest < rule.AccuracyAtLeastPct:
		f.Outcome, f.P = report.Violated, finite(1-metrics.BinomialUpper(k+1, n, rule.AccuracyAtLeastPct/100))
	}
	f.Sentence = sentenceFirst(f)
	return f
}
