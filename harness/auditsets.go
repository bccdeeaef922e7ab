package harness

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"proctor/harness/store"
	"proctor/holdout"
)

// sets opens every version of every sealed set and derives its commitment again.
func (a *auditor) sets(ctx context.Context, tx *store.Tx) error {
	docs, err := tx.Documents("holdout")
	if err != nil {
		return err
	}
	return a.versions(ctx, tx, docs)
}

// versions opens sealed sets, and compares what people saw of them and whether
// their keys are there with the log.
func (a *auditor) versions(ctx context.Context, tx *store.Tx, docs []store.Document) error {
	for _, d := range docs {
		c, manifest, err := commitment(tx, d.Digest)
		if err == nil {
			err = a.pinned(ctx, c, manifest)
		}
		var key []byte
		if err == nil {
			key, err = holdoutKey(tx, d.Digest)
		}
		switch {
		case err != nil:
		case a.seen.destroyed[d.Digest] != (len(key) == 0):
			err = fmt.Errorf("destroyed in the log: %v, and its data key is there: %v", a.seen.destroyed[d.Digest], len(key) > 0)
		case len(key) == 0:
			a.checked("holdout %s version %d: destroyed", c.Name, c.Version)
		default:
			if err = holdout.Audit(ctx, a.s.Blobs, a.s.Keyring, manifest, key, a.s.Officer.Public().(ed25519.PublicKey)); err == nil {
				a.checked("holdout %s version %d: %d rows, every chunk and root", c.Name, c.Version, c.Rows)
				err = a.retention(c)
			}
		}
		if err != nil {
			a.problem("holdout %s version %d: %v", d.Name, d.Version, err)
		}
		if err := a.burnt(tx, d); err != nil {
			return err
		}
	}
	return nil
}

// errPinned is what the auditor's ledger says: it opens nothing.
var errPinned = errors.New("not charged")

type noLedger struct{}

func (noLedger) Charge(context.Context, holdout.Charge) (holdout.Receipt, error) {
	return holdout.Receipt{}, errPinned
}

// pinned checks that a manifest is the one that a commitment names, and says the
// same: the vault does so before it charges, and here it is never allowed to.
func (a *auditor) pinned(ctx context.Context, c holdout.Commitment, manifest []byte) error {
	v := holdout.NewVault(a.s.Blobs, a.s.Keyring, a.s.Officer.Public().(ed25519.PublicKey), noLedger{})
	_, err := v.Grant(ctx, holdout.Request{RunID: "audit", Lineage: "audit", Commitment: c, Manifest: manifest})
	if errors.Is(err, errPinned) {
		return nil
	}
	return err
}
