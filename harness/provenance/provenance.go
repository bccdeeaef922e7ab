// Package provenance reads what a package says of its own making, and believes only
// what a key signed that a policy names: an OpenSSF Model Signing signature over its
// files, and a SLSA provenance of how they were built. A training record is the owner's
// word: it is compared, not believed.
//
// A signature is no judgement. It says who vouches for which bytes. Every file of the
// package must be named by it, so that nothing rides along unsigned: the lists of paths to
// ignore that a signer may write are not followed. Keys come from the policy, never from
// the document, and so does the algorithm: ECDSA P-256 with SHA-256.
package provenance

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"proctor/harness/verdict"
)

// Files of a package that speak of the others. The first two are not themselves named
// by what they sign.
const (
	SignatureFile = "model.sig"       // as model_signing names it
	BuildFile     = "provenance.json" // SLSA provenance, in a sigstore bundle or a DSSE envelope
	TrainingFile  = "training-record.json"
)

// MaxFile is the most bytes of each of them.
const MaxFile = verdict.MaxBundle

// Predicate types that are read.
const (
	signatureType = "https://model_signing/signature/v1.0"
	buildType     = "https://slsa.dev/provenance/v1"
	statementType = "https://in-toto.io/Statement/v1"
)

// Kinds of attestations.
const (
	Signature = "model-signature"
	Build     = "slsa-provenance"
)

// A File is a file of a package with its content's SHA-256 in lower-case hex.
type File struct{ Path, SHA256 string }

// A Key is one that a policy trusts, with the name that it gives it.
type Key struct {
	Name   string
	Public *ecdsa.PublicKey
}

// An Attestation is a statement that a trusted key signed, about all files of a package.
type Attestation struct {
	Kind   string
	Digest string // of the file that holds it, "sha256:<hex>"
	By     string // the key's name
	Of     string // Build: who built it, as the builder says; else ""
}

// statement is an in-toto statement as far as it is read.
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// open returns a statement that one of keys signed.
func open(data []byte, want string, keys []Key) (*statement, string, error) {
	publics := make([]*ecdsa.PublicKey, len(keys))
	for i, k := range keys {
		publics[i] = k.Public
	}
	payload, by, err := verdict.OpenForeign(data, publics)
	if err != nil {
		return nil, "", err
	}
	var s statement
	if err := verdict.ScanForeign(payload, MaxFile); err != nil {
		return nil, "", fmt.Errorf("statement: %w", err)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, "", errors.New("statement: not an in-toto statement")
	}
	if s.Type != statementType || s.PredicateType != want {
		return nil, "", fmt.Errorf("statement: it is a %.80q of type %.80q; want %q of type %q", s.PredicateType, s.Type, want, statementType)
	}
	return &s, keys[by].Name, nil
}

// A listed file is what a statement says of one.
type listed struct{ path, sha256 string }

// covers compares a statement's list with a package's files. exactly: the list may not
// name anything else.
func covers(list []listed, files []File, exactly bool) error {
	named := map[string]string{}
	for _, l := range list {
		if _, twice := named[l.path]; twice {
			return fmt.Errorf("it names %.80q twice", l.path)
		}
		named[l.path] = l.sha256
	}
	here := map[string]bool{}
	for _, f := range files {
		if f.Path == SignatureFile || f.Path == BuildFile {
			continue
		}
		here[f.Path] = true
		digest, ok := named[f.Path]
		if !ok {
			return fmt.Errorf("it does not name %.80q", f.Path)
		}
		if digest != f.SHA256 {
			return fmt.Errorf("%.80q has another content than it says", f.Path)
		}
	}
	if len(here) == 0 {
		return errors.New("there are no files to speak of")
	}
	if exactly {
		for _, l := range list {
			if !here[l.path] && l.path != BuildFile {
				return fmt.Errorf("it names %.80q, which is not in the package", l.path)
			}
		}
	}
	return nil
}

// CheckSignature verifies an OpenSSF Model Signing signature, made with a key by the
// method "files", over the files of a package.
func CheckSignature(data []byte, files []File, keys []Key) (Attestation, error) {
	s, by, err := open(data, signatureType, keys)
	if err != nil {
		return Attestation{}, err
	}
	var p struct {
		Serialization struct {
			Method        string `json:"method"`
			HashType      string `json:"hash_type"`
			AllowSymlinks bool   `json:"allow_symlinks"`
		} `json:"serialization"`
		Resources []struct {
			Name      string `json:"name"`
			Algorithm string `json:"algorithm"`
			Digest    string `json:"digest"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		return Attestation{}, errors.New("statement: its predicate is not that of a model signature")
	}
	if p.Serialization.Method != "files" || p.Serialization.HashType != "sha256" || p.Serialization.AllowSymlinks {
		return Attestation{}, fmt.Errorf("it lists %.40q by %.40q; want files by sha256, without links", p.Serialization.Method, p.Serialization.HashType)
	}
	root := sha256.New()
	var list []listed
	for _, r := range p.Resources {
		sum, err := hex.DecodeString(r.Digest)
		if err != nil || len(sum) != sha256.Size || r.Algorithm != "sha256" {
			return Attestation{}, fmt.Errorf("the digest of %.80q is no SHA-256", r.Name)
		}
		root.Write(sum)
		list = append(list, listed{r.Name, r.Digest})
	}
	if len(s.Subject) != 1 || s.Subject[0].Digest["sha256"] != hex.EncodeToString(root.Sum(nil)) {
		return Attestation{}, errors.New("its subject is not the digest of the files that it lists")
	}
	if err := covers(list, files, true); err != nil {
		return Attestation{}, err
	}
	return Attestation{Signature, digestOf(data), by, ""}, nil
}

// CheckBuild verifies a SLSA provenance v1 whose subjects are all files of a package, by
// path. Subjects beside them, other products of the same build, are nobody's business.
func CheckBuild(data []byte, files []File, keys []Key) (Attestation, error) {
	s, by, err := open(data, buildType, keys)
	if err != nil {
		return Attestation{}, err
	}
	var p struct {
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(s.Predicate, &p); err != nil || p.RunDetails.Builder.ID == "" {
		return Attestation{}, errors.New("statement: its predicate names no builder")
	}
	var list []listed
	for _, sub := range s.Subject {
		list = append(list, listed{sub.Name, sub.Digest["sha256"]})
	}
	if err := covers(list, files, false); err != nil {
		return Attestation{}, err
	}
	return Attestation{Build, digestOf(data), by, p.RunDetails.Builder.ID}, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SignatureStatement returns the statement to be signed for the files of a package,
// sorted by path, as model_signing writes it.
func SignatureStatement(name string, files []File) ([]byte, error) {
	type resource struct {
		Name      string `json:"name"`
		Algorithm string `json:"algorithm"`
		Digest    string `json:"digest"`
	}
	root := sha256.New()
	var list []resource
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b File) int { return compare(a.Path, b.Path) }) {
		sum, err := hex.DecodeString(f.SHA256)
		if err != nil {
			return nil, fmt.Errorf("digest of %s: %w", f.Path, err)
		}
		if f.Path != SignatureFile && f.Path != BuildFile {
			root.Write(sum)
			list = append(list, resource{f.Path, "sha256", f.SHA256})
		}
	}
	return json.Marshal(map[string]any{
		"_type":         statementType,
		"subject":       []any{map[string]any{"name": name, "digest": map[string]string{"sha256": hex.EncodeToString(root.Sum(nil))}}},
		"predicateType": signatureType,
		"predicate": map[string]any{
			"serialization": map[string]any{"method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": []string{SignatureFile, BuildFile}},
			"resources":     list,
		},
	})
}
