// Package runner runs a candidate over rows and gives back its predictions.
//
// A candidate is a [Package]: files named by one digest, with a manifest. It runs
// as a process of its own, confined by harness/jail, and is spoken to over its
// standard input and output, one line a batch, whatever its kind:
//
//	{"b":17,"rows":[{"age":25,"sex":"Male"},...]}     to the model
//	{"b":17,"p":[[0.2,0.8],...],"y":[1,...]}          from the model
//	{"end":4096}                                      last, after its input ends
//
// "p" holds one list of probabilities a row, in the order of the manifest's
// classes, and stands in every answer or in none; "y" the index of the answer, -1
// for "none of them". One of the two may be missing: without "y" the most
// probable class counts, the first of equals.
//
// The model and everything it writes is hostile. Hostile bytes end here: what
// [Runner.Run] returns has one answer for each row, declared classes, finite
// probabilities; anything else is a [*Failure] whose Reason is one of a fixed
// list. At most two batches are in the model's hands at any time, so that an
// answer cannot depend on rows that come later. Nothing that a model wrote is
// ever part of a Reason.
package runner
