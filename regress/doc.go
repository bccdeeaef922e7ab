// Package regress says what changed between two models: on the rows of a sealed
// holdout, and on behavioural suites.
//
// A [Suite] is a list of [Test]s, each a table of examples with an expectation.
// People write it as one YAML file with case tables beside it ([Load]); from then
// on it is one self-contained canonical document ([Suite.Encode]) named by its
// digest, with every example already expanded, so that nothing is generated
// differently on another machine or on another day. A case is named by its test
// and the row of its table.
//
// [Suite.Judge] gives exactly one [Outcome] for each declared case, or an error.
// Whoever could leave out a case could hide the behaviour that it holds; so
// outcomes are complete by construction, and [Compare] counts them again. An
// answer that is none of the classes fails its case.
//
// A [Diff] pairs two frames over the same rows, and two models over the same
// cases: who was right, under which model, in which slice. Statistics on the
// paired cells belong to package metrics; which of them decide belongs to the
// policy. A Diff names rows by index, never by content; it can be told in the
// types of a report, where nothing is NaN and what is undefined has a reason.
//
// A [Search] looks for slices that nobody declared in which a candidate broke rows,
// and corrects for every slice that it could have found. It informs reviewers and
// decides nothing.
//
// Suites come from people who are trusted to propose, not to be careful: bad
// input gets a sentence, never a panic, and bounds on its size. Predictions come
// from models and are not trusted at all.
package regress
