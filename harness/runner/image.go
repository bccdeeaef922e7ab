package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"proctor/harness/intake"
	"proctor/harness/jail"
)

// ImageDir is the folder of an image package that holds the image, as the OCI lays
// images out on disk.
const ImageDir = "image"

// imagePath is where programs are looked for in an image that does not say.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// image lays the image of a staged package out and completes spec: the program sees
// the image's own root filesystem and nothing of this machine's. remove takes it away.
// The error is a *Failure.
func (r Runner) image(ctx context.Context, dir string, p *Package, spec *jail.Spec) (remove func(), err error) {
	if spec.Root, remove, err = jail.MakeRoot(); err != nil {
		return nil, &Failure{ServiceError, err.Error(), 0}
	}
	img, err := intake.UnpackImage(ctx, os.DirFS(filepath.Join(dir, ImageDir)), p.Manifest.Image, spec.Root, intake.ImageLimits)
	var file *intake.FileError
	switch {
	case errors.As(err, &file):
		return remove, &Failure{StartFailed, err.Error(), 0}
	case ctx.Err() != nil:
		return remove, &Failure{ServiceCancelled, ctx.Err().Error(), 0}
	case err != nil:
		return remove, &Failure{ServiceError, err.Error(), 0}
	}
	root, err := os.OpenRoot(spec.Root)
	if err != nil {
		return remove, &Failure{ServiceError, err.Error(), 0}
	}
	defer root.Close()
	if spec.Argv, err = imageProgram(root, img); err != nil {
		return remove, &Failure{StartFailed, err.Error(), 0}
	}
	spec.Dir, spec.Env = img.Dir, img.Env
	if _, ok := variable(img.Env, "PATH"); !ok {
		spec.Env = append(spec.Env, "PATH="+imagePath)
	}
	return remove, nil
}

// imageProgram finds the program of an image on the image's own search path. A link is
// taken as it is: the jail follows it in the image's root.
func imageProgram(root *os.Root, img intake.Image) ([]string, error) {
	if img.Dir != "/" {
		if fi, err := root.Stat(strings.TrimPrefix(img.Dir, "/")); err != nil || !fi.IsDir() {
			return nil, fmt.Errorf("the image's working folder %q is not in it", img.Dir)
		}
	}
	if strings.Contains(img.Argv[0], "/") {
		return img.Argv, nil
	}
	search, ok := variable(img.Env, "PATH")
	if !ok {
		search = imagePath
	}
	for dir := range strings.SplitSeq(search, ":") {
		if !path.IsAbs(dir) {
			continue
		}
		name := path.Join(dir, img.Argv[0])
		if fi, err := root.Lstat(strings.TrimPrefix(name, "/")); err == nil && !fi.IsDir() {
			return append([]string{name}, img.Argv[1:]...), nil
		}
	}
	return nil, fmt.Errorf("the image's program %q is not on its search path", img.Argv[0])
}

func variable(env []string, name string) (string, bool) {
	i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return "", false
	}
	return env[i][len(name)+1:], true
}
