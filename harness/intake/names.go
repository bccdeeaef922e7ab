package intake

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxPath  = 240 // bytes
	maxDepth = 32  // parts of a path
)

// names holds the paths of an archive, folders on the way to them included, under
// the form that systems without upper and lower case give them.
type names map[string]named

type named struct {
	path   string
	folder bool
	listed bool // the archive has an entry for it
}

// add takes note of an entry, or says why its path is refused.
func (n names) add(p string, folder bool) error {
	if err := checkPath(p); err != nil {
		return err
	}
	for i, c := range p {
		if c == '/' {
			if err := n.put(named{path: p[:i], folder: true}); err != nil {
				return err
			}
		}
	}
	return n.put(named{p, folder, true})
}

func (n names) put(x named) error {
	old, ok := n[fold(x.path)]
	switch {
	case ok && old.path != x.path:
		return &FileError{What: fmt.Sprintf("%q and %q differ only in case", old.path, x.path)}
	case ok && old.folder != x.folder:
		return &FileError{What: fmt.Sprintf("%q is a file and a folder", x.path)}
	case old.listed && x.listed:
		return &FileError{What: fmt.Sprintf("%q is there twice", x.path)}
	}
	x.listed = x.listed || old.listed
	n[fold(x.path)] = x
	return nil
}

// fold maps names that some file systems take for one to one string.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// checkPath refuses paths that leave the folder or that people or other systems
// would read differently. What it takes, a package (harness/runner) takes.
func checkPath(p string) error {
	why := ""
	switch {
	case len(p) > maxPath:
		why = fmt.Sprintf("is longer than %d bytes", maxPath)
	case p == "." || !fs.ValidPath(p):
		why = "is not a plain path below the archive's folder"
	case strings.Count(p, "/") >= maxDepth:
		why = fmt.Sprintf("is nested deeper than %d folders", maxDepth)
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unprintable):
		why = "holds characters that do not print"
	case strings.ContainsAny(p, `\:`):
		why = "holds a backslash or a colon"
	}
	for part := range strings.SplitSeq(p, "/") {
		if why == "" && (strings.TrimSpace(part) != part || strings.HasSuffix(part, ".")) {
			why = "has a part that begins or ends with a space or ends with a dot"
		}
	}
	if why != "" {
		return &FileError{What: fmt.Sprintf("path %.80q %s", p, why)}
	}
	return nil
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }
