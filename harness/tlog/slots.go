package tlog

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// slotSize is a multiple of the blocks that disks write whole, so that a torn write
// of one slot does not touch the other.
const slotSize = 4096

// slots are the two checkpoints in a head's file: slot i at byte i*slotSize, filled
// up with zeros. An empty slot was never written.
type slots [2][]byte

func (s slots) equal(o slots) bool { return bytes.Equal(s[0], o[0]) && bytes.Equal(s[1], o[1]) }

// newest returns the checkpoint of the log that has more entries, and its slot. A
// slot that does not verify was torn, or never written; one must.
func (s slots) newest(key string) (signed []byte, t Tree, at int, err error) {
	at = -1
	for i, b := range s {
		have, perr := ParseCheckpoint(b, key)
		switch {
		case perr != nil && len(b) > 0:
			err = perr
		case perr == nil && (at < 0 || have.N > t.N):
			signed, t, at = b, have, i
		}
	}
	switch {
	case at >= 0:
		return signed, t, at, nil
	case err == nil:
		err = errors.New("it is empty")
	}
	return nil, Tree{}, 0, err
}

// createSlots makes a head's file, durably. It replaces none.
func createSlots(path string, first []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(bytes.Clone(first), make([]byte, 2*slotSize-len(first))...))
	return errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}

// readSlots reads a head's file, or a lone checkpoint, which is one slot.
func readSlots(path string) (s slots, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 2*slotSize+1))
	if err != nil {
		return s, err
	}
	if len(b) > 2*slotSize {
		return s, errors.New("it is too long")
	}
	for i := range s {
		slot := b[min(i*slotSize, len(b)):min((i+1)*slotSize, len(b))]
		s[i] = bytes.TrimRight(slot, "\x00")
	}
	return s, nil
}

// writeSlot is durable when it returns. A crash leaves the slot old, new or torn.
func writeSlot(path string, at int, b []byte) error {
	if len(b) > slotSize {
		return errors.New("a checkpoint that is longer than a slot")
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(append(bytes.Clone(b), make([]byte, slotSize-len(b))...), int64(at)*slotSize)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes a folder's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
