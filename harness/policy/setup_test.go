package policy

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/metrics"
)

// readCSV reads a table, zipped or not.
func readCSV(t *testing.T, file string) (head []string, recs [][]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if z, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		if b, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func column(head []string, recs [][]string, name string) []string {
	out := make([]string, len(recs))
	for i, r := range recs {
		out[i] = r[slices.Index(head, name)]
	}
	return out
}

// features makes a table of all columns but the last, numbers where all are.
func features(t *testing.T, head []string, recs [][]string) rows.Table {
	t.Helper()
	var cols []rows.Column
	for _, name := range head[:len(head)-1] {
		c := rows.Column{Name: name, Strings: column(head, recs, name)}
		for _, v := range c.Strings {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				c.Floats = append(c.Floats, f)
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

func dimension(name string, values []string) metrics.Dimension {
	d := metrics.Dimension{Name: name, Values: slices.Clone(values)}
	slices.Sort(d.Values)
	d.Values = slices.Compact(d.Values)
	for _, v := range values {
		d.Codes = append(d.Codes, int32(slices.Index(d.Values, v)))
	}
	return d
}

// commitment says of answers what sealing would: sizes only.
func commitment(name string, a metrics.Answers) holdout.Commitment {
	c := holdout.Commitment{Name: name, Version: 1, Digest: "sha256:set", Rows: len(a.Labels), Canaries: 200, Twins: 1250, Classes: a.Classes,
		ClassCounts: make([]int64, len(a.Classes)), SliceSizes: map[string]map[string]int64{}}
	if a.Positive >= 0 {
		c.Positive = a.Classes[a.Positive]
	}
	count := func(dim, value string) {
		if c.SliceSizes[dim] == nil {
			c.SliceSizes[dim] = map[string]int64{}
		}
		c.SliceSizes[dim][value]++
	}
	for i, l := range a.Labels {
		c.ClassCounts[l]++
		count("class", a.Classes[l])
		for j, d := range a.Dimensions {
			x := d.Values[d.Codes[i]]
			count(d.Name, x)
			for _, e := range a.Dimensions[j+1:] {
				count(d.Name+"*"+e.Name, x+times+e.Values[e.Codes[i]])
			}
		}
	}
	return c
}

func join(t *testing.T, a metrics.Answers, p metrics.Predictions) *metrics.Frame {
	t.Helper()
	f, err := metrics.Join(memory.DefaultAllocator, a, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}
