package holdout

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A SealInput is what a set is made of. Equal inputs, with a Rand that gives equal
// bytes, make an equal set.
type SealInput struct {
	Spec       Spec
	Table      rows.Table // with the answer column
	Reserve    rows.Table // fresh rows with the same columns; without columns: none
	Practice   rows.Table // rows that are given away already; without columns: Spec.Practice of Table
	Version    int        // from 1
	Previous   string     // digest of the version before, or ""
	Amends     bool       // Table is that of the version before, but for corrections
	Erased     []int      // rows of the version before, from 1, that Table lacks
	CanarySeed [32]byte   // secret like the set itself; all zero: drawn from Rand
	Rand       io.Reader  // source of the data key; nil: the system's
	Now        time.Time
}

// Seal checks a table, adds canaries and twins, encrypts everything into the store
// and signs the manifest.
//
// Only ciphertext reaches the store, chunk by chunk. A Seal that fails leaves
// chunks behind that nothing names and whose key is gone.
func Seal(ctx context.Context, in SealInput, store blob.Store, keys Keyring, officer ed25519.PrivateKey) (Sealed, error) {
	if len(officer) != ed25519.PrivateKeySize {
		return Sealed{}, errors.New("there is no officer's key to sign with")
	}
	dek := make([]byte, 32)
	defer clear(dek)
	if err := in.draw(dek); err != nil {
		return Sealed{}, err
	}
	d, err := in.draft(ctx, keys)
	if err != nil {
		return Sealed{}, err
	}
	m := manifest{Format: format, Public: d.public, Spec: in.Spec, KeyCheck: keyCheck(dek)}
	for i, t := range d.parts {
		sealed, err := sealPart(ctx, m.Public, partNames[i], dek, t, store)
		if err != nil {
			return Sealed{}, err
		}
		m.Parts = append(m.Parts, sealed)
	}
	m.Public.RowRoot = m.Parts[0].Root
	wrapped, err := keys.Wrap(ctx, dek, keyContext(in.Spec.Name, in.Version))
	if err != nil {
		return Sealed{}, fmt.Errorf("wrap the data key: %w", err)
	}
	if err := m.check(); err != nil { // never sign what a reader would refuse
		return Sealed{}, err
	}
	raw, err := m.sign(officer)
	if err != nil {
		return Sealed{}, fmt.Errorf("sign the manifest: %w", err)
	}
	return Sealed{m.commitment(), raw, wrapped}, nil
}

// draw fills b from Rand. The data key is drawn first, the canary seed second.
func (in SealInput) draw(b []byte) error {
	r := in.Rand
	if r == nil {
		r = rand.Reader
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("draw a key: %w", err)
	}
	return nil
}

func sealPart(ctx context.Context, c Commitment, name string, dek []byte, t rows.Table, store blob.Store) (part, error) {
	p := part{Name: name, Fields: t.Fields(), Rows: t.Len(), Root: rowRoot(dek, name, t), Chunks: []chunk{}}
	sizes, err := cut(t)
	if err != nil {
		return p, fmt.Errorf("part %s: %w", name, err)
	}
	key := partKey(dek, name)
	first := 0
	var sealed []byte
	for i, n := range sizes {
		at := place{c.Name, c.Version, name, i, len(sizes), first, n}
		sealed = sealChunk(key, at, t.Slice(first, first+n), sealed)
		ref, err := store.Put(ctx, sealed)
		if err != nil {
			return p, fmt.Errorf("seal %s: %w", at, err)
		}
		p.Chunks = append(p.Chunks, chunk{ref, len(sealed), n})
		first += n
	}
	return p, nil
}
