package jail

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startTimeout bounds the time from clone to exec.
const startTimeout = 20 * time.Second

var sweepOnce sync.Once

// startAt starts a program at exactly this tier.
func startAt(ctx context.Context, s Spec, tier Tier) (_ *Process, err error) {
	sweepOnce.Do(sweep)
	c, err := s.config(tier)
	if err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	c.Env = s.Env
	p := &Process{tier: tier, cpu: s.Limits.CPU, done: make(chan struct{}), errDone: make(chan struct{})}
	defer func() {
		if err != nil {
			p.cleanUp()
		}
	}()
	if c.Limits.Tmp > 0 {
		c.Tmp = "/tmp"
		if !tier.namespaces() {
			if p.tmp, err = newScratch(c.User); err != nil {
				return nil, fmt.Errorf("jail: %w", err)
			}
			c.Tmp = p.tmp.dir
		}
	}
	if tier == GVisor {
		if p.tmp, err = c.bundle(); err != nil {
			return nil, fmt.Errorf("jail: %w", err)
		}
	}
	if tier != NoCgroup && c.with("cgroup") {
		if p.cg, err = newCgroup(c.tree()); err != nil && tier.AtLeast(Jail) {
			return nil, fmt.Errorf("jail: %w", err)
		}
		err = nil
	}
	c.Tree = p.cg != nil
	if err := p.launch(c); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	stop := context.AfterFunc(ctx, p.Kill)
	go func() { <-p.done; stop() }()
	return p, p.handOver(ctx, c)
}

// link is the pair of pipes over which the child is told what to become, and says
// why it could not.
type link struct{ configR, configW, errorR, errorW *os.File }

func newLink() (l link, err error) {
	if l.configR, l.configW, err = os.Pipe(); err != nil {
		return l, err
	}
	if l.errorR, l.errorW, err = os.Pipe(); err != nil {
		l.configR.Close()
		l.configW.Close()
	}
	return l, err
}

// launch starts our own binary as the jail in waiting.
func (p *Process) launch(c *config) error {
	theirs, stderr, err := p.pipes()
	if err != nil {
		return err
	}
	l, err := newLink()
	if err != nil {
		p.closePipes()
		stderr.Close()
		closeAll(theirs[:]...)
		return err
	}
	p.cmd = &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{initName}, Dir: "/",
		Env:   []string{"GOGC=off", "GOTRACEBACK=none"},
		Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2],
		ExtraFiles:  append([]*os.File{l.configR, l.errorW}, c.helpers()...),
		SysProcAttr: attributes(c),
	}
	p.start = time.Now()
	started := make(chan error)
	go p.attend(started)
	err = <-started
	closeAll(append(theirs[:], l.configR, l.errorW)...)
	if err != nil {
		p.closePipes()
		closeAll(stderr, l.configW, l.errorR)
		return fmt.Errorf("start: %w", err)
	}
	go p.readStderr(stderr)
	widen(p.Stdin)
	p.link = l
	return nil
}

// widen makes room in a pipe for a large batch at once, which saves a change of process
// for every 64 KiB. Where the kernel grants less, the pipe stays as it is.
func widen(f *os.File) {
	raw, err := f.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) })
	}
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// attend starts the process and waits for its end, on one thread that does
// nothing else: the signal at the parent's death is tied to the thread that made
// the child, not to the process (golang/go#27505).
func (p *Process) attend(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	pid := 0
	if err == nil {
		pid = p.cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	for {
		// Seen but not reaped: until it is reaped, its number and group are its own.
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			break
		}
	}
	p.mu.Lock()
	p.killTree()
	err = p.cmd.Wait()
	p.reaped = true
	p.mu.Unlock()
	if !p.tier.namespaces() {
		for i := 0; i < 50 && unix.Kill(-pid, 0) == nil; i++ {
			time.Sleep(4 * time.Millisecond) // killed already; now let them go
		}
	}
	p.finish(err)
}

// handOver tells the child what to become and waits until it has.
func (p *Process) handOver(ctx context.Context, c *config) (err error) {
	defer func() {
		if err != nil {
			p.Kill()
			<-p.done
			p.closePipes()
		}
	}()
	defer p.link.errorR.Close()
	if p.cg != nil {
		if err = p.cg.add(p.cmd.Process.Pid); err != nil {
			p.link.configW.Close()
			return fmt.Errorf("jail: %w", err)
		}
	}
	data, err := json.Marshal(c)
	if err == nil {
		p.link.configW.SetWriteDeadline(time.Now().Add(startTimeout))
		_, err = p.link.configW.Write(data)
	}
	p.link.configW.Close()
	if err != nil {
		return fmt.Errorf("jail: tell the child: %w", err)
	}
	p.link.errorR.SetReadDeadline(time.Now().Add(startTimeout))
	said, err := io.ReadAll(io.LimitReader(p.link.errorR, 4096))
	if err != nil {
		return fmt.Errorf("jail: wait for the child: %w", err)
	}
	why, stands := strings.CutPrefix(string(said), standing)
	switch {
	case !stands && ctx.Err() != nil:
		return ctx.Err()
	case !stands:
		return fmt.Errorf("jail: tier %s: %s", c.Tier, or(why, "the child died while it shut itself in"))
	case why != "":
		return &StartError{c.Argv[0], why}
	}
	return ctx.Err()
}

// attributes are what the kernel does between clone and exec.
func attributes(c *config) *syscall.SysProcAttr {
	at := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	if !c.Tier.namespaces() {
		return at
	}
	at.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWNET
	if !c.with("netns") {
		at.Cloneflags &^= unix.CLONE_NEWNET
	}
	if c.Tier == GVisor { // root, as runsc needs it; it gives up what it can itself
		at.Cloneflags &^= unix.CLONE_NEWUSER | unix.CLONE_NEWCGROUP
		return at
	}
	uid, gid := os.Geteuid(), os.Getegid()
	if c.User >= 0 {
		// Root sets up, so that folders of the service's own can be bound, and then
		// becomes a user that owns nothing.
		at.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}, {ContainerID: insideUser, HostID: jailUser, Size: 1}}
		at.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}, {ContainerID: insideUser, HostID: jailUser, Size: 1}}
		at.GidMappingsEnableSetgroups = true
		return at
	}
	at.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: uid, Size: 1}}
	at.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: gid, Size: 1}}
	at.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP} // within the new user namespace
	if c.Loop {
		at.AmbientCaps = append(at.AmbientCaps, unix.CAP_NET_ADMIN)
	}
	return at
}

// killTree ends every process of the tree; p.mu is held and the first process is
// not reaped. With a pid namespace the kernel ends the rest with the first.
func (p *Process) killTree() {
	p.cmd.Process.Kill()
	if !p.tier.namespaces() {
		unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
	}
}

// finish collects what is known after the end.
func (p *Process) finish(waitErr error) {
	defer close(p.done)
	st := p.cmd.ProcessState
	if st == nil {
		p.exitErr = fmt.Errorf("jail: wait: %w", waitErr)
		p.cleanUp()
		return
	}
	e := Exit{Code: st.ExitCode(), Killed: p.killed, Wall: time.Since(p.start), CPU: st.UserTime() + st.SystemTime()}
	if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Signal = ws.Signal().String()
		e.OutOfCPU = ws.Signal() == syscall.SIGXCPU || ws.Signal() == syscall.SIGKILL && !p.killed && p.cpu > 0 && e.CPU >= p.cpu*9/10
	}
	if p.tier == GVisor && e.Code > 128 { // as runsc tells of a signal
		sig := syscall.Signal(e.Code - 128)
		e.Code, e.Signal = -1, sig.String()
		e.OutOfCPU = sig == syscall.SIGXCPU || sig == syscall.SIGKILL && p.cpu > 0 && e.CPU >= p.cpu*9/10
	}
	if ru, ok := st.SysUsage().(*syscall.Rusage); ok {
		e.PeakMemory = ru.Maxrss << 10
	}
	if p.cg != nil {
		e.PeakMemory = max(p.cg.peak(), 0)
		e.OutOfMem = p.cg.outOfMemory()
	}
	p.exit = e
	select {
	case <-p.errDone:
	case <-time.After(waitDelay): // somebody outside the tree holds the pipe
	}
	p.cleanUp()
}

func (p *Process) cleanUp() {
	if p.cg != nil {
		p.cg.remove()
	}
	if p.tmp != nil {
		p.tmp.remove()
	}
}
