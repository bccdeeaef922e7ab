package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"proctor/harness/report"
	"proctor/harness/spell"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// results is how many answers a run can give.
const results = 3

const resolvedFormat = "proctor/policy/1"

// rest is the value that stands for all values of a dimension with too few rows.
const rest = "rest"

// A Resolved is a policy bound to one version of a sealed set and to its suites,
// with every hypothesis fixed. Only [Resolve] makes one; its JSON is stored when
// the policy is activated and read back for each run.
type Resolved struct {
	Format     string       `json:"format"`
	Policy     *Policy      `json:"policy"` // its canonical text
	Holdout    Holdout      `json:"holdout"`
	Suites     []Suite      `json:"suites"`
	Hypotheses []Hypothesis `json:"hypotheses"`
}

// A Holdout is what the policy needs of a commitment.
type Holdout struct {
	Name        string   `json:"name"`
	Version     int      `json:"version"`
	Digest      string   `json:"digest"`
	Rows        int64    `json:"rows"`
	Classes     []string `json:"classes"`
	ClassCounts []int64  `json:"class_counts"`
	Positive    int      `json:"positive"` // -1: none is declared
	Canaries    int64    `json:"canaries"`
	Twins       int64    `json:"twins"`

	// Where the set declares clusters or weights:
	Clusters  int   `json:"clusters,omitempty"` // 0: every row is one
	Weighted  bool  `json:"weighted,omitempty"`
	Witnesses int64 `json:"witnesses,omitempty"` // as how many independent rows Rows count at least
}

// A Suite names a suite by digest.
type Suite struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// A Hypothesis is one claim on one subject: all rows, a slice, a test of a suite.
type Hypothesis struct {
	Claim     string   `json:"claim"`
	List      string   `json:"list"` // report.Prove or report.Watch
	Metric    string   `json:"metric"`
	Dimension string   `json:"dimension,omitempty"`
	Value     string   `json:"value,omitempty"`
	Pooled    []string `json:"pooled,omitempty"` // the values that "rest" stands for
	Suite     string   `json:"suite,omitempty"`
	Test      string   `json:"test,omitempty"`
	Rows      int64    `json:"rows"`
	Witnesses int64    `json:"witnesses,omitempty"` // likewise, of this hypothesis
	// Judged is false where an equal model would not HOLD with .995 at the last run, of
	// all rows with .95: the hypothesis is tested for harm, but cannot show that there is none.
	Judged bool `json:"judged"`
	// Visible is the smallest loss, in the metric's own scale, that does not pass with
	// probability .95 at run 1; later runs see smaller ones. nil: none does.
	Visible *float64 `json:"visible"`
}

// subject names what the hypothesis is about: "", "sex=Female", "triggers/rare-gain".
func (h Hypothesis) subject() string {
	switch {
	case h.Dimension != "":
		return h.Dimension + "=" + h.Value
	case h.Suite != "":
		return h.Suite + "/" + h.Test
	}
	return ""
}

// Resolve binds a policy to what it names. It looks at committed sizes only, never
// at results.
func Resolve(p *Policy, holdouts []holdout.Commitment, suites []*regress.Suite) (*Resolved, error) {
	if p == nil {
		return nil, errors.New("resolve: there is no policy")
	}
	r, err := resolve(p, holdouts, suites)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", p.Name, err)
	}
	return r, nil
}

func resolve(p *Policy, holdouts []holdout.Commitment, suites []*regress.Suite) (*Resolved, error) {
	if len(holdouts) != 1 || len(p.Holdouts) != 1 || holdouts[0].Name != p.Holdouts[0] {
		return nil, fmt.Errorf("holdouts: it is for %s; given are %d sets%s", strings.Join(p.Holdouts, ", "), len(holdouts), firstName(holdouts))
	}
	c := holdouts[0]
	r := &Resolved{Format: resolvedFormat, Policy: p, Holdout: Holdout{
		Name: c.Name, Version: c.Version, Digest: c.Digest, Rows: int64(c.Rows), Classes: c.Classes, ClassCounts: c.ClassCounts,
		Positive: slices.Index(c.Classes, c.Positive), Canaries: int64(c.Canaries), Twins: int64(c.Twins),
	}}
	if len(c.Classes) != len(c.ClassCounts) || len(c.Classes) < 2 || c.Rows < 1 {
		return nil, fmt.Errorf("set %s: its commitment has %d classes, %d class counts and %d rows", c.Name, len(c.Classes), len(c.ClassCounts), c.Rows)
	}
	if err := r.checkCosts(); err != nil {
		return nil, err
	}
	if len(suites) != len(p.Suites) {
		return nil, fmt.Errorf("suites: it lists %d, given are %d", len(p.Suites), len(suites))
	}
	for i, s := range suites {
		if s == nil || s.Name != p.Suites[i] {
			return nil, fmt.Errorf("suites: place %d is not %s", i+1, p.Suites[i])
		}
		r.Suites = append(r.Suites, Suite{s.Name, s.Digest()})
	}
	for _, list := range []struct {
		name   string
		claims []Claim
	}{{report.Prove, p.Prove}, {report.Watch, p.Watch}} {
		for _, cl := range list.claims {
			hs, err := hypotheses(list.name, cl, c, suites)
			if err != nil {
				return nil, fmt.Errorf("claim %s: %w", cl.ID, err)
			}
			r.Hypotheses = append(r.Hypotheses, hs...)
		}
	}
	if c.Dependent() {
		r.Holdout.Clusters, r.Holdout.Weighted, r.Holdout.Witnesses = c.Clusters, c.Weighted, c.WitnessesOf("", "", int64(c.Rows))
		for i, h := range r.Hypotheses {
			r.Hypotheses[i].Witnesses = c.WitnessesOf(h.Dimension, h.Value, h.Rows)
		}
	}
	if err := r.checkDependent(); err != nil {
		return nil, err
	}
	r.fixSlices()
	return r, r.checkSize()
}

// checkSize refuses a policy whose findings would not fit into one signed verdict:
// the run would be charged and then could not be signed. A finding takes some 500
// bytes, its subject stands in it up to three times.
func (r *Resolved) checkSize() error {
	size := 0
	for _, h := range r.Hypotheses {
		size += 600 + 3*len(h.subject())
		for _, v := range h.Pooled {
			size += 2 * len(v)
		}
	}
	if most := verdict.MaxPayload / 4 * 3; size > most {
		return fmt.Errorf("its %d checks make a verdict of some %d bytes, and %d can be signed: watch fewer or coarser dimensions, or shorter values", len(r.Hypotheses), size, most)
	}
	return nil
}

func firstName(holdouts []holdout.Commitment) string {
	if len(holdouts) == 0 {
		return ""
	}
	return ", the first is " + holdouts[0].Name
}

// hypotheses spreads a claim over its subjects; slices are all there at first.
func hypotheses(list string, c Claim, set holdout.Commitment, suites []*regress.Suite) ([]Hypothesis, error) {
	if c.Suite != "" {
		s := suites[slices.IndexFunc(suites, func(s *regress.Suite) bool { return s.Name == c.Suite })]
		var out []Hypothesis
		for i := range s.Tests {
			out = append(out, Hypothesis{Claim: c.ID, List: list, Metric: "failures", Suite: s.Name, Test: s.Tests[i].Name, Rows: applicable(&s.Tests[i])})
		}
		return out, nil
	}
	if err := checkMetric(list, c, set); err != nil {
		return nil, err
	}
	if len(c.Over) == 0 {
		return []Hypothesis{{Claim: c.ID, List: list, Metric: c.Metric, Rows: int64(set.Rows)}}, nil
	}
	var out []Hypothesis
	for _, d := range c.Over {
		sizes, ok := set.Sizes(d)
		if !ok {
			return nil, fmt.Errorf("over: set %s has no dimension %q%s", set.Name, d, spell.Suggest(d, dimensions(set)))
		}
		for _, v := range sortedKeys(sizes) {
			if sizes[v] > 0 {
				out = append(out, Hypothesis{Claim: c.ID, List: list, Metric: c.Metric, Dimension: d, Value: v, Rows: sizes[v]})
			}
		}
	}
	return out, nil
}

// applicable counts the cases that can be judged at all: a carrier without a
// changed form never can.
func applicable(t *regress.Test) int64 {
	if t.Kind == regress.MFT {
		return int64(t.Len())
	}
	n := int64(0)
	for _, k := range t.Changed {
		if k > 0 {
			n++
		}
	}
	return n
}

// checkMetric checks a claim against the definition of its metric.
func checkMetric(list string, c Claim, set holdout.Commitment) error {
	d, ok := metrics.Lookup(c.Metric)
	if !ok {
		var known []string
		for _, d := range metrics.All() {
			known = append(known, d.Name)
		}
		return fmt.Errorf("there is no metric %q%s", c.Metric, spell.Suggest(c.Metric, known))
	}
	switch {
	case d.Share && c.Unit != unitPP:
		return fmt.Errorf("%s is a share; write its numbers in points, with keys that end in _pp", d.Name)
	case !d.Share && c.Unit == unitPP:
		return fmt.Errorf("%s is not a share; write its numbers as they are, with keys without _pp", d.Name)
	case d.NeedsPositive && !slices.Contains(set.Classes, set.Positive):
		return fmt.Errorf("%s needs a positive class, and set %s declares none", d.Name, set.Name)
	}
	// Under prove a bound keeps the good direction, under watch it caps it.
	atLeast := d.HigherBetter == (list == report.Prove)
	switch {
	case c.AtMost != nil && atLeast:
		return fmt.Errorf("%s under %s wants change_at_least: %s", d.Name, list, better(d))
	case c.AtLeast != nil && !atLeast:
		return fmt.Errorf("%s under %s wants change_at_most: %s", d.Name, list, better(d))
	}
	return nil
}

func better(d metrics.Def) string {
	if d.HigherBetter {
		return "higher is better"
	}
	return "lower is better"
}

// fixSlices pools the values of each dimension that are too few for an equal model
// to HOLD at the last run of the budget, and marks which hypotheses are judged.
func (r *Resolved) fixSlices() {
	out := []Hypothesis{}
	for i := 0; i < len(r.Hypotheses); {
		j := i + 1
		for j < len(r.Hypotheses) && r.Hypotheses[j].Claim == r.Hypotheses[i].Claim && r.Hypotheses[j].Dimension == r.Hypotheses[i].Dimension {
			j++
		}
		out = append(out, r.pool(r.Hypotheses[i:j])...)
		i = j
	}
	r.Hypotheses = out
	r.fixVisible()
}

// fixVisible comes after pooling: only then is known how many hypotheses share the
// level of a violation.
func (r *Resolved) fixVisible() {
	type same struct {
		claim     string
		rows      int64
		witnesses int64
		judged    bool
	}
	seen := map[same]*float64{}
	for i, h := range r.Hypotheses {
		k := same{h.Claim, h.Rows, h.Witnesses, h.Judged}
		v, ok := seen[k]
		if !ok {
			if x, found := r.gate(h, 1).visible(); found {
				v = finite(x)
			}
			seen[k] = v
		}
		r.Hypotheses[i].Visible = v
	}
}

// pool keeps what is large enough and joins the rest of a dimension.
func (r *Resolved) pool(group []Hypothesis) []Hypothesis {
	var kept []Hypothesis
	pooled := group[0]
	pooled.Value, pooled.Rows, pooled.Witnesses = rest, 0, 0
	for _, h := range group {
		h.Judged = r.holds(h) >= enoughOf(h)
		if h.Dimension == "" || h.Judged {
			kept = append(kept, h)
			continue
		}
		pooled.Pooled, pooled.Rows = append(pooled.Pooled, h.Value), pooled.Rows+h.Rows
		pooled.Witnesses = max(pooled.Witnesses, h.Witnesses) // a cluster may be in several values
	}
	if len(pooled.Pooled) > 0 {
		pooled.Judged = r.holds(pooled) >= steady
		kept = append(kept, pooled)
	}
	return kept
}

// enoughOf is the power from which a hypothesis is judged.
func enoughOf(h Hypothesis) float64 {
	if h.Dimension == "" && h.Suite == "" {
		return enough
	}
	return steady
}

// holds returns the probability that an equal model HOLDS at the last run.
func (r *Resolved) holds(h Hypothesis) float64 {
	return r.gate(h, r.Policy.BudgetRuns).equal()
}

// level returns the level of limits that make a claim HOLD at run k: a run has three
// results, so before run k there were up to 3^(k-1) transcripts.
func (r *Resolved) level(attempt int) float64 {
	level, err := metrics.TranscriptLevel(r.alpha(), results, attempt)
	if err != nil {
		return 0 // no limit clears anything at level 0
	}
	return level
}

func (r *Resolved) alpha() float64 { return 1 - r.Policy.Confidence }

// claim returns the claim of a hypothesis.
func (r *Resolved) claim(id string) Claim {
	for _, l := range [][]Claim{r.Policy.Prove, r.Policy.Watch} {
		for _, c := range l {
			if c.ID == id {
				return c
			}
		}
	}
	return Claim{ID: id}
}

// watched counts the hypotheses that share the level of VIOLATED.
func (r *Resolved) watched() int {
	n := 0
	for _, h := range r.Hypotheses {
		if h.List == report.Watch {
			n++
		}
	}
	return n
}

// NeedsProbs says whether a claim needs probabilities: a package that gives classes
// only cannot pass.
func (r *Resolved) NeedsProbs() bool {
	return slices.ContainsFunc(r.Hypotheses, func(h Hypothesis) bool {
		d, ok := metrics.Lookup(h.Metric)
		return ok && d.NeedsProbs
	})
}

// Covered says whether a claim judges a slice on its own.
func (r *Resolved) Covered(dimension, value string) bool {
	return slices.ContainsFunc(r.Hypotheses, func(h Hypothesis) bool {
		return h.Dimension == dimension && h.Value == value && h.Judged && h.Pooled == nil
	})
}

// Dimensions returns the dimensions that a report shows: those of the claims, and
// the true class.
func (r *Resolved) Dimensions() []string {
	var out []string
	for _, h := range r.Hypotheses {
		if h.Dimension != "" && !slices.Contains(out, h.Dimension) {
			out = append(out, h.Dimension)
		}
	}
	if !slices.Contains(out, "class") {
		out = append(out, "class")
	}
	return out
}

// dimensions lists what a set can be sliced by.
func dimensions(c holdout.Commitment) []string { return sortedKeys(c.SliceSizes) }

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// UnmarshalJSON reads what was stored when the policy was activated.
func (r *Resolved) UnmarshalJSON(b []byte) error {
	type plain Resolved
	var q plain
	if err := json.Unmarshal(b, &q); err != nil {
		return fmt.Errorf("resolved policy: %w", err)
	}
	if q.Format != resolvedFormat || q.Policy == nil {
		return fmt.Errorf("resolved policy: format is %q, want %q, with a policy", q.Format, resolvedFormat)
	}
	*r = Resolved(q)
	return nil
}
