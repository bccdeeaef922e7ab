package holdout

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

// Rows that were trained on are counted under another order of columns, in other case,
// as texts and with noise of a billionth; fresh rows are not.
func TestFingerprint(t *testing.T) {
	train, fresh := people(t, 2000, 1), people(t, 500, 2)
	features := []string{"weight", "age", "sex", "school", "hours", "gain"}
	f, err := NewFingerprint(train, features)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = ParseFingerprint(f.Bytes()); err != nil {
		t.Fatal(err)
	}
	leaked := train.Take([]int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	cols := slices.Clone(leaked.Columns())
	for i, c := range cols {
		switch c.Name {
		case "sex":
			cols[i].Strings = nil
			for _, v := range c.Strings {
				cols[i].Strings = append(cols[i].Strings, " "+strings.ToUpper(v))
			}
		case "hours":
			for r := range c.Floats {
				cols[i].Floats[r] *= 1 + 1e-10
			}
		case "age":
			cols[i] = rows.Column{Name: "age", Strings: texts(c)}
		}
	}
	slices.Reverse(cols)
	changed, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		t    rows.Table
		want int
	}{"copies": {changed, 10}, "fresh": {fresh, 0}} {
		table := must(c.t.Select(features...))
		if n, err := f.Overlap(table); err != nil || n != c.want {
			t.Errorf("%s: %d shared, %v; want %d", name, n, err, c.want)
		}
	}
	if _, err := f.Overlap(must(fresh.Select("age", "sex"))); err == nil {
		t.Error("other features are compared")
	}
	s := input(t, fresh).Spec
	both := must(rows.Concat(fresh, train.Slice(0, 40)))
	if n, err := CheckTraining(s, both, f); err != nil || n != 40 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := CheckTraining(s, train, f); err == nil || !strings.Contains(err.Error(), "holdout.trained_on: 2000 of 2000") {
		t.Errorf("%v", err)
	}
	if text := string(f.Bytes()); strings.Contains(text, "Masters") || strings.Contains(text, "high") {
		t.Error("a fingerprint has values of rows")
	}
}

// A text is known by 13 words in a row of it, whatever stands around them; by 12 it is
// not, or every usual phrase would be a leak.
func TestFingerprintOfTexts(t *testing.T) {
	var words []string
	for i := range 40 {
		words = append(words, fmt.Sprint("w", i))
	}
	table := func(text ...string) rows.Table { return must(rows.New(rows.Column{Name: "text", Strings: text})) }
	f := must(NewFingerprint(table(strings.Join(words, " ")), []string{"text"}))
	for _, c := range []struct {
		text string
		want int
	}{
		{"Something else; then " + strings.ToUpper(strings.Join(words[5:18], ", ")) + ". And more", 1},
		{"something else " + strings.Join(words[5:17], " ") + " and more", 0},
		{strings.Join(words, " "), 1},
		{"", 0},
	} {
		if n, err := f.Overlap(table(c.text)); err != nil || n != c.want {
			t.Errorf("%q: %d, %v; want %d", c.text, n, err, c.want)
		}
	}
}

// Nothing but what is written is read, and no byte of it can be left out.
func TestParseFingerprint(t *testing.T) {
	good := must(NewFingerprint(people(t, 50, 1), []string{"age", "hours"})).Bytes()
	for i := range good {
		if f, err := ParseFingerprint(good[:i]); err == nil {
			t.Fatalf("%d bytes are read as %d hashes", i, len(f.hashes))
		}
	}
	for _, bad := range [][]byte{append(bytes.Clone(good), 0), bytes.Replace(good, []byte(`"age","hours"`), []byte(`"hours","age"`), 1), bytes.Replace(good, []byte(`"hashes":50`), []byte(`"hashes":49`), 1)} {
		if _, err := ParseFingerprint(bad); err == nil {
			t.Errorf("%.80q is read", bad)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add([]byte(`{"format":"proctor/training-fingerprint/1","features":["a"],"hashes":1}` + "\n12345678"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseFingerprint(b); err == nil && !bytes.Equal(p.Bytes(), b) {
			t.Errorf("%q is read and written as %q", b, p.Bytes())
		}
	})
}
