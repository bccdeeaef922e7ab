package holdout

import (
	"crypto/sha256"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"proctor/holdout/blob"
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

// texty makes about 32 MB of rows with a text of 1,000 to 3,000 bytes each.
func texty(b *testing.B) rows.Table {
	t := people(b, 16_000, 1)
	rng := rand.New(rand.NewPCG(1, 2))
	words := make([]byte, 3000)
	for i := range words {
		words[i] = "abcdefgh ijklmno"[rng.IntN(16)]
	}
	notes := make([]string, t.Len())
	for r := range notes {
		from := rng.IntN(1000)
		notes[r] = string(words[from : from+1000+rng.IntN(1000)])
	}
	t, err := with(t, rows.Column{Name: "note", Strings: notes})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// perCore runs f and reports the bytes of t for each second of processor time: on a
// machine that others use, seconds of the clock say little.
func perCore(b *testing.B, t rows.Table, f func()) {
	from := cpu(b)
	for b.Loop() {
		f()
	}
	spent := cpu(b) - from
	b.ReportMetric(float64(size(t))*float64(b.N)/1e6/spent.Seconds(), "MB/cpu-s")
	b.ReportMetric(float64(size(t))/float64(t.Len()), "B/row")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// shapes are narrow rows and rows with a text.
func shapes(b *testing.B, f func(*testing.B, rows.Table)) {
	for name, make := range map[string]func(*testing.B) rows.Table{"narrow": big, "text": texty} {
		b.Run(name, func(b *testing.B) { f(b, make(b)) })
	}
}

// Chunks, row root and store in memory; the checks on the table are apart.
func BenchmarkSealPart(b *testing.B) {
	shapes(b, func(b *testing.B, t rows.Table) {
		perCore(b, t, func() {
			if _, err := sealPart(b.Context(), Commitment{Name: "x", Version: 1}, partScored, make([]byte, 32), t, newFake()); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkOpenPart(b *testing.B) {
	shapes(b, func(b *testing.B, t rows.Table) {
		w := newWorld()
		p, err := sealPart(b.Context(), Commitment{Name: "x", Version: 1}, partScored, make([]byte, 32), t, w.store)
		if err != nil {
			b.Fatal(err)
		}
		m := &manifest{Public: Commitment{Name: "x", Version: 1}, Parts: []part{p}}
		perCore(b, t, func() {
			if _, err := m.read(b.Context(), w.store, partScored, make([]byte, 32)); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// A chunk somewhere in a set on disk: read, its digest, decrypted, decoded.
func BenchmarkRandomChunk(b *testing.B) {
	t := big(b)
	store, err := blob.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p, err := sealPart(b.Context(), Commitment{Name: "x", Version: 1}, partScored, make([]byte, 32), t, store)
	if err != nil {
		b.Fatal(err)
	}
	m := &manifest{Public: Commitment{Name: "x", Version: 1}, Parts: []part{p}}
	at, key := m.places(p), partKey(make([]byte, 32), partScored)
	var buf []byte
	from := cpu(b)
	for i := 0; b.Loop(); i++ {
		k := i * 7919 % (len(at) - 1)
		into, err := rows.NewBuilder(p.Fields, at[k].rows)
		if err == nil {
			buf, err = readChunk(b.Context(), store, key, at[k], into, p.Chunks[k], buf)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-from).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
	b.ReportMetric(float64(p.Chunks[0].Bytes), "B/chunk")
}

func BenchmarkRowRoot(b *testing.B) {
	shapes(b, func(b *testing.B, t rows.Table) {
		perCore(b, t, func() { rowRoot(make([]byte, 32), partScored, t) })
	})
}

// What no sealing with a salted hash a row can beat: one SHA-256 of salt and values
// for each row and one of the ciphertext, and nothing else.
func BenchmarkHashBound(b *testing.B) {
	shapes(b, func(b *testing.B, t rows.Table) {
		row := make([]byte, 1+saltSize+int(size(t))/t.Len())
		all := make([]byte, chunkTarget)
		perCore(b, t, func() {
			for range t.Len() {
				sha256.Sum256(row)
			}
			for n := size(t); n > 0; n -= int64(len(all)) {
				sha256.Sum256(all[:min(n, int64(len(all)))])
			}
		})
	})
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
	root, err := tlog.TreeHash(tree.n, tree)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		r := i * 7919 % n
		others, path, err := tree.prove(r)
		if err != nil {
			b.Fatal(err)
		}
		if !checkRow(root, tree.rows.row(t, 0, r), others, path, r, n) {
			b.Fatal("the row does not lead to the root")
		}
	}
}
