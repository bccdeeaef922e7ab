package holdout

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// What a commitment says is what a plain count of the table says.
func TestCommitment(t *testing.T) {
	w := newWorld()
	tab := people(t, 1000, 1)
	in := input(t, tab)
	in.Reserve = people(t, 300, 2)
	c, raw := w.seal(t, in)
	if c.Rows != 1000 || c.ReserveRows != 300 || c.Canaries != 100 || c.Twins != 250 || c.Repeats != 0 || c.Digest != string(blob.RefOf(raw)) {
		t.Errorf("%+v", c)
	}
	sex, _ := tab.Column("sex")
	region, _ := tab.Column("region")
	label, _ := tab.Column("income")
	want := map[string]int64{}
	for r := range tab.Len() {
		want["sex="+sex.Strings[r]]++
		want["sex*region="+sex.Strings[r]+" × "+region.Strings[r]]++
		want["region*sex="+region.Strings[r]+" × "+sex.Strings[r]]++
		want["class="+label.Strings[r]]++
	}
	got := map[string]int64{}
	for _, dim := range []string{"sex", "sex*region", "region*sex", "class"} {
		sizes, ok := c.Sizes(dim)
		if !ok {
			t.Fatalf("no sizes of %s", dim)
		}
		for v, n := range sizes {
			got[dim+"="+v] = n
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if len(c.SliceSizes) != 1+3+3 {
		t.Errorf("dimensions: %d", len(c.SliceSizes))
	}
	if _, ok := c.Sizes("sex*income"); ok {
		t.Error("sizes of an unknown dimension")
	}
	if c.ClassCounts[0] != want["class=low"] || c.ClassCounts[1] != want["class=high"] {
		t.Errorf("classes %v", c.ClassCounts)
	}
	var back Commitment
	if enc, err := json.Marshal(c); err != nil || json.Unmarshal(enc, &back) != nil || differs(back, c) != "" {
		t.Error("a commitment does not survive JSON")
	}
	if err := w.audit(t, raw); err != nil {
		t.Errorf("audit: %v", err)
	}
}

// Equal inputs, equal bytes; another seed, another version, another key stream: not.
func TestDeterministic(t *testing.T) {
	seal := func(change func(*SealInput)) string {
		in := input(t, people(t, 300, 1))
		change(&in)
		c, _ := newWorld().seal(t, in)
		return c.Digest
	}
	same := seal(func(*SealInput) {})
	if again := seal(func(*SealInput) {}); again != same {
		t.Errorf("%s and %s", again, same)
	}
	for name, change := range map[string]func(*SealInput){
		"seed":    func(in *SealInput) { in.CanarySeed[0]++ },
		"version": func(in *SealInput) { in.Version++ },
		"key":     func(in *SealInput) { in.Rand = stream("other") },
		"time":    func(in *SealInput) { in.Now = in.Now.Add(1e9) },
		"order":   func(in *SealInput) { in.Table, _ = rows.Concat(in.Table.Slice(1, 300), in.Table.Slice(0, 1)) },
	} {
		if seal(change) == same {
			t.Errorf("another %s gave the same set", name)
		}
	}
}

// column replaces or adds one column of a table.
func column(t *testing.T, tab rows.Table, name string, value func(r int) any) rows.Table {
	t.Helper()
	c := rows.Column{Name: name}
	for r := range tab.Len() {
		switch v := value(r).(type) {
		case string:
			c.Strings = append(c.Strings, v)
		case float64:
			c.Floats = append(c.Floats, v)
		}
	}
	cols := slices.Clone(tab.Columns())
	if i := slices.IndexFunc(cols, func(c rows.Column) bool { return c.Name == name }); i >= 0 {
		cols[i] = c
	} else {
		cols = append(cols, c)
	}
	out, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What is wrong with a table is one sentence with column, row and counts, and
// never a value. Nothing reaches the store.
func TestSealRefuses(t *testing.T) {
	plain := people(t, 400, 1)
	label, _ := plain.Column("income")
	text := func(name string, r int) string { c, _ := plain.Column(name); return c.Strings[r] }
	set := func(name string, value func(r int) any) func(*SealInput) {
		return func(in *SealInput) { in.Table = column(t, plain, name, value) }
	}
	proxy := func(value func(r int) any) func(*SealInput) {
		return func(in *SealInput) {
			in.Table = column(t, plain, "hint", value)
			in.Spec.Features = append(in.Spec.Features, "hint")
		}
	}
	isHigh := func(r int) float64 { return map[string]float64{"high": 1}[label.Strings[r]] }
	for _, c := range []struct {
		want   string
		change func(*SealInput)
	}{
		{`there is no column "income"`, func(in *SealInput) {
			in.Table, _ = plain.Select("age", "sex", "school", "hours", "gain", "weight", "region", "person")
		}},
		{`there is no column "region"`, func(in *SealInput) {
			in.Table, _ = plain.Select("age", "sex", "school", "hours", "gain", "weight", "income", "person")
		}},
		{`answer column "income": 2 of 400 rows have an answer that is not a declared class (first: row 8)`, set("income", func(r int) any {
			if r == 7 || r == 9 {
				return "secret-word"
			}
			return text("income", r)
		})},
		{`class "high" has no rows`, set("income", func(int) any { return "low" })},
		{`feature "hint" gives the answer away`, proxy(func(r int) any { return "is " + label.Strings[r] })},
		{`feature "hint" gives the answer away`, proxy(func(r int) any { return isHigh(r) })},
		{`feature "hint" gives the answer away`, proxy(func(r int) any { return isHigh(r) + float64(2*(r%2)) })}, // four values
		{`feature "hint" gives the answer away`, proxy(func(r int) any { // one row in 400 differs
			if r == 3 {
				return 1 - isHigh(r)
			}
			return isHigh(r)
		})},
		{`id column "person": row 6 has the id of row 1`, set("person", func(r int) any {
			if r == 5 {
				return text("person", 0)
			}
			return text("person", r)
		})},
		{`99 rows are too few`, func(in *SealInput) { in.Table = plain.Slice(0, 99) }},
		{`slice column "person" has 600 values; at most`, func(in *SealInput) {
			in.Table = people(t, 600, 1)
			in.Spec.ID, in.Spec.Slices = "", []string{"person"}
		}},
		{`slice column "region" has a value that contains`, set("region", func(r int) any { return "a × b" })},
		{`text: column "age" was read as numbers`, func(in *SealInput) { in.Spec.Text = []string{"age"} }},
		{`text: there is no column "zip"`, func(in *SealInput) { in.Spec.Text = []string{"zip"} }},
		{`canaries: 300 are more than half`, func(in *SealInput) { in.Spec.Canaries = 300 }},
		{`canary.missing: only 0 canaries`, func(in *SealInput) {
			in.Table = column(t, plain, "coin", func(r int) any { return []string{"a", "b"}[r%2] })
			in.Spec.Features, in.Spec.Duplicates = []string{"coin"}, 50
			in.Table = column(t, in.Table, "sex", func(r int) any { return fmt.Sprint(r / 2) })
			in.Spec.Slices = []string{"sex"}
		}},
		{`reserve: column 2 is "sex" (number), want "sex" (text)`, func(in *SealInput) { in.Reserve = column(t, plain, "sex", func(int) any { return 1.0 }) }},
		{`reserve: 400 of 400 rows are also in the scored table`, func(in *SealInput) { in.Reserve = plain }},
		{`reserve: answer column`, func(in *SealInput) { in.Reserve = column(t, people(t, 200, 5), "income", func(int) any { return "?" }) }},
		{`version 0`, func(in *SealInput) { in.Version = 0 }},
		{`previous version`, func(in *SealInput) { in.Previous = "v1" }},
		{`draw a key`, func(in *SealInput) { in.Rand = strings.NewReader("short") }},
	} {
		w, in := newWorld(), input(t, plain)
		c.change(&in)
		_, err := Seal(t.Context(), in, w.store, w.keys, w.priv)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret-word") {
			t.Errorf("a value is in the message: %v", err)
		}
		if n := len(w.store.(*fakeStore).blobs); n != 0 {
			t.Errorf("%s: %d blobs were written", c.want, n)
		}
	}
}

// Copies of easy rows are counted, also in another case, with outer space or with
// noise; beyond the limit they are refused. Without the limit they get in.
func TestDuplicates(t *testing.T) {
	plain := people(t, 400, 1)
	index := make([]int, 0, 500)
	for r := range 400 {
		index = append(index, r)
	}
	for r := range 100 {
		index = append(index, r%5)
	}
	copies := plain.Take(index)
	for name, tab := range map[string]rows.Table{
		"exact": copies,
		"noise": column(t, copies, "weight", func(r int) any { c, _ := copies.Column("weight"); return c.Floats[r] + 1e-9*float64(r%7) }),
		"zero":  column(t, copies, "gain", func(r int) any { c, _ := copies.Column("gain"); return c.Floats[r] + 1e-9*float64(r%7) }),
		"case": column(t, copies, "school", func(r int) any {
			c, _ := copies.Column("school")
			return []string{c.Strings[r], strings.ToUpper(c.Strings[r]), " " + c.Strings[r]}[r%3]
		}),
	} {
		tab, err := tab.Select("age", "sex", "school", "hours", "gain", "weight", "region", "income")
		if err != nil {
			t.Fatal(err)
		}
		w, in := newWorld(), input(t, tab)
		in.Spec.ID = ""
		_, err = Seal(t.Context(), in, w.store, w.keys, w.priv)
		if err == nil || !strings.Contains(err.Error(), "holdout.duplicates: 100 of 500 rows (20.0 %)") || !strings.Contains(err.Error(), "first: row 401 repeats row 1") {
			t.Errorf("%s: %v", name, err)
		}
		in.Spec.Duplicates = 50
		in.Spec.Slices = nil // so that a case change makes no slices of one row
		if c, _ := w.seal(t, in); c.Repeats != 100 {
			t.Errorf("%s: %d repeats reported", name, c.Repeats)
		}
	}
	// Large whole numbers one apart are different rows, not noise.
	ids := column(t, plain, "weight", func(r int) any { return 1e12 + float64(r) })
	if n, _, _ := countRepeats(ids); n != 0 {
		t.Errorf("%d large numbers were taken for repeats", n)
	}
}

// A marker planted as the answer, as a feature and as a number is found nowhere in
// the store's files; in plain Arrow of the same rows it is.
func TestNothingInClear(t *testing.T) {
	marker := "0f4e1c2b9a8d7766554433221100ffee" // 32 bytes
	number := 123456.0078125
	tab := people(t, 400, 1)
	tab = column(t, tab, "income", func(r int) any { return []string{"low", marker}[r%2] })
	tab = column(t, tab, "school", func(r int) any { return marker + []string{"A", "B", "C"}[r%3] })
	tab = column(t, tab, "gain", func(r int) any { return number + float64(r%40) })
	in := input(t, tab)
	in.Spec.Classes, in.Spec.Positive, in.Spec.Slices = []string{"low", marker}, "", []string{"sex"}

	dir := t.TempDir()
	store, err := blob.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.store = store
	_, raw := w.seal(t, in)
	var all []byte
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			all = append(all, b...)
			return err
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	bits := binary.LittleEndian.AppendUint64(nil, math.Float64bits(number))
	needles := [][]byte{[]byte(marker), bits, []byte("123456.0078125")}
	for _, n := range needles {
		if bytes.Contains(all, n) {
			t.Errorf("%q is in the store", n)
		}
	}
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(e.Payload, []byte(marker+"A")) || bytes.Contains(e.Payload, needles[2]) {
		t.Error("a feature's value is in the manifest")
	}
	plain := tab.AppendBlock(nil)
	if !bytes.Contains(plain, needles[0]) || !bytes.Contains(plain, needles[1]) {
		t.Error("the negative control does not find the marker")
	}
}
