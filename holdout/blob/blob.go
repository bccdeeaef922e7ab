// Package blob stores immutable byte strings named by their SHA-256.
//
// A Store is not trusted: Get re-hashes what it reads, so a party who can write
// to the store can make reads fail but cannot change what a Ref means. Nothing in
// a store says what a blob is for; names and versions live elsewhere.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A Ref names bytes: "sha256:" and 64 lower-case hex digits.
type Ref string

const prefix = "sha256:"

// MaxSize is the largest blob, in bytes. It bounds what a reader allocates for a
// file that somebody else may have replaced.
const MaxSize = 2 << 30

// ErrNotFound is returned, wrapped, by Get for a Ref that the store does not have.
var ErrNotFound = errors.New("blob not found")

// A CorruptError reports stored bytes that are not those that their Ref names.
type CorruptError struct {
	Ref Ref
	Why string
}

func (e *CorruptError) Error() string { return fmt.Sprintf("blob %s is damaged: %s", e.Ref, e.Why) }

// A Store holds blobs. Its methods may be called concurrently, also by several
// processes on the same store.
type Store interface {
	// Put is durable when it returns: a crash later loses nothing, a crash or
	// error before leaves no part of the blob readable. Putting bytes that are
	// there already succeeds and changes nothing. The store does not keep data: its
	// caller may use it for other bytes afterwards.
	Put(ctx context.Context, data []byte) (Ref, error)
	// Get returns exactly the bytes that ref names. Otherwise its error is
	// ErrNotFound, a *CorruptError, or a failure of the storage below.
	Get(ctx context.Context, ref Ref) ([]byte, error)
	// Has says whether Get would find the blob; it does not read it.
	Has(ctx context.Context, ref Ref) (bool, error)
}

// RefOf returns the name of data.
func RefOf(data []byte) Ref {
	sum := sha256.Sum256(data)
	return Ref(prefix + hex.EncodeToString(sum[:]))
}

// ParseRef accepts exactly what RefOf prints.
func ParseRef(s string) (Ref, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != 2*sha256.Size || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%.80q is not a blob's name; those are sha256: and 64 lower-case hex digits", s)
	}
	return Ref(s), nil
}

// digits returns the hex part of a well-formed ref.
func (r Ref) digits() (string, error) {
	_, err := ParseRef(string(r))
	return strings.TrimPrefix(string(r), prefix), err
}
