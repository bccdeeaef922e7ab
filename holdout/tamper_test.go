package holdout

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// flips is how many places of each chunk are tried: 420 in the suite, 4000 for more
// than 20,000 in all.
var flips = flag.Int("flips", 420, "random places of each chunk whose bit is flipped")

// wide makes a table of several chunks: 300 rows with 12 kB of text each.
func wide(t testing.TB, seed uint64) rows.Table {
	t.Helper()
	tab := people(t, 300, seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	notes := make([]string, tab.Len())
	for r := range notes {
		b := make([]byte, 12_000)
		for i := range b {
			b[i] = "abcdefgh ijklmno"[rng.IntN(16)]
		}
		notes[r] = string(b)
	}
	out, err := with(tab, rows.Column{Name: "note", Strings: notes})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sealWide(t testing.TB, w *world, version int) (Commitment, []byte) {
	t.Helper()
	in := input(t, wide(t, uint64(version)))
	in.Spec.Features = append(in.Spec.Features, "note")
	in.Version = version
	return w.seal(t, in)
}

// grant opens without a budget.
func (w *world) grant(t testing.TB, c Commitment, raw []byte) (Grant, error) {
	t.Helper()
	return w.vault(&memoryLedger{budget: 1 << 30}).Grant(t.Context(), Request{RunID: "r", Lineage: "l", Commitment: c, Manifest: raw, Key: w.key(t, raw)})
}

func builder(t testing.TB, p part) *rows.Builder {
	t.Helper()
	b, err := rows.NewBuilder(p.Fields, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// One bit changed anywhere in a chunk, at thousands of seeded places and in every
// byte of its head and tail, is refused; no rows come out. The store of this test
// does not re-hash, so it is the encryption alone that notices.
func TestBitFlips(t *testing.T) {
	w := newWorld()
	c, raw := sealWide(t, w, 1)
	g, err := w.grant(t, c, raw)
	if err != nil {
		t.Fatal(err)
	}
	dek, err := g.m.unwrap(t.Context(), w.keys, g.key)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	store := w.store.(*fakeStore)
	tried := 0
	for _, p := range g.m.Parts {
		key := partKey(dek, p.Name)
		for i, at := range g.m.places(p) {
			sealed := store.blobs[p.Chunks[i].Blob]
			spots := []int{}
			for k := range 64 {
				spots = append(spots, k, len(sealed)-1-k)
			}
			for range *flips {
				spots = append(spots, rng.IntN(len(sealed)))
			}
			for _, k := range spots {
				bit := byte(1) << rng.IntN(8)
				sealed[k] ^= bit
				b := builder(t, p)
				_, err := readChunk(t.Context(), store, key, at, b, p.Chunks[i], nil)
				sealed[k] ^= bit
				if !errors.Is(err, ErrDigestMismatch) || b.Table().Len() != 0 {
					t.Fatalf("%s, byte %d: %v", at, k, err)
				}
				tried++
			}
			if _, err := readChunk(t.Context(), store, key, at, builder(t, p), p.Chunks[i], nil); err != nil {
				t.Fatalf("%s, put back: %v", at, err)
			}
		}
	}
	if tried < 3000 {
		t.Errorf("only %d places were tried", tried)
	}
}

// A changed manifest is refused: by the pin at every byte; by the signature and
// the one written form, without the pin, at every byte of its head and tail and at
// seeded places between.
func TestManifestFlips(t *testing.T) {
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	bad := bytes.Clone(raw)
	for i := range raw {
		bad[i] ^= 1 << (i % 8)
		if _, err := pinned(bad, c, w.pub); !errors.Is(err, ErrDigestMismatch) {
			t.Fatalf("byte %d: %v", i, err)
		}
		bad[i] = raw[i]
	}
	rng := rand.New(rand.NewPCG(4, 4))
	var spots []int
	for k := range 400 {
		spots = append(spots, k, len(raw)-1-k, rng.IntN(len(raw)))
	}
	for _, i := range spots {
		for _, bit := range []byte{1, 1 << 3, 1 << 5} { // 1<<5 turns the case of a letter
			bad[i] ^= bit
			if _, err := verifyManifest(bad, w.pub); !errors.Is(err, ErrDigestMismatch) {
				t.Fatalf("byte %d: %v", i, err)
			}
			bad[i] ^= bit
		}
	}
	for name, other := range map[string][]byte{"empty": nil, "cut": raw[:len(raw)-1], "newline": append(bytes.Clone(raw), '\n'), "twice": append(bytes.Clone(raw), raw...), "payload only": []byte(`{"payload":"e30=","signature":""}`)} {
		if _, err := verifyManifest(other, w.pub); !errors.Is(err, ErrDigestMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := newWorld()
	stranger.pub = append([]byte(nil), stranger.pub...)
	stranger.pub[0] ^= 1
	if _, err := verifyManifest(raw, stranger.pub); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("another officer: %v", err)
	}
}

// Chunks swapped, dropped, taken from another part, set or version are refused. In
// a set without places in its associated data each of these gives other rows and
// no error.
func TestChunksElsewhere(t *testing.T) {
	w := newWorld()
	c1, raw1 := sealWide(t, w, 1)
	c2, raw2 := sealWide(t, w, 2)
	store := w.store.(*fakeStore)
	g1, err1 := w.grant(t, c1, raw1)
	g2, err2 := w.grant(t, c2, raw2)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	p1, p2 := g1.m.Parts[0], g2.m.Parts[0]
	if len(p1.Chunks) < 3 || len(p2.Chunks) < 3 {
		t.Fatalf("%d and %d chunks", len(p1.Chunks), len(p2.Chunks))
	}
	// The attacker may sign nothing, but writes to a store that does not re-hash.
	expect := func(name string, change func()) {
		t.Helper()
		saved := map[blob.Ref][]byte{}
		for k, v := range store.blobs {
			saved[k] = v
		}
		change()
		if tabs, err := g1.open(t.Context(), partScored); !errors.Is(err, ErrDigestMismatch) || tabs != nil {
			t.Errorf("%s: %v", name, err)
		}
		store.blobs = saved
	}
	expect("swap", func() {
		a, b := p1.Chunks[0].Blob, p1.Chunks[1].Blob
		store.blobs[a], store.blobs[b] = store.blobs[b], store.blobs[a]
	})
	expect("last chunk gone", func() { delete(store.blobs, p1.Chunks[len(p1.Chunks)-1].Blob) })
	expect("last chunk empty", func() { store.blobs[p1.Chunks[len(p1.Chunks)-1].Blob] = nil })
	expect("another version", func() { store.blobs[p1.Chunks[0].Blob] = store.blobs[p2.Chunks[0].Blob] })
	expect("another part", func() { store.blobs[p1.Chunks[0].Blob] = store.blobs[g1.m.Parts[1].Chunks[0].Blob] })
	if _, err := g1.open(t.Context(), partScored); err != nil {
		t.Fatalf("untouched: %v", err)
	}

	// Each word of a place matters, under one key.
	dek, err := g1.m.unwrap(t.Context(), w.keys, g1.key)
	if err != nil {
		t.Fatal(err)
	}
	key, at := partKey(dek, partScored), g1.m.places(p1)[1]
	for name, change := range map[string]func(*place){
		"set": func(p *place) { p.set += "x" }, "version": func(p *place) { p.version++ }, "part": func(p *place) { p.part = partReserve },
		"count": func(p *place) { p.count-- }, "first row": func(p *place) { p.firstRow-- }, "rows": func(p *place) { p.rows-- }, "index": func(p *place) { p.index-- },
	} {
		other := at
		change(&other)
		if _, err := openChunk(key, other, builder(t, p1), store.blobs[p1.Chunks[1].Blob], nil); !errors.Is(err, ErrDigestMismatch) {
			t.Errorf("another %s opens", name)
		}
	}

	// Negative control.
	n := &naive{key: newGCM(make([]byte, 32))}
	old, cur := n.seal(t, wide(t, 1)), n.seal(t, wide(t, 2))
	honest, err := n.open(cur)
	if err != nil {
		t.Fatal(err)
	}
	for name, chunks := range map[string][][]byte{
		"swap": {cur[1], cur[0], cur[2]}, "cut": cur[:len(cur)-1], "another version": {old[0], cur[1], cur[2]},
	} {
		tab, err := n.open(chunks)
		if err != nil {
			t.Errorf("negative control, %s: %v", name, err)
		} else if tab.Len() == honest.Len() && bytes.Equal(tab.AppendCanonical(nil, 0), honest.AppendCanonical(nil, 0)) {
			t.Errorf("negative control, %s: the attack changed nothing", name)
		}
	}
}

// A whole older version, validly signed, is refused by the pin and by nothing else.
func TestRollback(t *testing.T) {
	w := newWorld()
	old, oldRaw := w.seal(t, input(t, people(t, 300, 1)))
	in := input(t, people(t, 300, 2))
	in.Version, in.Previous = 2, old.Digest
	c, raw := w.seal(t, in)
	if c.Previous != old.Digest {
		t.Error("the version before is not named")
	}
	if _, err := w.grant(t, c, oldRaw); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("the older manifest: %v", err)
	}
	if _, err := verifyManifest(oldRaw, w.pub); err != nil {
		t.Errorf("negative control: the older manifest's signature does not verify: %v", err)
	}
	if err := w.audit(t, oldRaw); err != nil {
		t.Errorf("negative control: %v", err)
	}
	// A commitment that says other than its manifest, under the right digest.
	lie := c
	lie.Rows++
	if _, err := w.grant(t, lie, raw); !errors.Is(err, ErrDigestMismatch) || !strings.Contains(err.Error(), "commitment's rows") {
		t.Errorf("%v", err)
	}
	lie = c
	lie.Sketch = lie.Sketch[:5]
	if _, err := w.grant(t, lie, raw); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("a cut sketch: %v", err)
	}
}

// Audit names the first damaged chunk and where it lies, and a commitment that
// does not follow from the rows even when the officer signed it.
func TestAudit(t *testing.T) {
	w := newWorld()
	dir := t.TempDir()
	store, err := blob.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	c, raw := sealWide(t, w, 1)
	audit := func(raw []byte) error { return w.audit(t, raw) }
	if err := audit(raw); err != nil {
		t.Fatal(err)
	}
	m, err := verifyManifest(raw, w.pub)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(change func(m *manifest)) []byte {
		m, err := verifyManifest(raw, w.pub)
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		out, err := m.sign(w.priv)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for want, change := range map[string]func(*manifest){
		"commitment's class_counts is not what follows": func(m *manifest) { m.Public.ClassCounts[0]++ },
		"commitment's slice_sizes is not what follows":  func(m *manifest) { m.Public.SliceSizes["sex"]["Male"]++ },
		"commitment's sketch is not what follows":       func(m *manifest) { m.Public.Sketch[9] = m.Public.Sketch[8] },
		"commitment's repeats is not what follows":      func(m *manifest) { m.Public.Repeats = 3 },
		"commitment's row_root is not what follows":     func(m *manifest) { m.Public.RowRoot = m.Parts[1].Root },
		"part twins has the row root":                   func(m *manifest) { m.Parts[2].Root = m.Parts[1].Root },
		"part 1 is \"scored\" with 300 rows, want":      func(m *manifest) { m.Public.Rows-- },
	} {
		if err := audit(sign(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	damage(t, dir, m.Parts[0].Chunks[2].Blob)
	err = audit(raw)
	from := m.Parts[0].Chunks[0].Bytes + m.Parts[0].Chunks[1].Bytes
	if !errors.Is(err, ErrDigestMismatch) || !strings.Contains(err.Error(), "part scored, chunk 3 of 4") || !strings.Contains(err.Error(), "bytes "+itoa(from)+" to ") {
		t.Errorf("%v", err)
	}
	g, err := w.grant(t, c, raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.open(t.Context(), partScored); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("open: %v", err)
	}
}
