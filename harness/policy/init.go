package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/holdout"
	"proctor/regress"
)

// Margins that Init tries, in points, the strictest first.
var (
	overallMargins = []float64{-1, -1.5, -2, -3, -5, -10}
	sliceDetects   = []float64{20, 30, 40, 60}
	suiteDetects   = []float64{10, 20, 30, 50}
)

const (
	initBudget = 6
	sliceHarm  = 5
	suiteHarm  = 2
)

// comments stand before the lines of a proposed policy.
var comments = map[string]string{
	"policy":        "A proposal that an equal model passes. Read every line; a second person activates it.",
	"confidence":    "Each claim is decided at this confidence; later runs of the budget at a higher one.",
	"churn_pct":     "Rows whose correctness differs between two equally good trainings. Power is computed from it.",
	"prove":         "The candidate must show all of these, or the run is INCONCLUSIVE.",
	"watch":         "Beyond harm and shown: FAIL. Less than detect shown: holds. Else INCONCLUSIVE.",
	"anchor":        "Against the best version ever approved, so that small losses do not add up.",
	"first_model":   "Decides while there is no baseline; this many people must review it.",
	"tier_at_least": "How packages that bring code must be confined: " + strings.Join(Tiers, " < ") + ".",
	"budget_runs":   "Runs of the lineage on this set before it is retired.",
	"valid_days":    "How long an approval counts.",
	"on_missing":    "The only value.",
}

// Init proposes a policy for a set and its suites that Check accepts. Metrics that
// need probabilities are left to people: a package need not give any.
func Init(h holdout.Commitment, lineage string, suites []*regress.Suite) ([]byte, error) {
	p := &Policy{
		Name: lineage + "-release", Lineage: lineage, Holdouts: []string{h.Name}, Confidence: 0.99, ChurnPct: DefaultChurnPct,
		TierAtLeast: "jail", BudgetRuns: initBudget, Review: Review{1}, ValidDays: 7, FirstModel: firstModel(h),
	}
	for _, s := range suites {
		if s != nil {
			p.Suites = append(p.Suites, s.Name)
		}
	}
	if err := propose(p, h, suites); err != nil {
		return nil, fmt.Errorf("propose a policy for %s: %w", h.Name, err)
	}
	text := annotate(p.Canonical())
	q, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("propose a policy for %s: %w", h.Name, err)
	}
	r, err := Resolve(q, []holdout.Commitment{h}, suites)
	if err != nil {
		return nil, err
	}
	if _, err := Check(r); err != nil {
		return nil, fmt.Errorf("no policy can be proposed for set %s: %w", h.Name, err)
	}
	return text, nil
}

// propose adds claims, each with the strictest margin that an equal model passes
// steadily.
func propose(p *Policy, h holdout.Commitment, suites []*regress.Suite) error {
	margin := overallMargins[len(overallMargins)-1]
	for _, m := range overallMargins {
		if ok, err := fits(p, h, suites, "prove", Claim{ID: "overall", Metric: "accuracy", Unit: unitPP, AtLeast: &m}); err != nil {
			return err
		} else if ok {
			margin = m
			break
		}
	}
	p.Prove = []Claim{{ID: "overall", Metric: "accuracy", Unit: unitPP, AtLeast: &margin}}
	p.Anchor = &Anchor{1.5 * margin}
	var over []string
	for _, detect := range sliceDetects {
		for _, d := range dimensions(h) {
			c := Claim{ID: "slices", Metric: "accuracy", Unit: unitPP, Over: []string{d}, Harm: value(sliceHarm), Detect: &detect}
			ok, err := fits(p, h, suites, "watch", c)
			if err != nil {
				return err
			}
			if ok {
				over = append(over, d)
			}
		}
		if len(over) > 0 {
			p.Watch = append(p.Watch, Claim{ID: "slices", Metric: "accuracy", Unit: unitPP, Over: over[:min(len(over), maxOver)], Harm: value(sliceHarm), Detect: value(detect)})
			break
		}
	}
	for i, s := range suites {
		for _, detect := range suiteDetects {
			c := Claim{ID: fmt.Sprintf("suite-%d", i+1), Suite: s.Name, Unit: unitPP, Harm: value(suiteHarm), Detect: &detect}
			ok, err := fits(p, h, suites, "watch", c)
			if err != nil {
				return err
			}
			if ok {
				p.Watch = append(p.Watch, c)
				break
			}
		}
	}
	return nil
}

// fits says whether an equal model passes a claim steadily, to the last run of the
// budget; of a claim on slices or tests, some of them.
func fits(p *Policy, h holdout.Commitment, suites []*regress.Suite, list string, c Claim) (bool, error) {
	q := *p
	q.Prove, q.Watch, q.Anchor = nil, nil, nil
	if list == "prove" {
		q.Prove = []Claim{c}
	} else {
		q.Watch = []Claim{c}
	}
	r, err := Resolve(&q, []holdout.Commitment{h}, suites)
	if err != nil {
		return false, err
	}
	for _, x := range r.Hypotheses {
		if x.Pooled == nil && r.holds(x) >= steady {
			return true, nil
		}
	}
	return false, nil
}

func value(v float64) *float64 { return &v }

// firstModel asks for a quarter of what a constant answer has wrong.
func firstModel(h holdout.Commitment) *FirstModel {
	top := int64(0)
	if len(h.ClassCounts) > 0 {
		top = slices.Max(h.ClassCounts)
	}
	share := float64(top) / float64(max(1, h.Rows))
	return &FirstModel{AccuracyAtLeastPct: max(1, math.Floor(100*(share+float64((1-share)/4)))), People: 2}
}

// annotate puts comments before the lines of a canonical policy.
func annotate(text []byte) []byte {
	var b strings.Builder
	for _, l := range strings.SplitAfter(string(text), "\n") {
		key, _, _ := strings.Cut(l, ":")
		if c, ok := comments[key]; ok {
			b.WriteString("# " + c + "\n")
		}
		b.WriteString(l)
	}
	return []byte(b.String())
}
