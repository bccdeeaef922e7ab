package harness

import (
	"context"
	"fmt"

	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// RewrapKeys wraps the data key of every sealed set anew, by the console. It returns
// how many. One that fails leaves the others as they are.
func (s *Service) RewrapKeys(ctx context.Context) (int, error) {
	n := 0
	err := s.eachSet(ctx, func(set sealedSet, key []byte) error {
		if len(key) == 0 { // destroyed
			return nil
		}
		if err := (record{s: s, p: console, action: verdict.CustodyRewrap}).Record(ctx, set.Commitment, nil); err != nil {
			return err
		}
		wrapped, err := holdout.Rewrap(ctx, request(set, key), s.Keyring, officerKey(s))
		if err == nil {
			err = s.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetHoldoutKey(set.Digest, wrapped) })
		}
		if err != nil {
			return fmt.Errorf("wrap the data key of %s version %d: %w", set.Name, set.Version, err)
		}
		n++
		return nil
	})
	return n, err
}

func request(set sealedSet, key []byte) holdout.Request {
	return holdout.Request{Commitment: set.Commitment, Manifest: set.manifest, Key: key}
}

func (s *Service) eachSet(ctx context.Context, f func(sealedSet, []byte) error) error {
	type item struct {
		sealedSet
		key []byte
	}
	var list []item
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		docs, err := tx.Documents("holdout")
		if err != nil {
			return err
		}
		for _, d := range docs {
			c, manifest, err := commitment(tx, d.Digest)
			if err != nil {
				return err
			}
			key, err := holdoutKey(tx, d.Digest)
			if err != nil {
				return err
			}
			list = append(list, item{sealedSet{c, manifest}, key})
		}
		return nil
	})
	for _, x := range list {
		if err == nil {
			err = f(x.sealedSet, x.key)
		}
	}
	return err
}

// ExportKey returns the data key of a version for somebody who keeps it apart, by
// the console. Encrypt it before it is written anywhere.
func (s *Service) ExportKey(ctx context.Context, name string, version int) (out []byte, err error) {
	err = s.version(ctx, name, version, func(set sealedSet, key []byte) error {
		if err := (record{s: s, p: console, action: verdict.CustodyEscrow}).Record(ctx, set.Commitment, nil); err != nil {
			return err
		}
		out, err = holdout.ExportKey(ctx, request(set, key), s.Keyring, officerKey(s))
		return err
	})
	return out, err
}

// ImportKey puts an exported data key back, by the console, when the key-encryption
// key is lost. A version that two people destroyed stays destroyed.
func (s *Service) ImportKey(ctx context.Context, name string, version int, exported []byte) error {
	return s.version(ctx, name, version, func(set sealedSet, key []byte) error {
		if len(key) == 0 {
			return refuse(Conflict, "%s version %d was destroyed", name, version)
		}
		if err := (record{s: s, p: console, action: verdict.CustodyRewrap}).Record(ctx, set.Commitment, nil); err != nil {
			return err
		}
		wrapped, err := holdout.ImportKey(ctx, exported, request(set, nil), s.Keyring, officerKey(s))
		if err != nil {
			return refuse(Usage, "%v", err)
		}
		return s.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetHoldoutKey(set.Digest, wrapped) })
	})
}

func (s *Service) version(ctx context.Context, name string, version int, f func(sealedSet, []byte) error) error {
	found := false
	err := s.eachSet(ctx, func(set sealedSet, key []byte) error {
		if set.Name != name || set.Version != version {
			return nil
		}
		found = true
		return f(set, key)
	})
	if err == nil && !found {
		err = refuse(Missing, "holdout %q has no version %d", name, version)
	}
	return err
}
