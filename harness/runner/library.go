package runner

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A Library is a shared library of the service's that runs packages of a kind. The
// zero Library is none.
type Library struct {
	Path   string // absolute
	SHA256 string // of the file, lower-case hex
}

// Check says whether the library is there and is the one that was pinned.
func (l Library) Check() error {
	if !filepath.IsAbs(l.Path) {
		return fmt.Errorf("library %q: want an absolute path", l.Path)
	}
	f, err := os.Open(l.Path)
	if err != nil {
		return fmt.Errorf("library: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("library: %w", err)
	}
	if got := hexSum(h); got != l.SHA256 {
		return fmt.Errorf("library %s has SHA-256 %s, pinned is %q", l.Path, got, l.SHA256)
	}
	return nil
}

// Takes says whether this runner is set up for a kind of package.
func (r Runner) Takes(kind string) bool {
	_, known := kinds[kind]
	return known && (kind != KindONNXRuntime || r.ONNXRuntime != Library{}) && (kind != KindRemote || r.Remote != nil)
}

// Reaches says why the endpoint that a package names may not be asked; nil: it may, or
// the package names none. The sentence is for submitters. Takes said yes to its kind.
func (r Runner) Reaches(m Manifest) error {
	if m.Kind != KindRemote {
		return nil
	}
	return r.Remote.Allows(m)
}

// ready refuses, in the service's name, what it is not set up for.
func (r Runner) ready(m Manifest) *Failure {
	if !r.Takes(m.Kind) {
		return &Failure{ServiceKind, fmt.Sprintf("no library or no endpoint is configured for kind %q", m.Kind), 0}
	}
	if err := r.Reaches(m); err != nil {
		return &Failure{ServiceKind, err.Error(), 0}
	}
	if m.Kind != KindONNXRuntime {
		return nil
	}
	if err := r.ONNXRuntime.Check(); err != nil {
		return &Failure{ServiceError, err.Error(), 0}
	}
	return nil
}
