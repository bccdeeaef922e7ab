package store

import (
	"database/sql"
	"errors"
)

// A Document is part of what PASS means: immutable, named by the digest of Body.
type Document struct {
	Digest, Kind, Name string
	Version            int64
	Body, Extra        []byte
	Created            string
}

// AddDocument stores a document once; the same bytes again change nothing.
func (t *Tx) AddDocument(d Document) error {
	if _, err := t.Document(d.Digest); !errors.Is(err, ErrNotFound) {
		return err
	}
	if d.Extra == nil {
		d.Extra = []byte{}
	}
	_, err := t.exec(`INSERT INTO documents (digest, kind, name, version, body, extra, created) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		d.Digest, d.Kind, d.Name, d.Version, d.Body, d.Extra, t.now())
	return err
}

// SetExtra replaces what goes with a document that is activated once more.
func (t *Tx) SetExtra(digest string, extra []byte) error {
	return t.one(`UPDATE documents SET extra = $1 WHERE digest = $2`, extra, digest)
}

const documentColumns = `digest, kind, name, version, body, extra, created`

func (d *Document) into() []any {
	return []any{&d.Digest, &d.Kind, &d.Name, &d.Version, &d.Body, &d.Extra, &d.Created}
}

// Document returns the document of that digest.
func (t *Tx) Document(digest string) (Document, error) {
	var d Document
	return d, t.row(`SELECT `+documentColumns+` FROM documents WHERE digest = $1`, []any{digest}, d.into()...)
}

// Documents lists the documents of a kind, active or not, by name and version.
func (t *Tx) Documents(kind string) ([]Document, error) {
	return rows(t, func(r *sql.Rows) (d Document, err error) { return d, r.Scan(d.into()...) },
		`SELECT `+documentColumns+` FROM documents WHERE kind = $1 ORDER BY name, version`, kind)
}

// NextVersion returns the version that a new document of that name has.
func (t *Tx) NextVersion(kind, name string) (int64, error) {
	var v sql.NullInt64
	err := t.row(`SELECT MAX(version) FROM documents WHERE kind = $1 AND name = $2`, []any{kind, name}, &v)
	return v.Int64 + 1, err
}

// Active returns the document in force.
func (t *Tx) Active(kind, name string) (Document, error) {
	var digest string
	if err := t.row(`SELECT digest FROM active WHERE kind = $1 AND name = $2`, []any{kind, name}, &digest); err != nil {
		return Document{}, err
	}
	return t.Document(digest)
}

// A Change is a proposal to change what PASS means, and what became of it.
type Change struct {
	ID, Kind, Name, Digest, Note         string
	State                                string // proposed, active, refused
	ProposedBy, ProposedPerson, Proposed string
	DecidedBy, DecidedPerson, Decided    string
}

const changeColumns = `id, kind, name, digest, note, state, proposed_by, proposed_person, proposed, decided_by, decided_person, decided`

func (c *Change) into() []any {
	return []any{&c.ID, &c.Kind, &c.Name, &c.Digest, &c.Note, &c.State, &c.ProposedBy, &c.ProposedPerson, &c.Proposed,
		&c.DecidedBy, &c.DecidedPerson, &c.Decided}
}

// Propose records a proposal.
func (t *Tx) Propose(c Change) (Change, error) {
	c.State, c.Proposed = "proposed", t.now()
	return c, t.addChange(c)
}

// Impose records a change that needed no second person: one made where the keys lie.
func (t *Tx) Impose(c Change) (Change, error) {
	c.State, c.Proposed = "active", t.now()
	c.DecidedBy, c.DecidedPerson, c.Decided = c.ProposedBy, c.ProposedPerson, c.Proposed
	return c, t.addChange(c)
}

func (t *Tx) addChange(c Change) error {
	return t.one(`INSERT INTO changes (`+changeColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
		c.ID, c.Kind, c.Name, c.Digest, c.Note, c.State, c.ProposedBy, c.ProposedPerson, c.Proposed, c.DecidedBy, c.DecidedPerson, c.Decided)
}

// Change returns one proposal.
func (t *Tx) Change(id string) (Change, error) {
	var c Change
	return c, t.row(`SELECT `+changeColumns+` FROM changes WHERE id = $1`, []any{id}, c.into()...)
}

// Changes lists proposals, newest first.
func (t *Tx) Changes(limit int) ([]Change, error) {
	return rows(t, func(r *sql.Rows) (c Change, err error) { return c, r.Scan(c.into()...) },
		`SELECT `+changeColumns+` FROM changes ORDER BY proposed DESC, id LIMIT $1`, limit)
}

// Decide ends a proposal: activated or refused by a second person.
func (t *Tx) Decide(id, state, by, person string) error {
	return t.one(`UPDATE changes SET state = $1, decided_by = $2, decided_person = $3, decided = $4
		WHERE id = $5 AND state = 'proposed' AND proposed_person <> $3`, state, by, person, t.now(), id)
}

// Activate puts a document in force.
func (t *Tx) Activate(d Document, change string) error {
	_, err := t.exec(`INSERT INTO active (kind, name, digest, version, change) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (kind, name) DO UPDATE SET digest = $3, version = $4, change = $5`,
		d.Kind, d.Name, d.Digest, d.Version, change)
	return err
}

// A Lineage is a line of model versions: its policy, deployed and best model.
type Lineage struct{ Name, Policy, Baseline, Anchor string }

// Lineage returns a lineage.
func (t *Tx) Lineage(name string) (Lineage, error) {
	var l Lineage
	return l, t.row(`SELECT name, policy, baseline, anchor FROM lineages WHERE name = $1`, []any{name}, &l.Name, &l.Policy, &l.Baseline, &l.Anchor)
}

// Lineages lists all.
func (t *Tx) Lineages() ([]Lineage, error) {
	return rows(t, func(r *sql.Rows) (l Lineage, err error) { return l, r.Scan(&l.Name, &l.Policy, &l.Baseline, &l.Anchor) },
		`SELECT name, policy, baseline, anchor FROM lineages ORDER BY name`)
}

// SetLineage stores a lineage whole.
func (t *Tx) SetLineage(l Lineage) error {
	_, err := t.exec(`INSERT INTO lineages (name, policy, baseline, anchor) VALUES ($1,$2,$3,$4)
		ON CONFLICT (name) DO UPDATE SET policy = $2, baseline = $3, anchor = $4`, l.Name, l.Policy, l.Baseline, l.Anchor)
	return err
}
