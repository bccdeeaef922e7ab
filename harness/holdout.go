package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"proctor/harness/access"
	"proctor/harness/intake"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/holdout/blob"
	"proctor/web/api"
)

// A HoldoutProposal is a table to be sealed.
type HoldoutProposal struct {
	Spec    []byte // YAML
	Format  string // csv or jsonl, of both tables
	Table   io.Reader
	Reserve io.Reader // nil: no reserve
}

// ProposeHoldout seals a table and proposes the sealed set. The rows are decoded
// in a jailed child and leave this call only encrypted.
func (s *Service) ProposeHoldout(ctx context.Context, p access.Principal, h HoldoutProposal) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return api.Change{}, err
	}
	spec, err := holdout.ParseSpec(h.Spec)
	if err != nil {
		return api.Change{}, refuse(Usage, "seal specification: %v", err)
	}
	in := holdout.SealInput{Spec: spec, Rand: s.Rand, Now: s.Now()}
	opt := intake.Options{Text: spec.TextColumns()}
	if in.Table, err = intake.Decode(ctx, h.Format, h.Table, opt); err != nil {
		return api.Change{}, usersFault("table", err)
	}
	if h.Reserve != nil {
		if in.Reserve, err = intake.Decode(ctx, h.Format, h.Reserve, opt); err != nil {
			return api.Change{}, usersFault("reserve", err)
		}
	}
	if s.CanarySeed != nil {
		in.CanarySeed = *s.CanarySeed
	} else if _, err := io.ReadFull(s.Rand, in.CanarySeed[:]); err != nil {
		return api.Change{}, err
	}
	if err := s.Store.View(ctx, func(tx *store.Tx) error {
		v, err := tx.NextVersion("holdout", spec.Name)
		in.Version = int(v)
		if err == nil && v > 1 {
			var d store.Document
			if d, err = tx.Active("holdout", spec.Name); err == nil {
				in.Previous = d.Digest
			} else if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
		}
		return err
	}); err != nil {
		return api.Change{}, err
	}
	blobs := &noting{Store: s.Blobs}
	sealed, err := holdout.Seal(ctx, in, blobs, s.Keyring, s.Officer)
	if blobs.failed { // the disk's fault and not the table's
		return api.Change{}, fmt.Errorf("seal %s: %w", spec.Name, err)
	}
	if err != nil {
		return api.Change{}, refuse(Usage, "seal %s: %v", spec.Name, err)
	}
	c := sealed.Commitment
	note := fmt.Sprintf("%s version %d: %d rows sealed, %d in reserve, %d canaries, %d twins", c.Name, c.Version, c.Rows, c.ReserveRows, c.Canaries, c.Twins)
	return s.proposeSealed(ctx, p, sealed, note)
}

// proposeSealed stores a sealed set with its wrapped key and proposes it.
func (s *Service) proposeSealed(ctx context.Context, p access.Principal, sealed holdout.Sealed, note string) (api.Change, error) {
	body, err := json.Marshal(sealed.Commitment)
	if err != nil {
		return api.Change{}, err
	}
	d := store.Document{Digest: sealed.Digest, Kind: "holdout", Name: sealed.Name, Version: int64(sealed.Version), Body: body, Extra: sealed.Manifest}
	return s.proposeWith(ctx, p, d, note, func(tx *store.Tx) error { return tx.SetHoldoutKey(sealed.Digest, sealed.Key) })
}

// noting notes that a write failed. One goroutine uses it.
type noting struct {
	blob.Store
	failed bool
}

func (n *noting) Put(ctx context.Context, b []byte) (blob.Ref, error) {
	ref, err := n.Store.Put(ctx, b)
	n.failed = n.failed || err != nil
	return ref, err
}

// holdoutKey returns the wrapped data key of a set, or none if it was destroyed.
func holdoutKey(tx *store.Tx, digest string) ([]byte, error) {
	key, err := tx.HoldoutKey(digest)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return key, err
}
