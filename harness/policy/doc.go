// Package policy decides: claims over what changed between two models, and what
// else must hold of a run, give PASS, FAIL or INCONCLUSIVE.
//
// A [Policy] is one document that people write and two of them activate. [Resolve]
// binds it to one sealed set and to its suites: from the committed sizes alone it
// fixes which slices are judged on their own, so that nobody can choose slices
// after seeing results. [Check] says beforehand what the resolved policy can see
// and refuses one that an equal model would not pass, or that contradicts itself.
// [Judge] is total: whatever evidence it gets, it returns a decision with one
// finding for each hypothesis, and what no rule covers is not a pass.
//
// Three outcomes come from one interval. A prove claim HOLDS when its one-sided
// limit clears the bound and is VIOLATED when the opposite limit shows that it is
// not so. A watch claim HOLDS when the upper limit of the harm is below detect, and
// is VIOLATED when an exact paired test against no harm rejects after Holm over all
// watch hypotheses and the estimate exceeds harm. Everything else is UNDECIDED,
// and one UNDECIDED finding makes a run INCONCLUSIVE. VIOLATED wins.
//
// Each further run of a lineage on a set costs confidence: a run has three results,
// so before run k there can have been 3^(k-1) transcripts, and the limits that make
// a claim HOLD are taken at alpha/3^(k-1).
//
// The package is given counts and frames by the harness, which it trusts; it does
// not trust the policy's author, who may be wrong, nor the model behind the counts.
package policy
