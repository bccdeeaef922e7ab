package holdout

import (
	"context"
	"slices"
	"strings"
)

// describe derives from the rows what a commitment says of them. Audit calls it
// again on what it decrypted.
func describe(ctx context.Context, s Spec, p paper, keys Keyring) (Commitment, error) {
	c := Commitment{
		Name: s.Name, Rows: p.sealed.Len(), Features: p.features.Fields(),
		Classes: slices.Clone(s.Classes), Positive: s.Positive, Retain: s.Retain, ClassCounts: make([]int64, len(s.Classes)),
	}
	for _, k := range p.labels {
		c.ClassCounts[k]++
	}
	c.SliceSizes = sliceSizes(s.Classes, p)
	c.dependent(s.Classes, p)
	var err error
	c.Sketch, c.SketchKey, err = sketch(ctx, keys, p.features)
	return c, err
}

// sliceSizes counts the rows of each value of each slice column, of each pair of
// slice columns in the order of the spec, and of the true class.
func sliceSizes(classes []string, p paper) map[string]map[string]int64 {
	out := map[string]map[string]int64{"class": count(SliceColumn{"class", classes, p.labels})}
	for i, a := range p.slices {
		out[a.Name] = count(a)
		for _, b := range p.slices[i+1:] {
			out[a.Name+"*"+b.Name] = countPairs(a, b)
		}
	}
	return out
}

func count(c SliceColumn) map[string]int64 {
	n := make([]int64, len(c.Values))
	for _, k := range c.Codes {
		n[k]++
	}
	out := make(map[string]int64, len(n))
	for k, v := range c.Values {
		out[v] = n[k]
	}
	return out
}

// countPairs leaves out pairs of values that no row has.
func countPairs(a, b SliceColumn) map[string]int64 {
	n := make([]int64, len(a.Values)*len(b.Values))
	for r, k := range a.Codes {
		n[int(k)*len(b.Values)+int(b.Codes[r])]++
	}
	out := map[string]int64{}
	for i, x := range n {
		if x > 0 {
			out[a.Values[i/len(b.Values)]+times+b.Values[i%len(b.Values)]] = x
		}
	}
	return out
}

// Sizes returns the rows of each value of a dimension: "sex", "class", or a pair
// in either order, "race*sex" with values "x × y" in that order.
func (c Commitment) Sizes(dimension string) (map[string]int64, bool) {
	if sizes, ok := c.SliceSizes[dimension]; ok {
		return sizes, true
	}
	a, b, _ := strings.Cut(dimension, "*")
	turned, ok := c.SliceSizes[b+"*"+a]
	if !ok {
		return nil, false
	}
	out := make(map[string]int64, len(turned))
	for v, n := range turned {
		x, y, _ := strings.Cut(v, times)
		out[y+times+x] = n
	}
	return out, true
}
