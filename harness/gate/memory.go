package gate

import (
	"encoding/base64"
	"fmt"
	"time"

	"proctor/harness/verdict"
)

// MemoryFormat is the format of [Memory].
const MemoryFormat = "proctor/gate-memory/1"

// A Memory is what a gate keeps from one look to the next: the largest tree that it
// has seen, and the newest time that a witness signed. Whoever can change it can make
// the gate forget, and nothing else.
type Memory struct {
	Format string `json:"format"`
	Size   int64  `json:"size,string"`
	Root   string `json:"root"`
	Time   string `json:"time"` // RFC 3339 in UTC; "": no witness yet
	// TrustVersion is that of the newest signed trust file, Revocations the entries that
	// the newest list of revocations covered; 0: none yet.
	TrustVersion int64 `json:"trust_version,string,omitempty"`
	Revocations  int64 `json:"revocations,string,omitempty"`
}

// ParseMemory reads a memory strictly.
func ParseMemory(text []byte) (Memory, error) {
	var m Memory
	err := verdict.DecodeStrict(text, maxRequirements, &m)
	if err == nil && (m.Format != MemoryFormat || m.Size < 1 || m.Root == "" || m.TrustVersion < 0 || m.Revocations < 0) {
		err = fmt.Errorf("not of format %s", MemoryFormat)
	}
	if err == nil && m.Time != "" {
		_, err = time.Parse(time.RFC3339, m.Time)
	}
	if err != nil {
		return Memory{}, fmt.Errorf("memory: %w", err)
	}
	return m, nil
}

func (m Memory) time() time.Time {
	t, _ := time.Parse(time.RFC3339, m.Time) // ParseMemory has read it; the zero time else
	return t
}

// after returns what is remembered once a bundle was accepted.
func (l *look) after() Memory {
	m, v := l.Memory, l.bundle
	m.Format = MemoryFormat
	if l.Signed != nil {
		m.TrustVersion = max(m.TrustVersion, l.Signed.File.Version)
	}
	if l.list != nil {
		m.Revocations = max(m.Revocations, l.list.Sequence)
	}
	if v.TreeSize > m.Size {
		m.Size, m.Root = v.TreeSize, base64.StdEncoding.EncodeToString(v.Root[:])
	}
	if t := newest(v); t.After(m.time()) {
		m.Time = t.UTC().Format(time.RFC3339)
	}
	return m
}

// newest returns the newest time that a pinned witness signed.
func newest(v *verdict.Verified) (t time.Time) {
	for _, c := range v.Witnesses {
		if c.Time.After(t) {
			t = c.Time
		}
	}
	return t
}

// now is the latest time that the gate knows of: a clock that was set back does not
// revive an approval.
func (l *look) now() time.Time {
	now := l.Now
	for _, t := range []time.Time{newest(l.bundle), l.Memory.time()} {
		if t.After(now) && !l.without[clockStep] {
			now = t
		}
	}
	return now
}

// clockStep leaves now to the clock alone.
const clockStep = -1

// 9. Enough witnesses saw the log that the approval is in.
func (l *look) witnessed() error {
	if have := len(l.bundle.Witnesses); have < l.Requirements.Witnesses {
		return refuse(Denied, "%d pinned witnesses have seen the log that the approval is in, this gate demands %d: fetch the bundle again", have, l.Requirements.Witnesses)
	}
	return nil
}

// 10. The log is the one that this gate saw before.
func (l *look) remembered() error {
	m, root := l.Memory, base64.StdEncoding.EncodeToString(l.bundle.Root[:])
	if l.bundle.TreeSize == m.Size && root != m.Root {
		return refuse(Denied, "the log shows another history of %d entries than this gate has seen", m.Size)
	}
	if t := newest(l.bundle); l.bundle.TreeSize < m.Size && t.After(m.time()) {
		return refuse(Denied, "the log had %d entries at %s, and has %d at %s: it was rolled back", m.Size, m.Time, l.bundle.TreeSize, t.Format(time.RFC3339))
	}
	return nil
}
