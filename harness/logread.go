package harness

import (
	"context"
	"errors"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/tlog"
)

// LogCheckpoint returns the newest checkpoint of the log, with cosignatures
// if it has any yet; it is public.
func (s *Service) LogCheckpoint() ([]byte, error) {
	signed, tree := s.Head.Checkpoint()
	if with, same := s.cosigned.get(); len(signed) > 0 && same == tree {
		signed = with
	}
	if len(signed) == 0 {
		return nil, errors.New("the log's head is closed")
	}
	return signed, nil
}

// LogTile returns a part of the log as it is published. Hashes and entries are public:
// an entry holds the hash of a statement and its signature, nothing of what it says.
func (s *Service) LogTile(ctx context.Context, path string) ([]byte, error) {
	t, err := tlog.ParseTilePath(path)
	if err != nil {
		return nil, refuse(Missing, "%v", err)
	}
	_, tree := s.Head.Checkpoint()
	var b []byte
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) { b, err = tlog.ReadTile(tx, t, tree.N); return err })
	if errors.Is(err, tlog.ErrNoTile) {
		return nil, refuse(Missing, "the log of %d entries has no such tile", tree.N)
	}
	return b, err
}

// maxEntries is the most statements of one answer.
const maxEntries = 256

// LogEntries returns up to limit logged statements from an index on, as they were
// signed. They hold every number of every verdict.
func (s *Service) LogEntries(ctx context.Context, p access.Principal, from int64, limit int) ([][]byte, error) {
	if err := access.Check(p, access.SeeReport, access.Object{}); err != nil {
		return nil, err
	}
	if from < 0 || limit < 1 || limit > maxEntries {
		return nil, refuse(Usage, "from is at least 0, and limit 1 to %d", maxEntries)
	}
	_, tree := s.Head.Checkpoint()
	var out [][]byte
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		for i := from; i < min(from+int64(limit), tree.N); i++ {
			e, err := tx.LogEntry(i)
			if err != nil {
				return err
			}
			out = append(out, e.Envelope)
		}
		return nil
	})
	return out, err
}
