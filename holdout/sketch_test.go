package holdout

import (
	"math"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"proctor/holdout/rows"
)

func sketched(t *testing.T, keys Keyring, tab rows.Table) Commitment {
	t.Helper()
	features, err := tab.Select("age", "sex", "school", "hours", "gain", "weight", "person")
	if err != nil {
		t.Fatal(err)
	}
	list, key, err := sketch(t.Context(), keys, features)
	if err != nil {
		t.Fatal(err)
	}
	return Commitment{Sketch: list, SketchKey: key}
}

// The estimate is the share of the first set's rows that the second has, within
// four standard errors of the sample.
func TestOverlap(t *testing.T) {
	k := newWorld().keys
	all := people(t, 12_000, 1)
	set := func(lo, hi int) Commitment { return sketched(t, k, all.Slice(lo, hi)) }
	for _, c := range []struct {
		a, b Commitment
		want float64
	}{
		{set(0, 6000), set(0, 6000), 1},
		{set(0, 6000), set(6000, 12_000), 0},
		{set(0, 6000), set(3000, 9000), .5},
		{set(0, 1500), set(0, 12_000), 1},      // a part of a larger set is exposed with it,
		{set(0, 12_000), set(0, 1500), 1. / 8}, // the larger one by the part only
		{set(0, 200), set(100, 300), .5},       // both sketches whole: exact
		{set(0, 6000), set(5400, 12_000), .1},
	} {
		if got := Overlap(c.a, c.b); math.Abs(got-c.want) > 4*math.Sqrt(c.want*(1-c.want)/400) {
			t.Errorf("overlap %v, want %v", got, c.want)
		}
	}
	// Order of rows and of columns, and repeats, make no difference.
	turned, err := rows.Concat(all.Slice(2000, 6000), all.Slice(0, 2000), all.Slice(0, 500))
	if err != nil {
		t.Fatal(err)
	}
	if turned, err = turned.Select("person", "weight", "gain", "hours", "school", "sex", "age"); err != nil {
		t.Fatal(err)
	}
	if got := Overlap(sketched(t, k, turned), set(0, 6000)); got != 1 {
		t.Errorf("turned: %v", got)
	}
	// What cannot be compared counts in full.
	other := sketched(t, newFileKeyring(make([]byte, 32)), all)
	if strings.Join(other.Sketch, "") == strings.Join(set(0, 12_000).Sketch, "") {
		t.Error("the key does not matter: anybody could test rows against a sketch")
	}
	for name, c := range map[string]Commitment{"another key": other, "none": {}} {
		if Overlap(set(0, 100), c) != 1 || Overlap(c, set(0, 100)) != 1 {
			t.Errorf("%s: not counted in full", name)
		}
	}
}

// The row root is the RFC 6962 root, as x/mod computes it, of the salted leaves.
func TestRowRoot(t *testing.T) {
	for n := range 70 {
		var m merkle
		var hashes []tlog.Hash
		for i := range n {
			leaf := tlog.RecordHash([]byte{byte(i)})
			m.add(leaf)
			stored, err := tlog.StoredHashesForRecordHash(int64(i), leaf, tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
				var out []tlog.Hash
				for _, k := range at {
					out = append(out, hashes[k])
				}
				return out, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, stored...)
		}
		want, err := tlog.TreeHash(int64(n), tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
			var out []tlog.Hash
			for _, k := range at {
				out = append(out, hashes[k])
			}
			return out, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && m.root() != want {
			t.Fatalf("%d leaves: %x, want %x", n, m.root(), want)
		}
	}
	tab := people(t, 50, 1)
	root := rowRoot(make([]byte, 32), partScored, tab)
	if root == rowRoot(make([]byte, 32), partReserve, tab) || root == rowRoot([]byte("another key of a length that fits"), partScored, tab) {
		t.Error("part and key are not in the salts")
	}
	if root == rowRoot(make([]byte, 32), partScored, tab.Slice(0, 49)) {
		t.Error("a row less has the same root")
	}
}

// What a curator can do to the form of rows makes no fresh ones: other names and
// order of columns, other case, space, noise, numbers declared as text, a constant
// column. Hashes of the rows as they stand see nothing in common.
func TestOverlapOfChangedForm(t *testing.T) {
	k := newWorld().keys
	plain := people(t, 3000, 1)
	var cols []rows.Column
	for _, c := range plain.Columns() {
		if c.Name == "income" || c.Name == "region" {
			continue
		}
		c.Name = "new " + c.Name
		switch {
		case c.Name == "new age":
			c = rows.Column{Name: c.Name, Strings: texts(c)}
		case c.IsNumber():
			v := make([]float64, c.Len())
			for r := range v {
				v[r] = c.Floats[r]*(1+1e-9) + 1e-9
			}
			c.Floats = v
		default:
			v := make([]string, c.Len())
			for r := range v {
				v[r] = " " + strings.ToUpper(c.Strings[r])
			}
			c.Strings = v
		}
		cols = append([]rows.Column{c}, cols...)
	}
	same := make([]string, plain.Len())
	changed, err := rows.New(append(cols, rows.Column{Name: "source", Strings: same})...)
	if err != nil {
		t.Fatal(err)
	}
	list, key, err := sketch(t.Context(), k, changed)
	if err != nil {
		t.Fatal(err)
	}
	before := sketched(t, k, plain)
	if got := Overlap(Commitment{Sketch: list, SketchKey: key}, before); got < .98 {
		t.Errorf("the same rows in another form have %v in common", got)
	}
	exact := map[string]bool{}
	for r := range plain.Len() {
		exact[string(plain.AppendCanonical(nil, r))] = true
	}
	for r := range changed.Len() {
		if exact[string(changed.AppendCanonical(nil, r))] {
			t.Fatal("negative control: exact forms agree")
		}
	}
}
