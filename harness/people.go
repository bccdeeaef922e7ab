package harness

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
)

// People is who the log says may do what. It is read from the log's activations
// alone, never from a table that says who is in force, so that whoever can write
// the database gives nobody a role or a token: he would have to sign.
type people struct {
	mu   sync.Mutex
	next int64 // first entry of the log that was not looked at yet
	hired
}

// hired are the accounts as one stretch of the log leaves them.
type hired struct {
	account map[string]enlisted // by name; one without roles has ended
	token   map[string]string   // hash -> name
}

// An enlisted account and the change that put it in force.
type enlisted struct {
	access.Account
	by string // who decided; [console] for whoever had the machine
	at string
}

func (h *hired) put(e enlisted) {
	if h.account == nil {
		h.account, h.token = map[string]enlisted{}, map[string]string{}
	}
	for _, t := range h.account[e.ID].Tokens {
		delete(h.token, t.SHA256)
	}
	h.account[e.ID] = e
	for _, t := range e.Tokens {
		h.token[t.SHA256] = e.ID
	}
}

// all lists the accounts by name.
func (h *hired) all() []enlisted {
	var list []enlisted
	for _, e := range h.account {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b enlisted) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (h *hired) accounts() []access.Account {
	var list []access.Account
	for _, e := range h.all() {
		list = append(list, e.Account)
	}
	return list
}

// follow reads what the log has since the last look, and calls f with the result.
// Inside a writing transaction its own entries are not to be read, see [Service.hire]:
// they may yet be rolled back.
func (s *Service) follow(tx *store.Tx, f func(h *hired) error) error {
	p := &s.people
	p.mu.Lock()
	defer p.mu.Unlock()
	size, err := tx.LogSize()
	if err != nil {
		return err
	}
	if err := s.eachAccount(tx, p.next, p.put); err != nil {
		return err
	}
	p.next = max(p.next, size)
	return f(&p.hired)
}

// eachAccount calls put with every account that the log activates from an index on.
func (s *Service) eachAccount(tx *store.Tx, from int64, put func(enlisted)) error {
	indexes, err := tx.LogIndexesFrom(verdict.ChangeType, from)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		env, err := s.envelope(tx, i)
		if err != nil {
			return err
		}
		c, ok := env.Statement().(*verdict.Change)
		if !ok || c.Kind != accountKind || c.Action != "activated" {
			continue
		}
		a, err := storedAccount(tx, c.Document)
		if err != nil {
			return fmt.Errorf("log entry %d: %w", i, err)
		}
		put(enlisted{a, c.By, c.At})
	}
	return nil
}

// storedAccount reads the document that a statement names.
func storedAccount(tx *store.Tx, ref verdict.Ref) (access.Account, error) {
	d, err := tx.Document(ref.Digest)
	if err != nil {
		return access.Account{}, fmt.Errorf("account %s: %w", ref.Name, err)
	}
	a, err := access.ParseAccount(d.Body)
	if err == nil && (a.Digest() != ref.Digest || a.ID != ref.Name) {
		err = errors.New("its record is another document than the log names")
	}
	if err != nil {
		return access.Account{}, fmt.Errorf("account %s: %w", ref.Name, err)
	}
	return a, nil
}
