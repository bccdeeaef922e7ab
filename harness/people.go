package harness

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
)

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

// eachAccount calls put with every account that the log activates.
func (s *Service) eachAccount(tx *store.Tx, put func(enlisted)) error {
	_, head := s.Head.Checkpoint()
	for i := range head.N {
		e, err := tx.LogEntry(i)
		if err != nil {
			return fmt.Errorf("log entry %d: %w", i, err)
		}
		env, err := openEntry(s.trust, i, e)
		if err != nil {
			return fmt.Errorf("log entry %d: %w", i, err)
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
