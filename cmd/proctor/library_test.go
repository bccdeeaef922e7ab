package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/runner"
)

// A library is named and pinned, or not there at all.
func TestLibraries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lib.so")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("x"))
	if lib, err := (libraries{}).onnxruntime(t.Context()); err != nil || lib != (runner.Library{}) {
		t.Errorf("%+v, %v", lib, err)
	}
	for want, l := range map[string]libraries{
		"go together":       {ONNXRuntime: file},
		"go together: a":    {ONNXRuntimeSHA256: hex.EncodeToString(sum[:])},
		"pinned is":         {ONNXRuntime: file, ONNXRuntimeSHA256: strings.Repeat("0", 64)},
		"no such file":      {ONNXRuntime: file + ".gone", ONNXRuntimeSHA256: hex.EncodeToString(sum[:])},
		"was tried in a ja": {ONNXRuntime: file, ONNXRuntimeSHA256: hex.EncodeToString(sum[:])},
	} {
		_, err := l.onnxruntime(t.Context())
		var c *coded
		if !errors.As(err, &c) || c.Code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
