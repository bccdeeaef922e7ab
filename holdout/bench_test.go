package holdout

import (
	"testing"

	"proctor/holdout/rows"
)

// big makes about 32 MB of values.
func big(b *testing.B) rows.Table {
	small := people(b, 20_000, 1)
	all := make([]rows.Table, 16)
	for i := range all {
		all[i] = small
	}
	t, err := rows.Concat(all...)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func size(t rows.Table) (n int64) {
	for _, c := range t.Columns() {
		n += 8 * int64(len(c.Floats))
		for _, s := range c.Strings {
			n += 4 + int64(len(s))
		}
	}
	return n
}

// Chunks, row root and store in memory; the checks on the table are apart.
func BenchmarkSealPart(b *testing.B) {
	t := big(b)
	b.SetBytes(size(t))
	for b.Loop() {
		if _, err := sealPart(b.Context(), Commitment{Name: "x", Version: 1}, partScored, make([]byte, 32), t, newFake()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenPart(b *testing.B) {
	t, w := big(b), newWorld()
	p, err := sealPart(b.Context(), Commitment{Name: "x", Version: 1}, partScored, make([]byte, 32), t, w.store)
	if err != nil {
		b.Fatal(err)
	}
	m := &manifest{Public: Commitment{Name: "x", Version: 1}, Parts: []part{p}}
	b.SetBytes(size(t))
	for b.Loop() {
		if _, err := m.read(b.Context(), w.store, partScored, make([]byte, 32)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRowRoot(b *testing.B) {
	t := big(b)
	b.SetBytes(size(t))
	for b.Loop() {
		rowRoot(make([]byte, 32), partScored, t)
	}
}

func BenchmarkSealAll(b *testing.B) {
	in := input(b, people(b, 16_281, 1))
	b.SetBytes(size(in.Table))
	for b.Loop() {
		in.Rand = stream("seal")
		newWorld().seal(b, in)
	}
}
