package verdict

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// leafJSON is a log's leaf as [Envelope.Leaf] prints it.
type leafJSON struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		HashedRekord struct {
			Data struct {
				Algorithm string `json:"algorithm"`
				Digest    string `json:"digest"`
			} `json:"data"`
			Signature struct {
				Content  string `json:"content"`
				Verifier struct {
					KeyDetails string `json:"keyDetails"`
					PublicKey  struct {
						RawBytes string `json:"rawBytes"`
					} `json:"publicKey"`
				} `json:"verifier"`
			} `json:"signature"`
		} `json:"hashedRekordV002"`
	} `json:"spec"`
}

// leafOf returns the canonical leaf of a signature.
func leafOf(digest, sig, spki []byte) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"%s"},"signature":{"content":"%s","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"%s"}}}}}}`,
		b64(digest), b64(sig), b64(spki))
}

// CheckLeaf says what is wrong with an entry of the log, from the leaf alone: it must
// have the one form, and hold a signature that a key in t made which may still sign
// at that index. It tells an entry that a thief logged with a key of his own, and
// nothing of what the statement says.
func (t Trust) CheckLeaf(index int64, leaf []byte) error {
	var j leafJSON
	if err := DecodeStrict(leaf, MaxPayload, &j); err != nil {
		return fmt.Errorf("leaf: %w", err)
	}
	r := j.Spec.HashedRekord
	digest, err := decode64("leaf: digest", r.Data.Digest)
	if err != nil {
		return err
	}
	sig, err := decode64("leaf: signature", r.Signature.Content)
	if err != nil {
		return err
	}
	key, err := decode64("leaf: key", r.Signature.Verifier.PublicKey.RawBytes)
	if err != nil {
		return err
	}
	if len(digest) != sha256.Size || !bytes.Equal(leafOf(digest, sig, key), leaf) {
		return errors.New("leaf: not in the form of this log")
	}
	for _, k := range t.keys {
		switch {
		case !bytes.Equal(k.spki, key):
			continue
		case !k.logged(index):
			return fmt.Errorf("leaf: its key signs nothing from entry %d on", k.logEnd)
		case !ecdsa.VerifyASN1(k.key, digest, sig):
			return errors.New("leaf: the signature is not of its key")
		}
		return nil
	}
	return errors.New("leaf: an unknown key signed it")
}
