package holdout

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

// clustered gives people a customer, in clusters of the given size, and a weight.
func clustered(t *testing.T, tab rows.Table, size int, from int) rows.Table {
	t.Helper()
	who, weight := make([]string, tab.Len()), make([]float64, tab.Len())
	for r := range who {
		who[r], weight[r] = fmt.Sprint("c", from+r/size), 1+float64(r%3)
	}
	out, err := with(tab, rows.Column{Name: "customer", Strings: who})
	if err != nil {
		t.Fatal(err)
	}
	if out, err = with(out, rows.Column{Name: "w", Floats: weight}); err != nil {
		t.Fatal(err)
	}
	return out
}

// Clusters and weights are sealed and opened with the rows, are never among what a
// model is shown, and stand in the commitment as numbers of witnesses.
func TestClusters(t *testing.T) {
	w := newWorld()
	in := input(t, clustered(t, people(t, 1000, 1), 10, 0))
	in.Spec.Clusters, in.Spec.Weights, in.Spec.Practice = "customer", "w", 200
	in.Reserve = clustered(t, people(t, 500, 2), 10, 1000)
	c, raw := w.seal(t, in)
	if c.Practice != 200 || c.Clusters != 80 || !c.Weighted {
		t.Errorf("%d for practice, %d clusters, weighted %v", c.Practice, c.Clusters, c.Weighted)
	}
	if err := w.audit(t, raw); err != nil {
		t.Error(err)
	}
	k := w.hold(t, c, raw)
	exam, err := k.Exam()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(exam.Inputs.Fields(), exam.Canaries.Fields()...) {
		if f.Name == "customer" || f.Name == "w" {
			t.Errorf("a model sees %s", f.Name)
		}
	}
	if len(exam.Clusters) != c.Rows || len(exam.Weights) != c.Rows {
		t.Errorf("%d clusters and %d weights of %d rows", len(exam.Clusters), len(exam.Weights), c.Rows)
	}
	// A slow twin of the effective size of one value.
	sums, total := map[int32]float64{}, 0.0
	for r, code := range exam.Slices[0].Codes {
		if exam.Slices[0].Values[code] == "Female" {
			sums[exam.Clusters[r]] += exam.Weights[r]
			total += exam.Weights[r]
		}
	}
	squares := 0.0
	for _, x := range sums {
		squares += x * x
	}
	if got, want := c.WitnessesOf("sex", "Female", 0), int64(total*total/squares); got != want || want > 80 {
		t.Errorf("%d witnesses, want %d of 80 clusters", got, want)
	}
	if a, b := c.WitnessesOf("sex*school", "Female × Masters", 0), c.WitnessesOf("school*sex", "Masters × Female", 0); a != b || a == 0 {
		t.Errorf("%d and %d witnesses of the same pair", a, b)
	}
	// A cluster is in one part only: no practice row shares one with a scored row.
	practice, err := k.Practice()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Spec.apart("practice", practice, k.parts[partScored]); err != nil {
		t.Error(err)
	}
	// Negative control: drawn by rows, the parts share clusters.
	plain := in
	plain.Spec.Clusters = ""
	_, drawn, err := plain.split(paper{sealed: must(in.Table.Select(in.Spec.sealed()...))})
	if err != nil {
		t.Fatal(err)
	}
	rest := must(in.Table.Select(in.Spec.sealed()...))
	if err := in.Spec.apart("practice", drawn, rest); !errors.Is(err, errCluster) {
		t.Errorf("negative control: %v", err)
	}
	if next, _, err := k.Rotate(); err != nil || next.Spec.Clusters != "customer" {
		t.Errorf("rotated: clusters %q, %v", next.Spec.Clusters, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Each line of the table is a set that is refused, and the words that say why.
func TestClustersRefused(t *testing.T) {
	for _, c := range []struct {
		name, says string
		change     func(in *SealInput)
	}{
		{"a feature", "no model sees it", func(in *SealInput) { in.Spec.Clusters = "school" }},
		{"the answer", "no model sees it", func(in *SealInput) { in.Spec.Weights = "income" }},
		{"a slice", "no model sees it", func(in *SealInput) { in.Spec.Clusters = "region" }},
		{"one column", "are both", func(in *SealInput) { in.Spec.Weights = "customer" }},
		{"no column", "no column", func(in *SealInput) { in.Spec.Clusters = "house" }},
		{"texts", "of numbers", func(in *SealInput) { in.Spec.Clusters, in.Spec.Weights = "", "customer" }},
		{"nothing", "not above 0", func(in *SealInput) { in.Table.Columns()[len(in.Table.Columns())-1].Floats[3] = 0 }},
		{"less", "not above 0", func(in *SealInput) { in.Table.Columns()[len(in.Table.Columns())-1].Floats[3] = -1 }},
		{"one row rules", "times the least", func(in *SealInput) { in.Table.Columns()[len(in.Table.Columns())-1].Floats[3] = 1e9 }},
		{"a cluster in the reserve", "reserve: 30 clusters", func(in *SealInput) { in.Reserve = clustered(t, people(t, 300, 9), 10, 50) }},
	} {
		in := input(t, clustered(t, people(t, 300, 1), 10, 50))
		in.Spec.Clusters, in.Spec.Weights = "customer", "w"
		c.change(&in)
		w := newWorld()
		if _, err := Seal(t.Context(), in, w.store, w.keys, w.priv); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	if checkWeights([]float64{1, math.Inf(1)}) == nil || checkWeights([]float64{1, math.NaN()}) == nil {
		t.Error("weights that are no numbers are taken")
	}
}

// Repeated rows are worth what docs/holdout.md says: a fifth of 20,000 rows in groups.
func TestWitnesses(t *testing.T) {
	for _, c := range []struct {
		group int
		want  int64
	}{{1, 20000}, {5, 11111}, {20, 4166}} {
		p := paper{labels: make([]int32, 20000)}
		for r := range p.labels {
			k := int32(r)
			if r < 4000 {
				k = int32(100_000 + r/c.group)
			}
			p.clusters = append(p.clusters, k)
		}
		if got := p.witnesses(1, func(int) int { return 0 }); got[0] != c.want {
			t.Errorf("groups of %d: %d, want %d", c.group, got[0], c.want)
		}
	}
}
