package holdout

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// Audit checks a sealed set from its bytes alone, reserve included: it verifies
// the manifest, opens every chunk and derives again every row root and everything
// that the commitment says. It names the first thing that is not as sealed, a
// damaged chunk with its place and its bytes. It reveals no rows and charges nothing.
//
// Whether the manifest is the one in force only its digest can tell: compare it
// with the log.
func Audit(ctx context.Context, store blob.Store, keys Keyring, raw, key []byte, officer ed25519.PublicKey) error {
	m, err := verifyManifest(raw, officer)
	if err != nil {
		return err
	}
	dek, err := m.unwrap(ctx, keys, key)
	if err != nil {
		return err
	}
	defer clear(dek)
	parts := map[string]rows.Table{}
	for _, p := range m.Parts {
		t, err := m.read(ctx, store, p.Name, dek)
		if err != nil {
			return firstByte(m, p, err)
		}
		if err := t.SameFields(p.Fields); err != nil {
			return fmt.Errorf("part %s: %w", p.Name, err)
		}
		if root := rowRoot(dek, p.Name, t); root != p.Root {
			return fmt.Errorf("%w: part %s has the row root %s, committed is %s", ErrDigestMismatch, p.Name, root, p.Root)
		}
		parts[p.Name] = t
	}
	return m.derive(ctx, keys, parts)
}

// firstByte adds where in the part's ciphertext the damaged chunk lies.
func firstByte(m *manifest, p part, err error) error {
	var bad *chunkError
	if !errors.As(err, &bad) {
		return err
	}
	from := 0
	for _, c := range p.Chunks[:bad.index] {
		from += c.Bytes
	}
	return fmt.Errorf("%s version %d: %w (bytes %d to %d of the part)", m.Public.Name, m.Public.Version, err, from, from+p.Chunks[bad.index].Bytes-1)
}

// derive compares the commitment with what follows from the rows.
func (m *manifest) derive(ctx context.Context, keys Keyring, parts map[string]rows.Table) error {
	p, err := readPaper(m.Spec, parts[partScored])
	if err != nil {
		return err
	}
	canaries, flipped, err := readCanaries(m.Spec, parts[partCanaries])
	if err != nil {
		return err
	}
	if _, _, err := readTwins(m.Spec, parts[partTwins], p.sealed.Len()); err != nil {
		return err
	}
	if reserve := parts[partReserve]; reserve.Len() > 0 {
		if err := checkReserve(m.Spec, p.sealed, reserve); err != nil {
			return err
		}
	}
	if err := checkPractice(m.Spec, p.sealed, parts[partPractice]); err != nil {
		return err
	}
	if err := fresh(p.features, canaries); err != nil {
		return err
	}
	want, err := describe(ctx, m.Spec, p, keys)
	if err != nil {
		return err
	}
	want.Version, want.SealedAt, want.Previous = m.Public.Version, m.Public.SealedAt, m.Public.Previous
	want.Amends, want.Erased = m.Public.Amends, m.Public.Erased
	want.Canaries, want.Twins, want.ReserveRows = len(flipped), parts[partTwins].Len(), parts[partReserve].Len()
	want.Practice = parts[partPractice].Len()
	want.Repeats, _, _ = countRepeats(p.sealed)
	want.RowRoot = m.Parts[0].Root
	if field := differs(m.Public, want); field != "" {
		return fmt.Errorf("%w: the commitment's %s is not what follows from the rows", ErrDigestMismatch, field)
	}
	return nil
}

// fresh checks that no canary equals a scored row: its label would be wrong twice.
func fresh(scored, canaries rows.Table) error {
	known := make(map[string]bool, scored.Len())
	var b []byte
	for r := range scored.Len() {
		b = scored.AppendCanonical(b[:0], r)
		known[string(b)] = true
	}
	for r := range canaries.Len() {
		if b = canaries.AppendCanonical(b[:0], r); known[string(b)] {
			return fmt.Errorf("canary %d equals a scored row", r+1)
		}
	}
	return nil
}

// differs names the first field in which two commitments differ, or "".
func differs(a, b Commitment) string {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		x, errX := json.Marshal(va.Field(i).Interface())
		y, errY := json.Marshal(vb.Field(i).Interface())
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			name, _, _ := strings.Cut(va.Type().Field(i).Tag.Get("json"), ",")
			return name
		}
	}
	return ""
}
