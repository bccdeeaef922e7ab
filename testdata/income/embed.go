// Package income carries the demo's data, models and suites inside the program,
// so that the demo needs no files beside it. See README.md for what they are.
package income

import "embed"

// Files are the data, models, suites and policy, by their names in this folder.
//
//go:embed sealed.csv.gz reserve.csv.gz seal.yaml policy.yaml models suites
var Files embed.FS
