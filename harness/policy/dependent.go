package policy

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"proctor/harness/report"
	"proctor/metrics"
)

// A Dependence says how scored rows count where they are not one independent witness
// each, as the set declares it.
type Dependence struct {
	Clusters []int32   // of each row; nil: every row is one
	Weights  []float64 // of each row, above 0; nil: every row counts 1
}

func (d Dependence) none() bool { return d.Clusters == nil && d.Weights == nil }

// minClusters is from how many clusters on a standard error over them is trusted: with
// fewer, limits at the levels of late runs hang on a handful of sums.
const minClusters = 30

// A sample is a number for each of some rows, with how they count. Its limits are the
// wider of two: those of the clustered standard error (Miller 2024; of a weighted mean,
// of its linearised terms), and exact ones on as many independent rows as those that
// differ are worth. The first alone would be 0 wide where no row differs, and too narrow
// where few do; and clusters that happen to balance must make no claim easier than
// independent rows do.
type sample struct {
	z        []float64 // by cluster: the mean, plus the cluster's part of its error
	numbers  []int32   // of the clusters
	n        int64
	worth    float64 // independent rows of equal weight, see rowsWorth
	mean     float64
	se       float64
	up, down float64 // share of the weight with x > 0, with x < 0
}

// A clusterSum is what the rows of a cluster add up to.
type clusterSum struct{ w, wx, differ float64 }

// sample takes the rows that in holds for. why says what is missing, "" for nothing.
func (d Dependence) sample(rows int, in func(row int) bool, x func(row int) float64) (s sample, why string) {
	if d.Clusters != nil && len(d.Clusters) != rows || d.Weights != nil && len(d.Weights) != rows {
		return s, "clusters or weights are not those of the rows"
	}
	place := map[int32]int{}
	var sums []clusterSum
	total, squares := 0.0, 0.0
	for row := range rows {
		if !in(row) {
			continue
		}
		cluster, w, v := int32(row), 1.0, x(row)
		if d.Clusters != nil {
			cluster = d.Clusters[row]
		}
		if d.Weights != nil {
			w = d.Weights[row]
		}
		k, ok := place[cluster]
		if !ok {
			k = len(sums)
			place[cluster], sums = k, append(sums, clusterSum{})
		}
		sums[k].w, sums[k].wx = sums[k].w+w, sums[k].wx+float64(w*v)
		s.n, total, squares = s.n+1, total+w, squares+float64(w*w)
		switch {
		case v > 0:
			s.up, sums[k].differ = s.up+w, sums[k].differ+w
		case v < 0:
			s.down, sums[k].differ = s.down+w, sums[k].differ+w
		}
	}
	if s.n == 0 {
		return s, "there are no rows"
	}
	if len(sums) < minClusters {
		return s, fmt.Sprintf("its rows are of %d clusters, and %d are needed to know how far they vary", len(sums), minClusters)
	}
	s.worth, s.up, s.down = rowsWorth(sums, total, squares), s.up/total, s.down/total
	for _, c := range sums {
		s.mean += c.wx / total
	}
	count, errors := float64(len(sums)), 0.0
	for k, c := range sums {
		part := (c.wx - float64(s.mean*c.w)) * count / total
		s.z, s.numbers = append(s.z, s.mean+part), append(s.numbers, int32(k))
		errors += float64(part * part)
	}
	s.se = math.Sqrt(errors / (count - 1) / count)
	return s, ""
}

// rowsWorth is as how many independent rows of equal weight the rows count: no more
// than Kish's (sum of w)^2 / sum of w^2, and no more than what those that differ are
// worth, a cluster of them being one, in their share of all.
func rowsWorth(sums []clusterSum, total, squares float64) float64 {
	worth := total * total / squares
	differ, differSquares := 0.0, 0.0
	for _, c := range sums {
		differ, differSquares = differ+c.differ, differSquares+float64(c.differ*c.differ)
	}
	if differSquares > 0 {
		worth = min(worth, differ/differSquares*total)
	}
	return worth
}

// clustered returns one-sided limits of the mean at a level each.
func (s sample) clustered(alpha float64) (low, up float64, ok bool) {
	e, err := metrics.ClusteredMean(s.z, s.numbers, 1-2*alpha)
	return e.Low, e.High, err == nil && e.Interval && e.Low <= e.High
}

// below is the one-sided p of "the mean is not below 0".
func (s sample) below() float64 {
	if s.se == 0 {
		return 1
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(s.z) - 1)}.CDF(s.mean / s.se)
}

// counts returns a share of the rows that a sample is worth, rounded up.
func (s sample) counts(share float64) int64 { return int64(math.Ceil(float64(share*s.worth) - 1e-9)) }

// change measures a change of accuracy: x is +1 where the candidate alone is right, -1
// where the baseline alone is.
func (s sample) change() effect {
	fixed, broke := s.counts(s.up), s.counts(s.down)
	n := max(int64(s.worth+1e-9), fixed+broke)
	return effect{
		n: s.n, value: s.mean, worse: max(metrics.McNemarWorse(broke, fixed), s.below()),
		limits: func(alpha float64) (float64, float64, bool) {
			low, up, ok := s.clustered(alpha)
			exactLow, exactUp := metrics.TangoLimits(broke, fixed, n, alpha)
			return min(low, exactLow), max(up, exactUp), ok && exactLow <= exactUp
		},
	}
}

// share measures a share of rows: x is 1 where the row has it and 0 where not.
func (s sample) share(alpha float64) (low, up float64, ok bool) {
	low, up, ok = s.clustered(alpha)
	n := int64(s.worth + 1e-9)
	exactLow, _ := metrics.ClopperPearson(int64(float64(s.up*s.worth)+1e-9), n, 1-2*alpha)
	_, exactUp := metrics.ClopperPearson(min(n, s.counts(s.up)), n, 1-2*alpha)
	return min(low, exactLow), max(up, exactUp), ok
}

// dependent measures a hypothesis about rows that do not count as independent ones.
func dependent(h Hypothesis, e Evidence) effect {
	changes := e.Diff.Changes()
	if h.Metric != "accuracy" || changes == nil || e.Candidate == nil {
		return undefined(0, h.Metric+" is not measured over clusters or weights")
	}
	in := func(int) bool { return true }
	if h.Dimension != "" {
		c, ok := cross(e.Candidate, h.Dimension)
		if !ok {
			return undefined(0, fmt.Sprintf("no dimension %q", h.Dimension))
		}
		wanted := make([]bool, c.size())
		for code := range wanted {
			v := c.name(code)
			wanted[code] = v == h.Value && h.Pooled == nil || contains(h.Pooled, v)
		}
		in = func(row int) bool { return wanted[c.at(row)] }
	}
	s, why := e.Dependence.sample(len(changes), in, func(row int) float64 { return float64(changes[row]) })
	switch {
	case s.n != h.Rows:
		return undefined(s.n, "the rows are not those that were committed")
	case why != "":
		return undefined(s.n, why)
	}
	return s.change()
}

// dependentAnchor is the change against the best model ever approved.
func dependentAnchor(e Evidence) effect {
	best, now := e.Best, e.Candidate
	if best == nil || now == nil || best.Len() != now.Len() {
		return undefined(0, "the answers of the best approved model are not there")
	}
	right := func(f *metrics.Frame, row int) float64 {
		if f.Labels()[row] == f.Answers()[row] {
			return 1
		}
		return 0
	}
	s, why := e.Dependence.sample(now.Len(), func(int) bool { return true }, func(row int) float64 { return right(now, row) - right(best, row) })
	if why != "" {
		return undefined(s.n, why)
	}
	return s.change()
}

// rightShare is the accuracy of one model.
func (r *Resolved) rightShare(e Evidence) (sample, string) {
	f := e.Candidate
	if f == nil {
		return sample{}, "there are no answers of the candidate"
	}
	if why := r.otherwise(e); why != "" {
		return sample{}, why
	}
	return e.Dependence.sample(f.Len(), func(int) bool { return true }, func(row int) float64 {
		if f.Labels()[row] == f.Answers()[row] {
			return 1
		}
		return 0
	})
}

// otherwise says that evidence has clusters or weights where the set has none, or none
// where it has; "" where both agree.
func (r *Resolved) otherwise(e Evidence) string {
	if r.Holdout.dependent() == e.Dependence.none() {
		return "clusters and weights are not those that were committed"
	}
	return ""
}

// checkDependent refuses claims that cannot be measured over clusters or weights.
func (r *Resolved) checkDependent() error {
	if !r.Holdout.dependent() {
		return nil
	}
	for _, h := range r.Hypotheses {
		if h.Suite == "" && h.Metric != "accuracy" {
			return fmt.Errorf("claim %s: set %s declares clusters or weights, and over them only accuracy has limits: claim accuracy, or seal the set without them", h.Claim, r.Holdout.Name)
		}
	}
	if r.Holdout.Clusters > 0 && r.Holdout.Clusters < minClusters {
		return fmt.Errorf("set %s has %d clusters, and %d are needed to know how far they vary", r.Holdout.Name, r.Holdout.Clusters, minClusters)
	}
	return nil
}

func (h Holdout) dependent() bool { return h.Clusters > 0 || h.Weighted }

// witnesses is as how many independent rows a hypothesis counts for power: each
// cluster as one, since nobody knows before a run how alike its rows are.
func (r *Resolved) witnesses(h Hypothesis) int64 {
	if r.Holdout.dependent() && h.Suite == "" {
		return h.Witnesses
	}
	return h.Rows
}

// witnesses is Rows, or what they count as.
func (h Holdout) witnesses() int64 {
	if h.dependent() {
		return h.Witnesses
	}
	return h.Rows
}

// dependentLine says how rows counted.
func dependentLine(h Holdout) string {
	what := fmt.Sprintf("Rows have weights: %d rows count as %d of equal weight.", h.Rows, h.Witnesses)
	if h.Clusters > 0 {
		what = fmt.Sprintf("Rows come in %d clusters, such as those of one customer, and count as %d to %d rows.", h.Clusters, h.Witnesses, h.Rows)
	}
	return what + " Findings take that into account; canaries, twins and what else the report shows count rows."
}

// ByRows takes out of a report what would be wrong where rows do not count as
// independent ones, and marks intervals that stand beside the findings.
func ByRows(r *report.Report, e Evidence) {
	if e.Dependence.none() {
		return
	}
	const warning = "rows are taken for independent and of equal weight: too narrow"
	mark := func(list ...*report.Estimate) {
		for _, e := range list {
			e.Warnings = append(e.Warnings, warning)
		}
	}
	flips := func(f *report.Flips) {
		f.P, f.Log10P = nil, nil
		mark(&f.Change, &f.NFR, &f.PFR, &f.BTC, &f.BEC, &f.Churn)
	}
	flips(&r.Flips)
	for i := range r.Slices {
		flips(&r.Slices[i].Flips)
	}
	for i := range r.Metrics {
		mark(&r.Metrics[i].Baseline, &r.Metrics[i].Candidate, &r.Metrics[i].Change)
	}
	if c := r.Cost; c != nil {
		mark(&c.Broke, &c.Fixed, &c.Change)
	}
	for i := range r.Burden {
		mark(&r.Burden[i].Index, &r.Burden[i].Lift)
	}
	if r.Search != nil {
		r.Search = &report.Search{Sentence: "There was no search: rows come in clusters or have weights, and its tests take them for independent.",
			Features: []string{}, Slices: []report.FoundSlice{}}
	}
}
