package regress

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"proctor/holdout/rows"
	"proctor/metrics"
)

// A part is judged as the whole is on the cases that it has, whatever they are.
func TestPartIsJudgedAsTheWhole(t *testing.T) {
	s, err := Load(fstest.MapFS{
		"s.yaml": {Data: []byte("suite: s\ntests:\n" +
			"  - {name: m, kind: MFT, cases: m.csv}\n" +
			"  - {name: i, kind: INV, carriers: c.csv, perturb: [{add: {x: 1}}, {set: {x: 3}}]}\n" +
			"  - {name: t, kind: trigger, carriers: c.csv, stamp: {x: -1}, target: \"yes\"}\n" +
			"  - {name: z, kind: stress, cases: c.csv}\n")},
		"m.csv": {Data: []byte("x,expect,expect_not\n1,yes,\n2,,no\n4,no,\n")},
		"c.csv": {Data: []byte("x\n1\n3\n5\n7\n")},
	}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	classes := []string{"no", "yes"}
	for range 50 {
		said := make([]int32, s.Examples())
		for i := range said {
			said[i] = int32(rng.IntN(3) - 1)
		}
		whole, err := s.Judge(classes, metrics.Predictions{Labels: said})
		if err != nil {
			t.Fatal(err)
		}
		keep := map[[2]int]bool{}
		for k := range s.Tests {
			for i := range s.Tests[k].Len() {
				keep[[2]int{k, i}] = rng.IntN(2) == 0
			}
		}
		part, examples := s.Part(func(k, i int) bool { return keep[[2]int{k, i}] })
		if part == nil {
			continue
		}
		labels := make([]int32, len(examples))
		for i, e := range examples {
			labels[i] = said[e]
		}
		j, err := part.Judge(classes, metrics.Predictions{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		for n := range part.Tests {
			k := slices.IndexFunc(s.Tests, func(o Test) bool { return o.Name == part.Tests[n].Name })
			var want []Outcome
			for i, o := range whole.Outcomes(k) {
				if keep[[2]int{k, i}] {
					want = append(want, o)
				}
			}
			if got := j.Outcomes(n); !slices.Equal(got, want) {
				t.Fatalf("test %s: %v, want %v", part.Tests[n].Name, got, want)
			}
		}
	}
}

// A case was asked where its carrier and all its forms were.
func TestAskedIn(t *testing.T) {
	s, err := Load(fstest.MapFS{
		"s.yaml": {Data: []byte("suite: s\ntests:\n  - {name: m, kind: MFT, cases: m.csv}\n  - {name: i, kind: INV, carriers: c.csv, add: {x: 1}}\n")},
		"m.csv":  {Data: []byte("x,expect\n1,yes\n9,no\n")},
		"c.csv":  {Data: []byte("x\n1\n2\n5\n")},
	}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := rows.New(rows.Column{Name: "x", Floats: []float64{3, 2, 1, 5}})
	if err != nil {
		t.Fatal(err)
	}
	part, at, err := s.AskedIn(asked.Fields(), asked)
	if err != nil {
		t.Fatal(err)
	}
	// m/1 (1), i/1 (1 2), i/2 (2 3); of i/3 the form 6 was not asked, of m/2 nothing.
	if got := fmt.Sprint(part.ExampleIDs(), at); got != "[m/1 i/1 i/1.1 i/2 i/2.1] [2 2 1 1 0]" {
		t.Error(got)
	}
	none, err := rows.New(rows.Column{Name: "x", Floats: []float64{77}})
	if err != nil {
		t.Fatal(err)
	}
	if part, at, err := s.AskedIn(none.Fields(), none); part != nil || at != nil || err != nil {
		t.Errorf("%v %v %v", part, at, err)
	}
}
