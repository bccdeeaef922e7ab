package holdout

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"proctor/harness/secret"
)

// A Keyring wraps data keys with a key-encryption key that it never hands out.
// It may be called concurrently.
type Keyring interface {
	// Wrap encrypts a data key so that only Unwrap with the same context gives it back.
	Wrap(ctx context.Context, dek []byte, context string) ([]byte, error)
	// Unwrap fails on any other wrapping, another context or another key.
	Unwrap(ctx context.Context, wrapped []byte, context string) ([]byte, error)
	// Secret returns 32 bytes that depend on the key and the purpose only. They key
	// the sketches by which sets of one installation recognise shared rows, and
	// tell nothing about data keys.
	Secret(ctx context.Context, purpose string) ([]byte, error)
}

// ErrWrongKey is returned, wrapped, for a data key that another key or context wrapped.
var ErrWrongKey = errors.New("the data key was not wrapped by this key for this purpose")

const keyHeader = "proctor-keyring-1 "

// A FileKeyring keeps its key in a file that only its owner may read:
//
//	proctor-keyring-1 <44 characters of base64>
type FileKeyring struct {
	enc, mac, secret []byte
	id               []byte // tells keys apart; not secret
}

var _ Keyring = (*FileKeyring)(nil)

// CreateFileKeyring makes a new key and its file. An existing file is an error:
// to replace a key is to lose every set that was sealed with it.
func CreateFileKeyring(path string) (*FileKeyring, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	line := keyHeader + base64.StdEncoding.EncodeToString(key) + "\n"
	if err := secret.Create(path, []byte(line)); err != nil {
		return nil, fmt.Errorf("create keyring: %w", err)
	}
	return OpenFileKeyring(path)
}

// OpenFileKeyring reads a key. A file that others may read is refused.
func OpenFileKeyring(path string) (*FileKeyring, error) {
	text, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open keyring: %w; without it nothing that it sealed can be opened", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	body, ok := strings.CutPrefix(string(text), keyHeader)
	key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(body, "\n"))
	if !ok || err != nil || len(key) != 32 {
		return nil, fmt.Errorf("open keyring: %s is not one line of %q and 32 bytes in base64", path, keyHeader)
	}
	return newFileKeyring(key), nil
}

func newFileKeyring(key []byte) *FileKeyring {
	return &FileKeyring{
		enc: derive(key, "proctor/keyring/1/wrap"), mac: derive(key, "proctor/keyring/1/name"),
		secret: derive(key, "proctor/keyring/1/secret"), id: derive(key, "proctor/keyring/1/id")[:8],
	}
}

// derive makes an independent 32-byte key for one use.
func derive(key []byte, info string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, info, 32)
	if err != nil {
		panic(err) // 32 bytes are never too many
	}
	return out
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		m.Write(p)
	}
	return m.Sum(nil)
}

// Wrap implements [Keyring]. Its result is the key's id, a name, and the data key
// under a key of that name's own. The name is a MAC of context and data key: equal
// inputs give equal bytes, so that a sealed set is a function of its inputs, and no
// two data keys ever share a key and nonce.
func (k *FileKeyring) Wrap(ctx context.Context, dek []byte, context string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name := mac(k.mac, []byte(context), dek)
	out := append(bytes.Clone(k.id), name...)
	return k.aead(name).Seal(out, make([]byte, 12), dek, []byte(context)), nil
}

// Unwrap implements [Keyring].
func (k *FileKeyring) Unwrap(ctx context.Context, wrapped []byte, context string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	head := len(k.id) + sha256.Size
	if len(wrapped) < head || !bytes.Equal(wrapped[:len(k.id)], k.id) {
		return nil, ErrWrongKey
	}
	name := wrapped[len(k.id):head]
	dek, err := k.aead(name).Open(nil, make([]byte, 12), wrapped[head:], []byte(context))
	if err != nil || !hmac.Equal(name, mac(k.mac, []byte(context), dek)) {
		return nil, ErrWrongKey
	}
	return dek, nil
}

// Secret implements [Keyring].
func (k *FileKeyring) Secret(ctx context.Context, purpose string) ([]byte, error) {
	return mac(k.secret, []byte(purpose)), ctx.Err()
}

func (k *FileKeyring) aead(name []byte) cipher.AEAD { return newGCM(mac(k.enc, name)) }

// newGCM makes AES-256-GCM of a 32-byte key.
func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}
