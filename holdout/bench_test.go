package holdout

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"

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

// A proof out of a tree of a million rows, checked.
func BenchmarkProveRow(b *testing.B) {
	const n = 1 << 20
	x := make([]float64, n)
	for r := range x {
		x[r] = float64(r)
	}
	t, err := rows.New(rows.Column{Name: "x", Floats: x})
	if err != nil {
		b.Fatal(err)
	}
	dek := make([]byte, 32)
	tree, err := newRowTree(dek, partScored, t)
	if err != nil {
		b.Fatal(err)
	}
	root, err := tlog.TreeHash(n, tree)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		r := i * 7919 % n
		path, err := tree.prove(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := tlog.CheckRecord(path, n, root, int64(r), tree.hashes[tlog.StoredHashIndex(0, int64(r))]); err != nil {
			b.Fatal(err)
		}
	}
}
