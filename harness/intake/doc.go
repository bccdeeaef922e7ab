// Package intake turns files of strangers into values of ours: tables of rows
// from CSV, JSON lines, Parquet and Arrow IPC files, folders from tar archives.
//
// Tables are decoded in a child: our own binary in a jail (harness/jail), with
// the file on its standard input and nothing else of the world. It answers in a
// framing of our own (frame.go), which the parent reads as if a stranger had
// written it. Whatever the file does to the decoder, the service gets a complete
// table or one error: a child that dies, hangs, eats memory or writes garbage is
// a [DecoderError], and memory here grows only with bytes that have arrived.
//
// The decoders are plain Go and hold no secret, so they run in the strongest tier
// that the machine has and, where it refuses all, in tier none. There they are
// still a process of their own, with limits on memory and processor time.
//
// What is wrong with a file is a [FileError]. It names the line and the column,
// never a value: such errors end up in logs and before other people's eyes. The
// child cannot word one; it picks from a fixed list of sentences.
package intake

import (
	"fmt"

	"proctor/holdout/rows"
)

// What a file of rows may hold at most. The service needs up to 16 bytes a cell
// besides the text itself.
const (
	MaxBytes   = 512 << 20 // bytes of a file
	MaxRows    = 5_000_000
	MaxColumns = 10_000
	MaxCells   = 32 << 20       // rows × columns
	MaxValue   = rows.MaxString // bytes of one value
	MaxName    = 256            // bytes of a column's name
)

// Options say what a file itself does not.
type Options struct {
	// Text names columns that hold text even where every value looks like a number:
	// ids, postcodes. Their values are taken as they are written. A name that the
	// file does not have is no error here.
	Text []string
}

// A FileError says what is wrong with a file or an archive.
type FileError struct {
	Line   int    // from 1; 0: the file as a whole
	Column int    // from 1; 0: the whole line
	Name   string // of the column, where it has one
	What   string
}

func (e *FileError) Error() string {
	var where string
	if e.Line > 0 {
		where = fmt.Sprintf("line %d", e.Line)
	}
	if e.Column > 0 {
		where += fmt.Sprintf(", column %d", e.Column)
	}
	if e.Name != "" {
		where += fmt.Sprintf(" (%.80q)", e.Name)
	}
	if where != "" {
		where += ": "
	}
	return where + e.What
}

// A DecoderError says that the decoder did not do its work: the file is hostile,
// or the machine is in trouble.
type DecoderError struct{ Why string }

func (e *DecoderError) Error() string { return "the file could not be decoded: " + e.Why }
