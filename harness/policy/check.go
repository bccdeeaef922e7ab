package policy

import (
	"errors"
	"fmt"
	"math"

	"proctor/metrics"
)

// minLevel is the smallest level at which limits are still numbers.
const minLevel = 1e-12

// A Report says what a resolved policy can see. Powers are probabilities that an
// equal model passes; numbers of claims are in the claim's unit.
type Report struct {
	Policy   string        `json:"policy"`
	Digest   string        `json:"digest"`
	Holdout  string        `json:"holdout"`
	Rows     int64         `json:"rows"`
	ChurnPct float64       `json:"churn_pct"`
	LastRun  int           `json:"last_run"`
	Claims   []ClaimReport `json:"claims"`
	// An equal model passes all claims together with at least these probabilities
	// (one minus the sum of what each claim blocks; claims on the same rows go
	// together, so that the truth is higher).
	PassFirst float64  `json:"pass_first"`
	PassLast  float64  `json:"pass_last"`
	Notes     []string `json:"notes"`
}

// A ClaimReport is one hypothesis before any run.
type ClaimReport struct {
	Claim      string   `json:"claim"`
	List       string   `json:"list"`
	Subject    string   `json:"subject"`
	Metric     string   `json:"metric"`
	Unit       string   `json:"unit"`
	Needed     int64    `json:"rows_needed"` // 0: no number of rows is enough
	Rows       int64    `json:"rows"`
	Judged     bool     `json:"judged"` // false: tested for harm, but too small to show that there is none
	PowerFirst float64  `json:"power_first"`
	PowerLast  float64  `json:"power_last"`
	Visible    *float64 `json:"visible"` // smallest harm that fails to pass with .95, at the first run
	Same       []Margin `json:"same"`    // the margin in other metrics
	Method     string   `json:"method"`
}

// A Margin is a claim's margin as it would read in another metric.
type Margin struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
}

// Check says what the policy can see, or why it must not be activated. The error
// names the claim and what to change.
func Check(r *Resolved) (Report, error) {
	rep, err := r.check()
	if err != nil {
		return Report{}, fmt.Errorf("policy %s: %w", r.name(), err)
	}
	return rep, nil
}

func (r *Resolved) name() string {
	if r == nil || r.Policy == nil {
		return "(none)"
	}
	return r.Policy.Name
}

func (r *Resolved) check() (Report, error) {
	if r == nil || r.Policy == nil {
		return Report{}, errors.New("there is no resolved policy")
	}
	p := r.Policy
	if err := r.contradictions(); err != nil {
		return Report{}, err
	}
	rep := Report{Policy: p.Name, Digest: p.Digest(), Holdout: r.Holdout.Name, Rows: r.Holdout.Rows, ChurnPct: p.ChurnPct, LastRun: p.BudgetRuns, Notes: r.notes()}
	blockedFirst, blockedLast := 0.0, 0.0
	for _, h := range r.Hypotheses {
		c := r.claimReport(h)
		if err := r.passable(h, c); err != nil {
			return Report{}, fmt.Errorf("claim %s: %w", h.Claim, err)
		}
		rep.Claims = append(rep.Claims, c)
		if h.Judged {
			blockedFirst, blockedLast = blockedFirst+1-c.PowerFirst, blockedLast+1-c.PowerLast
		}
	}
	if err := r.anyJudged(); err != nil {
		return Report{}, err
	}
	if err := r.checkAnchor(); err != nil {
		return Report{}, fmt.Errorf("anchor: %w", err)
	}
	rep.PassFirst, rep.PassLast = max(0, 1-blockedFirst), max(0, 1-blockedLast)
	return rep, nil
}

func (r *Resolved) claimReport(h Hypothesis) ClaimReport {
	c := r.claim(h.Claim)
	first, last := r.gate(h, 1), r.gate(h, r.Policy.BudgetRuns)
	out := ClaimReport{Claim: h.Claim, List: h.List, Subject: h.subject(), Metric: h.Metric, Unit: c.Unit, Rows: h.Rows, Judged: h.Judged,
		PowerFirst: first.equal(), PowerLast: last.equal(), Method: "exact paired counts", Same: r.translate(h)}
	out.Needed, _ = last.needed()
	if r.Holdout.dependent() && h.Suite == "" {
		out.Method = "clustered standard error, and exact paired counts where those are wider"
	}
	if last.even != nil {
		out.Method = "normal, with the spread of honest retrainings"
	}
	if h.Visible != nil {
		out.Visible = finite(*h.Visible / c.scale())
	}
	return out
}

// passable refuses a hypothesis that an equal model would not pass.
func (r *Resolved) passable(h Hypothesis, c ClaimReport) error {
	if r.level(r.Policy.BudgetRuns) < minLevel {
		return fmt.Errorf("confidence %s over %d runs needs limits at level %.1g, which no number of rows can reach; lower confidence or budget_runs",
			number(r.Policy.Confidence), r.Policy.BudgetRuns, r.level(r.Policy.BudgetRuns))
	}
	b := r.bounds(h)
	switch {
	case !r.gate(h, 1).counts && r.gate(h, 1).even == nil:
		return fmt.Errorf("how far %s moves between equal models is not known, so that nobody can say whether they would pass; use another metric", h.Metric)
	case !(b.limit > 0):
		return errors.New("it asks for an improvement: an equal model would not pass it however many rows there are; leave room for one")
	case h.Dimension != "" || h.Suite != "": // too small ones are tested only; anyJudged looks at them together
		return nil
	case c.PowerLast >= enough:
		return nil
	case c.PowerFirst >= enough:
		return fmt.Errorf("at run %d, the last of the budget, an equal model would pass with %.3f only, and %.2f is asked: a budget of %d runs is possible; or widen the margin, or use a larger set (%s rows)",
			r.Policy.BudgetRuns, c.PowerLast, enough, r.longest(h), about(c.Needed))
	}
	return fmt.Errorf("an equal model would pass with %.3f only, already at the first run, and %.2f is asked: widen the margin, lower confidence, or use a larger set (%s rows, there are %d)",
		c.PowerFirst, enough, about(c.Needed), h.Rows)
}

// longest returns the largest budget whose last run an equal model still passes.
func (r *Resolved) longest(h Hypothesis) int {
	k := 1
	for k < r.Policy.BudgetRuns && r.gate(h, k+1).equal() >= enough {
		k++
	}
	return k
}

func about(n int64) string {
	if n == 0 {
		return "no number of"
	}
	return fmt.Sprintf("about %d", n)
}

// anyJudged refuses a dimension or suite of which nothing is large enough.
func (r *Resolved) anyJudged() error {
	type part struct{ claim, what string }
	judged := map[part]bool{}
	var order []part
	var sample []Hypothesis
	for _, h := range r.Hypotheses {
		if h.Dimension == "" && h.Suite == "" {
			continue
		}
		k := part{h.Claim, h.Dimension + h.Suite}
		if _, ok := judged[k]; !ok {
			order, sample = append(order, k), append(sample, h)
		}
		judged[k] = judged[k] || h.Judged && h.Pooled == nil
	}
	for i, k := range order {
		if judged[k] {
			continue
		}
		n, _ := r.gate(sample[i], r.Policy.BudgetRuns).needed()
		return fmt.Errorf("claim %s: no part of %s is large enough to show that nothing is lost (%s rows are needed): raise detect, lower budget_runs, or leave %s out", k.claim, k.what, about(n), k.what)
	}
	return nil
}

func (r *Resolved) checkAnchor() error {
	a := r.Policy.Anchor
	if a == nil {
		return nil
	}
	power := metrics.HoldPower(r.Holdout.witnesses(), r.Policy.ChurnPct/100, -a.ChangeAtLeastPP/100, r.level(r.Policy.BudgetRuns))
	if !(power >= enough) {
		return fmt.Errorf("a model equal to the best approved one would pass change_at_least_pp: %s at run %d with %.3f only, and %.2f is asked; lower the bound or budget_runs", number(a.ChangeAtLeastPP), r.Policy.BudgetRuns, power, enough)
	}
	return nil
}

// contradictions finds claims that cannot hold together, and claims that a set
// cannot serve at all.
func (r *Resolved) contradictions() error {
	for _, a := range r.Policy.Prove {
		for _, b := range r.Policy.Watch {
			if a.Metric != b.Metric || b.Harm != nil {
				continue
			}
			low, high := a.AtLeast, b.AtMost
			if low == nil {
				low, high = b.AtLeast, a.AtMost
			}
			if low != nil && high != nil && *low >= *high {
				return fmt.Errorf("claims %s and %s contradict each other: a change of %s of at least %s and at most %s does not exist; change one of them", a.ID, b.ID, a.Metric, number(*low), number(*high))
			}
		}
	}
	if r.Holdout.Canaries < minProbes && r.Holdout.Twins < minProbes {
		return fmt.Errorf("set %s has %d canaries and %d twins; with fewer than %d of both nobody can say whether a model knows the set, and nothing could pass; seal it with canaries", r.Holdout.Name, r.Holdout.Canaries, r.Holdout.Twins, minProbes)
	}
	if f := r.Policy.FirstModel; f != nil {
		if low, _ := metrics.ClopperPearson(r.Holdout.witnesses(), r.Holdout.witnesses(), 1-2*r.level(r.Policy.BudgetRuns)); !(low > f.AccuracyAtLeastPct/100) {
			return fmt.Errorf("first_model: even a model without an error cannot show accuracy_at_least_pct: %s on %d rows; lower it", number(f.AccuracyAtLeastPct), r.Holdout.Rows)
		}
	}
	return nil
}

// notes says what an owner should know though it is allowed.
func (r *Resolved) notes() []string {
	out := []string{}
	p := r.Policy
	if r.Holdout.dependent() {
		out = append(out, fmt.Sprintf("Of the set's %d rows, %d are counted on: each cluster as one row, since nobody knows before a run how alike its rows are.", r.Holdout.Rows, r.Holdout.Witnesses))
	}
	if p.FirstModel == nil {
		out = append(out, "There is no first_model: while the lineage has no baseline, every run is INCONCLUSIVE.")
	} else if top := r.largestClass(); p.FirstModel.AccuracyAtLeastPct/100 <= top {
		out = append(out, fmt.Sprintf("first_model: a constant answer has %.1f %% right; only the check for degenerate output stops it.", 100*top))
	}
	if p.Anchor == nil {
		out = append(out, "There is no anchor: small losses that pass one by one add up.")
	}
	for _, h := range r.Hypotheses {
		if h.Pooled != nil {
			out = append(out, fmt.Sprintf("claim %s: %s: %d values have too few rows and are tested together only.", h.Claim, h.Dimension, len(h.Pooled)))
		}
		if h.Suite != "" && !h.Judged {
			out = append(out, fmt.Sprintf("claim %s: %s has %d cases, too few to show that nothing is lost; it is tested for harm only.", h.Claim, h.subject(), h.Rows))
		}
	}
	return out
}

func (r *Resolved) largestClass() float64 {
	top := int64(0)
	for _, c := range r.Holdout.ClassCounts {
		top = max(top, c)
	}
	return float64(top) / float64(max(1, r.Holdout.Rows))
}

// translate says what the margin of a claim on all rows is in other metrics: a loss
// of 0.3 points of accuracy goes with about 0.002 of Brier.
func (r *Resolved) translate(h Hypothesis) []Margin {
	k, ok := perAccuracy(h.Metric)
	if !ok || h.Dimension != "" || h.Suite != "" {
		return nil
	}
	b := r.bounds(h)
	margin := b.sign * b.limit / k // as a change of accuracy
	var out []Margin
	for _, d := range metrics.All() {
		if f, ok := perAccuracy(d.Name); ok && d.Name != h.Metric {
			m := Margin{Metric: d.Name, Value: tidy(margin * f)}
			if d.Share {
				m.Value, m.Unit = tidy(100*margin*f), unitPP
			}
			out = append(out, m)
		}
	}
	return out
}

// tidy cuts what a rule of thumb does not know anyway.
func tidy(v float64) float64 { return math.Round(v*1e6) / 1e6 }
