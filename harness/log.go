package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// An appender signs statements and logs them in the transaction that they belong
// to: both are kept or neither. It is of use only inside [Service.update].
type appender struct {
	s   *Service
	ctx context.Context
	tx  *store.Tx
	n   int   // entries appended
	at  int64 // index of the last
}

// update runs f in the one writing transaction. If f logged something, the head
// moves on after the commit and before anybody is answered: what update has
// acknowledged, no later state of the database can lack unnoticed.
func (s *Service) update(ctx context.Context, f func(tx *store.Tx, log *appender) error) error {
	log := &appender{s: s, ctx: ctx}
	err := s.write(ctx, log, f)
	if err != nil || log.n == 0 {
		return err
	}
	return s.advanceTo(context.WithoutCancel(ctx), log.at)
}

// write is the transaction of update. One at a time, so that it is known how long the
// log was left by the last.
func (s *Service) write(ctx context.Context, log *appender, f func(tx *store.Tx, log *appender) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		log.tx = tx
		return f(tx, log)
	})
	if err == nil && log.n > 0 {
		s.size = log.at + 1
	}
	return err
}

// advance moves the log's head to what is committed. It refuses a storage that lost
// entries or has others: somebody restored or rewrote history.
func (s *Service) advance(ctx context.Context) error { return s.advanceTo(ctx, -1) }

// advanceTo does nothing if the head covers the entry at already.
func (s *Service) advanceTo(ctx context.Context, at int64) error {
	return s.Head.AdvanceTo(at, func(read func(tlog.Tx) error) error {
		// Not a reader's connection: those who prove entries hold one and wait for the head.
		return s.Store.Newest(ctx, func(tx *store.Tx) error { return read(tx) })
	})
}

// add signs a statement with the key for its kind and appends it.
func (l *appender) add(st verdict.Statement, signer verdict.Signer) (int64, *verdict.Envelope, error) {
	p, err := verdict.Prepare(st)
	if err != nil {
		return 0, nil, fmt.Errorf("prepare a statement: %w", err)
	}
	e, err := verdict.Issue(l.ctx, p, signer)
	if err != nil {
		return 0, nil, fmt.Errorf("sign a statement: %w", err)
	}
	leaf, err := e.Leaf()
	if err != nil {
		return 0, nil, err
	}
	if l.n == 0 { // the head must not come to sign what somebody else put there
		if size, err := l.tx.LogSize(); err != nil || size != l.s.size {
			return 0, nil, fmt.Errorf("the log has %d entries, this service left it with %d: somebody else writes there: %w", size, l.s.size, errors.Join(err, tlog.ErrForked))
		}
	}
	index, err := tlog.Append(l.tx, tlog.Entry{Leaf: leaf, Kind: e.Type(), Subject: e.Subject().Digest, Envelope: e.Bytes()})
	l.n, l.at = l.n+1, index
	return index, e, err
}

// envelope reads a logged statement back, if our keys signed it.
func (s *Service) envelope(tx *store.Tx, index int64) (*verdict.Envelope, error) {
	e, err := tx.LogEntry(index)
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", index, err)
	}
	env, err := verdict.Open(e.Envelope, s.trust, index)
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", index, err)
	}
	return env, nil
}

func (s *Service) stamp() string { return s.Now().UTC().Format(time.RFC3339) }

func (s *Service) runOf(r store.Run) verdict.Run {
	return verdict.Run{ID: r.ID, Verifier: s.Name, Harness: s.Harness, Lineage: r.Lineage}
}

func refOf(c holdout.Commitment) verdict.Ref {
	return verdict.Ref{Name: c.Name, Version: c.Version, Digest: c.Digest}
}

func modelRef(r store.Run) verdict.Ref { return verdict.Ref{Name: r.PackageName, Digest: r.Package} }

// change logs a step of a proposal: proposed, activated or refused.
func (l *appender) change(c store.Change, p access.Principal) error {
	action := map[string]string{"proposed": "proposed", "active": "activated", "refused": "refused"}[c.State]
	doc := verdict.Ref{Name: c.Name, Digest: c.Digest}
	switch d, err := l.tx.Document(c.Digest); {
	case err == nil:
		doc.Version = int(d.Version)
	case c.Kind == "baseline" && errors.Is(err, store.ErrNotFound): // names a run; logged are lineage and package
		r, err := l.tx.Run(c.Digest)
		if err != nil {
			return err
		}
		doc.Digest = r.Package
	default:
		return err
	}
	_, _, err := l.add(&verdict.Change{
		ID: c.ID, Verifier: l.s.Name, Action: action, Kind: c.Kind, Document: doc,
		By: p.ID, Person: p.Person, Note: c.Note, At: l.s.stamp(),
	}, l.s.Evidence)
	return err
}

// exposure logs a charge.
func (l *appender) exposure(r store.Run, holdout verdict.Ref, used, budget int) (int64, error) {
	index, _, err := l.add(&verdict.Exposure{Run: l.s.runOf(r), Holdout: holdout, Used: used, Budget: budget, At: l.s.stamp()}, l.s.Evidence)
	return index, err
}
