// Package practice holds a candidate to behavioural suites outside the service: from
// the answers in prediction files, or from published counts of failures.
//
// A [Result] decides nothing about a release. No model was bound, no log written; a
// team sees before it submits what a suite will say. The decision is total all the same:
// PASS only where every test is shown to hold, FAIL where one is shown to be worse, a
// critical case failed or the candidate gave one answer to everything, INCONCLUSIVE in
// between. Without a baseline only a candidate that fails nothing passes.
//
// Statistics are per test. With cases the two models are paired (exact McNemar), with
// counts they are not (Fisher). Each direction is corrected by Holm over all tests on its
// own, at half the level: a gain in one test can never make a loss in another one
// significant, so that to improve a case never worsens the result.
//
// A judge model may stand beside the checks ([Consult]). Its no may fail a case; its yes
// decides nothing.
//
// Answers come from models and are hostile: they are compared, and never shown.
package practice
