// Package onnx evaluates declarative ONNX models for tables: the operators that
// converters emit for linear models, trees, forests, boosting, small networks and
// their preprocessing.
//
// A model is numbers and operators. It has no loops, no functions, no files beside
// itself, no clock and no randomness, so it can do nothing but map rows to answers.
// Whoever wrote it is not trusted: [Load] decodes the file by hand, refuses every
// field, attribute and operator that it does not understand, and nothing in a file
// or a row makes the package panic.
//
// What always holds:
//   - Same file and same rows give the same bits on every machine. Sums run in one
//     order, products are rounded before they are added (no fused multiply-add), and
//     exp, log and tanh are this package's own.
//   - Rows are evaluated in blocks of [BlockRows]. One block holds at most 64 MiB plus
//     four times the file in intermediate values (twice that while one node casts), and does at most a quarter of a
//     million steps plus four for each byte of the file per row; a model that wants
//     more is refused. Decoding holds at most about 40 times the file.
//   - Arithmetic is that of onnxruntime's CPU kernels: float tensors are float32 at
//     every step, trees compare in the type of their input, labels are taken before
//     scores are transformed. Where onnxruntime leaves an output unset we refuse.
package onnx

import (
	"fmt"
	"runtime/debug"
)

// BlockRows is the largest number of rows that are evaluated together.
const BlockRows = 512

// MaxFile is the largest model file in bytes.
const MaxFile = 256 << 20

// A Model is a decoded graph in which every operator is known. Only Load makes one.
// It is immutable; ask Bind for something that answers.
type Model struct {
	graph graph
	size  int // bytes of the file, which bounds memory and work
}

// Load decodes and checks a model.
func Load(file []byte) (m *Model, err error) {
	defer calm(&err)
	if len(file) == 0 {
		return nil, fmt.Errorf("the ONNX file is empty")
	}
	if len(file) > MaxFile {
		return nil, fmt.Errorf("the ONNX file has %d bytes; at most %d are read", len(file), MaxFile)
	}
	p, err := decodeModel(file)
	if err != nil {
		return nil, fmt.Errorf("read ONNX model: %w", err)
	}
	g, err := compile(p)
	if err != nil {
		return nil, fmt.Errorf("ONNX model: %w", err)
	}
	return &Model{graph: g, size: len(file)}, nil
}

// calm turns a panic into an error. None is known; the tests switch it off and fuzz.
func calm(err *error) {
	if keepPanics {
		return
	}
	if r := recover(); r != nil {
		*err = fmt.Errorf("ONNX evaluator failed: %v\n%s", r, debug.Stack())
	}
}

// keepPanics is set by this package's tests only.
var keepPanics = false
