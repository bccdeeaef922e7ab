package holdout

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"proctor/holdout/rows"
)

// income reads a part of the census table that the demo seals.
func income(t *testing.T, part string) rows.Table {
	t.Helper()
	f, err := os.Open("../testdata/income/" + part + ".csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cols []rows.Column
	for j, name := range all[0] {
		c := rows.Column{Name: name}
		for _, r := range all[1:] {
			c.Strings = append(c.Strings, r[j])
			if v, err := strconv.ParseFloat(r[j], 64); err == nil {
				c.Floats = append(c.Floats, v)
			}
		}
		if len(c.Floats) == len(c.Strings) {
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

const incomeSpec = `
holdout: census
answer: label
classes: ["<=50K", ">50K"]
positive: ">50K"
features: [age, workclass, education, education-num, marital-status, occupation, relationship, race, sex, capital-gain, capital-loss, hours-per-week, native-country]
slices: [sex, race, education]
`

// Real people repeat: 1,086 of 16,281 census rows equal an earlier one (counted by
// testdata/income/make_data.py), and 13.8 % have the features of a reserve row.
func TestCensus(t *testing.T) {
	w := newWorld()
	in := input(t, income(t, "sealed"))
	var err error
	if in.Spec, err = ParseSpec([]byte(incomeSpec)); err != nil {
		t.Fatal(err)
	}
	in.Reserve = income(t, "reserve")
	c, raw := w.seal(t, in)
	if c.Rows != 16_281 || c.ReserveRows != 16_281 || c.Canaries != 200 || c.Twins != 1250 || c.Repeats != 1086 {
		t.Errorf("%d rows, %d in reserve, %d canaries, %d twins, %d repeats", c.Rows, c.ReserveRows, c.Canaries, c.Twins, c.Repeats)
	}
	if err := w.audit(t, raw); err != nil {
		t.Error(err)
	}
	in.Table, in.Reserve, in.Spec.Name = in.Reserve, rows.Table{}, "next"
	next, _ := w.seal(t, in)
	if got := Overlap(next, c); math.Abs(got-.138) > .04 {
		t.Errorf("the reserve inherits %.3f of the exposure", got)
	}
	in.Spec.Duplicates = 5
	if _, err := Seal(t.Context(), in, w.store, w.keys, w.priv); err == nil {
		t.Error("6.7 % of repeats passed a limit of 5")
	}
}
