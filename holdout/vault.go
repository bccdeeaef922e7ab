package holdout

import (
	"context"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"fmt"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A Charge asks the ledger for one run's use of a set by a lineage.
type Charge struct {
	RunID   string
	Lineage string
	Holdout Commitment
	Purpose string // what the rows are opened for, for the record
}

// A Receipt says where the charge is recorded.
type Receipt struct{ LogIndex int64 }

// A Ledger accounts for what sets have revealed. It is trusted.
type Ledger interface {
	// Charge is durable when it returns, and idempotent: the same RunID and set are
	// charged once, so that a run taken up after a crash pays nothing more. Exposure
	// follows rows, not names: what the lineage used of another set counts by
	// Overlap(c.Holdout, other). A spent budget is a *BudgetError and charges nothing.
	Charge(ctx context.Context, c Charge) (Receipt, error)
}

// A BudgetError says that a lineage has used up a set.
type BudgetError struct{ Used, Budget int }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the exposure budget is spent: %d of %d runs used; the set must rotate", e.Used, e.Budget)
}

// A Vault opens sealed sets, each time against a charge.
type Vault struct {
	store   blob.Store
	keys    Keyring
	officer ed25519.PublicKey
	ledger  Ledger
}

// NewVault makes a Vault that accepts manifests signed by the officer's key.
func NewVault(store blob.Store, keys Keyring, officer ed25519.PublicKey, ledger Ledger) *Vault {
	return &Vault{store, keys, officer, ledger}
}

// A Request names the set by the commitment that the caller pinned, from the log
// and the policy in force, never from a submission.
type Request struct {
	RunID      string
	Lineage    string
	Commitment Commitment
	Manifest   []byte
	Key        []byte // the wrapped data key; empty: it was destroyed
	Purpose    string // "": scoring
}

// A Grant is permission to open one set for one run. Only [Vault.Grant] makes one
// that opens anything.
type Grant struct {
	v       *Vault
	m       *manifest
	key     []byte
	receipt Receipt
}

// ErrNoGrant is returned by the zero Grant.
var ErrNoGrant = errors.New("no grant: a set is opened only after its exposure was charged")

// Grant checks the manifest against the pinned commitment and charges the run. A
// manifest that does not verify costs nothing: no row has been opened. Afterwards
// the charge stands, whatever happens to the run.
func (v *Vault) Grant(ctx context.Context, r Request) (Grant, error) {
	if v == nil || v.store == nil || v.keys == nil || v.ledger == nil {
		return Grant{}, errors.New("the vault lacks its store, keyring or ledger")
	}
	if r.RunID == "" || r.Lineage == "" {
		return Grant{}, errors.New("a grant is for a run of a lineage; both must be named")
	}
	m, err := pinned(r.Manifest, r.Commitment, v.officer)
	if err != nil {
		return Grant{}, err
	}
	purpose := r.Purpose
	if purpose == "" {
		purpose = "scoring"
	}
	// The charge comes before the data key is even unwrapped: whoever crashes or
	// cancels after this line has paid.
	receipt, err := v.ledger.Charge(ctx, Charge{r.RunID, r.Lineage, m.commitment(), purpose})
	if err != nil {
		return Grant{}, fmt.Errorf("charge %s for run %s: %w", m.Public.Name, r.RunID, err)
	}
	return Grant{v, m, r.Key, receipt}, nil
}

// pinned verifies a manifest and that it is the one that the commitment names. The
// signature alone would accept any version that the officer ever signed.
func pinned(raw []byte, c Commitment, officer ed25519.PublicKey) (*manifest, error) {
	if got := string(blob.RefOf(raw)); got != c.Digest {
		return nil, fmt.Errorf("%w: the manifest of %s version %d is %s, pinned is %s", ErrDigestMismatch, c.Name, c.Version, got, c.Digest)
	}
	m, err := verifyManifest(raw, officer)
	if err != nil {
		return nil, err
	}
	if field := differs(c, m.commitment()); field != "" {
		return nil, fmt.Errorf("%w: the commitment's %s is not the one inside its manifest", ErrDigestMismatch, field)
	}
	return m, nil
}

// Receipt says where the charge is recorded.
func (g Grant) Receipt() Receipt { return g.receipt }

// open unwraps the data key and reads the named parts; the key is gone afterwards.
func (g Grant) open(ctx context.Context, names ...string) ([]rows.Table, error) {
	if g.v == nil || g.m == nil {
		return nil, ErrNoGrant
	}
	dek, err := g.m.unwrap(ctx, g.v.keys, g.key)
	if err != nil {
		return nil, err
	}
	defer clear(dek)
	out := make([]rows.Table, len(names))
	for i, name := range names {
		if out[i], err = g.m.read(ctx, g.v.store, name, dek); err != nil {
			return nil, fmt.Errorf("open %s version %d: %w", g.m.Public.Name, g.m.Public.Version, err)
		}
	}
	return out, nil
}

// ErrShredded is returned, wrapped, for a set whose data key was destroyed.
var ErrShredded = errors.New("the data key was destroyed: nobody can open the set any more")

func (m *manifest) unwrap(ctx context.Context, keys Keyring, wrapped []byte) ([]byte, error) {
	if len(wrapped) == 0 {
		return nil, fmt.Errorf("open %s version %d: %w", m.Public.Name, m.Public.Version, ErrShredded)
	}
	dek, err := keys.Unwrap(ctx, wrapped, keyContext(m.Public.Name, m.Public.Version))
	if err != nil {
		return nil, fmt.Errorf("open %s version %d: %w", m.Public.Name, m.Public.Version, err)
	}
	if len(dek) != 32 {
		return nil, fmt.Errorf("open %s version %d: the data key has %d bytes", m.Public.Name, m.Public.Version, len(dek))
	}
	if keyCheck(dek) != m.KeyCheck {
		clear(dek)
		return nil, fmt.Errorf("%w: the data key of %s version %d is another than it was sealed with", ErrDigestMismatch, m.Public.Name, m.Public.Version)
	}
	return dek, nil
}

// read returns all rows of a part, or none: no row is acted upon before the last
// chunk is authenticated.
func (m *manifest) read(ctx context.Context, store blob.Store, name string, dek []byte) (rows.Table, error) {
	p, err := m.part(name)
	if err != nil {
		return rows.Table{}, err
	}
	b, err := rows.NewBuilder(p.Fields, p.Rows)
	if err != nil {
		return rows.Table{}, fmt.Errorf("part %s: %w", name, err)
	}
	key := partKey(dek, name)
	var buf []byte
	for i, at := range m.places(p) {
		if buf, err = readChunk(ctx, store, key, at, b, p.Chunks[i], buf); err != nil {
			return rows.Table{}, &chunkError{i, err}
		}
	}
	return b.Table(), nil
}

// readChunk appends the rows of one chunk to b; buf is as in openChunk.
func readChunk(ctx context.Context, store blob.Store, key cipher.AEAD, at place, b *rows.Builder, c chunk, buf []byte) ([]byte, error) {
	sealed, err := store.Get(ctx, c.Blob)
	var damage *blob.CorruptError
	if errors.Is(err, blob.ErrNotFound) || errors.As(err, &damage) {
		return buf, fmt.Errorf("%w: %s: %w", ErrDigestMismatch, at, err)
	}
	if err != nil {
		return buf, fmt.Errorf("%s: %w", at, err)
	}
	if len(sealed) != c.Bytes {
		return buf, fmt.Errorf("%w: %s has %d bytes, sealed were %d", ErrDigestMismatch, at, len(sealed), c.Bytes)
	}
	return openChunk(key, at, b, sealed, buf)
}

func (m *manifest) part(name string) (part, error) {
	for _, p := range m.Parts {
		if p.Name == name {
			return p, nil
		}
	}
	return part{}, fmt.Errorf("the set has no part %q", name)
}

// A chunkError carries the place of a chunk that could not be read.
type chunkError struct {
	index int
	error
}

func (e *chunkError) Unwrap() error { return e.error }
