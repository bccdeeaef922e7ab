package holdout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A RowProof shows that one row was in a set when it was sealed, and nothing of any
// other. Salt and values hash to the row's hash, with the hashes of the other rows of
// its leaf to the leaf, with the path to the root in the manifest, and the manifest
// to the digest that the log has; tree.go has the formulas. Check it with
// [RowProof.Verify].
type RowProof struct {
	Format   string          `json:"format"`
	Holdout  string          `json:"holdout"`
	Version  int             `json:"version"`
	Digest   string          `json:"digest"`
	Row      int             `json:"row"`  // from 1
	Rows     int             `json:"rows"` // of the set
	Values   json.RawMessage `json:"values"`
	Salt     string          `json:"salt"` // hex
	Leaf     []string        `json:"leaf"` // hex: salted hashes of the other rows of its leaf, in order
	Path     []string        `json:"path"` // hex, from the leaf up
	Manifest []byte          `json:"manifest"`
}

const proofFormat = "proctor/row-proof/1"

// ErrOtherRow is returned, wrapped, when a row is not the one that was sealed.
var ErrOtherRow = errors.New("the sealed row is another")

// Prove shows that the recorded row is the given one. Values are numbers, or texts
// that read as numbers where the column has numbers. It tells nothing but "another
// row" of a row that the caller does not have.
func (c *Custodian) Prove(values map[string]any) (RowProof, error) {
	if len(c.lines) != 1 {
		return RowProof{}, errors.New("one row is proved at a time, and recorded before")
	}
	r, t := c.lines[0]-1, c.parts[partScored]
	sealed := map[string]any{} // the owner's table may have columns that were not sealed
	for _, f := range t.Fields() {
		if v, ok := values[f.Name]; ok {
			sealed[f.Name] = v
		}
	}
	given, err := rowOf(t.Fields(), sealed)
	if err != nil {
		return RowProof{}, err
	}
	if !bytes.Equal(given.AppendCanonical(nil, 0), t.AppendCanonical(nil, r)) {
		return RowProof{}, fmt.Errorf("row %d: %w", r+1, ErrOtherRow)
	}
	tree, err := newRowTree(c.dek, partScored, t)
	if err != nil {
		return RowProof{}, err
	}
	return c.m.proof(tree, r)
}

func (m *manifest) proof(tree *rowTree, r int) (RowProof, error) {
	others, path, err := tree.prove(r)
	if err != nil {
		return RowProof{}, err
	}
	return RowProof{
		Format: proofFormat, Holdout: m.Public.Name, Version: m.Public.Version, Digest: m.digest, Row: r + 1, Rows: tree.t.Len(),
		Values: tree.t.AppendJSON(nil, r), Salt: hex.EncodeToString(tree.rows.saltOf(r)), Leaf: inHex(others), Path: inHex(path), Manifest: m.raw,
	}, nil
}

func inHex(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

// Verify checks a proof against the digest of the set, which must come from the
// log or from whoever keeps it, never from the proof.
func (p RowProof) Verify(digest string) error {
	if p.Format != proofFormat {
		return fmt.Errorf("format %.40q, this program reads %s", p.Format, proofFormat)
	}
	if got := string(blob.RefOf(p.Manifest)); got != digest || p.Digest != digest {
		return fmt.Errorf("%w: the proof is about %s, pinned is %s", ErrDigestMismatch, got, digest)
	}
	var e envelope
	var m manifest
	if err := errors.Join(strict(p.Manifest, &e), strict(e.Payload, &m), m.check()); err != nil {
		return fmt.Errorf("%w: manifest: %v", ErrDigestMismatch, err)
	}
	part := m.Parts[0] // the scored rows, as check says
	if m.Public.Name != p.Holdout || m.Public.Version != p.Version || part.Rows != p.Rows || p.Row < 1 || p.Row > p.Rows {
		return fmt.Errorf("%w: the proof speaks of another set than its manifest", ErrDigestMismatch)
	}
	row, err := p.rowHash(part.Fields)
	if err != nil {
		return err
	}
	root, err := readHash("sha256:", part.Root)
	if err != nil {
		return err
	}
	others, err := readHashes(p.Leaf)
	if err != nil {
		return err
	}
	path, err := readHashes(p.Path)
	if err != nil {
		return err
	}
	if !checkRow(root, row, others, path, p.Row-1, p.Rows) {
		return fmt.Errorf("%w: the row does not lead to the root", ErrDigestMismatch)
	}
	return nil
}

func (p RowProof) rowHash(fields []rows.Field) (tlog.Hash, error) {
	salt, err := hex.DecodeString(p.Salt)
	if err != nil || len(salt) != saltSize {
		return tlog.Hash{}, fmt.Errorf("the salt is not %d bytes in hex", saltSize)
	}
	var values map[string]any
	if err := json.Unmarshal(p.Values, &values); err != nil {
		return tlog.Hash{}, fmt.Errorf("values: %w", err)
	}
	row, err := rowOf(fields, values)
	if err != nil {
		return tlog.Hash{}, err
	}
	var want, got bytes.Buffer // encoders of JSON write < as itself or as an escape
	json.HTMLEscape(&want, row.AppendJSON(nil, 0))
	json.HTMLEscape(&got, p.Values)
	if !bytes.Equal(want.Bytes(), got.Bytes()) { // one form only: no key twice, none in addition
		return tlog.Hash{}, errors.New("values are not in the form that is written")
	}
	return sha256.Sum256(appendRow(nil, salt, row, 0)), nil
}

func readHashes(list []string) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, s := range list {
		h, err := readHash("", s)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func readHash(prefix, s string) (h tlog.Hash, err error) {
	b, err := hex.DecodeString(s[min(len(prefix), len(s)):])
	if err != nil || len(b) != len(h) || s[:len(s)-2*len(h)] != prefix {
		return h, fmt.Errorf("%.80q is no SHA-256 in hex", s)
	}
	return tlog.Hash(b), nil
}

// rowOf makes a table of one row. It wants a value for every field and no more.
func rowOf(fields []rows.Field, values map[string]any) (rows.Table, error) {
	cols := make([]rows.Column, len(fields))
	for i, f := range fields {
		v, ok := values[f.Name]
		if !ok {
			return rows.Table{}, fmt.Errorf("the row has no value for column %q", f.Name)
		}
		c, err := cellOf(f, v)
		if err != nil {
			return rows.Table{}, err
		}
		cols[i] = c
	}
	if len(values) != len(fields) {
		return rows.Table{}, fmt.Errorf("the row has %d values, the set has %d columns", len(values), len(fields))
	}
	return rows.New(cols...)
}

// cellOf makes a column of one value.
func cellOf(f rows.Field, v any) (rows.Column, error) {
	c := rows.Column{Name: f.Name}
	switch v := v.(type) {
	case float64:
		if f.Number {
			c.Floats = []float64{v}
		} else {
			c.Strings = []string{strconv.FormatFloat(v, 'g', -1, 64)}
		}
		return c, nil
	case string:
		if !f.Number {
			c.Strings = []string{v}
			return c, nil
		}
		if x, err := strconv.ParseFloat(v, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			c.Floats = []float64{x}
			return c, nil
		}
	}
	return c, fmt.Errorf("the value of column %s is not of its kind", f)
}
