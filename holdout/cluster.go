package holdout

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/holdout/rows"
)

// maxWeight is how many times the least weight the greatest may be: beyond it a set
// has as many witnesses as it has heavy rows.
const maxWeight = 1e4

// checkDependence finds what is wrong with the columns of clusters and weights. They
// say how rows count, so that a model that saw them could answer by them.
func (s Spec) checkDependence() error {
	for _, c := range []struct{ key, column string }{{"clusters", s.Clusters}, {"weights", s.Weights}} {
		if c.column == "" {
			continue
		}
		if c.column == s.Answer || c.column == s.ID || slices.Contains(s.Features, c.column) || slices.Contains(s.Slices, c.column) {
			return fmt.Errorf("%s: %q is the answer, the id, a feature or a slice; the column says how rows count, and no model sees it", c.key, c.column)
		}
	}
	if s.Clusters != "" && s.Clusters == s.Weights {
		return fmt.Errorf("clusters and weights are both %q", s.Clusters)
	}
	return nil
}

// dependence lists the columns of clusters and weights.
func (s Spec) dependence() (out []string) {
	for _, c := range []string{s.Clusters, s.Weights} {
		if c != "" {
			out = append(out, c)
		}
	}
	return out
}

// readDependence reads clusters, numbered as they appear, and weights; nil where the
// spec declares none.
func (s Spec) readDependence(t rows.Table) (clusters []int32, weights []float64, err error) {
	if s.Clusters != "" {
		c, ok := t.Column(s.Clusters)
		if !ok {
			return nil, nil, fmt.Errorf("clusters: there is no column %q", s.Clusters)
		}
		clusters = number(texts(c))
	}
	if s.Weights != "" {
		c, ok := t.Column(s.Weights)
		if !ok || !c.IsNumber() {
			return nil, nil, fmt.Errorf("weights: there is no column %q of numbers", s.Weights)
		}
		if err := checkWeights(c.Floats); err != nil {
			return nil, nil, fmt.Errorf("weights: %w", err)
		}
		weights = slices.Clone(c.Floats)
	}
	return clusters, weights, nil
}

// number gives equal texts equal numbers, from 0 in the order of appearance.
func number(text []string) []int32 {
	code := map[string]int32{}
	out := make([]int32, len(text))
	for r, v := range text {
		k, ok := code[v]
		if !ok {
			k = int32(len(code))
			code[v] = k
		}
		out[r] = k
	}
	return out
}

func checkWeights(w []float64) error {
	least, most := math.Inf(1), 0.0
	for r, v := range w {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("row %d has a weight that is not above 0", r+1)
		}
		least, most = min(least, v), max(most, v)
	}
	if len(w) > 0 && !(most/least <= maxWeight) {
		return fmt.Errorf("the greatest is more than %g times the least: nearly all would hang on a few rows", maxWeight)
	}
	return nil
}

// witnesses counts as how many independent rows of equal weight some rows count at
// least, each cluster being one witness: (sum of w)^2 / sum over clusters of
// (sum of w)^2, Kish's effective size. of gives the group of a row, from 0 on.
func (p paper) witnesses(groups int, of func(row int) int) []int64 {
	total, squares := make([]float64, groups), make([]float64, groups)
	sums := map[[2]int32]float64{}
	var order [][2]int32
	for r := range p.labels {
		cluster, weight := int32(r), 1.0
		if p.clusters != nil {
			cluster = p.clusters[r]
		}
		if p.weights != nil {
			weight = p.weights[r]
		}
		g := of(r)
		total[g] += weight
		k := [2]int32{int32(g), cluster}
		if _, ok := sums[k]; !ok {
			order = append(order, k)
		}
		sums[k] += weight
	}
	for _, k := range order { // not in the order of a map: sums of floats depend on it
		squares[k[0]] += float64(sums[k] * sums[k])
	}
	out := make([]int64, groups)
	for g := range out {
		if squares[g] > 0 {
			out[g] = int64(total[g]*total[g]/squares[g] + 1e-6)
		}
	}
	return out
}

// dependent describes clusters and weights in a commitment.
func (c *Commitment) dependent(classes []string, p paper) {
	if p.clusters == nil && p.weights == nil {
		return
	}
	c.Weighted = p.weights != nil
	if p.clusters != nil {
		c.Clusters = int(slices.Max(p.clusters)) + 1
	}
	c.Witnesses = map[string]map[string]int64{"": {"": p.witnesses(1, func(int) int { return 0 })[0]}}
	dims := append([]SliceColumn{{"class", classes, p.labels}}, p.slices...)
	for i, a := range dims {
		c.Witnesses[a.Name] = byValue(a.Values, p.witnesses(len(a.Values), func(r int) int { return int(a.Codes[r]) }))
		for _, b := range dims[i+1:] {
			if i == 0 {
				break // the class is crossed with nothing
			}
			var names []string
			for _, x := range a.Values {
				for _, y := range b.Values {
					names = append(names, x+times+y)
				}
			}
			c.Witnesses[a.Name+"*"+b.Name] = byValue(names, p.witnesses(len(names), func(r int) int { return int(a.Codes[r])*len(b.Values) + int(b.Codes[r]) }))
		}
	}
}

// byValue leaves out values that no row has.
func byValue(names []string, n []int64) map[string]int64 {
	out := map[string]int64{}
	for i, v := range names {
		if n[i] > 0 {
			out[v] = n[i]
		}
	}
	return out
}

// Dependent says whether rows count otherwise than as one independent witness each.
func (c Commitment) Dependent() bool { return c.Clusters > 0 || c.Weighted }

// WitnessesOf returns as how many independent rows those of one value of a dimension
// count at least; "" and "" are all rows. Without clusters and weights it is their number.
func (c Commitment) WitnessesOf(dimension, value string, rows int64) int64 {
	if !c.Dependent() {
		return rows
	}
	m, ok := c.Witnesses[dimension]
	if !ok {
		a, b, _ := strings.Cut(dimension, "*")
		x, y, _ := strings.Cut(value, times)
		m, value = c.Witnesses[b+"*"+a], y+times+x
	}
	return m[value]
}

// errCluster is returned, wrapped, where a cluster is in two parts of a set.
var errCluster = errors.New("rows of one cluster are in both")

// apart refuses two parts of a set that share a cluster: a model that was made with
// the rows of a customer has seen something of the customer's other rows.
func (s Spec) apart(part string, t rows.Table, scored rows.Table) error {
	if s.Clusters == "" || t.Len() == 0 {
		return nil
	}
	a, ok := t.Column(s.Clusters)
	b, ok2 := scored.Column(s.Clusters)
	if !ok || !ok2 {
		return fmt.Errorf("%s: there is no column %q", part, s.Clusters)
	}
	known := map[string]bool{}
	for _, v := range texts(b) {
		known[v] = true
	}
	shared := map[string]bool{}
	for _, v := range texts(a) {
		if known[v] {
			shared[v] = true
		}
	}
	if len(shared) > 0 {
		return fmt.Errorf("%s: %d clusters are also elsewhere in the set: %w", part, len(shared), errCluster)
	}
	return nil
}

// bound joins what may not be parted: near copies, and rows of a cluster. It returns
// for each row the number of its group.
func bound(copies [][16]byte, clusters []int32) []int {
	parent := make([]int, len(copies))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	byCopy, byCluster := map[[16]byte]int{}, map[int32]int{}
	for r, k := range copies {
		if first, ok := byCopy[k]; ok {
			parent[find(r)] = find(first)
		} else {
			byCopy[k] = r
		}
		if clusters == nil {
			continue
		}
		if first, ok := byCluster[clusters[r]]; ok {
			parent[find(r)] = find(first)
		} else {
			byCluster[clusters[r]] = r
		}
	}
	out := make([]int, len(copies))
	for r := range out {
		out[r] = find(r)
	}
	return out
}
