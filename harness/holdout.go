package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

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
	Format  string // csv, jsonl, parquet or arrow, of both tables
	Table   io.Reader
	Reserve io.Reader // nil: no reserve
}

// ProposeHoldout seals a table and proposes the sealed set. The rows are decoded
// in a jailed child and leave this call only encrypted.
func (s *Service) ProposeHoldout(ctx context.Context, p access.Principal, h HoldoutProposal) (api.Change, error) {
	in, err := readProposal(ctx, p, h)
	if err != nil {
		return api.Change{}, err
	}
	var old *sealedSet
	if err := s.Store.View(ctx, func(tx *store.Tx) error {
		v, err := tx.NextVersion("holdout", in.Spec.Name)
		in.Version = int(v)
		if err == nil {
			old, err = activeSet(tx, in.Spec.Name)
		}
		return err
	}); err != nil {
		return api.Change{}, err
	}
	if old != nil {
		in.Previous = old.Digest
	}
	return s.sealNext(ctx, p, in, old, "", true)
}

// readProposal decodes what a curator proposes.
func readProposal(ctx context.Context, p access.Principal, h HoldoutProposal) (in holdout.SealInput, err error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return in, err
	}
	if in.Spec, err = holdout.ParseSpec(h.Spec); err != nil {
		return in, refuse(Usage, "seal specification: %v", err)
	}
	opt := intake.Options{Text: in.Spec.TextColumns()}
	if in.Table, err = intake.Decode(ctx, h.Format, h.Table, opt); err != nil {
		return in, usersFault("table", err)
	}
	if h.Reserve != nil {
		if in.Reserve, err = intake.Decode(ctx, h.Format, h.Reserve, opt); err != nil {
			return in, usersFault("reserve", err)
		}
	}
	return in, nil
}

// sealNext seals a version and proposes it. What it would change for the lineages
// that use the version before stands in the note, so that the second person sees it:
// with figures only if the proposer brought all rows. Who chooses some of sealed ones
// would learn of the others by asking again and again.
func (s *Service) sealNext(ctx context.Context, p access.Principal, in holdout.SealInput, old *sealedSet, note string, figures bool) (api.Change, error) {
	in.Rand, in.Now = s.Rand, s.Now()
	if s.CanarySeed != nil {
		in.CanarySeed = *s.CanarySeed
	} else if _, err := io.ReadFull(s.Rand, in.CanarySeed[:]); err != nil {
		return api.Change{}, err
	}
	blobs := &noting{Store: s.Blobs}
	sealed, err := holdout.Seal(ctx, in, blobs, s.Keyring, s.Officer)
	if blobs.failed { // the disk's fault and not the table's
		return api.Change{}, fmt.Errorf("seal %s: %w", in.Spec.Name, err)
	}
	if err != nil {
		if !figures {
			kind, _, _ := strings.Cut(err.Error(), ":") // the rest counts rows
			err = errors.New(kind)
		}
		return api.Change{}, refuse(Usage, "seal %s: %v", in.Spec.Name, err)
	}
	c := sealed.Commitment
	notes := []string{fmt.Sprintf("%s version %d: %d rows sealed, %d in reserve, %d canaries, %d twins", c.Name, c.Version, c.Rows, c.ReserveRows, c.Canaries, c.Twins)}
	if note != "" {
		notes = append(notes, note)
	}
	shared, err := s.sharedRows(ctx, c)
	if err != nil {
		return api.Change{}, err
	}
	notes = append(notes, shared...)
	_, weak, err := s.policiesOn(ctx, c)
	if err != nil {
		return api.Change{}, err
	}
	notes = append(notes, weak...)
	if old != nil {
		bridge, err := s.bridge(ctx, p, *old, sealed, figures)
		if err != nil {
			return api.Change{}, err
		}
		notes = append(append(notes, shrunk(old.Commitment, c)...), bridge...)
	}
	return s.proposeSealed(ctx, p, sealed, strings.Join(notes, "; "))
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

// activeSet returns the version of a set that is in force, nil before the first.
func activeSet(tx *store.Tx, name string) (*sealedSet, error) {
	d, err := tx.Active("holdout", name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, manifest, err := commitment(tx, d.Digest)
	return &sealedSet{c, manifest}, err
}

// sharedRows says which sealed sets have rows of a new one: their exposure counts
// for it by that share.
func (s *Service) sharedRows(ctx context.Context, c holdout.Commitment) ([]string, error) {
	var out []string
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		docs, err := tx.Documents("holdout")
		if err != nil {
			return err
		}
		for _, d := range docs {
			other, _, err := commitment(tx, d.Digest)
			if err != nil {
				return err
			}
			if share := holdout.Overlap(c, other); share > 0 {
				out = append(out, fmt.Sprintf("%.0f %% of the rows are also in %s version %d, whose exposure counts", 100*share, other.Name, other.Version))
			}
		}
		return nil
	})
	return out, err
}
