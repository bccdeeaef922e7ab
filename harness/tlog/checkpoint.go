package tlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Tree is the number of entries and their root hash.
type Tree = tlog.Tree

// MaxCheckpoint is the most bytes that a signed checkpoint may have.
const MaxCheckpoint = 16 << 10

// sign returns the signed note of a tree:
//
//	proctor.example
//	3
//	nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=
//
//	— proctor.example <signature>
func (l *Log) sign(t Tree) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", l.Origin(), t.N, t.Hash)
	b, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return b, nil
}

// ParseCheckpoint verifies a signed checkpoint with a log's verifier key and
// returns its tree. Signature lines of others (witnesses) are left alone.
func ParseCheckpoint(signed []byte, key string) (Tree, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return Tree{}, fmt.Errorf("log key: %w", err)
	}
	return parseCheckpoint(signed, v)
}

func parseCheckpoint(signed []byte, v note.Verifier) (Tree, error) {
	if len(signed) > MaxCheckpoint {
		return Tree{}, fmt.Errorf("checkpoint is longer than %d bytes", MaxCheckpoint)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	// note.Open reads more than one form of the same signature.
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return Tree{}, errors.New("checkpoint: its signature is not in the one form of base64")
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Tree{}, errors.New("checkpoint: it must have three lines: origin, size, root")
	}
	if lines[0] != v.Name() {
		return Tree{}, fmt.Errorf("checkpoint: of log %q, want %q", lines[0], v.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Tree{}, fmt.Errorf("checkpoint: bad size %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Tree{}, errors.New("checkpoint: bad root")
	}
	return Tree{N: size, Hash: Hash(root)}, nil
}
