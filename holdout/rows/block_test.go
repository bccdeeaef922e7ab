package rows

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// The form of a block, byte by byte: it is what sealed chunks hold.
func TestBlockForm(t *testing.T) {
	tab, err := New(Column{Name: "n", Floats: []float64{1, -2.5}}, Column{Name: "s", Strings: []string{"a", "bc"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x04\xc0\x01\x00\x00\x00\x02\x00\x00\x00abc"
	if got := tab.AppendBlock([]byte("x")); string(got) != "x"+want {
		t.Errorf("%q", got)
	}
}

// What is no block of the fields and rows is refused with what is wrong, whatever
// its lengths claim.
func TestBlockRefuses(t *testing.T) {
	number := func(v float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)) }
	text := func(claim uint32, s string) []byte { return append(binary.LittleEndian.AppendUint32(nil, claim), s...) }
	for name, c := range map[string]struct {
		block []byte
		n     int
		want  string
	}{
		"good":            {append(number(1), text(3, "abc")...), 1, ""},
		"nothing":         {nil, 1, "not one of"},
		"fewer rows":      {append(number(1), text(3, "abc")...), 0, "not one of"},
		"more rows":       {append(number(1), text(3, "abc")...), 2, "not one of"},
		"negative":        {nil, -1, "not one of"},
		"NaN":             {append(number(math.NaN()), text(0, "")...), 1, "not a finite"},
		"infinity":        {append(number(math.Inf(-1)), text(0, "")...), 1, "not a finite"},
		"long text":       {append(number(1), text(4, "abc")...), 1, "not one of"},
		"huge claim":      {append(number(1), text(math.MaxUint32, "abc")...), 1, "not one of"},
		"a byte after it": {append(number(1), text(3, "abcd")...), 1, "not one of"},
		"no UTF-8":        {append(number(1), text(1, "\xff")...), 1, "not valid UTF-8"},
		"half characters": {bytes.Join([][]byte{number(1), number(1), text(1, ""), text(1, "ö")}, nil), 2, "not valid UTF-8"},
	} {
		b, err := NewBuilder([]Field{{"n", true}, {"s", false}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = b.Append(c.block, c.n)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewBuilder([]Field{{"n", true}, {"n", false}}, 1); err == nil {
		t.Error("two columns of one name")
	}
}
