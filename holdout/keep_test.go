package holdout

import (
	"bytes"
	"errors"
	"testing"
)

// What is kept of a set is opened by its own key and for its own purpose only.
func TestKept(t *testing.T) {
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	g, err := w.vault(&memoryLedger{budget: 5}).Grant(t.Context(), Request{RunID: "r1", Lineage: "l", Commitment: c, Manifest: raw, Key: w.key(t, raw)})
	if err != nil {
		t.Fatal(err)
	}
	said := []byte("what a model answered")
	sealed, err := g.Keep(t.Context(), "r1", said)
	if err != nil || bytes.Contains(sealed, said) {
		t.Fatalf("%q %v", sealed, err)
	}
	again, err := g.Keep(t.Context(), "r1", said)
	if err != nil || !bytes.Equal(again, sealed) {
		t.Errorf("equal bytes are sealed to others: %v", err)
	}
	k := w.hold(t, c, raw)
	if got, err := k.Kept("r1", sealed); err != nil || !bytes.Equal(got, said) { // the control of all below
		t.Fatalf("%q %v", got, err)
	}
	turned := bytes.Clone(sealed)
	turned[len(turned)-1] ^= 1
	named := bytes.Clone(sealed)
	named[0] ^= 1
	for name, f := range map[string]func() ([]byte, error){
		"another run":   func() ([]byte, error) { return k.Kept("r2", sealed) },
		"a flipped bit": func() ([]byte, error) { return k.Kept("r1", turned) },
		"another name":  func() ([]byte, error) { return k.Kept("r1", named) },
		"cut off":       func() ([]byte, error) { return k.Kept("r1", sealed[:10]) },
		"nothing":       func() ([]byte, error) { return k.Kept("r1", nil) },
		"a closed set":  func() ([]byte, error) { var closed Custodian; return closed.Kept("r1", sealed) },
		"another set": func() ([]byte, error) {
			c2, raw2 := w.seal(t, input(t, people(t, 300, 2)))
			return w.hold(t, c2, raw2).Kept("r1", sealed)
		},
	} {
		if got, err := f(); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := (Grant{}).Keep(t.Context(), "r1", said); !errors.Is(err, ErrNoGrant) {
		t.Errorf("without a grant: %v", err)
	}
}
