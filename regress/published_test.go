package regress_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"proctor/regress"
)

// TestPublished: testdata/published.txt, with the source of every number. A golden
// case that is gone is an error.
func TestPublished(t *testing.T) {
	b, err := os.ReadFile("testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := slicesByID(t)
	lines := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		lines++
		t.Run(f[0]+"/"+f[1], func(t *testing.T) {
			c, ok := cases[f[0]]
			if !ok || len(f) != 3 {
				t.Fatalf("%q: no such golden case, or not three words", line)
			}
			got, ok := publishedValues(t, c)[f[1]]
			if !ok {
				t.Fatalf("nothing is called %s", f[1])
			}
			_, decimals, _ := strings.Cut(f[2], ".")
			if rounded := strconv.FormatFloat(got, 'f', len(decimals), 64); rounded != f[2] {
				t.Errorf("%v, published %s", got, f[2])
			}
		})
	}
	if lines < 10 {
		t.Errorf("the table has %d lines", lines)
	}
}

func slicesByID(t *testing.T) map[string]*sliceCase {
	b, err := os.ReadFile("testdata/golden_slices.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ Cases []*sliceCase }
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	out := map[string]*sliceCase{}
	for _, c := range g.Cases {
		out[c.ID] = c
	}
	return out
}

// publishedValues computes what a line can ask of a case.
func publishedValues(t *testing.T, c *sliceCase) map[string]float64 {
	out := map[string]float64{}
	switch c.Fn {
	case "sliceline":
		s := regress.SliceLine{Alpha: c.Params.Alpha, Top: c.Params.K, Levels: c.Params.MaxLevel, MinRows: c.Params.MinRows}
		found, err := s.Find(coded(c.In.Features), c.In.Errors)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range found {
			out["score/"+strconv.Itoa(i)], out["rows/"+strconv.Itoa(i)] = x.Score, float64(x.Rows)
		}
	case "divexplorer":
		s, a := c.In.Slice, c.In.All
		if d, tt, ok := regress.Divergence(regress.Rate{True: s.FP, False: s.TN}, regress.Rate{True: a.FP, False: a.TN}); ok {
			out["divergence"], out["t"] = d, tt
		}
	case "divexplorer_count":
		features, fpr := compas(t)
		s, err := regress.DivExplorer(features, fpr, .1, len(features))
		if err != nil {
			t.Fatal(err)
		}
		first := s.List[0]
		for _, x := range s.List {
			if x.Defined && x.Divergence > first.Divergence {
				first = x
			}
		}
		out["itemsets"], out["left"] = float64(len(s.List)), float64(len(s.Pruned(.01)))
		out["divergence"], out["t"] = first.Divergence, first.T
	}
	return out
}
