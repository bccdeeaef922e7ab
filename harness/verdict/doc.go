// Package verdict makes and checks signed statements about evaluations.
//
// A statement is an in-toto Statement v1 with one subject and one SHA-256 digest,
// in a DSSE envelope with one ECDSA P-256 signature, shipped as a sigstore bundle
// v0.3 with a proof that it is in our log. Its way is
//
//	Statement -> Prepare -> Issue -> (log) -> Bundle -> Verify
//
// and each step demands what only the one before makes. What always holds:
//
//   - nothing is signed that [Prepare] did not check, and a Prepared signs once;
//   - evidence and approvals have different predicate types and different keys; an
//     approval exists only for evidence that passed, and never says anything else;
//   - a [Verified] was read from exactly the bytes that a pinned key signed and
//     that a pinned log contains.
//
// The package trusts the keys in a [Trust] and nothing in a bundle. The identity
// of a statement is [Envelope.Digest], never the bytes of its signature: ECDSA
// signatures are malleable. A logged bundle with an altered signature is refused
// all the same, for the log's leaf holds the signature.
package verdict
