package holdout

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A Recorder writes down that a set is about to be opened outside of a run. It is
// trusted, and durable when it returns.
type Recorder interface {
	// Record is given the scored rows, from 1, that a person is about to see.
	Record(ctx context.Context, c Commitment, lines []int) error
}

// A Custodian has a whole set open, reserve included, for work that gives nobody
// more rows than were recorded. Close it.
type Custodian struct {
	m     *manifest
	dek   []byte
	parts map[string]rows.Table
	lines []int // scored rows that may leave, from 1, sorted
}

// OpenCustody records the opening, and then opens every part.
func OpenCustody(ctx context.Context, r Request, lines []int, rec Recorder, store blob.Store, keys Keyring, officer ed25519.PublicKey) (*Custodian, error) {
	if rec == nil {
		return nil, errors.New("a set is opened only after that was recorded")
	}
	m, err := pinned(r.Manifest, r.Commitment, officer)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if line < 1 || line > m.Public.Rows || i > 0 && lines[i-1] >= line {
			return nil, fmt.Errorf("line %d is no row of %s version %d, which has %d, or stands out of order", line, m.Public.Name, m.Public.Version, m.Public.Rows)
		}
	}
	if err := rec.Record(ctx, m.commitment(), lines); err != nil {
		return nil, fmt.Errorf("record the opening of %s version %d: %w", m.Public.Name, m.Public.Version, err)
	}
	c := &Custodian{m: m, parts: map[string]rows.Table{}, lines: slices.Clone(lines)}
	if c.dek, err = m.unwrap(ctx, keys, r.Key); err != nil {
		return nil, err
	}
	for _, p := range m.Parts {
		if c.parts[p.Name], err = m.read(ctx, store, p.Name, c.dek); err != nil {
			c.Close()
			return nil, fmt.Errorf("open %s version %d: %w", m.Public.Name, m.Public.Version, err)
		}
	}
	return c, nil
}

// Close forgets the data key and the rows.
func (c *Custodian) Close() {
	clear(c.dek)
	c.dek, c.parts = nil, nil
}

// Exam returns the set as a run is given it.
func (c *Custodian) Exam() (*Exam, error) {
	return c.m.exam(c.parts[partScored], c.parts[partCanaries], c.parts[partTwins])
}

// Spec returns the specification under which the set was sealed.
func (c *Custodian) Spec() Spec { return c.m.Spec }

// Show returns the recorded rows as JSON objects, in the order of their lines.
func (c *Custodian) Show() [][]byte {
	var out [][]byte
	for _, line := range c.lines {
		out = append(out, c.parts[partScored].AppendJSON(nil, line-1))
	}
	return out
}
