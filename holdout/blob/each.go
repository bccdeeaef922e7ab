package blob

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Each calls f with every blob that the folder names, in the order of the names.
// What lies there under another name than a blob's is an error.
func (d *Dir) Each(ctx context.Context, f func(Ref) error) error {
	root := filepath.Join(d.root, "sha256")
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		ref, err := ParseRef(prefix + e.Name())
		if err != nil || d.path(e.Name()) != path {
			return fmt.Errorf("%s: not the name of a blob", path)
		}
		return f(ref)
	})
}
