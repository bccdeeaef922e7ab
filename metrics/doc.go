// Package metrics measures models on rows whose answers are known, and what
// changed between two models on the same rows.
//
// A [Frame] holds one model's predictions joined to the answers, row by row, in
// Arrow columns. Only [Join] makes one, and it takes a complete set of
// predictions or none, so every number here is over all the rows. A [Pair] holds
// two frames of the same rows, answers and classes.
//
//   - A number comes as an [Estimate]: with its interval, its n, the method and
//     warnings, or undefined with a reason. NaN never leaves this package.
//   - Every metric has a definition id, "accuracy@1". A change of a definition is
//     a change of its id.
//   - Equal inputs give equal bits: counts are integers, sums run in fixed blocks
//     in row order, random draws have fixed seeds, no result follows map order.
//   - The metrics of [All] are read from a [Tally] and those of regression that are sums
//     from a [RegressionTally], whose parts add up to the whole bit for bit. Text scores
//     merge as counts. What else there is takes all rows at once; [Definition.Parts]
//     says which.
//   - Errors give counts, never rows or labels.
//
// The answers are trusted: they are ours. The predictions are not: a model may
// have written anything, and Join is where that ends.
package metrics
