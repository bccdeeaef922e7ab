package main

import (
	"fmt"
	"maps"
	"os"

	"proctor/harness/intake"
	"proctor/harness/runner"
	"proctor/harness/runner/onnx"
	"proctor/harness/runner/onnxruntime"
	"proctor/harness/runner/served"
	"proctor/harness/runner/wasm"
)

// roles are what this binary does when it is executed again inside a jail.
func roles() map[string]func(args []string) int {
	all := maps.Clone(intake.Roles())
	all[runner.RoleONNX] = serveONNX
	all[runner.RoleWASM] = wasm.Main
	all[runner.RoleHTTP] = served.Main
	all[runner.RoleONNXRuntime] = onnxruntime.Main
	return all
}

func serveONNX(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "want the folder of a package")
		return 2
	}
	if err := onnx.Serve(args[0], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
