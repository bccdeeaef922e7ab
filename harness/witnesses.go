package harness

import (
	"bytes"
	"context"
	"sync"
	"time"

	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/witness"
)

// cosigned is the newest checkpoint that a witness signed, with the lines of all that
// did. It is not kept: witnesses sign again what they have seen. The zero value has none.
type cosigned struct {
	mu     sync.Mutex
	signed []byte
	tree   tlog.Tree
	change chan struct{} // closed at the next change; nil: nobody waits
}

func (c *cosigned) get() ([]byte, tlog.Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signed, c.tree
}

func (c *cosigned) set(signed []byte, t tlog.Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed, c.tree = signed, t
	if c.change != nil {
		close(c.change)
		c.change = nil
	}
}

// wait returns when a cosigned checkpoint covers an entry, or ctx ends.
func (c *cosigned) wait(ctx context.Context, index int64) {
	for {
		c.mu.Lock()
		if index < c.tree.N {
			c.mu.Unlock()
			return
		}
		if c.change == nil {
			c.change = make(chan struct{})
		}
		change := c.change
		c.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			return
		}
	}
}

// Times of asking witnesses. A bundle waits a little for cosignatures, and goes
// without them then: the gate that demands them says so, and it is fetched again.
const (
	witnessTime  = 10 * time.Second
	witnessAgain = 15 * time.Second
	bundleWaits  = 5 * time.Second
)

// Cosign asks the witnesses of the service for cosignatures whenever the log's head
// moves, until ctx ends. A witness that does not answer holds up nobody.
func (s *Service) Cosign(ctx context.Context) {
	if len(s.Witnesses) == 0 {
		return
	}
	for ctx.Err() == nil {
		moved := s.Head.Moved()
		var again <-chan time.Time
		if !s.askWitnesses(ctx) {
			again = time.After(witnessAgain)
		}
		select {
		case <-ctx.Done():
		case <-moved:
		case <-again:
		}
	}
}

// askWitnesses reports whether all witnesses signed the newest checkpoint.
func (s *Service) askWitnesses(ctx context.Context) bool {
	signed, tree := s.Head.Checkpoint()
	if len(signed) == 0 || tree.N == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, witnessTime)
	defer cancel()
	lines := make([][]byte, len(s.Witnesses))
	var wg sync.WaitGroup
	for i, p := range s.Witnesses {
		wg.Go(func() { lines[i] = s.askWitness(ctx, p, signed, tree) })
	}
	wg.Wait()
	with, all := bytes.Clone(signed), true
	for _, l := range lines {
		with, all = append(with, l...), all && l != nil
	}
	if len(with) > len(signed) {
		s.cosigned.set(with, tree)
	}
	return all
}

func (s *Service) askWitness(ctx context.Context, p *witness.Peer, signed []byte, tree tlog.Tree) []byte {
	line, err := p.Ask(ctx, signed, tree.N, func(old int64) (proof []tlog.Hash, err error) {
		err = s.Store.View(ctx, func(tx *store.Tx) error { proof, err = tlog.Consistency(tx, old, tree.N); return err })
		return proof, err
	})
	if err != nil && ctx.Err() == nil {
		s.Logger.Warn("no cosignature", "error", err)
	}
	return line
}

// prove returns the proof of an entry under a checkpoint that witnesses signed, if
// one covers it or does so shortly, else under the head.
func (s *Service) prove(ctx context.Context, index int64) (proof tlog.Proof, err error) {
	if len(s.Witnesses) > 0 {
		short, cancel := context.WithTimeout(ctx, bundleWaits)
		s.cosigned.wait(short, index)
		cancel()
	}
	signed, tree := s.cosigned.get()
	// A view of its own: it begins with its first read, which is after the head was
	// looked at, so that it has all entries that the head covers.
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if index < tree.N {
			proof, err = tlog.ProveIn(tx, index, signed, tree)
		} else {
			proof, err = s.Head.Prove(tx, index)
		}
		return err
	})
	return proof, err
}
