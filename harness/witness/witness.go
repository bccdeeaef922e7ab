// Package witness co-signs checkpoints of logs, for readers who want to know that all
// of them see one history. It speaks C2SP tlog-witness: a log sends its newest
// checkpoint with a proof that it contains the one that the witness saw last.
//
// What always holds: for each log the witness signs checkpoints of one growing tree
// only. What it has seen is durable before it signs, so that a crash makes it forget a
// signature and never a checkpoint. It trusts the pinned keys of logs and its own
// file; who can write that file can make it sign a fork.
package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/cosig"
	"proctor/harness/tlog"
)

// A Witness is safe for concurrent use. [Open] makes one.
type Witness struct {
	signer *cosig.Signer
	logs   map[string]string // origin -> verifier key
	file   *stateFile

	mu   sync.Mutex
	seen map[string]tlog.Tree // by origin
}

// ErrLogs says that the keys of the logs to witness cannot be used.
var ErrLogs = errors.New("logs to witness")

// Open returns a witness that keeps what it has seen in a file, for the logs of those
// verifier keys. The file must exist: [Create] makes it once.
func Open(path string, signer *cosig.Signer, logKeys []string) (*Witness, error) {
	w := &Witness{signer: signer, logs: map[string]string{}}
	for _, key := range logKeys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fmt.Errorf("%w: %.40q is not a note verifier key", ErrLogs, key)
		}
		if w.logs[v.Name()] != "" {
			return nil, fmt.Errorf("%w: two have the origin %s", ErrLogs, v.Name())
		}
		w.logs[v.Name()] = key
	}
	if len(w.logs) == 0 {
		return nil, fmt.Errorf("%w: none is named", ErrLogs)
	}
	var err error
	w.file, w.seen, err = openState(path)
	return w, err
}

// Close lets another process take the file.
func (w *Witness) Close() error { return w.file.close() }

// Refusals, as C2SP tlog-witness names them by status.
var (
	ErrUnknownLog = errors.New("the log is not one of this witness")    // 404
	ErrBadNote    = errors.New("the log's key did not sign it")         // 403
	ErrMalformed  = errors.New("the request is not of the form")        // 400
	ErrProof      = errors.New("it does not contain the one seen last") // 422
)

// A ConflictError says that the witness has seen another size than the log thinks. 409
type ConflictError struct{ Size int64 }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the last one seen has %d entries", e.Size)
}

// Add cosigns a checkpoint that contains the one of size old that the witness saw
// last. It returns the line of a note. The order of steps is its argument: who signed
// it, what is known, what is proved, what is kept, and only then the signature.
func (w *Witness) Add(old int64, proof []tlog.Hash, checkpoint []byte) (line []byte, err error) {
	key, ok := w.logs[origin(checkpoint)]
	if !ok {
		return nil, ErrUnknownLog
	}
	now, err := tlog.ParseCheckpoint(checkpoint, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadNote, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.seen[origin(checkpoint)]
	switch {
	case old != last.N:
		return nil, &ConflictError{last.N}
	case now.N < old:
		return nil, fmt.Errorf("%w: it has %d entries, fewer than %d", ErrMalformed, now.N, old)
	case known && now.N == old && now.Hash != last.Hash:
		return nil, &ConflictError{last.N}
	}
	if !known || old == 0 {
		if len(proof) > 0 {
			return nil, fmt.Errorf("%w: a proof from nothing", ErrProof)
		}
	} else if err := tlog.CheckConsistency(proof, last, now); err != nil {
		return nil, ErrProof
	}
	if err := w.keep(origin(checkpoint), now); err != nil {
		return nil, fmt.Errorf("keep what was seen: %w", err)
	}
	return w.sign(checkpoint, key)
}

// keep is durable when it returns.
func (w *Witness) keep(name string, t tlog.Tree) error {
	if last, known := w.seen[name]; known && last == t {
		return nil
	}
	next := map[string]tlog.Tree{name: t}
	for k, v := range w.seen {
		if k != name {
			next[k] = v
		}
	}
	if err := w.file.write(next); err != nil {
		return err
	}
	w.seen = next
	return nil
}

func (w *Witness) sign(checkpoint []byte, key string) ([]byte, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	n, err := note.Open(checkpoint, note.VerifierList(v))
	if err != nil {
		return nil, err
	}
	sig, err := w.signer.Sign([]byte(n.Text))
	if err != nil {
		return nil, err
	}
	h := w.signer.KeyHash()
	raw := append([]byte{byte(h >> 24), byte(h >> 16), byte(h >> 8), byte(h)}, sig...)
	return fmt.Appendf(nil, "— %s %s\n", w.signer.Name(), base64.StdEncoding.EncodeToString(raw)), nil
}
