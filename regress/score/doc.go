// Package score holds one text answer of a model against what a test asks of it.
//
// A [Check] is what people write; [Check.Compile] alone makes a [Scorer], which
// says yes or no for one answer. Every scorer is deterministic and reads nothing but
// its arguments: no clock, no network, no other model. Answers are hostile. They are
// data to every scorer, never instructions, and an answer that cannot be scored (too
// long, no number, no JSON) fails its check, also one that is negated: what could not
// be looked at did not show that it holds nothing forbidden.
package score
