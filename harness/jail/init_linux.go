package jail

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Descriptors of the process that becomes the jail.
const (
	configFD = 3
	errorFD  = 4 // closed by a successful exec
)

// standing is what the child says on errorFD when all that can be shut is shut
// and only the exec is left. What comes after says why the exec failed; anything
// else, or nothing, is a jail that does not stand.
const standing = "standing\n"

// initMain shuts the process in and executes the program. Everything is done on
// one thread: exec ends the others and keeps what this one gave up.
func initMain() int {
	runtime.LockOSThread()
	data, err := io.ReadAll(os.NewFile(configFD, "config"))
	var c config
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil {
		err = c.allowed()
	}
	if err == nil {
		err = c.confine()
	}
	say(err.Error())
	return 1
}

// say tells the parent. It allocates nothing: the limit of memory may hold already,
// and it was made for the program, not for a Go runtime that is about to go.
func say(text string) {
	unix.RawSyscall(unix.SYS_WRITE, errorFD, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)))
}

// confine does not return if all goes well. The order matters: each step needs
// rights that a later one gives up.
func (c *config) confine() error {
	self, err := unix.Open("/proc/self/exe", unix.O_PATH, 0)
	if err != nil {
		return fmt.Errorf("open our own binary: %w", err)
	}
	if c.Tier == GVisor {
		return c.becomeRunsc()
	}
	if c.Tier.namespaces() {
		if err := c.newRoot(); err != nil {
			return err
		}
	}
	if c.Loop {
		if err := c.raiseLoopback(); err != nil {
			return err
		}
	}
	if err := unix.Chdir(or(c.Dir, "/")); err != nil {
		return fmt.Errorf("enter %s: %w", c.Dir, err)
	}
	if err := c.limit(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if err := c.landlock(); err != nil {
		return err
	}
	if err := c.dropRights(); err != nil {
		return err
	}
	if err := c.dieWithParent(); err != nil {
		return err
	}
	if err := c.seccomp(); err != nil {
		return err
	}
	// Not closed but marked: closing here would take the runtime's own descriptors
	// from under it. Exec closes them.
	if err := unix.CloseRange(configFD, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range: %w", err)
	}
	return c.exec(self)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// cpuSeconds is the limit of processor time as the kernel counts it.
func (c *config) cpuSeconds() uint64 {
	if c.Limits.CPU == 0 {
		return 60
	}
	return uint64(c.Limits.CPU.Seconds()+0.999) + 1
}

// limit sets what holds for each process of the tree, but for its memory: see exec.
func (c *config) limit() error {
	if !c.with("limits") {
		return nil
	}
	cpu := c.cpuSeconds()
	limits := []struct {
		what     int
		name     string
		soft, up uint64
	}{
		{unix.RLIMIT_CORE, "core", 0, 0},
		{unix.RLIMIT_CPU, "cpu", cpu, cpu},
		{unix.RLIMIT_NOFILE, "files", uint64(c.Limits.Files), uint64(c.Limits.Files)},
		{unix.RLIMIT_NPROC, "processes", uint64(c.NProc), uint64(c.NProc)},
		{unix.RLIMIT_FSIZE, "file size", uint64(c.Limits.Tmp), uint64(c.Limits.Tmp)},
		{unix.RLIMIT_MSGQUEUE, "queues", 0, 0},
	}
	for _, l := range limits {
		if err := unix.Prlimit(0, l.what, &unix.Rlimit{Cur: l.soft, Max: l.up}, nil); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return nil
}

// landlock closes all files but those that were bound, all TCP ports, and the
// signals and abstract sockets of everybody else, as far as the kernel can.
func (c *config) landlock() error {
	if c.Tier == None || !c.with("landlock") {
		return nil
	}
	if v := LandlockVersion(); v < 1 {
		return fmt.Errorf("landlock: the kernel has none")
	}
	rules := []landlock.Rule{
		landlock.RWFiles("/dev/null").IgnoreIfMissing(),
		landlock.ROFiles("/dev/zero", "/dev/random", "/dev/urandom").IgnoreIfMissing(),
	}
	if c.Tmp != "" {
		rules = append(rules, landlock.RWDirs(c.Tmp).WithRefer())
	}
	if c.Tier.namespaces() {
		rules = append(rules, landlock.RODirs("/"))
	} else {
		if c.Role {
			rules = append(rules, landlock.ROFiles("/proc/self/exe"))
		}
		for _, b := range c.Binds {
			if fi, err := os.Stat(b.Source); err == nil && fi.IsDir() {
				rules = append(rules, landlock.RODirs(b.Source))
			} else {
				rules = append(rules, landlock.ROFiles(b.Source))
			}
		}
	}
	ruleset := landlock.V11.BestEffort()
	if c.Loop {
		return restrictButNet(ruleset, rules)
	}
	if err := ruleset.Restrict(rules...); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// LandlockVersion is the version of the kernel's Landlock interface; 0: it has none.
func LandlockVersion() int {
	v, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(v)
}

// dropRights gives up every capability and, as root, root. System calls are made
// raw so that they act on this thread alone.
func (c *config) dropRights() error {
	for last := uintptr(0); last < 64; last++ {
		if _, _, e := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, last, 0); e == unix.EINVAL {
			break
		} else if e != 0 && c.Tier.namespaces() {
			return fmt.Errorf("drop capability %d: %w", last, e)
		}
	}
	if c.User >= 0 {
		id := uintptr(c.User)
		if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); e != 0 {
			return fmt.Errorf("setgroups: %w", e)
		}
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); e != 0 {
			return fmt.Errorf("setresgid: %w", e)
		}
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); e != 0 {
			return fmt.Errorf("setresuid: %w", e)
		}
	}
	unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0)
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if _, _, e := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&none[0])), 0); e != 0 {
		return fmt.Errorf("capset: %w", e)
	}
	return nil
}

// dieWithParent asks again for the signal at the parent's death, which a change
// of user takes back, and looks whether the parent died meanwhile.
func (c *config) dieWithParent() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("pdeathsig: %w", err)
	}
	fds := []unix.PollFd{{Fd: errorFD, Events: unix.POLLOUT}}
	if _, err := unix.Poll(fds, 0); err == nil && fds[0].Revents&unix.POLLERR != 0 {
		return fmt.Errorf("the parent is gone")
	}
	return nil
}

func (c *config) seccomp() error {
	if !c.with("seccomp") {
		return nil
	}
	plan := seccompPlan{
		ownRoot:    c.Tier.namespaces(),
		scoped:     c.Tier != None && LandlockVersion() >= 6,
		treeMemory: c.Tree,
		loopback:   c.Loop,
		pid:        os.Getpid(),
	}
	err := plan.install()
	if err != nil && c.Tier == None {
		return nil // nothing is promised
	}
	return err
}

// exec becomes the program; it returns only if that fails. Where no cgroup bounds
// the tree's memory, each process's is bounded at the last moment, since the
// runtime that shuts itself in may have taken more already.
func (c *config) exec(self int) error {
	path, dir, flags := "", self, unix.AT_EMPTY_PATH // our own binary, whatever folder it is in
	switch {
	case !c.Role:
		path, dir, flags = c.Argv[0], unix.AT_FDCWD, 0
	case c.Tier.namespaces():
		path, dir, flags = selfTarget, unix.AT_FDCWD, 0
	}
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(c.Argv)
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(c.environ(c.Env))
	if err != nil {
		return err
	}
	most := unix.Rlimit{Cur: uint64(c.Limits.Memory), Max: uint64(c.Limits.Memory)}
	if c.with("standing") {
		say(standing)
	}
	if c.with("limits") && !c.Tree {
		if _, _, e := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_DATA, uintptr(unsafe.Pointer(&most)), 0, 0, 0); e != 0 {
			return e
		}
	}
	_, _, e := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(dir), uintptr(unsafe.Pointer(p)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])), uintptr(flags), 0)
	return e
}
