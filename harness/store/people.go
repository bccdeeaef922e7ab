package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"proctor/harness/access"
)

// AddPrincipal records an account. An existing one keeps its person and roles:
// changing those is a change that takes two people, not an upsert.
func (t *Tx) AddPrincipal(p access.Principal) error {
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return err
	}
	robot := 0
	if p.Robot {
		robot = 1
	}
	_, err = t.exec(`INSERT INTO principals (id, person, robot, roles, created) VALUES ($1,$2,$3,$4,$5)`,
		p.ID, p.Person, robot, string(roles), t.now())
	return err
}

func scanPrincipal(r *sql.Rows) (access.Principal, error) {
	var p access.Principal
	var roles string
	if err := r.Scan(&p.ID, &p.Person, &p.Robot, &roles); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(roles), &p.Roles)
}

// Principal returns an account.
func (t *Tx) Principal(id string) (access.Principal, error) {
	ps, err := rows(t, scanPrincipal, `SELECT id, person, robot, roles FROM principals WHERE id = $1`, id)
	return first(ps, err)
}

// Principals lists all accounts.
func (t *Tx) Principals() ([]access.Principal, error) {
	return rows(t, scanPrincipal, `SELECT id, person, robot, roles FROM principals ORDER BY id`)
}

func first[T any](list []T, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, ErrNotFound
	}
	return list[0], nil
}

func hashToken(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// AddToken lets secret act as a principal until expires. Only its hash is kept.
func (t *Tx) AddToken(secret, principal, kind string, expires time.Time) error {
	if len(secret) < 32 {
		return errors.New("a token needs at least 32 characters")
	}
	_, err := t.exec(`INSERT INTO tokens (hash, principal, kind, expires) VALUES ($1,$2,$3,$4)`,
		hashToken(secret), principal, kind, expires.UTC().Format(time.RFC3339Nano))
	return err
}

// DropToken ends a token.
func (t *Tx) DropToken(secret string) error {
	_, err := t.exec(`DELETE FROM tokens WHERE hash = $1`, hashToken(secret))
	return err
}

// Authenticate returns whom an unexpired token of that kind stands for.
func (t *Tx) Authenticate(secret, kind string) (access.Principal, error) {
	var id, expires string
	if err := t.row(`SELECT principal, expires FROM tokens WHERE hash = $1 AND kind = $2`, []any{hashToken(secret), kind}, &id, &expires); err != nil {
		return access.Principal{}, err
	}
	until, err := time.Parse(time.RFC3339Nano, expires)
	if err != nil || !t.store.c.Now().Before(until) {
		return access.Principal{}, ErrNotFound
	}
	return t.Principal(id)
}
