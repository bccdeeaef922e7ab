package jail

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// runscFD is where the child finds runsc, opened by the parent when it was hashed.
const runscFD = 5

// What gVisor itself takes of the tree's memory and threads: for its kernel, and for each
// process of the program, of which it has been seen to make 7 of the host's at most.
const (
	gvisorMemory = 64 << 20
	gvisorPids   = 128
	gvisorEach   = 8
)

// runsc is the program that UseRunsc was given.
var runsc struct {
	sync.Mutex
	file *os.File
}

// UseRunsc makes tier gvisor available with the program of that path, if its bytes
// have the digest "sha256:<hex>"; what runs later is the file that was hashed, also
// when another takes its name. It must be called before the first Probe and Start.
func UseRunsc(path, digest string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("runsc: %w", err)
	}
	h := sha256.New()
	if _, err = io.Copy(h, f); err == nil {
		if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != digest {
			err = fmt.Errorf("%s has digest %s, not %s", path, got, digest)
		}
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("runsc: %w", err)
	}
	runsc.Lock()
	defer runsc.Unlock()
	runsc.file = f
	return nil
}

// helpers are files that the child needs besides the link.
func (c *config) helpers() []*os.File {
	if c.Tier != GVisor {
		return nil
	}
	runsc.Lock()
	defer runsc.Unlock()
	return []*os.File{runsc.file}
}

// tree is what the cgroup allows: gVisor's own needs come on top. What the program may
// start is counted by gVisor, see ociLimits.
func (c *config) tree() Limits {
	l := c.Limits
	if c.Tier == GVisor {
		l.Memory += gvisorMemory
		l.Pids = gvisorPids + gvisorEach*l.Pids
	}
	return l
}

// bundle writes what runsc wants: a folder with config.json and an empty root.
func (c *config) bundle() (_ *scratch, err error) {
	runsc.Lock()
	have := runsc.file != nil
	runsc.Unlock()
	switch {
	case !have:
		return nil, errors.New("no runsc is configured")
	case os.Geteuid() != 0:
		return nil, errors.New("runsc is used by root only")
	}
	s, err := newScratch(-1)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	for _, dir := range []string{"bundle/root/etc", "state"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	text, err := c.oci()
	if err != nil {
		return nil, err
	}
	c.Runsc = []string{"runsc", "--root", filepath.Join(s.dir, "state"), "--network=none", "--ignore-cgroups",
		"run", "--bundle", filepath.Join(s.dir, "bundle"), "model"}
	return s, os.WriteFile(filepath.Join(s.dir, "bundle", "config.json"), text, 0o600)
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

// oci describes the program in the form of the OCI runtime specification: a user
// without rights, a read-only root of what was bound, no network but itself.
func (c *config) oci() ([]byte, error) {
	mounts := []ociMount{{"/proc", "proc", "proc", nil}}
	args, env := c.Argv, c.environ(c.Env)
	if c.Role { // found by name on this path, so that it runs under the name that makes it a role
		self, err := ownBinary()
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, ociMount{"/.bin/" + roleName, "bind", self, []string{"ro", "bind"}})
		env = append(env, "PATH=/.bin")
	}
	for _, b := range c.Binds {
		mounts = append(mounts, ociMount{b.Target, "bind", b.Source, []string{"ro", "rbind", "nosuid", "nodev"}})
	}
	if c.Limits.Tmp > 0 {
		mounts = append(mounts, ociMount{"/tmp", "tmpfs", "tmp", []string{"nosuid", "nodev", "noexec", "mode=1777", fmt.Sprintf("size=%d", c.Limits.Tmp)}})
	}
	type m = map[string]any
	namespaces := []m{}
	for _, ns := range []string{"pid", "network", "ipc", "uts", "mount"} {
		namespaces = append(namespaces, m{"type": ns})
	}
	return json.Marshal(m{
		"ociVersion": "1.0.0", "hostname": "model",
		"process": m{"user": m{"uid": insideUser, "gid": insideUser}, "args": args, "env": env, "cwd": or(c.Dir, "/"),
			"noNewPrivileges": true, "capabilities": m{}, "rlimits": c.ociLimits()},
		"root":   m{"path": "root", "readonly": true},
		"mounts": mounts,
		"linux":  m{"namespaces": namespaces},
	})
}

// ociLimits are held by gVisor's kernel. All processes are one user's, so that the limit of
// processes and threads is the tree's.
func (c *config) ociLimits() []map[string]any {
	var out []map[string]any
	for name, n := range map[string]uint64{"RLIMIT_NPROC": uint64(c.NProc), "RLIMIT_NOFILE": uint64(c.Limits.Files), "RLIMIT_FSIZE": uint64(c.Limits.Tmp), "RLIMIT_CORE": 0} {
		out = append(out, map[string]any{"type": name, "soft": n, "hard": n})
	}
	return out
}

// becomeRunsc does not return if all goes well. The process is alone in a pid
// namespace: when it ends or is killed, so does everything that runsc started.
func (c *config) becomeRunsc() error {
	if ns, err := os.Readlink("/proc/self/ns/mnt"); err != nil || ns == c.HostNS {
		return fmt.Errorf("still in the host's mount namespace (%v): nothing was changed", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	// gVisor's own count of processor time is not relied on: what it runs is held
	// by the host's.
	cpu := c.cpuSeconds()
	if err := unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{Cur: cpu, Max: cpu}, nil); err != nil {
		return fmt.Errorf("limit of cpu: %w", err)
	}
	if err := c.dieWithParent(); err != nil {
		return err
	}
	if err := unix.CloseRange(configFD, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range: %w", err)
	}
	argv, err := syscall.SlicePtrFromStrings(c.Runsc)
	if err != nil {
		return err
	}
	env := []*byte{nil}
	var empty [1]byte
	say(standing)
	_, _, e := unix.RawSyscall6(unix.SYS_EXECVEAT, runscFD, uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return e
}
