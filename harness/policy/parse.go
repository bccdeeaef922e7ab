package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"proctor/harness/spell"
	"proctor/harness/verdict"
)

// Bounds of a policy; what is beyond them is refused.
const (
	maxClaims = 50
	maxOver   = 32
	maxSuites = 16
	maxBudget = MaxBudget
	maxDays   = verdict.MaxValidDays
	maxPeople = 5
	minPeople = 1 // of a review: nobody approves alone what nobody looked at
)

var (
	policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	claimID    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	metricName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	suiteName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// Names of findings that no claim may take.
var reservedIDs = []string{findCoverage, findMemorisation, findCritical, findRepeat, findDegenerate, findTier, findBinding, findAnchor, findFirst}

// Parse reads a policy strictly. What can be seen without the set that it is for
// is checked here, the rest by [Resolve] and [Check].
func Parse(text []byte) (*Policy, error) {
	f, err := readYAML(text)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p, err := f.policy()
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

func (f policyFile) policy() (*Policy, error) {
	if err := f.required(); err != nil {
		return nil, err
	}
	p := &Policy{
		Name: *f.Policy, Lineage: *f.Lineage, Holdouts: f.Holdouts, Suites: f.Suites, Confidence: *f.Confidence, ChurnPct: DefaultChurnPct,
		TierAtLeast: *f.TierAtLeast, BudgetRuns: *f.BudgetRuns, Review: Review{*f.Review.People}, ValidDays: *f.ValidDays,
	}
	if f.ChurnPct != nil {
		p.ChurnPct = *f.ChurnPct
	}
	if f.Anchor != nil {
		if f.Anchor.AtLeastPP == nil {
			return nil, errors.New("anchor: change_at_least_pp is missing")
		}
		p.Anchor = &Anchor{*f.Anchor.AtLeastPP}
	}
	if f.FirstModel != nil {
		if f.FirstModel.Accuracy == nil || f.FirstModel.People == nil {
			return nil, errors.New("first_model: accuracy_at_least_pct and people are both needed")
		}
		p.FirstModel = &FirstModel{*f.FirstModel.Accuracy, *f.FirstModel.People}
	}
	var err error
	if p.Package, err = f.Package.rules(); err != nil {
		return nil, err
	}
	if p.Prove, err = claims("prove", f.Prove); err != nil {
		return nil, err
	}
	if p.Watch, err = claims("watch", f.Watch); err != nil {
		return nil, err
	}
	if p.Costs, err = costs(f.Costs); err != nil {
		return nil, err
	}
	return p, p.check()
}

// required names the first key that is missing: a policy says everything that it
// decides by, except where the absence of a key is plain (no suites, no anchor).
func (f policyFile) required() error {
	for _, k := range []struct {
		key     string
		missing bool
	}{
		{"policy", f.Policy == nil}, {"lineage", f.Lineage == nil}, {"holdouts", f.Holdouts == nil}, {"confidence", f.Confidence == nil},
		{"tier_at_least", f.TierAtLeast == nil}, {"budget_runs", f.BudgetRuns == nil}, {"review", f.Review == nil || f.Review.People == nil},
		{"valid_days", f.ValidDays == nil}, {"on_missing", f.OnMissing == nil},
	} {
		if k.missing {
			return fmt.Errorf("%s is missing", k.key)
		}
	}
	if *f.OnMissing != "fail" {
		return fmt.Errorf("on_missing: %.80q; the only value is fail", *f.OnMissing)
	}
	return nil
}

// check finds what is wrong with a policy by itself.
func (p *Policy) check() error {
	for _, n := range []struct{ key, name string }{{"policy", p.Name}, {"lineage", p.Lineage}} {
		if !policyName.MatchString(n.name) {
			return fmt.Errorf("%s: %.80q is not a name of 1 to 64 characters a-z, 0-9, dot, dash, underscore", n.key, n.name)
		}
	}
	if len(p.Holdouts) != 1 {
		return fmt.Errorf("holdouts: %d are listed; for the moment a policy is for exactly one", len(p.Holdouts))
	}
	if !policyName.MatchString(p.Holdouts[0]) {
		return fmt.Errorf("holdouts: %.80q is not the name of a set", p.Holdouts[0])
	}
	if len(p.Suites) > maxSuites {
		return fmt.Errorf("suites: %d are listed; at most %d", len(p.Suites), maxSuites)
	}
	for i, s := range p.Suites {
		if !suiteName.MatchString(s) || slices.Contains(p.Suites[:i], s) {
			return fmt.Errorf("suites: %.80q is not a name or is there twice", s)
		}
	}
	if !slices.Contains(Tiers, p.TierAtLeast) {
		return fmt.Errorf("tier_at_least: %.80q is no tier%s", p.TierAtLeast, spell.Suggest(p.TierAtLeast, Tiers))
	}
	if p.Package.Remote == Allow && slices.Index(Tiers, p.TierAtLeast) > slices.Index(Tiers, "remote") {
		return fmt.Errorf("package.remote: allow; nobody here confines a model that runs elsewhere, so that tier_at_least must be none or remote, and it is %s", p.TierAtLeast)
	}
	if err := p.checkNumbers(); err != nil {
		return err
	}
	return p.checkClaims()
}

func (p *Policy) checkNumbers() error {
	type bound struct {
		key            string
		value, low, up float64
	}
	list := []bound{
		{"confidence", p.Confidence, 0.8, 0.999999}, {"churn_pct", p.ChurnPct, 0.01, 50}, {"budget_runs", float64(p.BudgetRuns), 1, maxBudget},
		{"review.people", float64(p.Review.People), minPeople, maxPeople}, {"valid_days", float64(p.ValidDays), 1, maxDays},
	}
	if p.Anchor != nil {
		list = append(list, bound{"anchor.change_at_least_pp", p.Anchor.ChangeAtLeastPP, -100, 100})
	}
	if f := p.FirstModel; f != nil {
		list = append(list, bound{"first_model.accuracy_at_least_pct", f.AccuracyAtLeastPct, 1, 100}, bound{"first_model.people", float64(f.People), minPeople, maxPeople})
	}
	for _, b := range list {
		if !(b.value >= b.low && b.value <= b.up) { // this way round NaN is refused
			return fmt.Errorf("%s: %s is not within %s to %s", b.key, number(b.value), number(b.low), number(b.up))
		}
	}
	return nil
}

func (p *Policy) checkClaims() error {
	seen := map[string]bool{}
	for _, c := range append(slices.Clone(p.Prove), p.Watch...) {
		if seen[c.ID] {
			return fmt.Errorf("claim %s: the id is there twice", c.ID)
		}
		seen[c.ID] = true
		if c.Suite != "" && !slices.Contains(p.Suites, c.Suite) {
			return fmt.Errorf("claim %s: suite %q is not listed under suites%s", c.ID, c.Suite, spell.Suggest(c.Suite, p.Suites))
		}
	}
	if len(p.Prove)+len(p.Watch) > maxClaims {
		return fmt.Errorf("%d claims; at most %d", len(p.Prove)+len(p.Watch), maxClaims)
	}
	// A bound on what is too good alone would pass any model that is bad enough.
	compares := len(p.Prove) > 0 || slices.ContainsFunc(p.Watch, func(c Claim) bool { return c.Harm != nil })
	if !compares {
		return errors.New("no rule compares the candidate with anything; write a prove claim such as {id: overall, metric: accuracy, change_at_least_pp: -1} or a watch claim with harm and detect")
	}
	return nil
}

func claims(list string, files []claimFile) ([]Claim, error) {
	if files != nil && len(files) == 0 {
		return nil, fmt.Errorf("%s: the list is empty; leave the key out", list)
	}
	var out []Claim
	for i, f := range files {
		if !claimID.MatchString(f.ID) {
			return nil, fmt.Errorf("%s, claim %d: id %.80q is not a name of 1 to 40 characters a-z, 0-9, dash that begins with a letter", list, i+1, f.ID)
		}
		if slices.Contains(reservedIDs, f.ID) {
			return nil, fmt.Errorf("claim %s: the id is taken by a check that is always on", f.ID)
		}
		c, err := f.claim(list)
		if err != nil {
			return nil, fmt.Errorf("claim %s: %w", f.ID, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// claim checks the form of one claim and settles its unit.
func (f claimFile) claim(list string) (Claim, error) {
	c := Claim{ID: f.ID, Metric: f.Metric, Suite: f.Suite, Over: f.Over}
	pp := []*float64{f.AtLeastPP, f.AtMostPP, f.HarmPP, f.DetectPP}
	plain := []*float64{f.AtLeast, f.AtMost, f.Harm, f.Detect}
	given := func(x *float64) bool { return x != nil }
	switch {
	case slices.ContainsFunc(pp, given) && slices.ContainsFunc(plain, given):
		return c, errors.New("some numbers have _pp and some have not; one claim has one unit")
	case slices.ContainsFunc(pp, given):
		c.Unit, c.AtLeast, c.AtMost, c.Harm, c.Detect = unitPP, pp[0], pp[1], pp[2], pp[3]
	case slices.ContainsFunc(plain, given):
		c.AtLeast, c.AtMost, c.Harm, c.Detect = plain[0], plain[1], plain[2], plain[3]
	default:
		return c, errors.New("it says nothing: it has no change_at_least, change_at_most, or harm and detect")
	}
	if (c.Metric == "") == (c.Suite == "") {
		return c, errors.New("want either metric or suite")
	}
	if c.Metric != "" && !metricName.MatchString(c.Metric) {
		return c, fmt.Errorf("metric: %.80q is not the name of a metric", c.Metric)
	}
	if err := c.checkForm(list); err != nil {
		return c, err
	}
	if err := c.checkOver(); err != nil {
		return c, err
	}
	return c, c.checkRange()
}

// checkForm demands one of the forms that a list knows.
func (c Claim) checkForm(list string) error {
	bounds := 0
	for _, b := range []*float64{c.AtLeast, c.AtMost} {
		if b != nil {
			bounds++
		}
	}
	harm := c.Harm != nil || c.Detect != nil
	switch {
	case bounds > 1, bounds == 1 && harm:
		return errors.New("it says more than one thing; split it into claims with ids of their own")
	case harm && (c.Harm == nil || c.Detect == nil):
		return errors.New("harm and detect belong together: VIOLATED beyond harm, HOLDS when less than detect is shown")
	case list == "prove" && harm:
		return errors.New("harm and detect belong under watch; a prove claim has change_at_least or change_at_most")
	case c.Suite != "" && !harm:
		return errors.New("a suite is watched with harm_pp and detect_pp")
	case c.Suite != "" && c.Unit != unitPP:
		return errors.New("a suite is watched in points: write harm_pp and detect_pp")
	case len(c.Over) > 0 && !(harm && c.Metric == "accuracy"):
		return errors.New("over is for watch claims on accuracy with harm_pp and detect_pp; slices are judged by exact paired counts (over: [class] judges the recall of each class)")
	}
	return nil
}

func (c Claim) checkOver() error {
	if c.Over != nil && len(c.Over) == 0 {
		return errors.New("over: the list is empty; leave the key out for all rows together")
	}
	if len(c.Over) > maxOver {
		return fmt.Errorf("over: %d dimensions; at most %d", len(c.Over), maxOver)
	}
	for i, d := range c.Over {
		if d == "" || len(d) > 200 || slices.Contains(c.Over[:i], d) || strings.ContainsFunc(d, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("over: %.80q is not the name of a dimension or is there twice", d)
		}
	}
	return nil
}

// checkRange demands finite numbers of a size that the unit can have.
func (c Claim) checkRange() error {
	most := 1000.0
	if c.Unit == unitPP {
		most = 100
	}
	for _, b := range []*float64{c.AtLeast, c.AtMost} {
		if b != nil && !(math.Abs(*b) <= most) {
			return fmt.Errorf("a change of %s is not within -%s to %s", number(*b), number(most), number(most))
		}
	}
	if c.Harm == nil {
		return nil
	}
	if !(*c.Harm >= 0 && *c.Harm <= most) || !(*c.Detect > 0 && *c.Detect <= most) {
		return fmt.Errorf("harm %s or detect %s is not within 0 to %s", number(*c.Harm), number(*c.Detect), number(most))
	}
	if *c.Harm >= *c.Detect {
		return fmt.Errorf("harm %s is not below detect %s: a harm beyond harm is a violation, one below detect is not yet visible; raise detect", number(*c.Harm), number(*c.Detect))
	}
	return nil
}
