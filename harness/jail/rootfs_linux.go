package jail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxRootEntries bounds how many mounts a root filesystem is shown by.
const maxRootEntries = 512

// ours are names in a root filesystem that the jail itself fills.
var ours = map[string]bool{"dev": true, "proc": true, "sys": true, "tmp": true, "run": true, selfTarget[1:]: true, ".old": true,
	"etc/passwd": true, "etc/group": true}

// rootBinds shows what lies in a root filesystem at its place: each entry of its top
// by itself, and each of its /etc, because the jail adds its own there. A root is not
// mounted as a whole, since what the jail lays over it would then have to exist in it.
//
// The filesystem is a stranger's and its links are not to be followed on the host. An
// entry that is one (bin -> usr/bin) is resolved here as the program would see it, and
// what it leads to must lie inside: inside says whether that is held.
func rootBinds(root string, inside bool) ([]Bind, error) {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	var binds []Bind
	for _, dir := range []string{"", "etc"} {
		if fi, err := os.Lstat(filepath.Join(root, dir)); err != nil || !fi.IsDir() {
			continue // no /etc, or a link to one: then the jail's own is all there is
		}
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			return nil, fmt.Errorf("root: %w", err)
		}
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			if ours[name] || name == "etc" {
				continue
			}
			src, ok := settle(root, name)
			if !ok {
				continue // leads nowhere
			}
			if inside && src != root && !below(src, root) {
				return nil, fmt.Errorf("root: /%s leads out of it", name)
			}
			binds = append(binds, Bind{Source: src, Target: "/" + name})
		}
	}
	if len(binds) > maxRootEntries {
		return nil, fmt.Errorf("root: %d entries at its top and in its /etc; at most %d", len(binds), maxRootEntries)
	}
	return binds, nil
}

// settle follows the links of an entry as they read in the root, and gives the path on
// the host without any. ok is false where they lead nowhere or to what is shown already.
func settle(root, name string) (src string, ok bool) {
	for range 8 {
		path := filepath.Join(root, name)
		fi, err := os.Lstat(path)
		if err != nil {
			return "", false
		}
		if fi.Mode()&os.ModeSymlink == 0 {
			real, err := filepath.EvalSymlinks(path) // of the folders above it
			return real, err == nil && (fi.IsDir() || fi.Mode().IsRegular()) && real != root
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", false
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join("/", filepath.Dir(name), to)
		}
		name = strings.TrimPrefix(filepath.Clean(to), "/") // ".." at the root stays there
	}
	return "", false
}
