package policy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"proctor/harness/report"
)

// A Policy is what people write. It is made by [Parse] and not changed afterwards.
//
//	policy: income-release
//	lineage: income
//	holdouts: [census-2026q3]                 # one, for the moment
//	suites: [income-triggers]                 # optional
//	confidence: 0.99
//	churn_pct: 5                              # optional: rows that an equal model answers otherwise, for power
//	prove:
//	  - {id: overall, metric: accuracy, change_at_least_pp: -1}
//	  - {id: ranking, metric: roc_auc, change_at_least: -0.01}
//	watch:
//	  - {id: slices, metric: accuracy, over: [sex, sex*race], harm_pp: 5, detect_pp: 20}
//	  - {id: calibration, metric: brier, harm: 0.0035, detect: 0.01}
//	  - {id: too-good, metric: accuracy, change_at_most_pp: 6}
//	  - {id: triggers, suite: income-triggers, harm_pp: 2, detect_pp: 10}
//	costs:                                    # optional: of wrong answers, for the report; 1 where none is given
//	  - {answer: ">50K", given: "<=50K", cost: 4}
//	anchor: {change_at_least_pp: -1.5}        # optional: against the best version ever approved
//	first_model: {accuracy_at_least_pct: 80, people: 2}  # optional: decides while there is no baseline
//	tier_at_least: jail
//	package: {private_keys: refuse, tokens: warn}  # optional: what packages may hold
//	budget_runs: 6
//	review: {people: 1}
//	valid_days: 7
//	on_missing: fail                          # the only value
//
// A number whose key ends in _pp is in points of a share: 20 is a fifth of the rows.
type Policy struct {
	Name        string
	Lineage     string
	Holdouts    []string
	Suites      []string
	Confidence  float64
	ChurnPct    float64 // rows, in percent, whose correctness differs between equal models
	Prove       []Claim
	Watch       []Claim
	Costs       []Cost // none: every wrong answer costs 1
	Anchor      *Anchor
	FirstModel  *FirstModel
	TierAtLeast string
	Package     Package
	BudgetRuns  int // runs of the lineage on one holdout
	Review      Review
	ValidDays   int
}

// DefaultChurnPct is the churn of two honest trainings of a small model: 3 to 6 %
// of rows (facts: reseeds, fresh data, twice the data).
const DefaultChurnPct = 5.0

// A Claim is one rule. Its numbers are in Unit: "pp" for points of a share, "" for
// the metric's own scale.
type Claim struct {
	ID      string
	Metric  string   // "" when Suite is set
	Suite   string   // "" when Metric is set
	Over    []string // dimensions whose values are judged one by one; none: all rows together
	Unit    string
	AtLeast *float64 // change = candidate - baseline
	AtMost  *float64
	Harm    *float64 // VIOLATED needs an estimate beyond this; harm is counted positive
	Detect  *float64 // HOLDS needs an upper limit of the harm below this
}

// An Anchor compares accuracy with the best version ever approved, so that ten
// small losses do not pass one by one.
type Anchor struct{ ChangeAtLeastPP float64 }

// A FirstModel decides while there is no baseline.
type FirstModel struct {
	AccuracyAtLeastPct float64
	People             int // who must review it
}

// A Review says how many people must approve a PASS.
type Review struct{ People int }

// Tiers of confinement, weakest first.
var Tiers = []string{"none", "remote", "landlock", "jail-nocg", "jail", "gvisor"}

// Canonical returns the one byte form of the policy: YAML that Parse reads back to
// the same policy, without comments, keys in a fixed order.
func (p *Policy) Canonical() []byte {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%s: %s\n", key, value) }
	line("policy", p.Name)
	line("lineage", p.Lineage)
	line("holdouts", flow(p.Holdouts))
	if len(p.Suites) > 0 {
		line("suites", flow(p.Suites))
	}
	line("confidence", number(p.Confidence))
	line("churn_pct", number(p.ChurnPct))
	for _, l := range []struct {
		key    string
		claims []Claim
	}{{"prove", p.Prove}, {"watch", p.Watch}} {
		if len(l.claims) > 0 {
			b.WriteString(l.key + ":\n")
		}
		for _, c := range l.claims {
			b.WriteString("  - {" + c.text() + "}\n")
		}
	}
	if len(p.Costs) > 0 {
		b.WriteString("costs:\n")
	}
	for _, c := range p.Costs {
		fmt.Fprintf(&b, "  - {answer: %s, given: %s, cost: %s}\n", word(c.Answer), word(c.Given), number(c.Cost))
	}
	if p.Anchor != nil {
		line("anchor", "{change_at_least_pp: "+number(p.Anchor.ChangeAtLeastPP)+"}")
	}
	if f := p.FirstModel; f != nil {
		line("first_model", fmt.Sprintf("{accuracy_at_least_pct: %s, people: %d}", number(f.AccuracyAtLeastPct), f.People))
	}
	line("tier_at_least", p.TierAtLeast)
	if text := p.Package.text(); text != "" {
		line("package", "{"+text+"}")
	}
	line("budget_runs", strconv.Itoa(p.BudgetRuns))
	line("review", fmt.Sprintf("{people: %d}", p.Review.People))
	line("valid_days", strconv.Itoa(p.ValidDays))
	line("on_missing", "fail")
	return []byte(b.String())
}

// Digest returns "sha256:<hex>" of Canonical.
func (p *Policy) Digest() string { return report.Digest(p.Canonical()) }

// MarshalText returns Canonical, so that a policy inside JSON is its own text.
func (p *Policy) MarshalText() ([]byte, error) { return p.Canonical(), nil }

// UnmarshalText reads a policy's canonical text and no other.
func (p *Policy) UnmarshalText(text []byte) error {
	q, err := Parse(text)
	if err != nil {
		return err
	}
	if string(q.Canonical()) != string(text) {
		return fmt.Errorf("policy %s is not in its one byte form", q.Name)
	}
	*p = *q
	return nil
}

// text returns the claim as it stands between braces.
func (c Claim) text() string {
	parts := []string{"id: " + c.ID}
	if c.Metric != "" {
		parts = append(parts, "metric: "+c.Metric)
	}
	if c.Suite != "" {
		parts = append(parts, "suite: "+word(c.Suite))
	}
	if len(c.Over) > 0 {
		parts = append(parts, "over: "+flow(c.Over))
	}
	unit := ""
	if c.Unit != "" {
		unit = "_" + c.Unit
	}
	for _, n := range []struct {
		key   string
		value *float64
	}{{"change_at_least", c.AtLeast}, {"change_at_most", c.AtMost}, {"harm", c.Harm}, {"detect", c.Detect}} {
		if n.value != nil {
			parts = append(parts, n.key+unit+": "+number(*n.value))
		}
	}
	return strings.Join(parts, ", ")
}

// scale returns what one unit of the claim is in the metric's own scale.
func (c Claim) scale() float64 {
	if c.Unit == unitPP {
		return 0.01
	}
	return 1
}

const unitPP = "pp"

// number prints f without an exponent, as the shortest text that reads back to f.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func flow(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = word(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// word prints a name: as it is where no YAML reader could take it for something
// else, in quotes where one might.
func word(s string) string {
	plain := s != "" && s[0] >= 'a' && s[0] <= 'z'
	for i := range len(s) {
		c := s[i]
		plain = plain && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '*')
	}
	switch s {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(b)
}
