package store

// A Session lets a secret, of which only the hash is kept, speak for an account.
// Seal is how the one who made it knows it again: whoever can write the table can
// end sessions and not make any.
type Session struct{ Hash, Account, Expires, Seal string }

// AddSession stores a session, and forgets those that have expired by now.
func (t *Tx) AddSession(s Session) error {
	if _, err := t.exec(`DELETE FROM sessions WHERE expires < $1`, t.now()); err != nil {
		return err
	}
	return t.one(`INSERT INTO sessions (hash, account, expires, seal) VALUES ($1,$2,$3,$4)`, s.Hash, s.Account, s.Expires, s.Seal)
}

// Session returns the session of that hash, expired or not.
func (t *Tx) Session(hash string) (Session, error) {
	s := Session{Hash: hash}
	return s, t.row(`SELECT account, expires, seal FROM sessions WHERE hash = $1`, []any{hash}, &s.Account, &s.Expires, &s.Seal)
}

// DropSession ends a session; one that does not exist is no error.
func (t *Tx) DropSession(hash string) error {
	_, err := t.exec(`DELETE FROM sessions WHERE hash = $1`, hash)
	return err
}
