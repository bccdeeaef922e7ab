// Package importer turns the test files of other tools into suites as people write
// them: a YAML file with case tables, to be read, mended and proposed like any other.
//
// Files are decoded as data, within bounds. Pickles are refused: to load one is to run
// what it says. Nothing is dropped in silence: what a suite cannot express is listed in
// the notes, test by test, so that an import never thins out a suite unseen. Where a file
// holds answers of models, they come along as prediction files.
package importer
