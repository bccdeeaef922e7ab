package runner

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Stage copies the package into dstDir, which must be empty or absent, and hashes
// again while it copies: the bytes hashed are the bytes run, whatever happens to
// srcDir meanwhile. A file that is no longer what p says is an error, and then
// dstDir must not be used. Files that p does not list are not copied.
//
// The copy is world-readable (0755, 0555 for files), because a jailed model has
// its own user: keep it below a folder that others cannot list, 0711.
func Stage(p *Package, srcDir, dstDir string) error {
	src, err := os.OpenRoot(srcDir)
	if err != nil {
		return fmt.Errorf("stage package: %w", err)
	}
	defer src.Close()
	if err := emptyDir(dstDir); err != nil {
		return fmt.Errorf("stage package: %w", err)
	}
	dst, err := os.OpenRoot(dstDir)
	if err != nil {
		return fmt.Errorf("stage package: %w", err)
	}
	defer dst.Close()
	for _, f := range p.Files {
		if err := checkPath(f.Path); err != nil {
			return fmt.Errorf("stage package: %w", err)
		}
		if err := stageFile(src, dst, f); err != nil {
			return fmt.Errorf("stage package: %w", err)
		}
	}
	if got := Digest(p.Files); got != p.Digest {
		return fmt.Errorf("stage package: the list of files has digest %s, not %s", got, p.Digest)
	}
	return nil
}

func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	return os.Chmod(dir, 0o755) // whatever the umask took away
}

func stageFile(src, dst *os.Root, f File) error {
	in, err := openPlain(src, f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := makeDirs(dst, path.Dir(f.Path)); err != nil {
		return err
	}
	out, err := dst.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, f.Size+1))
	if err == nil {
		err = out.Chmod(0o555)
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if n != f.Size || hexSum(h) != f.SHA256 {
		return fmt.Errorf("%q changed after it was hashed", f.Path)
	}
	return nil
}

func makeDirs(dst *os.Root, dir string) error {
	if dir == "." {
		return nil
	}
	if err := makeDirs(dst, path.Dir(dir)); err != nil {
		return err
	}
	if err := dst.Mkdir(dir, 0o755); err != nil {
		if fi, serr := dst.Stat(dir); serr == nil && fi.IsDir() {
			return nil
		}
		return err
	}
	return dst.Chmod(dir, 0o755)
}

// StageTemp stages a package in a new folder that a jailed model can reach and
// others cannot list. The caller calls remove when no process needs it any more.
func StageTemp(p *Package, srcDir string) (dir string, remove func(), err error) {
	top, err := os.MkdirTemp("", "proctor-model-")
	if err != nil {
		return "", nil, fmt.Errorf("stage package: %w", err)
	}
	remove = func() { os.RemoveAll(top) }
	if err = os.Chmod(top, 0o711); err == nil {
		dir = filepath.Join(top, "model")
		err = Stage(p, srcDir, dir)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}
