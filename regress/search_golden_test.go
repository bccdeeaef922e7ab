package regress_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"proctor/metrics"
	"proctor/regress"
)

// A sliceCase is one case of the golden family "slices". Its expectations were
// computed by DataDome/sliceline 2aea13e, by exact enumeration, and by
// divexplorer 96e33de with the numbers of its COMPAS notebook.
type sliceCase struct {
	ID string `json:"id"`
	Fn string `json:"fn"`
	In struct {
		Features [][]int   `json:"features"` // one list a row
		Errors   []float64 `json:"errors"`
		All      table4    `json:"all"`
		Slice    table4    `json:"slice"`
		N        float64   `json:"n"`
	} `json:"in"`
	Params struct {
		Alpha    float64 `json:"alpha"`
		K        int     `json:"k"`
		MaxLevel int     `json:"max_level"`
		MinRows  int     `json:"min_support"`
	} `json:"params"`
	Want json.RawMessage `json:"want"`
	Tol  struct{ Abs, Rel float64 }
}

type table4 struct{ TP, FP, FN, TN int64 }

func (c *sliceCase) near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= c.Tol.Abs+c.Tol.Rel*math.Abs(want)) {
		t.Errorf("%s: %s is %v, want %v", c.ID, what, got, want)
	}
}

var sliceFns = map[string]func(*testing.T, *sliceCase){
	"sliceline": goldenSliceLine, "divexplorer": goldenDivergence, "divexplorer_count": goldenCount,
}

// TestGoldenSlices runs the committed cases and, where PROCTOR_GOLDEN names a
// folder, the cases of the family in it. A function that is not known fails.
func TestGoldenSlices(t *testing.T) {
	files := []string{"testdata/golden_slices.json"}
	if dir := os.Getenv("PROCTOR_GOLDEN"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	ran := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var g struct {
			Family string
			Cases  []json.RawMessage
		}
		if err := json.Unmarshal(b, &g); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if g.Family != "slices" {
			continue
		}
		for _, raw := range g.Cases {
			var c sliceCase
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			f, ok := sliceFns[c.Fn]
			if !ok {
				t.Errorf("%s: function %s is not known", c.ID, c.Fn)
				continue
			}
			t.Run(c.ID+"/"+c.Fn, func(t *testing.T) { f(t, &c) })
			ran++
		}
	}
	t.Logf("%d golden cases ran", ran)
	if ran < 11 {
		t.Errorf("%d cases ran", ran)
	}
}

func coded(rows [][]int) []metrics.Dimension {
	out := make([]metrics.Dimension, len(rows[0]))
	for f := range out {
		texts := make([]string, len(rows))
		for i, r := range rows {
			texts[i] = strconv.Itoa(r[f])
		}
		out[f] = dimensionOf(strconv.Itoa(f), texts)
	}
	return out
}

func dimensionOf(name string, texts []string) metrics.Dimension {
	d := metrics.Dimension{Name: name, Values: slices.Clone(texts)}
	slices.Sort(d.Values)
	d.Values = slices.Compact(d.Values)
	for _, v := range texts {
		d.Codes = append(d.Codes, int32(slices.Index(d.Values, v)))
	}
	return d
}

func goldenSliceLine(t *testing.T, c *sliceCase) {
	var want struct {
		Top []struct {
			Slice    map[string]int
			Score    float64
			SumError float64 `json:"sum_error"`
			MaxError float64 `json:"max_error"`
			Size     int
			AvgError float64 `json:"avg_error"`
		}
	}
	if err := json.Unmarshal(c.Want, &want); err != nil {
		t.Fatal(err)
	}
	s := regress.SliceLine{Alpha: c.Params.Alpha, Top: c.Params.K, Levels: c.Params.MaxLevel, MinRows: c.Params.MinRows}
	got, err := s.Find(coded(c.In.Features), c.In.Errors)
	if err != nil || len(got) != len(want.Top) {
		t.Fatalf("%d slices, want %d: %v", len(got), len(want.Top), err)
	}
	for i, w := range want.Top {
		g := got[i]
		slice := map[string]int{}
		for _, p := range g.Predicates {
			slice[p.Feature], _ = strconv.Atoi(p.Value)
		}
		if fmt.Sprint(slice) != fmt.Sprint(w.Slice) || g.Rows != w.Size {
			t.Errorf("place %d: %v of %d rows, want %v of %d", i, slice, g.Rows, w.Slice, w.Size)
		}
		c.near(t, "score", g.Score, w.Score)
		c.near(t, "sum", g.Sum, w.SumError)
		c.near(t, "largest", g.Max, w.MaxError)
		c.near(t, "mean", g.Mean, w.AvgError)
	}
}

func goldenDivergence(t *testing.T, c *sliceCase) {
	var want struct {
		Support            float64
		FPR, FNR, Accuracy struct{ Rate, Divergence, T float64 }
	}
	if err := json.Unmarshal(c.Want, &want); err != nil {
		t.Fatal(err)
	}
	s, a := c.In.Slice, c.In.All
	c.near(t, "support", float64(s.TP+s.FP+s.FN+s.TN)/c.In.N, want.Support)
	for _, x := range []struct {
		name       string
		slice, all regress.Rate
		want       struct{ Rate, Divergence, T float64 }
	}{
		{"fpr", regress.Rate{True: s.FP, False: s.TN}, regress.Rate{True: a.FP, False: a.TN}, want.FPR},
		{"fnr", regress.Rate{True: s.FN, False: s.TP}, regress.Rate{True: a.FN, False: a.TP}, want.FNR},
		{"accuracy", regress.Rate{True: s.TP + s.TN, False: s.FP + s.FN}, regress.Rate{True: a.TP + a.TN, False: a.FP + a.FN}, want.Accuracy},
	} {
		share, _ := x.slice.Share()
		d, tt, ok := regress.Divergence(x.slice, x.all)
		if !ok {
			t.Errorf("%s is undefined", x.name)
		}
		c.near(t, x.name, share, x.want.Rate)
		c.near(t, x.name+" divergence", d, x.want.Divergence)
		c.near(t, x.name+" t", tt, x.want.T)
	}
}

// compas reads the public table, which has no stated licence and is not carried.
func compas(t *testing.T) (features []metrics.Dimension, fpr []int8) {
	t.Helper()
	f, err := os.Open("../../shared/golden/compas_discretized.csv")
	if err != nil {
		t.Skipf("the COMPAS table is not here: %v", err)
	}
	defer f.Close()
	recs, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, recs := recs[0], recs[1:]
	for col, name := range head[:6] {
		texts := make([]string, len(recs))
		for i, r := range recs {
			texts[i] = r[col]
		}
		features = append(features, dimensionOf(name, texts))
	}
	for _, r := range recs {
		switch r[6] + r[7] { // class, predicted
		case "00":
			fpr = append(fpr, 0)
		case "01":
			fpr = append(fpr, 1)
		default:
			fpr = append(fpr, -1)
		}
	}
	return features, fpr
}

func goldenCount(t *testing.T, c *sliceCase) {
	var want struct{ Count int }
	if err := json.Unmarshal(c.Want, &want); err != nil {
		t.Fatal(err)
	}
	features, fpr := compas(t)
	s, err := regress.DivExplorer(features, fpr, .1, len(features))
	if err != nil || len(s.List) != want.Count {
		t.Fatalf("%d itemsets, want %d: %v", len(s.List), want.Count, err)
	}
	i := slices.IndexFunc(s.List, func(x regress.Itemset) bool {
		return fmt.Sprint(x.Predicates) == "[age is 25-45 race is Afr-Am sex is Male #prior is >3]"
	})
	// The notebook's first itemset by false positive rate.
	if i < 0 || math.Abs(s.List[i].Divergence-.219722) > 5e-7 || math.Abs(s.List[i].T-7.116857) > 5e-7 {
		t.Errorf("place %d: %+v", i, s.List[max(i, 0)])
	}
}
