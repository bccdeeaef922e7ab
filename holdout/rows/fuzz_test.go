package rows

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Any table survives Arrow and blocks, whole or cut, and each row's JSON reads back as its values.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\xf0\x3fab\x00\"\\c\x80\xe2\x82\xac<&>"), uint8(3))
	f.Add([]byte{}, uint8(0))
	f.Add(bytes.Repeat([]byte{0xff}, 40), uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		numbers, words := []float64{}, []string{}
		for len(data) >= 8 {
			numbers = append(numbers, math.Float64frombits(binary.LittleEndian.Uint64(data)))
			n := min(int(data[0]), len(data))
			words = append(words, string(data[:n]))
			data = data[8:]
		}
		tab, err := New(Column{Name: "n", Floats: numbers}, Column{Name: "s", Strings: words})
		ok := true
		for r := range numbers {
			ok = ok && !math.IsNaN(numbers[r]) && !math.IsInf(numbers[r], 0) && utf8.ValidString(words[r])
		}
		if ok != (err == nil) {
			t.Fatalf("New: %v for %v %q", err, numbers, words)
		}
		if err != nil {
			return
		}
		part := tab.Slice(min(int(cut), tab.Len()), tab.Len())
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		rec := part.Record(mem)
		defer rec.Release()
		back, err := FromRecord(rec)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewBuilder(part.Fields(), 0)
		if err == nil {
			err = b.Append(part.AppendBlock(nil), part.Len())
		}
		if err != nil {
			t.Fatal(err)
		}
		fromBlock := b.Table()
		lo := min(int64(1), rec.NumRows())
		tail := rec.NewSlice(lo, rec.NumRows()) // offsets that do not begin at 0
		defer tail.Release()
		backTail, err := FromRecord(tail)
		if err != nil {
			t.Fatal(err)
		}
		for r := range part.Len() {
			want := part.AppendCanonical(nil, r)
			if !bytes.Equal(want, back.AppendCanonical(nil, r)) {
				t.Fatalf("row %d changed", r)
			}
			if !bytes.Equal(want, fromBlock.AppendCanonical(nil, r)) {
				t.Fatalf("row %d changed in a block", r)
			}
			if k := r - int(lo); k >= 0 && !bytes.Equal(want, backTail.AppendCanonical(nil, k)) {
				t.Fatalf("row %d changed in a cut record", r)
			}
			var v struct {
				N *float64 `json:"n"`
				S *string  `json:"s"`
			}
			if err := json.Unmarshal(part.AppendJSON(nil, r), &v); err != nil || *v.N != part.cols[0].Floats[r] || *v.S != part.cols[1].Strings[r] {
				t.Fatalf("row %d: %s reads back as %v, %v", r, part.AppendJSON(nil, r), v, err)
			}
		}
	})
}

// A block is taken only if it is what AppendBlock writes of the table that it gives.
func FuzzBlock(f *testing.F) {
	tab, err := New(Column{Name: "n", Floats: []float64{1, -2.5}}, Column{Name: "s", Strings: []string{"", "zwölf"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tab.AppendBlock(nil), 2)
	f.Add([]byte{}, 0)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\xf0\x7f\x00\x00\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, block []byte, n int) {
		b, err := NewBuilder(tab.Fields(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if b.Append(block, n) != nil {
			return
		}
		got := b.Table()
		if _, err := New(got.Columns()...); err != nil || got.Len() != n {
			t.Fatalf("%d rows of %d: %v", got.Len(), n, err)
		}
		if back := got.AppendBlock(nil); !bytes.Equal(back, block) {
			t.Fatalf("%x was read as %x", block, back)
		}
	})
}
