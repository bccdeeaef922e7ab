package holdout

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
)

// Rewrap wraps the data key of a set anew, with the first key of the keyring. The set
// itself and its digest stay.
func Rewrap(ctx context.Context, r Request, keys Keyring, officer ed25519.PublicKey) ([]byte, error) {
	m, dek, err := dataKey(ctx, r, keys, officer)
	if err != nil {
		return nil, err
	}
	defer clear(dek)
	return keys.Wrap(ctx, dek, keyContext(m.Public.Name, m.Public.Version))
}

func dataKey(ctx context.Context, r Request, keys Keyring, officer ed25519.PublicKey) (*manifest, []byte, error) {
	m, err := pinned(r.Manifest, r.Commitment, officer)
	if err != nil {
		return nil, nil, err
	}
	dek, err := m.unwrap(ctx, keys, r.Key)
	return m, dek, err
}

// An Escrow is the data key of one version of a set, for somebody who keeps it apart
// from the service. It is as secret as the rows.
type Escrow struct {
	Format  string `json:"format"`
	Holdout string `json:"holdout"`
	Version int    `json:"version"`
	Digest  string `json:"digest"`
	Key     []byte `json:"data_key"`
}

const escrowFormat = "proctor/escrow/1"

// ExportKey returns what is to be encrypted for whom keeps it.
func ExportKey(ctx context.Context, r Request, keys Keyring, officer ed25519.PublicKey) ([]byte, error) {
	m, dek, err := dataKey(ctx, r, keys, officer)
	if err != nil {
		return nil, err
	}
	defer clear(dek)
	return json.Marshal(Escrow{escrowFormat, m.Public.Name, m.Public.Version, m.digest, dek})
}

// ImportKey wraps an exported data key again, if it is the one that the set was
// sealed with.
func ImportKey(ctx context.Context, exported []byte, r Request, keys Keyring, officer ed25519.PublicKey) ([]byte, error) {
	var e Escrow
	if err := strict(exported, &e); err != nil || e.Format != escrowFormat {
		return nil, errors.New("this is no exported data key")
	}
	defer clear(e.Key)
	m, err := pinned(r.Manifest, r.Commitment, officer)
	if err != nil {
		return nil, err
	}
	if len(e.Key) != 32 || e.Digest != m.digest || keyCheck(e.Key) != m.KeyCheck {
		return nil, fmt.Errorf("the data key is not that of %s version %d", m.Public.Name, m.Public.Version)
	}
	return keys.Wrap(ctx, e.Key, keyContext(m.Public.Name, m.Public.Version))
}
