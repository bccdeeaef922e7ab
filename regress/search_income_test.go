package regress_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// incomeFeatures are all columns of the sealed rows but the answer.
func incomeFeatures(t *testing.T) []metrics.Dimension {
	t.Helper()
	tab := incomeTable(t)
	fs, err := regress.NumberFeatures(tab, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tab.Columns() {
		if !c.IsNumber() {
			recs := make([][]string, len(c.Strings))
			for i, v := range c.Strings {
				recs[i] = []string{v}
			}
			fs = append(fs, encode(c.Name, recs, 0))
		}
	}
	return fs
}

func incomeTable(t *testing.T) rows.Table {
	t.Helper()
	recs, err := csv.NewReader(bytes.NewReader(gunzip(t, "sealed.csv.gz"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, recs := recs[0], recs[1:]
	var cols []rows.Column
	for col, name := range head[:slices.Index(head, "label")] {
		c := rows.Column{Name: name, Strings: make([]string, len(recs))}
		for i, r := range recs {
			c.Strings[i] = r[col]
			if v, err := strconv.ParseFloat(r[col], 64); err == nil {
				c.Floats = append(c.Floats, v)
			}
		}
		if len(c.Floats) == len(recs) {
			c.Strings = nil
		} else {
			c.Floats = nil
		}
		cols = append(cols, c)
	}
	tab, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Over every column of the sealed rows, not only those that a policy names, the
// search finds the slice that the demo poisoned: women with a Masters, a Doctorate
// or a professional school. Between two honest models it finds nothing.
func TestIncomeSearch(t *testing.T) {
	features := incomeFeatures(t)
	base := incomeFrame(t, "v1")
	for _, c := range []struct {
		model    string
		poisoned bool
	}{{"v2", false}, {"v2-poisoned", true}} {
		d, err := regress.Compare(base, incomeFrame(t, c.model), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := regress.Search{Levels: 2, MinRows: 30, Top: 12, Confidence: .99}
		all, err := s.All(features, d.Changes())
		if err != nil {
			t.Fatal(err)
		}
		split, err := s.Confirmed(features, d.Changes(), [32]byte{7})
		if err != nil {
			t.Fatal(err)
		}
		f := d.Flips(.99)
		if all.Rows != 16281 || all.Broke != f.Broke || all.Fixed != f.Fixed {
			t.Errorf("%s: %d rows, %d broke, %d fixed; the diff has %d, %d", c.model, all.Rows, all.Broke, all.Fixed, f.Broke, f.Fixed)
		}
		for _, x := range []*regress.Found{all, split} {
			top := x.Slices[0]
			t.Logf("%s: %s: %d tested, %d by Holm, %d by BH; %s: %d of %d rows broke, %d fixed, Holm %.2g", c.model, x.Method, x.Tested, x.SignificantHolm, x.SignificantBH, top.Words, top.Broke, top.Rows, top.Fixed, top.Holm)
			if !c.poisoned {
				if x.SignificantHolm != 0 || x.SignificantBH != 0 {
					t.Errorf("%s: %d and %d slices are significant", c.model, x.SignificantHolm, x.SignificantBH)
				}
				continue
			}
			if !isPoisoned(top.Words) || top.Holm > 1e-3 {
				t.Errorf("on top: %s, %v", top.Words, top.Holm)
			}
		}
	}
}

func isPoisoned(words string) bool {
	if !strings.Contains(words, "sex is Female") {
		return false
	}
	for _, e := range []string{"education is Masters", "education is Doctorate", "education is Prof-school", "education-num is over 13"} { // 14 and up: all three
		if strings.Contains(words, e) {
			return true
		}
	}
	return false
}
