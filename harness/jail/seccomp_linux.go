//go:build linux && (amd64 || arm64)

package jail

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets into struct seccomp_data.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

// A filter is a seccomp program in the making. What no line allows answers
// ENOSYS, so that programs fall back to older calls as on an older kernel; what
// is dangerous answers EPERM, so that a denial reads as one.
type filter struct{ prog []unix.SockFilter }

func (f *filter) add(code uint16, k uint32, jt, jf uint8) {
	f.prog = append(f.prog, unix.SockFilter{Code: code, K: k, Jt: jt, Jf: jf})
}

func (f *filter) load(offset uint32) { f.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset, 0, 0) }
func (f *filter) ret(action uint32)  { f.add(unix.BPF_RET|unix.BPF_K, action, 0, 0) }

// when returns action if the loaded word equals k, else goes on.
func (f *filter) when(k, action uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, 0, 1)
	f.ret(action)
}

// where adds the lines of body for when the loaded word, such as the number of the
// call, equals k; body ends in a ret.
func (f *filter) where(k uint32, body func(*filter)) {
	at := len(f.prog)
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, 0, 0)
	body(f)
	f.prog[at].Jf = uint8(len(f.prog) - at - 1)
}

// arg loads the low half of an argument. Every argument looked at here is an int
// to the kernel, so that the high half has no meaning.
func (f *filter) arg(i int) { f.load(uint32(dataArgs + 8*i)) }

func errno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// oneOf allows a call if argument i is in the list and answers otherwise if not.
func (f *filter) oneOf(nr uint32, i int, otherwise uint32, list ...uint32) {
	f.where(nr, func(f *filter) {
		f.arg(i)
		for _, v := range list {
			f.when(v, unix.SECCOMP_RET_ALLOW)
		}
		f.ret(otherwise)
	})
}

// A seccompPlan says what differs between jails.
type seccompPlan struct {
	ownRoot    bool // namespaces: the program is alone, so that it may signal and set up groups
	scoped     bool // Landlock keeps signals inside
	treeMemory bool // a cgroup counts shared memory
	loopback   bool // the network namespace holds the program alone
	pid        int
}

const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

func (p seccompPlan) build() []unix.SockFilter {
	f := &filter{}
	f.load(dataArch)
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, auditArch, 1, 0)
	f.ret(unix.SECCOMP_RET_KILL_PROCESS)
	f.load(dataNr)
	if x32Bit != 0 {
		f.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, x32Bit, 0, 1)
		f.ret(unix.SECCOMP_RET_KILL_PROCESS)
	}
	for _, nr := range append(allowed, archAllowed...) {
		f.when(nr, unix.SECCOMP_RET_ALLOW)
	}
	p.sockets(f)
	for _, nr := range append(denied, archDenied...) {
		f.when(nr, errno(unix.EPERM))
	}
	p.conditional(f)
	f.ret(errno(unix.ENOSYS))
	return f.prog
}

// toSocket are the calls by which a program comes to talk to another over a socket.
var toSocket = []uint32{unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_CONNECT}

// sockets allows no socket, or those of two families: IPv4, which ends in the
// namespace, and Unix, which reaches what the mounts show. Families that no network
// namespace confines (vsock) or that speak to the kernel itself (netlink, packet)
// answer as if the kernel had none. So does any protocol but TCP, UDP and the
// family's own: to look for another (SCTP, DCCP) the kernel may load a module, and
// some that it has built in (MPTCP, UDP-Lite) are much code that few have looked at.
func (p seccompPlan) sockets(f *filter) {
	if !p.loopback {
		for _, nr := range append([]uint32{unix.SYS_SOCKET}, toSocket...) {
			f.when(nr, errno(unix.EPERM))
		}
		return
	}
	f.where(unix.SYS_SOCKET, func(f *filter) {
		f.arg(0)
		for _, family := range []uint32{unix.AF_UNIX, unix.AF_INET} {
			f.where(family, (*filter).socketOf)
		}
		f.ret(errno(unix.EAFNOSUPPORT))
	})
	for _, nr := range toSocket {
		f.when(nr, unix.SECCOMP_RET_ALLOW)
	}
}

// socketOf allows streams and datagrams of the protocols that one has at hand.
func (f *filter) socketOf() {
	f.arg(1)
	f.add(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, ^uint32(unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC), 0, 0)
	for _, k := range []struct{ kind, protocol uint32 }{{unix.SOCK_STREAM, unix.IPPROTO_TCP}, {unix.SOCK_DGRAM, unix.IPPROTO_UDP}} {
		f.where(k.kind, func(f *filter) {
			f.arg(2)
			f.when(0, unix.SECCOMP_RET_ALLOW)
			f.when(k.protocol, unix.SECCOMP_RET_ALLOW)
			f.ret(errno(unix.EPROTONOSUPPORT))
		})
	}
	f.ret(errno(unix.ESOCKTNOSUPPORT))
}

// conditional adds the calls that depend on their arguments or on the tier.
func (p seccompPlan) conditional(f *filter) {
	allow := func(yes bool, list ...uint32) {
		for _, nr := range list {
			if yes {
				f.when(nr, unix.SECCOMP_RET_ALLOW)
			} else {
				f.when(nr, errno(unix.EPERM))
			}
		}
	}
	// Without a pid namespace a tree is ended by its process group: nobody leaves it.
	allow(p.ownRoot, unix.SYS_SETSID, unix.SYS_SETPGID)
	// Landlock does not cover changes of modes and times.
	allow(p.ownRoot, changesModes...)
	allow(p.ownRoot || p.scoped, unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO)
	if p.ownRoot || p.scoped {
		allow(true, unix.SYS_TGKILL)
	} else {
		f.oneOf(unix.SYS_TGKILL, 0, errno(unix.EPERM), uint32(p.pid))
	}
	allow(p.treeMemory, unix.SYS_MEMFD_CREATE)

	f.where(unix.SYS_CLONE, func(f *filter) {
		f.arg(0)
		f.add(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, newNamespaces, 0, 1)
		f.ret(errno(unix.EPERM))
		f.ret(unix.SECCOMP_RET_ALLOW)
	})
	f.oneOf(unix.SYS_SOCKETPAIR, 0, errno(unix.EPERM), unix.AF_UNIX)
	f.oneOf(unix.SYS_PRLIMIT64, 0, errno(unix.EPERM), 0)
	f.oneOf(unix.SYS_IOCTL, 1, errno(unix.ENOTTY), unix.TCGETS, unix.TIOCGWINSZ, unix.TIOCINQ, 0x5421 /* FIONBIO */, 0x5450, 0x5451 /* FIO(N)CLEX */)
	// Not PR_SET_PDEATHSIG: the program must not outlive the service.
	f.oneOf(unix.SYS_PRCTL, 0, errno(unix.EPERM), unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_GET_PDEATHSIG,
		unix.PR_GET_DUMPABLE, unix.PR_SET_DUMPABLE, unix.PR_SET_VMA, unix.PR_GET_NO_NEW_PRIVS, unix.PR_SET_NO_NEW_PRIVS,
		unix.PR_CAPBSET_READ, unix.PR_GET_KEEPCAPS, unix.PR_GET_SECCOMP, unix.PR_SET_TIMERSLACK,
		unix.PR_GET_TIMERSLACK, unix.PR_SET_THP_DISABLE, unix.PR_GET_THP_DISABLE)
}

// install puts the filter on the calling thread, which must be locked and have
// no_new_privs; the exec that follows ends all other threads.
func (p seccompPlan) install() error {
	prog := p.build()
	if len(prog) > 4096 {
		return errors.New("seccomp: the filter is too long")
	}
	fp := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fp)))
	runtime.KeepAlive(prog)
	if e != 0 {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}
