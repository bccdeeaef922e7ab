package holdout

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// people makes n rows whose label follows from age, hours and sex, with noise.
func people(t testing.TB, n int, seed uint64) rows.Table {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	age, hours, gain, weight := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	sex, school, region, label, person := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for r := range n {
		age[r] = float64(17 + rng.IntN(60))
		hours[r] = float64(10 + rng.IntN(60))
		if rng.IntN(12) == 0 {
			gain[r] = float64(100 * (1 + rng.IntN(300)))
		}
		weight[r] = float64(rng.IntN(9000))/10 + 40
		sex[r] = []string{"Female", "Male"}[rng.IntN(2)]
		school[r] = []string{"HS-grad", "Bachelors", "Masters", "Doctorate"}[rng.IntN(4)]
		region[r] = []string{"north", "south", "west"}[rng.IntN(3)]
		score := (age[r]-45)/20 + (hours[r]-40)/25 + gain[r]/9000 + rng.NormFloat64()*.3
		label[r] = []string{"low", "high"}[map[bool]int{true: 1}[score > 0]]
		person[r] = fmt.Sprintf("p%d-%d", seed, r)
	}
	tab, err := rows.New(
		rows.Column{Name: "person", Strings: person}, rows.Column{Name: "age", Floats: age}, rows.Column{Name: "sex", Strings: sex},
		rows.Column{Name: "school", Strings: school}, rows.Column{Name: "hours", Floats: hours}, rows.Column{Name: "gain", Floats: gain},
		rows.Column{Name: "weight", Floats: weight}, rows.Column{Name: "region", Strings: region}, rows.Column{Name: "income", Strings: label})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

const peopleSpec = `
holdout: people
answer: income
classes: [low, high]
positive: high
features: [age, sex, school, hours, gain, weight]
slices: [sex, school, region]
id: person
`

// A world is what sealing and opening need, with throwaway keys.
type world struct {
	store blob.Store
	keys  *FileKeyring
	priv  ed25519.PrivateKey
	pub   ed25519.PublicKey
	wraps map[string][]byte // wrapped data keys, by what the manifest says of the key
}

func newWorld() *world {
	priv := ed25519.NewKeyFromSeed(make([]byte, 32))
	return &world{newFake(), newFileKeyring([]byte("a key-encryption key of 32 bytes")), priv, priv.Public().(ed25519.PublicKey), map[string][]byte{}}
}

func input(t testing.TB, tab rows.Table) SealInput {
	t.Helper()
	s, err := ParseSpec([]byte(peopleSpec))
	if err != nil {
		t.Fatal(err)
	}
	return SealInput{Spec: s, Table: tab, Version: 1, CanarySeed: [32]byte{1}, Rand: stream("seal"), Now: time.Unix(1_800_000_000, 0)}
}

// stream gives the same bytes each time.
func stream(name string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(name))) }

func (w *world) seal(t testing.TB, in SealInput) (Commitment, []byte) {
	t.Helper()
	s, err := Seal(context.Background(), in, w.store, w.keys, w.priv)
	if err != nil {
		t.Fatal(err)
	}
	w.wraps[keyName(t, s.Manifest)] = s.Key
	return s.Commitment, s.Manifest
}

// key returns the wrapped data key of a set that this world sealed.
func (w *world) key(t testing.TB, raw []byte) []byte {
	t.Helper()
	return w.wraps[keyName(t, raw)]
}

// keyName is what a manifest, true or not, says its key is for.
func keyName(t testing.TB, raw []byte) string {
	t.Helper()
	var e envelope
	var m manifest
	if err := errors.Join(json.Unmarshal(raw, &e), json.Unmarshal(e.Payload, &m)); err != nil {
		t.Fatal(err)
	}
	return keyContext(m.Public.Name, m.Public.Version) + m.KeyCheck
}

func (w *world) audit(t testing.TB, raw []byte) error {
	t.Helper()
	return Audit(t.Context(), w.store, w.keys, raw, w.key(t, raw), w.pub)
}

func (w *world) vault(l Ledger) *Vault { return NewVault(w.store, w.keys, w.pub, l) }

// A fakeStore keeps blobs in memory and does not re-hash them: whoever changes one
// is stopped by nothing in the store.
type fakeStore struct {
	mu    sync.Mutex
	blobs map[blob.Ref][]byte
	gets  int
}

func newFake() *fakeStore { return &fakeStore{blobs: map[blob.Ref][]byte{}} }

func (f *fakeStore) Put(_ context.Context, b []byte) (blob.Ref, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ref := blob.RefOf(b)
	f.blobs[ref] = append([]byte(nil), b...)
	return ref, nil
}

func (f *fakeStore) Get(_ context.Context, ref blob.Ref) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	b, ok := f.blobs[ref]
	if !ok {
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, ref)
	}
	return append([]byte(nil), b...), nil
}

func (f *fakeStore) Has(_ context.Context, ref blob.Ref) (bool, error) {
	_, ok := f.blobs[ref]
	return ok, nil
}

// A memoryLedger follows the rules of [Ledger] in the plainest way.
type memoryLedger struct {
	budget int
	past   []Charge
	fail   error
}

func (l *memoryLedger) Charge(_ context.Context, c Charge) (Receipt, error) {
	if l.fail != nil {
		return Receipt{}, l.fail
	}
	used := 0.0
	for i, p := range l.past {
		if p.RunID == c.RunID && p.Holdout.Digest == c.Holdout.Digest {
			return Receipt{int64(i)}, nil
		}
		if p.Lineage == c.Lineage {
			used += Overlap(c.Holdout, p.Holdout)
		}
	}
	if used+1 > float64(l.budget)+1e-9 {
		return Receipt{}, &BudgetError{int(used + .5), l.budget}
	}
	l.past = append(l.past, c)
	return Receipt{int64(len(l.past) - 1)}, nil
}
