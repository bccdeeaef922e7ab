package verdicttest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"proctor/harness/verdict"
)

// A Forgery is a bundle in the making: validly signed and logged, whatever it says.
type Forgery struct {
	PayloadType string // "": the right one
	Payload     []byte
	Key         verdict.Signer
	NoPAE       bool                    // sign the payload itself
	Sig         func(der []byte) []byte // changes the signature before it is logged
}

// Bundle signs, logs and bundles a forgery. edit, unless nil, changes the parsed
// bundle; use [Edit] on the bytes for what JSON objects cannot hold.
func (w *World) Bundle(t testing.TB, f Forgery, edit func(Object)) []byte {
	t.Helper()
	if f.PayloadType == "" {
		f.PayloadType = "application/vnd.in-toto+json"
	}
	pae := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(f.PayloadType), f.PayloadType, len(f.Payload), f.Payload)
	if f.NoPAE {
		pae = f.Payload
	}
	digest := sha256.Sum256(pae)
	sig, err := f.Key.Sign(context.Background(), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if f.Sig != nil {
		sig = f.Sig(sig)
	}
	spki, err := x509.MarshalPKIXPublicKey(f.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	leaf := fmt.Sprintf(`{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":%q},"signature":{"content":%q,"verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":%q}}}}}}`,
		b64(digest[:]), b64(sig), b64(spki))
	p := w.Append(t, []byte(leaf))
	size, root := checkpointLines(p.Checkpoint)
	hashes := []any{}
	for _, h := range p.Hashes {
		hashes = append(hashes, b64(h[:]))
	}
	logID := sha256.Sum256([]byte(Origin + "\n\x01" + string(w.logPublic(t))))
	index := fmt.Sprint(p.Index)
	o := Object{
		"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": Object{"publicKey": Object{"hint": "aGludA=="}, "tlogEntries": []any{Object{
			"logIndex": index, "logId": Object{"keyId": b64(logID[:])}, "kindVersion": Object{"kind": "hashedrekord", "version": "0.0.2"},
			"inclusionProof": Object{"logIndex": index, "rootHash": root, "treeSize": size, "hashes": hashes,
				"checkpoint": Object{"envelope": string(p.Checkpoint)}},
			"canonicalizedBody": b64([]byte(leaf)),
		}}},
		"dsseEnvelope": Object{"payload": b64(f.Payload), "payloadType": f.PayloadType, "signatures": []any{Object{"sig": b64(sig)}}},
	}
	if edit != nil {
		edit(o)
	}
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *World) logPublic(t testing.TB) []byte {
	parts := strings.SplitN(w.Log.Key(), "+", 3) // the last one is base64, which may hold a plus
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 33 {
		t.Fatal("the log's key is not of the expected form")
	}
	return raw[1:]
}

func checkpointLines(signed []byte) (size, root string) {
	l := strings.Split(string(signed), "\n")
	return l[1], l[2]
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// An Object is a JSON object.
type Object map[string]any

// Parse reads a bundle for editing.
func Parse(t testing.TB, bundle []byte) Object {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(bundle, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// At returns the value at a path of keys and list indices, and how to set it.
func (o Object) At(path ...any) (get any, set func(any)) {
	get = o
	for _, p := range path {
		switch at := get.(type) {
		case []any:
			i := p.(int)
			get, set = at[i], func(v any) { at[i] = v }
		case map[string]any:
			get, set = at[p.(string)], func(v any) { at[p.(string)] = v }
		case Object:
			get, set = at[p.(string)], func(v any) { at[p.(string)] = v }
		}
	}
	return get, set
}

// Set changes the value at a path.
func (o Object) Set(v any, path ...any) {
	_, set := o.At(path...)
	set(v)
}
