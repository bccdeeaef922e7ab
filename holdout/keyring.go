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

// Lines of a keyring's file. The first key wraps; those after it are still there to
// unwrap what they wrapped. Without a sketch line the secret follows from the last key.
//
//	proctor-keyring-1 <44 characters of base64>
//	proctor-vault-1 https://vault.example:8200 transit proctor
//	proctor-sketch-1 <44 characters of base64>
const (
	keyHeader    = "proctor-keyring-1 "
	vaultHeader  = "proctor-vault-1 "
	sketchHeader = "proctor-sketch-1 "
)

// A kek is one key-encryption key, wherever it is.
type kek interface {
	wrap(ctx context.Context, dek []byte, context string) ([]byte, error)
	unwrap(ctx context.Context, wrapped []byte, context string) ([]byte, error)
	owns(wrapped []byte) bool // whether it made a wrapping, by its form
	line() string             // in the file
}

// A FileKeyring keeps its keys, or the addresses of those that are kept elsewhere,
// in a file that only its owner may read.
type FileKeyring struct {
	keys   []kek // the newest first
	secret []byte
}

var _ Keyring = (*FileKeyring)(nil)

// CreateFileKeyring makes a new key and its file. An existing file is an error:
// to replace a key is to lose every set that was sealed with it.
func CreateFileKeyring(path string) (*FileKeyring, error) {
	key, err := newFileKey()
	if err != nil {
		return nil, err
	}
	if err := secret.Create(path, []byte(key.line()+"\n")); err != nil {
		return nil, fmt.Errorf("create keyring: %w", err)
	}
	return OpenFileKeyring(path)
}

// OpenFileKeyring reads a keyring. A file that others may read is refused.
func OpenFileKeyring(path string) (*FileKeyring, error) {
	text, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open keyring: %w; without it nothing that it sealed can be opened", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	k, err := parseKeyring(string(text))
	if err != nil {
		return nil, fmt.Errorf("open keyring: %s: %w", path, err)
	}
	return k, nil
}

func parseKeyring(text string) (*FileKeyring, error) {
	k := &FileKeyring{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		body, isFile := strings.CutPrefix(line, keyHeader)
		place, isVault := strings.CutPrefix(line, vaultHeader)
		sketch, isSketch := strings.CutPrefix(line, sketchHeader)
		switch {
		case k.secret != nil:
			return nil, errors.New("there is something after the sketch line")
		case isFile:
			key, err := key32(body)
			if err != nil {
				return nil, err
			}
			k.keys = append(k.keys, newFileKey32(key))
		case isVault:
			v, err := parseVaultKey(place)
			if err != nil {
				return nil, err
			}
			k.keys = append(k.keys, v)
		case isSketch:
			var err error
			if k.secret, err = key32(sketch); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("a line is none of %q, %q and %q", keyHeader, vaultHeader, sketchHeader)
		}
	}
	if len(k.keys) == 0 {
		return nil, fmt.Errorf("no line of %q and 32 bytes in base64", keyHeader)
	}
	if k.secret == nil {
		last, ok := k.keys[len(k.keys)-1].(*fileKey)
		if !ok {
			return nil, fmt.Errorf("a key that is kept elsewhere needs a line %q", sketchHeader)
		}
		k.secret = last.secret
	}
	return k, nil
}

// key32 reads 32 bytes. Its error does not quote them.
func key32(text string) ([]byte, error) {
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, errors.New("a key is not 32 bytes in base64")
	}
	return key, nil
}

// text is the keyring as its file has it.
func (k *FileKeyring) text() []byte {
	var b strings.Builder
	for _, key := range k.keys {
		b.WriteString(key.line() + "\n")
	}
	b.WriteString(sketchHeader + base64.StdEncoding.EncodeToString(k.secret) + "\n")
	return []byte(b.String())
}

// AddFileKey puts a new key first in a keyring's file; the others stay, to unwrap.
// The secret of sketches stays, so that sets go on to recognise each other's rows.
func AddFileKey(path string) (*FileKeyring, error) {
	key, err := newFileKey()
	if err != nil {
		return nil, err
	}
	return addKey(path, key)
}

// AddVaultKey puts a key of a HashiCorp Vault first.
func AddVaultKey(path, address, mount, name string) (*FileKeyring, error) {
	v, err := parseVaultKey(address + " " + mount + " " + name)
	if err != nil {
		return nil, err
	}
	return addKey(path, v)
}

func addKey(path string, key kek) (*FileKeyring, error) {
	k, err := OpenFileKeyring(path)
	if err != nil {
		return nil, err
	}
	k.keys = append([]kek{key}, k.keys...)
	return k, secret.Replace(path, k.text())
}

// DropOldKeys leaves only the first key in a keyring's file: what another one
// wrapped cannot be unwrapped any more, in no copy of a database.
func DropOldKeys(path string) (*FileKeyring, error) {
	k, err := OpenFileKeyring(path)
	if err != nil {
		return nil, err
	}
	k.keys = k.keys[:1]
	return k, secret.Replace(path, k.text())
}

// Wrap implements [Keyring].
func (k *FileKeyring) Wrap(ctx context.Context, dek []byte, context string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.keys[0].wrap(ctx, dek, context)
}

// Unwrap implements [Keyring].
func (k *FileKeyring) Unwrap(ctx context.Context, wrapped []byte, context string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, key := range k.keys {
		if key.owns(wrapped) {
			return key.unwrap(ctx, wrapped, context)
		}
	}
	return nil, ErrWrongKey
}

// Secret implements [Keyring].
func (k *FileKeyring) Secret(ctx context.Context, purpose string) ([]byte, error) {
	return mac(k.secret, []byte(purpose)), ctx.Err()
}

// A fileKey is a key that is in the file itself.
type fileKey struct {
	raw, enc, mac, secret []byte
	id                    []byte // tells keys apart; not secret
}

func newFileKey() (*fileKey, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return newFileKey32(key), nil
}

func newFileKey32(key []byte) *fileKey {
	return &fileKey{
		raw: key, enc: derive(key, "proctor/keyring/1/wrap"), mac: derive(key, "proctor/keyring/1/name"),
		secret: derive(key, "proctor/keyring/1/secret"), id: derive(key, "proctor/keyring/1/id")[:8],
	}
}

func newFileKeyring(key []byte) *FileKeyring {
	f := newFileKey32(key)
	return &FileKeyring{[]kek{f}, f.secret}
}

func (k *fileKey) line() string { return keyHeader + base64.StdEncoding.EncodeToString(k.raw) }

func (k *fileKey) owns(wrapped []byte) bool { return bytes.HasPrefix(wrapped, k.id) }

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

// wrap gives the key's id, a name, and the data key under a key of that name's own.
// The name is a MAC of context and data key: equal inputs give equal bytes, so that a
// sealed set is a function of its inputs, and no two data keys ever share a key and nonce.
func (k *fileKey) wrap(_ context.Context, dek []byte, context string) ([]byte, error) {
	name := mac(k.mac, []byte(context), dek)
	out := append(bytes.Clone(k.id), name...)
	return k.aead(name).Seal(out, make([]byte, 12), dek, []byte(context)), nil
}

func (k *fileKey) unwrap(_ context.Context, wrapped []byte, context string) ([]byte, error) {
	head := len(k.id) + sha256.Size
	if len(wrapped) < head {
		return nil, ErrWrongKey
	}
	name := wrapped[len(k.id):head]
	dek, err := k.aead(name).Open(nil, make([]byte, 12), wrapped[head:], []byte(context))
	if err != nil || !hmac.Equal(name, mac(k.mac, []byte(context), dek)) {
		return nil, ErrWrongKey
	}
	return dek, nil
}

func (k *fileKey) aead(name []byte) cipher.AEAD { return newGCM(mac(k.enc, name)) }

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
