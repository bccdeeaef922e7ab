package holdout

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// Keep seals bytes that follow from a set's rows without being part of it, such as what
// models answered to them, under the set's data key: who destroys the key destroys them
// too. Whoever opens them must name the same purpose, such as the id of a run. Equal
// bytes give equal bytes, and no two different ones share a key.
func (g Grant) Keep(ctx context.Context, purpose string, b []byte) ([]byte, error) {
	if g.v == nil || g.m == nil {
		return nil, ErrNoGrant
	}
	dek, err := g.m.unwrap(ctx, g.v.keys, g.key)
	if err != nil {
		return nil, err
	}
	defer clear(dek)
	purpose = g.m.purpose(purpose)
	name := keptName(dek, purpose, b)
	return newGCM(keptKey(dek, name)).Seal(name, make([]byte, 12), b, []byte(purpose)), nil
}

// Kept opens what Keep sealed of this set for this purpose.
func (c *Custodian) Kept(purpose string, sealed []byte) ([]byte, error) {
	if c.dek == nil || len(sealed) < sha256.Size {
		return nil, fmt.Errorf("what was kept of %s: %w", purpose, ErrWrongKey)
	}
	name, bound := sealed[:sha256.Size], c.m.purpose(purpose)
	b, err := newGCM(keptKey(c.dek, name)).Open(nil, make([]byte, 12), sealed[sha256.Size:], []byte(bound))
	if err != nil || !hmac.Equal(name, keptName(c.dek, bound, b)) {
		return nil, fmt.Errorf("what was kept of %s: %w", purpose, ErrWrongKey)
	}
	return b, nil
}

// purpose binds what is kept to this very version of the set.
func (m *manifest) purpose(of string) string { return m.commitment().Digest + "/" + of }

// keptName is a MAC of what is kept. Its key is no other's.
func keptName(dek []byte, purpose string, b []byte) []byte {
	return mac(derive(dek, "proctor/holdout/1/kept/name"), []byte(purpose), b)
}

func keptKey(dek, name []byte) []byte {
	return mac(derive(dek, "proctor/holdout/1/kept/key"), name)
}
