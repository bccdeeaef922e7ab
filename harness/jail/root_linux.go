package jail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// selfTarget is where our own binary is in a jail.
const selfTarget = "/.proctor"

// newRoot gives the process a root file system of its own, a small read-only
// tmpfs with what was bound into it, and takes the host's away.
func (c *config) newRoot() error {
	if ns, err := os.Readlink("/proc/self/ns/mnt"); err != nil || ns == c.HostNS {
		return fmt.Errorf("still in the host's mount namespace (%v): nothing was changed", err)
	}
	if err := unix.Sethostname([]byte("model")); err != nil {
		return fmt.Errorf("sethostname: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	binds := c.Binds
	if c.Role {
		self, err := ownBinary()
		if err != nil {
			return err
		}
		binds = append(binds, Bind{self, selfTarget})
	}
	for _, dev := range []string{"null", "zero", "random", "urandom"} {
		binds = append(binds, Bind{"/dev/" + dev, "/dev/" + dev})
	}
	// Opened before the root changes, while their names mean what the parent meant.
	trees := make([]int, len(binds))
	for i, b := range binds {
		var err error
		if trees[i], err = unix.OpenTree(unix.AT_FDCWD, b.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE); err != nil {
			return fmt.Errorf("bind %s: %w", b.Source, err)
		}
	}
	if err := c.pivot(); err != nil {
		return err
	}
	for i, b := range binds {
		if err := attach(trees[i], b.Target); err != nil {
			return fmt.Errorf("bind %s: %w", b.Target, err)
		}
	}
	return c.furnish()
}

// ownBinary gives the path of the running binary, if that path still leads to it:
// the file that /proc/self/exe holds open is in the parent's namespace.
func ownBinary() (string, error) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return "", err
	}
	running, err := os.Stat("/proc/self/exe")
	if err != nil {
		return "", err
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(running, named) {
		return "", fmt.Errorf("%s was replaced since this program started: restart the service", path)
	}
	return path, nil
}

// pivot makes a fresh tmpfs the root and detaches everything else.
func (c *config) pivot() error {
	base := ""
	for _, dir := range []string{"/tmp", "/mnt", "/var", "/usr"} {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			base = dir
			break
		}
	}
	if base == "" {
		return fmt.Errorf("no folder to mount the new root on")
	}
	if err := unix.Mount("root", base, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=4m,nr_inodes=4096,mode=755"); err != nil {
		return fmt.Errorf("mount the new root: %w", err)
	}
	old := filepath.Join(base, ".old")
	if err := os.Mkdir(old, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(base, old); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	// A new /proc can be had only while an old one is in sight.
	if err := os.Mkdir("/proc", 0o555); err != nil {
		return err
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	_ = unix.Mount("proc", "/proc", "proc", flags, "hidepid=2,subset=pid") // refused in some containers; programs run without
	if err := unix.Unmount("/.old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("take the old root away: %w", err)
	}
	return os.Remove("/.old")
}

// attach puts a tree at its place, read-only with all below it.
func attach(tree int, target string) error {
	defer unix.Close(tree)
	var st unix.Stat_t
	if err := unix.Fstat(tree, &st); err != nil {
		return err
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if st.Mode&unix.S_IFMT == unix.S_IFCHR {
		attr.Attr_set = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC
	}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("make it read-only: %w", err)
	}
	if _, err := os.Lstat(target); err != nil { // else it lies in an earlier bind
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			err = os.Mkdir(target, 0o755)
		} else {
			err = os.WriteFile(target, nil, 0o444)
		}
		if err != nil {
			return err
		}
	}
	return unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// furnish adds what programs expect of a system and closes the root for writing.
func (c *config) furnish() error {
	for link, to := range map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0",
		"/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2", "/dev/shm": "/tmp"} {
		if err := os.Symlink(to, link); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("/etc", 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"passwd": "model:x:1000:1000:model:/tmp:/bin/sh\n", "group": "model:x:1000:\n"} {
		if err := os.WriteFile("/etc/"+name, []byte(text), 0o444); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("/tmp", 0o755); err != nil {
		return err
	}
	if c.Limits.Tmp > 0 {
		opts := fmt.Sprintf("size=%d,nr_inodes=%d,mode=1777", c.Limits.Tmp, 64+c.Limits.Tmp/16384)
		if err := unix.Mount("tmp", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, opts); err != nil {
			return fmt.Errorf("mount /tmp: %w", err)
		}
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", 0, &attr); err != nil {
		return fmt.Errorf("make the root read-only: %w", err)
	}
	return nil
}

// below says whether path is dir or lies in it.
func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
