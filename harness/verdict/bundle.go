package verdict

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// A Proof shows that an envelope's leaf is in the tree of a signed checkpoint. It
// has the fields of tlog.Proof, from which it converts.
type Proof struct {
	Index      int64
	Hashes     []tlog.Hash
	Checkpoint []byte // signed note
}

// bundleJSON is a sigstore bundle v0.3 of the one shape that we make.
type bundleJSON struct {
	MediaType string       `json:"mediaType"`
	Material  materialJSON `json:"verificationMaterial"`
	Envelope  envelopeJSON `json:"dsseEnvelope"`
}

type materialJSON struct {
	PublicKey struct {
		Hint string `json:"hint"` // nobody relies on it
	} `json:"publicKey"`
	Entries []entryJSON `json:"tlogEntries"`
}

type entryJSON struct {
	LogIndex string `json:"logIndex"`
	LogID    struct {
		KeyID string `json:"keyId"`
	} `json:"logId"`
	KindVersion struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	} `json:"kindVersion"`
	Proof proofJSON `json:"inclusionProof"`
	Body  string    `json:"canonicalizedBody"`
}

type proofJSON struct {
	LogIndex   string   `json:"logIndex"`
	RootHash   string   `json:"rootHash"`
	TreeSize   string   `json:"treeSize"`
	Hashes     []string `json:"hashes"`
	Checkpoint struct {
		Envelope string `json:"envelope"`
	} `json:"checkpoint"`
}

// Bundle returns the sigstore bundle of a logged envelope. It checks the proof
// against the log's key before it hands out what nobody would accept.
func Bundle(e *Envelope, p Proof, logKey string) ([]byte, error) {
	if e == nil || e.statement == nil {
		return nil, errors.New("bundle: there is no envelope")
	}
	v, pub, err := parseLogKey(logKey)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	leaf, err := e.Leaf()
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	t := Trust{log: v, pub: pub}
	tree, err := t.checkProof(p, leaf)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	der, err := spki(e.key)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	hint := sha256.Sum256(der)
	b64 := base64.StdEncoding.EncodeToString
	b := bundleJSON{MediaType: bundleType, Envelope: e.json()}
	b.Material.PublicKey.Hint = b64(hint[:])
	en := entryJSON{LogIndex: strconv.FormatInt(p.Index, 10), Body: b64(leaf)}
	en.LogID.KeyID = b64(t.logID())
	en.KindVersion.Kind, en.KindVersion.Version = "hashedrekord", "0.0.2"
	en.Proof = proofJSON{LogIndex: en.LogIndex, RootHash: b64(tree.Hash[:]), TreeSize: strconv.FormatInt(tree.N, 10), Hashes: []string{}}
	en.Proof.Checkpoint.Envelope = string(p.Checkpoint)
	for _, h := range p.Hashes {
		en.Proof.Hashes = append(en.Proof.Hashes, b64(h[:]))
	}
	b.Material.Entries = []entryJSON{en}
	return json.Marshal(b)
}
