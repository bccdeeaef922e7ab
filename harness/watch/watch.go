package watch

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
)

// Kinds of alarms.
const (
	Fork          = "fork"           // the log does not contain what it showed before
	UnknownSigner = "unknown-signer" // an entry by a key that is not pinned, or not any more
	OutOfOrder    = "out-of-order"   // a statement that those before it do not allow
	Untrue        = "untrue"         // what the service sends is not what the log holds
)

// An Alarm is something that no honest log shows.
type Alarm struct {
	Kind  string `json:"kind"`
	Index int64  `json:"index"` // of the entry; -1: of the whole log
	Text  string `json:"text"`
}

// State is what a monitor keeps between two looks: the newest checkpoint that it has
// checked up to, and what the statements said so far. It is the monitor's own memory:
// who can change it can hide a fork.
type State struct {
	Format  string           `json:"format"`
	Origin  string           `json:"origin"`
	Size    int64            `json:"size,string"`
	Root    string           `json:"root"` // base64
	History *verdict.History `json:"history,omitempty"`
}

// StateFormat is the format of [State].
const StateFormat = "proctor/monitor-state/1"

// ErrState says that a state is not one that this look can go on from.
var ErrState = errors.New("this is a state")

func (s *State) tree() (tlog.Tree, error) {
	t := tlog.Tree{N: s.Size}
	if s.Format != StateFormat || s.Size < 0 {
		return t, fmt.Errorf("%w of format %q, this program keeps %s", ErrState, s.Format, StateFormat)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s.Root)
	if err != nil || len(b) != len(t.Hash) {
		return t, fmt.Errorf("%w with a damaged root", ErrState)
	}
	t.Hash = tlog.Hash(b)
	return t, nil
}

// A Monitor looks at one log.
type Monitor struct {
	Remote
	Trust  verdict.Trust
	LogKey string
	// Envelopes returns up to n statements from an index on, as the service stores
	// them. nil: the monitor sees leaves only.
	Envelopes func(ctx context.Context, from int64, n int) ([][]byte, error)
}

// Look fetches the newest checkpoint and checks everything since the state, which it
// returns moved on, and every alarm. A fork is the last alarm: the state stays. An
// error means that it could not look, which is no alarm, and no all-clear either.
func (m *Monitor) Look(ctx context.Context, was *State) (*State, []Alarm, error) {
	if was == nil {
		was = &State{Format: StateFormat, Root: base64.StdEncoding.EncodeToString(emptyRoot[:])}
		if m.Envelopes != nil {
			was.History = &verdict.History{}
		}
	}
	old, err := was.tree()
	if err != nil {
		return nil, nil, err
	}
	if (m.Envelopes != nil) != (was.History != nil) {
		return nil, nil, fmt.Errorf("%w that was kept with statements, and this look is without, or the other way round: use another file", ErrState)
	}
	signed, now, err := m.Checkpoint(ctx, m.LogKey)
	if err != nil {
		return nil, nil, err
	}
	hashes := m.hashes(ctx, now)
	if alarm, err := contains(hashes, old, now); err != nil || alarm != nil {
		return was, alarm, err
	}
	next := &State{Format: StateFormat, Origin: origin(signed), Size: now.N, Root: base64.StdEncoding.EncodeToString(now.Hash[:]), History: was.History}
	var alarms []Alarm
	for at := old.N; at < now.N; {
		leaves, err := m.leaves(ctx, now, hashes, at)
		var bad *tlog.BadEntryError
		if errors.As(err, &bad) {
			return was, append(alarms, Alarm{Fork, bad.Index, bad.Err.Error()}), nil
		}
		if err != nil {
			return nil, alarms, err
		}
		more, err := m.check(ctx, next, at, leaves)
		if err != nil {
			return nil, alarms, err
		}
		alarms = append(alarms, more...)
		at += int64(len(leaves))
	}
	if m.Envelopes != nil && next.Size > 0 {
		more, err := m.list(ctx, next)
		if err != nil {
			return nil, alarms, err
		}
		alarms = append(alarms, more...)
	}
	return next, alarms, nil
}

// list compares the published list of revocations with those in the log: whoever has the
// key that signs it could leave one out.
func (m *Monitor) list(ctx context.Context, s *State) ([]Alarm, error) {
	b, err := m.get(ctx, "revocations", verdict.MaxBundle)
	if err != nil {
		return nil, err
	}
	l, err := verdict.OpenRevocations(b, m.Trust)
	if err != nil {
		return []Alarm{{Untrue, -1, err.Error()}}, nil
	}
	known := min(l.Sequence, s.Size) // what both cover
	var listed, logged []int64
	for _, r := range l.Revoked {
		if r.LogIndex < known {
			listed = append(listed, r.LogIndex)
		}
	}
	for _, i := range s.History.Revocations {
		if i < known {
			logged = append(logged, i)
		}
	}
	if !slices.Equal(listed, logged) {
		return []Alarm{{Untrue, -1, fmt.Sprintf("the list of revocations names the entries %v, the log holds revocations at %v", listed, logged)}}, nil
	}
	return nil, nil
}

var emptyRoot = func() tlog.Hash { h, _ := xtlog.TreeHash(0, nil); return h }()

func origin(checkpoint []byte) string {
	name, _, _ := bytes.Cut(checkpoint, []byte("\n"))
	return string(name)
}

// contains says whether the tree contains the older one.
func contains(hashes xtlog.HashReader, old, now tlog.Tree) ([]Alarm, error) {
	if now.N < old.N {
		return []Alarm{{Fork, -1, fmt.Sprintf("the log has %d entries, it had %d: it was rolled back", now.N, old.N)}}, nil
	}
	if old.N == 0 {
		return nil, nil
	}
	root, err := xtlog.TreeHash(old.N, hashes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTree, err)
	}
	if root != old.Hash {
		return []Alarm{{Fork, -1, fmt.Sprintf("its first %d entries are not those that it showed before", old.N)}}, nil
	}
	return nil, nil
}

// check looks at entries that are known to be in the log.
func (m *Monitor) check(ctx context.Context, s *State, at int64, leaves [][]byte) (alarms []Alarm, err error) {
	for i, leaf := range leaves {
		if err := m.Trust.CheckLeaf(at+int64(i), leaf); err != nil {
			alarms = append(alarms, Alarm{UnknownSigner, at + int64(i), err.Error()})
		}
	}
	if m.Envelopes == nil {
		return alarms, nil
	}
	for done := 0; done < len(leaves); {
		envelopes, err := m.Envelopes(ctx, at+int64(done), len(leaves)-done)
		if err != nil {
			return nil, fmt.Errorf("fetch statements: %w", err)
		}
		if len(envelopes) == 0 || len(envelopes) > len(leaves)-done {
			return nil, fmt.Errorf("the service sends %d of %d statements from entry %d on", len(envelopes), len(leaves)-done, at+int64(done))
		}
		for _, e := range envelopes {
			if a := m.statement(s.History, at+int64(done), leaves[done], e); a != nil {
				alarms = append(alarms, *a)
			}
			done++
		}
	}
	return alarms, nil
}

// statement checks one statement against its leaf and those before it.
func (m *Monitor) statement(h *verdict.History, at int64, leaf, envelope []byte) *Alarm {
	env, err := verdict.Open(envelope, m.Trust, at)
	if err != nil {
		h.Size = at + 1 // the next one is looked at all the same
		return &Alarm{Untrue, at, err.Error()}
	}
	if own, err := env.Leaf(); err != nil || !bytes.Equal(own, leaf) {
		h.Size = at + 1
		return &Alarm{Untrue, at, "the service sends another statement than the log holds"}
	}
	if err := h.Add(at, env); err != nil {
		h.Size = at + 1
		return &Alarm{OutOfOrder, at, err.Error()}
	}
	return nil
}
