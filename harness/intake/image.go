package intake

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
)

// ImageLimits bound what an image unpacks to.
var ImageLimits = Limits{Bytes: 4 << 30, Files: 200_000}

// What an image's documents may hold at most.
const (
	maxImageJSON = 4 << 20
	maxLayers    = 128
	maxImageText = 4096 // bytes of a word of the command, of a variable
	maxImageList = 256  // words, variables
)

// An Image is how a container image wants its program to be run.
type Image struct {
	Argv []string // ENTRYPOINT and CMD
	Env  []string // NAME=value, each name once
	Dir  string   // absolute
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

type imageManifest struct {
	MediaType string       `json:"mediaType"`
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
}

type imageConfig struct {
	OS     string `json:"os"`
	Config struct {
		Entrypoint []string
		Cmd        []string
		Env        []string
		WorkingDir string
	} `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// UnpackImage lays the root filesystem of an image out in dir, an empty folder. layout
// is the image as the OCI lays images out on disk (blobs/sha256/...), digest that of
// its manifest, "sha256:<hex>".
//
// Every blob is hashed, compressed and again as the layer that the configuration
// names, before the image counts as unpacked: when UnpackImage fails, dir holds a part
// that must not be used. Files get the mode 0444, or 0555 if somebody may execute them,
// folders 0755; owners, times and set-user-ids are dropped. It refuses, with a
// *FileError: devices, pipes and sparse files; paths and hard links that lead out; links
// that climb above the root; layers that write through a link; what does not fit l. A
// link with an absolute target is laid out as it is: it means the image's own root, so
// nobody may follow one while dir is not the root.
//
// Like [Untar] this runs in the service, and every write goes through an os.Root.
func UnpackImage(ctx context.Context, layout fs.FS, digest, dir string, l Limits) (Image, error) {
	var m imageManifest
	if err := readDocument(layout, descriptor{Digest: digest, Size: -1}, &m); err != nil {
		return Image{}, err
	}
	var c imageConfig
	if err := readDocument(layout, m.Config, &c); err != nil {
		return Image{}, err
	}
	switch {
	case len(m.Layers) < 1 || len(m.Layers) > maxLayers || len(c.RootFS.DiffIDs) != len(m.Layers):
		return Image{}, imageFault("it has %d layers, its configuration names %d; 1 to %d are taken", len(m.Layers), len(c.RootFS.DiffIDs), maxLayers)
	case c.OS != "linux":
		return Image{}, imageFault("it is for the system %.40q; linux is wanted", c.OS)
	}
	img, err := c.image()
	if err != nil {
		return Image{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Image{}, wrap(err)
	}
	defer root.Close()
	t := &rootfs{root: root, limits: l}
	for i, d := range m.Layers {
		if err := t.unpackLayer(ctx, layout, d, c.RootFS.DiffIDs[i]); err != nil {
			return Image{}, fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	return img, nil
}

func imageFault(format string, a ...any) error {
	return &FileError{What: "the image: " + fmt.Sprintf(format, a...)}
}

var imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// openBlob opens a blob; what it reads must still be hashed.
func openBlob(layout fs.FS, d descriptor) (fs.File, error) {
	if !imageDigest.MatchString(d.Digest) {
		return nil, imageFault("%.80q is not a SHA-256 digest", d.Digest)
	}
	f, err := layout.Open(path.Join("blobs", "sha256", strings.TrimPrefix(d.Digest, "sha256:")))
	if err != nil {
		return nil, imageFault("blob %s is missing", d.Digest)
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() || d.Size >= 0 && fi.Size() != d.Size {
		f.Close()
		return nil, imageFault("blob %s does not have the size that is said", d.Digest)
	}
	return f, nil
}

// readDocument reads a JSON blob whose digest is known.
func readDocument(layout fs.FS, d descriptor, into any) error {
	f, err := openBlob(layout, d)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxImageJSON+1))
	if err != nil {
		return wrap(err)
	}
	if sum := sha256.Sum256(data); "sha256:"+hex.EncodeToString(sum[:]) != d.Digest || len(data) > maxImageJSON {
		return imageFault("blob %s has another content, or more than %d bytes", d.Digest, maxImageJSON)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return imageFault("blob %s is not the JSON that it should be", d.Digest)
	}
	return nil
}

// image reads how the program is run, and refuses what would not survive the way.
func (c imageConfig) image() (Image, error) {
	img := Image{Argv: append(append([]string{}, c.Config.Entrypoint...), c.Config.Cmd...), Dir: path.Clean("/" + c.Config.WorkingDir)}
	if len(img.Argv) == 0 || img.Argv[0] == "" {
		return img, imageFault("it has neither ENTRYPOINT nor CMD: nothing says what to run")
	}
	seen := map[string]bool{}
	for _, v := range c.Config.Env {
		if name, _, ok := strings.Cut(v, "="); ok && name != "" && !seen[name] {
			seen[name] = true
			img.Env = append(img.Env, v)
		}
	}
	if len(img.Argv) > maxImageList || len(img.Env) > maxImageList {
		return img, imageFault("its command or its environment has more than %d entries", maxImageList)
	}
	for _, s := range append(append([]string{img.Dir}, img.Argv...), img.Env...) {
		if len(s) > maxImageText || strings.ContainsRune(s, 0) {
			return img, imageFault("a word of its command or environment holds a NUL or has more than %d bytes", maxImageText)
		}
	}
	return img, nil
}

// unpackLayer reads one layer to its end, through both hashes.
func (t *rootfs) unpackLayer(ctx context.Context, layout fs.FS, d descriptor, diffID string) error {
	f, err := openBlob(layout, d)
	if err != nil {
		return err
	}
	defer f.Close()
	packed, plain := sha256.New(), sha256.New()
	in := io.TeeReader(f, packed)
	var content io.Reader
	switch d.MediaType {
	case "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar":
		content = in
	case "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return imageFault("blob %s is not gzip", d.Digest)
		}
		content = z
	default:
		return imageFault("a layer is of type %.80q; tar and tar+gzip are taken", d.MediaType)
	}
	src := &source{ctx: ctx, r: io.TeeReader(content, plain), most: t.limits.Bytes - t.bytes}
	err = t.layer(src)
	if err == nil { // what stands after the tar's end is hashed too
		_, err = io.Copy(io.Discard, src)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	t.bytes += src.n
	if err != nil {
		return damaged(ctx, d, src.explain(err, t.files))
	}
	if !sums(packed, d.Digest) || !sums(plain, diffID) {
		return imageFault("the content of blob %s is not what its digests say", d.Digest)
	}
	return nil
}

// damaged says of an error of unpacking, as nothing but the disk could be at fault
// otherwise, that the blob is no layer.
func damaged(ctx context.Context, d descriptor, err error) error {
	var file *FileError
	var disk *fs.PathError
	if errors.As(err, &file) || errors.As(err, &disk) || ctx.Err() != nil {
		return err
	}
	return imageFault("blob %s is damaged", d.Digest)
}

func sums(h hash.Hash, digest string) bool {
	return "sha256:"+hex.EncodeToString(h.Sum(nil)) == digest
}

// notThere says whether an error means that a path is not there.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
