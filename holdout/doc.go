// Package holdout seals sets of examples and opens them for one exam at a time.
//
// A sealed set is five parts (scored rows, canaries, twins, a reserve that is never
// shown, and practice rows that are given away), each cut into chunks that are encrypted with AES-256-GCM under a
// data key of this set and version only, and a signed manifest that lists the
// chunks. What is public about a set is its [Commitment], which the manifest
// carries; the commitment's Digest is the digest of the manifest's bytes.
//
//   - Rows and answers are never on disk in clear. They exist in the memory of
//     whoever seals and of whoever opens.
//   - A reader pins the digest from the log. A signature alone cannot show that an
//     older manifest, validly signed, was put in the place of a newer one.
//   - A chunk is bound to set, version, part, position and row numbers, so chunks
//     can be neither swapped nor cut nor taken from another version.
//   - [Vault.Grant] charges the exposure ledger before the data key is unwrapped.
//     The zero [Grant] opens nothing, and only Grant makes another.
//
// The blob store and the manifest's carrier are not trusted. The [Keyring], the
// officer's signing key and the [Ledger] are. A curator who seals is trusted with
// the rows that are the curator's own, and a second person activates the set.
//
// Canaries are perturbed copies of scored rows with a flipped label: an honest
// model agrees with them about as rarely as it errs, one that was trained on the
// set as it was sealed agrees often. Twins are copies changed so little that the
// label holds: a model that knows the rows by heart loses accuracy on them.
package holdout
