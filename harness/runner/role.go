package runner

import (
	"fmt"
	"os"
	"path/filepath"

	"proctor/holdout/rows"
)

// Predict is what an adapter makes of a package: see [Serve].
type Predict func(rows.Table) (labels []int32, probs []float64, err error)

// Role makes the role of an adapter, to be given to jail.Main: in the jail it
// reads the manifest in the folder it is given, lets load make a Predict of the
// package, and serves.
//
//	jail.Main(map[string]func([]string) int{runner.RoleONNX: runner.Role(load)})
func Role(load func(dir string, m Manifest) (Predict, error)) func(args []string) int {
	return func(args []string) int {
		if err := serveFolder(args, load); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
}

func serveFolder(args []string, load func(string, Manifest) (Predict, error)) error {
	if len(args) != 1 {
		return fmt.Errorf("want the folder of a package, got %d arguments", len(args))
	}
	data, err := os.ReadFile(filepath.Join(args[0], ManifestFile))
	if err != nil {
		return err
	}
	m, err := ParseManifest(data)
	if err != nil {
		return err
	}
	predict, err := load(args[0], m)
	if err != nil {
		return err
	}
	return Serve(os.Stdin, os.Stdout, m, predict)
}
