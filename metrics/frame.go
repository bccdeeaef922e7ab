package metrics

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A Dimension is a slice column, dictionary-coded: row i has the value
// Values[Codes[i]].
type Dimension struct {
	Name   string
	Values []string
	Codes  []int32
}

// Answers are what the scored rows should have given: row i has the class
// Classes[Labels[i]]. Positive is the index of the declared positive class, or -1.
type Answers struct {
	Classes    []string
	Positive   int
	Labels     []int32
	Dimensions []Dimension
}

// Predictions are what a model gave for the same rows in the same order. A label
// of -1 is an answer that is none of the classes: it always counts wrong. Probs
// holds a probability for each row and class, row-major, or is nil where the
// model gives only labels.
type Predictions struct {
	Labels []int32
	Probs  []float64
}

// A Frame is one model's predictions joined to the answers. Its columns are
// Arrow arrays "answer" and "label" (int32), "correct" (one bit a row), "probs"
// (a list of one float64 a class; absent without probabilities) and a
// dictionary column "slice:<name>" for each dimension. Row order is the order of
// the answers.
//
// A Frame does not change once made. The slices that its methods return are the
// Arrow buffers themselves: they may not be written to, nor used after Release.
type Frame struct {
	view
	rec arrow.Record
}

// A view is the columns that metrics read, of a frame or of some of its rows.
type view struct {
	classes  []string
	positive int
	answers  []int32
	labels   []int32
	probs    []float64 // row-major, len(answers) * len(classes), or nil
	correct  []byte    // one bit a row, low bit first; bits past the end are 0
	dims     []Dimension
}

// Join lays predictions beside the answers. It copies both into memory of mem.
//
// Predictions that leave out or add rows, or hold a label that is no class or a
// number that is no probability, get a [*CoverageError] and no frame. Dropping
// such rows instead would let a model raise its score by staying silent on the
// examples that it finds hard.
func Join(mem memory.Allocator, a Answers, p Predictions) (*Frame, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if err := p.check(len(a.Labels), len(a.Classes)); err != nil {
		return nil, err
	}
	return newFrame(mem, a, p), nil
}

// Len returns the number of rows.
func (f *Frame) Len() int { return len(f.answers) }

// Classes returns the class names. Labels are indices into it.
func (f *Frame) Classes() []string { return f.classes }

// Positive returns the index of the declared positive class, or -1.
func (f *Frame) Positive() int { return f.positive }

// Answers returns the true class of each row.
func (f *Frame) Answers() []int32 { return f.answers }

// Labels returns the predicted class of each row, -1 for none of the classes.
func (f *Frame) Labels() []int32 { return f.labels }

// Probs returns the probabilities, row-major with one column a class, or nil.
func (f *Frame) Probs() []float64 { return f.probs }

// Dimensions returns the slice columns.
func (f *Frame) Dimensions() []Dimension { return f.dims }

// Record returns the frame's columns. The frame keeps its ownership: retain the
// record to use it after Release.
func (f *Frame) Record() arrow.Record { return f.rec }

// Release frees the columns. Neither the frame nor a Pair of it may be used afterwards.
func (f *Frame) Release() { f.rec.Release() }

// Confusion counts rows by true class (first index) and predicted class. The
// last column counts the answers that are none of the classes.
func (f *Frame) Confusion() [][]int64 {
	k := len(f.classes)
	c := make([][]int64, k)
	for i := range c {
		c[i] = make([]int64, k+1)
	}
	for i, y := range f.answers {
		h := f.labels[i]
		if h < 0 {
			h = int32(k)
		}
		c[y][h]++
	}
	return c
}
