// Package models carries one example package of each kind. They are what
// "proctor package init" writes, and what tests run.
package models

import "embed"

// Files are the packages, by the kind's name. command-go has the program's source in
// place of the program, wasm-go in place of the module; onnx is the demo's deployed
// model, whose files are elsewhere.
//
//go:embed command-python command-node command-go wasm-go http-oip-python http-openai-python onnxruntime remote
var Files embed.FS
