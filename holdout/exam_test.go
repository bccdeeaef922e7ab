package holdout

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// What Open gives is the curator's table again: features in the order of the
// commitment, each row's class and slice values; canaries and twins as they are
// made from it; and nothing of the reserve.
func TestExam(t *testing.T) {
	w := newWorld()
	in := input(t, people(t, 1000, 1))
	in.Reserve = people(t, 300, 2)
	c, raw := w.seal(t, in)
	g, err := w.grant(t, c, raw)
	if err != nil {
		t.Fatal(err)
	}
	w.forget(t, g, partReserve) // a part that is not there cannot have been opened
	e, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, tab := range map[string]rows.Table{"inputs": e.Inputs, "canaries": e.Canaries, "twins": e.Twins} {
		if err := tab.SameFields(c.Features); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if e.Inputs.Len() != c.Rows || e.Canaries.Len() != c.Canaries || e.Twins.Len() != c.Twins {
		t.Errorf("%d rows, %d canaries, %d twins", e.Inputs.Len(), e.Canaries.Len(), e.Twins.Len())
	}
	want, err := in.Table.Select(in.Spec.Features...)
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, "inputs", e.Inputs, want)
	income, _ := in.Table.Column("income")
	for r, k := range e.Labels {
		if c.Classes[k] != income.Strings[r] {
			t.Fatalf("row %d has class %d", r, k)
		}
	}
	for i, s := range e.Slices {
		col, _ := in.Table.Column(in.Spec.Slices[i])
		for r, k := range s.Codes {
			if s.Name != col.Name || s.Values[k] != col.Strings[r] {
				t.Fatalf("slice column %s, row %d", s.Name, r)
			}
		}
	}
	if len(e.Slices) != 3 || len(e.Labels) != 1000 {
		t.Errorf("%d slice columns, %d labels", len(e.Slices), len(e.Labels))
	}
	canaries, flipped := Canaries(want, e.Labels, 2, c.Canaries, in.CanarySeed)
	twins, of := Twins(want, c.Twins, in.CanarySeed)
	sameRows(t, "canaries", e.Canaries, canaries)
	sameRows(t, "twins", e.Twins, twins)
	if !slices.Equal(e.CanaryLabels, flipped) || !slices.Equal(e.TwinOf, of) {
		t.Error("flipped labels or originals are others")
	}
}

func sameRows(t *testing.T, name string, got, want rows.Table) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Fatalf("%s: %d rows, want %d", name, got.Len(), want.Len())
	}
	for r := range got.Len() {
		if !bytes.Equal(got.AppendCanonical(nil, r), want.AppendCanonical(nil, r)) {
			t.Fatalf("%s: row %d differs", name, r)
		}
	}
}

// forget takes the chunks of a part out of the store, and puts them back when the
// returned function is called.
func (w *world) forget(t *testing.T, g Grant, name string) (undo func()) {
	t.Helper()
	store := w.store.(*fakeStore)
	p, err := g.m.part(name)
	if err != nil {
		t.Fatal(err)
	}
	was := map[blob.Ref][]byte{}
	for _, ch := range p.Chunks {
		was[ch.Blob] = store.blobs[ch.Blob]
		delete(store.blobs, ch.Blob)
	}
	return func() {
		for ref, b := range was {
			store.blobs[ref] = b
		}
	}
}

// An exam is complete or an error: whatever part is missing, cut or changed.
func TestExamRefuses(t *testing.T) {
	if e, err := (Grant{}).Open(t.Context()); !errors.Is(err, ErrNoGrant) || e != nil {
		t.Errorf("zero grant: %v, %v", e, err)
	}
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 400, 1)))
	g, err := w.grant(t, c, raw)
	if err != nil {
		t.Fatal(err)
	}
	store := w.store.(*fakeStore)
	for _, name := range []string{partScored, partCanaries, partTwins} {
		undo := w.forget(t, g, name)
		if e, err := g.Open(t.Context()); !errors.Is(err, ErrDigestMismatch) || e != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
		undo()
		p, _ := g.m.part(name)
		store.blobs[p.Chunks[0].Blob][99] ^= 1
		if e, err := g.Open(t.Context()); !errors.Is(err, ErrDigestMismatch) || e != nil {
			t.Errorf("%s is changed: %v", name, err)
		}
		store.blobs[p.Chunks[0].Blob][99] ^= 1
	}
	if _, err := g.Open(t.Context()); err != nil {
		t.Fatalf("put back: %v", err)
	}
	// What even the officer's signature does not make true.
	parts, err := g.open(t.Context(), partScored, partCanaries, partTwins)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(m *manifest){
		"part scored has 400 rows, committed are 401": func(m *manifest) { m.Public.Rows++ },
		"part canaries has 40 rows, committed are 39": func(m *manifest) { m.Public.Canaries-- },
		"part twins has 100 rows, committed are 0":    func(m *manifest) { m.Public.Twins = 0 },
		`part scored: column 1 is "age" (number)`:     func(m *manifest) { slices.Reverse(m.Public.Features) },
		"of 400 rows have an answer that is not":      func(m *manifest) { m.Spec.Classes[1] = "hihg" },
	} {
		m, err := verifyManifest(raw, w.pub)
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		if e, err := m.exam(parts[0], parts[1], parts[2]); err == nil || !strings.Contains(err.Error(), want) || e != nil {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// An answer is in no file of the store. In what is public it stands only where
// classes are named, as often with 40 rows that have it as with 200. An answer
// that is no class is refused, and the refusal does not repeat it.
func TestAnswersStaySealed(t *testing.T) {
	const marker = "6d61726b65722d6f662d616e2d616e73"
	times := map[int]int{}
	for _, one := range []int{2, 10} {
		tab := column(t, people(t, 400, 1), "income", func(r int) any {
			if r%one == 0 {
				return marker
			}
			return "low"
		})
		in := input(t, tab)
		in.Spec.Classes, in.Spec.Positive = []string{"low", marker}, ""
		w, dir := newWorld(), t.TempDir()
		var err error
		if w.store, err = blob.OpenDir(dir); err != nil {
			t.Fatal(err)
		}
		c, raw := w.seal(t, in)
		for path, b := range filesBelow(t, dir) {
			if bytes.Contains(b, []byte(marker)) {
				t.Errorf("the marker is in %s", path)
			}
		}
		var e envelope
		public, err := json.Marshal(c)
		if err := errors.Join(err, json.Unmarshal(raw, &e)); err != nil {
			t.Fatal(err)
		}
		times[one] = bytes.Count(public, []byte(marker)) + bytes.Count(e.Payload, []byte(marker))
		if bytes.Contains(raw, []byte(marker)) {
			t.Error("the marker is in the envelope's own text")
		}

		in.Spec.Classes = []string{"low", "high"}
		if _, err := Seal(t.Context(), in, w.store, w.keys, w.priv); err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("an answer that is no class: %v", err)
		}
		// Negative control: the same search finds it in a plain file.
		plain := filepath.Join(dir, "plain")
		if err := os.WriteFile(plain, tab.AppendJSON(nil, 0), 0o600); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(filesBelow(t, dir)[plain], []byte(marker)) {
			t.Error("the negative control does not find the marker")
		}
	}
	// Commitment: classes, size of the class. Manifest: the same, and the spec's classes.
	if times[2] != 5 || times[10] != 5 {
		t.Errorf("the marker is in public text %d and %d times, want 5", times[2], times[10])
	}
}

func filesBelow(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
