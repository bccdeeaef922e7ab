package rows

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

func table(t *testing.T) Table {
	t.Helper()
	tab, err := New(
		Column{Name: "age", Floats: []float64{25, 38.5, math.Copysign(0, -1)}},
		Column{Name: "note", Strings: []string{"", `say "hi"`, "zwölf\n"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// What New refuses, and the part of the message that says where.
func TestNewRefuses(t *testing.T) {
	for want, cols := range map[string][]Column{
		`column "a", row 2`:         {{Name: "a", Floats: []float64{1, math.NaN()}}},
		`row 1: +Inf`:               {{Name: "a", Floats: []float64{math.Inf(1)}}},
		`column "a" appears twice`:  {{Name: "a", Floats: []float64{1}}, {Name: "a", Floats: []float64{1}}},
		`column 1 has no valid`:     {{Floats: []float64{1}}},
		`neither numbers nor`:       {{Name: "a"}},
		`"b" has 1 values`:          {{Name: "a", Floats: []float64{1, 2}}, {Name: "b", Strings: []string{"x"}}},
		`row 1: not valid UTF-8`:    {{Name: "a", Strings: []string{"\xff"}}},
		`row 1: not valid UTF-8 of`: {{Name: "a", Strings: []string{strings.Repeat("x", MaxString+1)}}},
	} {
		if _, err := New(cols...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// A row's JSON reads back as the same values, in column order.
func TestJSON(t *testing.T) {
	tab := table(t)
	want := []string{`{"age":25,"note":""}`, `{"age":38.5,"note":"say \"hi\""}`, `{"age":-0,"note":"zwölf\n"}`}
	for r := range tab.Len() {
		got := tab.AppendJSON(nil, r)
		if string(got) != want[r] {
			t.Errorf("row %d: %s, want %s", r, got, want[r])
		}
		var back map[string]any
		if err := json.Unmarshal(got, &back); err != nil || back["note"] != tab.cols[1].Strings[r] || back["age"] != tab.cols[0].Floats[r] {
			t.Errorf("row %d reads back as %v, %v", r, back, err)
		}
	}
}

// Canonical bytes depend on content only: not on position, not on the sign of
// zero; and no two different rows share them.
func TestCanonical(t *testing.T) {
	tab := table(t)
	twice := tab.Take([]int{2, 0, 2})
	if !bytes.Equal(twice.AppendCanonical(nil, 0), twice.AppendCanonical(nil, 2)) {
		t.Error("equal rows differ")
	}
	plus, _ := New(Column{Name: "a", Floats: []float64{0, math.Copysign(0, -1)}})
	if !bytes.Equal(plus.AppendCanonical(nil, 0), plus.AppendCanonical(nil, 1)) {
		t.Error("0 and -0 differ")
	}
	// Without lengths "ab"+"c" and "a"+"bc" would be one.
	pair, _ := New(Column{Name: "x", Strings: []string{"ab", "a"}}, Column{Name: "y", Strings: []string{"c", "bc"}})
	if bytes.Equal(pair.AppendCanonical(nil, 0), pair.AppendCanonical(nil, 1)) {
		t.Error("different rows are the same bytes")
	}
}

func TestRecordRoundTrip(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	tab := table(t)
	rec := tab.Record(mem)
	defer rec.Release()
	back, err := FromRecord(rec)
	if err != nil {
		t.Fatal(err)
	}
	for r := range tab.Len() {
		if !bytes.Equal(tab.AppendCanonical(nil, r), back.AppendCanonical(nil, r)) {
			t.Errorf("row %d changed", r)
		}
	}
}

func TestShape(t *testing.T) {
	tab := table(t)
	both, err := Concat(tab.Slice(0, 1), tab.Slice(1, 3))
	if err != nil || both.Len() != 3 || both.cols[0].Floats[1] != 38.5 {
		t.Errorf("%v %v", both, err)
	}
	if _, err := Concat(tab, Table{}); err == nil {
		t.Error("tables of different fields were joined")
	}
	if _, err := tab.Select("age", "hours"); err == nil || !strings.Contains(err.Error(), `no column "hours"`) {
		t.Errorf("%v", err)
	}
	s, err := tab.Select("note")
	if err != nil || s.SameFields([]Field{{"note", true}}) == nil || s.SameFields([]Field{{"note", false}}) != nil {
		t.Error("fields")
	}
}
