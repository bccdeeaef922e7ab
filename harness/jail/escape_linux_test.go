package jail

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An attempt tries to leave the jail. nil: it would have got out. Each must be
// harmless where there is no jail at all: what it does then is what its control
// does in this very test process.
var attempts = map[string]func(arg string) error{
	"tcp": func(addr string) error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	},
	"udp": func(addr string) error {
		c, err := net.Dial("udp", addr)
		if err == nil {
			_, err = c.Write([]byte("x"))
			c.Close()
		}
		return err
	},
	"unix":     dialUnix,
	"abstract": dialUnix,
	"vsock": func(string) error {
		fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	},
	"read": func(path string) error {
		_, err := os.ReadFile(path)
		return err
	},
	"append": func(path string) error { // opened only
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			f.Close()
		}
		return err
	},
	"chmod": func(path string) error { return os.Chmod(path, 0o644) },
	"core_pattern": func(string) error { // opened only
		f, err := os.OpenFile("/proc/sys/kernel/core_pattern", os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return err
	},
	"mount": func(string) error { // a file system that no kernel has
		if err := unix.Mount("x", "/", "nosuchfs", 0, ""); err != unix.ENODEV {
			return err
		}
		return nil
	},
	"userns": func(string) error {
		// In a child of its own, which ends at once.
		p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}})
		if err == nil {
			p.Wait()
		}
		return err
	},
	"environ": func(pid string) error {
		_, err := os.ReadFile("/proc/" + pid + "/environ")
		return err
	},
	"signal": func(pid string) error { // signal 0: asks only
		n, _ := strconv.Atoi(pid)
		return unix.Kill(n, 0)
	},
	"vm_read": func(pid string) error {
		n, _ := strconv.Atoi(pid)
		var b [1]byte
		local := []unix.Iovec{{Base: &b[0], Len: 1}}
		_, err := unix.ProcessVMReadv(n, local, []unix.RemoteIovec{{Base: 1, Len: 1}}, 0)
		if err == unix.EFAULT {
			return nil // let in; there is nothing at address 1
		}
		return err
	},
	"bpf": func(string) error { // no such command: EINVAL means that the kernel was reached
		return reached(unix.SYS_BPF, 9999, 0, 0)
	},
	"io_uring": func(string) error { return reached(unix.SYS_IO_URING_SETUP, 0, 0, 0) },
	"keyctl":   func(string) error { return reached(unix.SYS_KEYCTL, 9999, 0, 0) },
	"clone3":   func(string) error { return reached(unix.SYS_CLONE3, 0, 0, 0) },
	"setsid": func(string) error {
		p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
		if err == nil {
			p.Wait()
		}
		return err
	},
	"deathsig": func(string) error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) },
	"root": func(string) error { // any capability, or a way back to root
		st, err := readStatus("self")
		if err == nil && strings.Trim(st["CapEff"]+st["CapPrm"]+st["CapBnd"]+st["CapAmb"], "0") != "" {
			return nil
		}
		return fmt.Errorf("no capability: %v", err)
	},
	"fd": func(string) error { // any descriptor but the three
		for fd := 3; fd < 64; fd++ {
			if n, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && !strings.HasPrefix(n, "anon_inode") && !strings.HasPrefix(n, "/proc/") {
				return nil
			}
		}
		return unix.EBADF
	},
}

func dialUnix(path string) error {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return err
}

func reached(nr, a, b, c uintptr) error {
	_, _, e := unix.RawSyscall(nr, a, b, c)
	if e == unix.EPERM || e == unix.ENOSYS {
		return e
	}
	return nil
}

func attemptMain(args []string) int {
	if f, ok := limitAttempts[args[0]]; ok {
		return f(args[1])
	}
	if err := attempts[args[0]](args[1]); err != nil {
		fmt.Print("closed: ", err)
	} else {
		fmt.Print("open")
	}
	return 0
}

// ways are what attempts aim at.
type ways struct{ tcp, udp, sock, abstract, secret, self string }

func newWays(t *testing.T) ways {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	dir := openDir(t)
	sock := filepath.Join(dir, "s")
	abstract := fmt.Sprintf("@proctor-jail-test-%d", os.Getpid())
	for _, a := range []string{sock, abstract} {
		l, err := net.Listen("unix", a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	os.Chmod(sock, 0o777)
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	os.Chmod(secret, 0o666)
	return ways{tcp.Addr().String(), udp.LocalAddr().String(), sock, abstract, secret, strconv.Itoa(os.Getpid())}
}

// Every way out is closed in a jail, and open without it: in this process (as
// root), or in a jail without the guard named.
func TestEscape(t *testing.T) {
	w := newWays(t)
	tcp, udp, sock, abstract, secret, self := w.tcp, w.udp, w.sock, w.abstract, w.secret, w.self
	for _, c := range []struct {
		name, arg string
		least     Tier   // the weakest tier that closes it
		control   string // "here": open in this process; a guard: open in a full jail without it; "": none that is harmless everywhere
	}{
		{"tcp", tcp, Landlock, "here"},
		{"tcp", tcp, NoCgroup, "seccomp,landlock,netns"},
		{"udp", udp, Landlock, "here"},
		{"unix", sock, Landlock, "here"},
		{"abstract", abstract, Landlock, "here"},
		{"abstract", abstract, NoCgroup, "seccomp,landlock,netns"},
		{"vsock", "", Landlock, "seccomp"},
		{"read", secret, Landlock, "here"},
		{"append", secret, Landlock, "here"},
		{"chmod", secret, Landlock, "here"},
		{"read", "/etc/hostname", Landlock, ""},
		{"append", "/usr/bin/env", Landlock, ""},
		{"core_pattern", "", Landlock, "here-root"},
		{"mount", "", Landlock, "here-root"},
		{"userns", "", Landlock, "seccomp"},
		{"environ", self, Landlock, "here"},
		{"environ", strconv.Itoa(os.Getppid()), Landlock, ""},
		{"signal", self, NoCgroup, "here"},
		{"vm_read", self, Landlock, "here"},
		{"bpf", "", Landlock, "here-root"},
		{"io_uring", "", Landlock, ""},
		{"keyctl", "", Landlock, "seccomp"},
		{"clone3", "", Landlock, "seccomp"},
		{"deathsig", "", Landlock, "seccomp"},
		{"root", "", Landlock, "here-root"},
		{"fd", "", NoCgroup, ""},
	} {
		t.Run(c.name+" "+c.control, func(t *testing.T) {
			have, reasons := Probe()
			closed := 0
			for _, tier := range []Tier{Landlock, NoCgroup, Jail} {
				if !have.AtLeast(tier) || !tier.AtLeast(c.least) {
					continue
				}
				closed++
				if out, exit, stderr := run(t, tier, Spec{Role: "attempt", Args: []string{c.name, c.arg}}, ""); !strings.HasPrefix(out, "closed") || !exit.OK() {
					t.Errorf("tier %s: %q, %v %s", tier, out, exit, stderr)
				}
			}
			if closed == 0 {
				t.Skipf("closed from tier %s on, this machine gives %s: %v", c.least, have, reasons)
			}
			control(t, have, c.name, c.arg, c.control)
		})
	}
}

// control shows that the attempt works where nothing guards against it, so that a
// refusal above means something.
func control(t *testing.T, have Tier, name, arg, how string) {
	switch {
	case how == "":
		return
	case how == "here" || how == "here-root" && os.Geteuid() == 0:
		if err := attempts[name](arg); err != nil && name != "core_pattern" && name != "mount" && name != "bpf" && name != "vm_read" {
			t.Errorf("without a jail: %v", err)
		} else if err != nil {
			t.Logf("no control: this machine refuses it even to root: %v", err)
		}
	case how == "here-root":
		t.Log("no control: not root")
	case !have.AtLeast(NoCgroup):
		t.Log("no control: no namespaces here")
	default:
		out, _, _ := run(t, NoCgroup, Spec{Role: "attempt", Args: []string{name, arg}, without: strings.Split(how, ",")}, "")
		if out != "open" {
			if name == "vsock" || name == "userns" || name == "keyctl" {
				t.Logf("no control: this kernel has none: %s", out)
				return
			}
			t.Errorf("without %s: %q", how, out)
		}
	}
}

// Attempts that use up the machine are bounded by themselves: without a jail they
// stop where the control stops.
var limitAttempts = map[string]func(arg string) int{
	"fork": func(arg string) int { // at most 40 children, which end with the pipe
		n, _ := strconv.Atoi(arg)
		ok := 0
		var held []*os.File
		for range min(n, 40) {
			r, w, _ := os.Pipe()
			p, err := os.StartProcess("/bin/cat", []string{"cat"}, &os.ProcAttr{Files: []*os.File{r, w, os.Stderr}})
			r.Close()
			if err != nil {
				continue
			}
			ok++
			held = append(held, w)
			defer func() { p.Kill(); p.Wait() }()
		}
		fmt.Print(ok, " ", len(held))
		return 0
	},
	"memory": func(arg string) int { // bytes, touched
		n, _ := strconv.Atoi(arg)
		b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			fmt.Print("refused")
			return 3
		}
		for i := 0; i < n; i += 4096 {
			b[i] = 1
		}
		fmt.Print("had")
		return 0
	},
	"tmp": func(arg string) int { // bytes written to /tmp
		n, _ := strconv.Atoi(arg)
		f, err := os.Create(os.Getenv("TMPDIR") + "/x")
		if err != nil {
			fmt.Print(err)
			return 1
		}
		signalIgnored()
		w, err := f.Write(make([]byte, n))
		fmt.Print(w == n && err == nil)
		return 0
	},
	"open": func(arg string) int { // files, closed at the end
		n, _ := strconv.Atoi(arg)
		var held []*os.File
		for range n {
			if f, err := os.Open("/dev/null"); err == nil {
				held = append(held, f)
			}
		}
		fmt.Print(len(held))
		return 0
	},
	"create": func(arg string) int { // empty files
		n, _ := strconv.Atoi(arg)
		made := 0
		for i := range n {
			if f, err := os.Create(fmt.Sprintf("%s/%d", os.Getenv("TMPDIR"), i)); err == nil {
				made++
				f.Close()
			}
		}
		fmt.Print(made)
		return 0
	},
	"sparse": func(string) int { // a file of a TiB that holds nothing
		signalIgnored()
		err := os.WriteFile(os.Getenv("TMPDIR")+"/s", nil, 0o600)
		if err == nil {
			err = os.Truncate(os.Getenv("TMPDIR")+"/s", 1<<40)
		}
		if fmt.Print(map[bool]int{true: 1}[err == nil]); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return 0
	},
	"cpu": func(string) int {
		for {
		}
	},
	"grandchildren": func(marker string) int {
		for range 3 {
			at := &syscall.SysProcAttr{Setsid: true}
			for range 2 { // in a session of its own if that is allowed, else without
				p, err := os.StartProcess("/bin/sh", []string{marker, "-c", "trap '' TERM HUP; sleep 300 & wait"}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: at})
				if err == nil {
					p.Release()
					break
				}
				at = nil
			}
		}
		fmt.Print("up")
		select {}
	},
}

func signalIgnored() { // SIGXFSZ would end the program before it can say what happened
	type sigaction struct{ handler, flags, restorer, mask uintptr }
	a := sigaction{handler: 1}
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGXFSZ), uintptr(unsafe.Pointer(&a)), 0, 8, 0, 0)
}

func limited(t *testing.T, tier Tier, l Limits, without []string, args ...string) (string, Exit) {
	t.Helper()
	out, exit, stderr := run(t, tier, Spec{Role: "attempt", Args: args, Limits: l, without: without}, "")
	t.Logf("%s %v: %q, %v %.200s", tier, args, out, exit, stderr)
	return out, exit
}

func TestForkBomb(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		l := Limits{Memory: 512 << 20, Pids: 32}
		started := func(without ...string) int {
			out, _ := limited(t, tier, l, without, "fork", "40")
			var ok int
			fmt.Sscan(out, &ok)
			return ok
		}
		if tier == None || tier == Landlock && os.Geteuid() == 0 && !mapped("uid") {
			return // nothing is promised: root is not bound by this limit
		}
		if n := started(); n >= 40 || n < 1 {
			t.Errorf("%d children of 40 with %d processes allowed", n, l.Pids)
		}
		l.Pids = 100
		if n := started(); n != 40 {
			t.Errorf("%d children of 40 with %d processes allowed", n, l.Pids)
		}
	})
}

func TestMemory(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		const want = "201326592" // 192 MiB
		out, exit := limited(t, tier, Limits{Memory: 128 << 20, Pids: 64}, nil, "memory", want)
		if out == "had" || exit.OK() {
			t.Errorf("192 MiB of 128 allowed: %q, %v", out, exit)
		}
		if tier == Jail && !exit.OutOfMem {
			t.Errorf("not named: %+v", exit)
		}
		if out, exit := limited(t, tier, Limits{Memory: 400 << 20, Pids: 64}, nil, "memory", want); out != "had" || !exit.OK() || exit.PeakMemory < 192<<20 {
			t.Errorf("192 MiB of 400 allowed: %q, %+v", out, exit)
		}
	})
}

func TestTmp(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		l := Limits{Memory: 256 << 20, Pids: 64, Tmp: 1 << 20}
		if out, _ := limited(t, tier, l, nil, "tmp", "2097152"); out != "false" {
			t.Errorf("2 MiB of 1 allowed: %q", out)
		}
		l.Tmp = 4 << 20
		if out, _ := limited(t, tier, l, nil, "tmp", "2097152"); out != "true" {
			t.Errorf("2 MiB of 4 allowed: %q", out)
		}
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*")); tier == Landlock && slices.ContainsFunc(left, ownScratch) {
			t.Errorf("left behind: %v", left)
		}
	})
}

// ownScratch says whether this process holds the folder's lock: then it should be gone.
func ownScratch(top string) bool {
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		if n, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(n, top+"/") {
			return true
		}
	}
	return false
}

func TestCPU(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two seconds of processor time")
	}
	tier, _ := Probe()
	_, exit := limited(t, tier, Limits{CPU: 100 * time.Millisecond, Memory: 256 << 20, Pids: 64}, nil, "cpu", "")
	if !exit.OutOfCPU || exit.CPU > 4*time.Second {
		t.Errorf("%+v", exit)
	}
}

// When the first process is killed, children that left its session die with it.
// Without a jail they live on.
func TestGrandchildren(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		marker := fmt.Sprintf("proctor-grandchild-%d-%s", os.Getpid(), tier)
		p, err := Start(t.Context(), Spec{Role: "attempt", Args: []string{"grandchildren", marker}, MinTier: tier, MaxTier: tier, Limits: Limits{Memory: 256 << 20, Pids: 64}})
		if err != nil {
			t.Fatal(err)
		}
		defer p.closePipes()
		if _, err := p.Stdout.Read(make([]byte, 2)); err != nil {
			t.Fatal(err, string(p.Stderr()))
		}
		if n := len(marked(marker)); n == 0 {
			t.Fatal("no grandchild came up")
		}
		p.Kill()
		if exit, err := p.Wait(); err != nil || !exit.Killed {
			t.Error(exit, err)
		}
		if left := marked(marker); len(left) > 0 {
			t.Errorf("alive after Wait: %v", left)
		}
	})
	t.Run("control", func(t *testing.T) {
		marker := fmt.Sprintf("proctor-grandchild-%d-control", os.Getpid())
		p, err := os.StartProcess("/proc/self/exe", []string{roleName, "attempt", "grandchildren", marker}, &os.ProcAttr{})
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			if len(marked(marker)) >= 3 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		p.Kill()
		p.Wait()
		left := marked(marker)
		for _, pid := range left { // each by its own number, with its own child
			unix.Kill(-pid, unix.SIGKILL)
		}
		if len(left) == 0 {
			t.Error("without a jail the grandchildren died too: the test above shows nothing")
		}
	})
}

// A service that is killed takes its jails with it; where it cannot, without a pid
// namespace, the next service's sweep does.
func TestServiceKilled(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		if tier == None {
			return
		}
		marker := fmt.Sprintf("proctor-orphan-%d-%s", os.Getpid(), tier)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		service, err := os.StartProcess("/proc/self/exe", []string{roleName, "service", string(tier), marker},
			&os.ProcAttr{Files: []*os.File{nil, w, os.Stderr}, Env: os.Environ()})
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 2)); err != nil || len(marked(marker)) == 0 {
			t.Fatal("the service's jail did not come up", err)
		}
		service.Kill()
		service.Wait()
		if !tier.namespaces() {
			if len(marked(marker)) == 0 {
				t.Error("nothing was left behind: the sweep has nothing to show")
			}
			sweep()
		}
		for range 300 {
			if len(marked(marker)) == 0 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("alive after the service: %v", marked(marker))
	})
}

// serviceMain is a service with one jail.
func serviceMain(args []string) int {
	known.roles = map[string]func([]string) int{"attempt": attemptMain}
	tier := Tier(args[0])
	p, err := startAt(context.Background(), Spec{Role: "attempt", Args: []string{"grandchildren", args[1]}, Limits: Limits{Memory: 256 << 20, Pids: 64, Tmp: 1 << 20}}, tier)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p.Stdout.Read(make([]byte, 2))
	fmt.Print("up")
	select {}
}

// marked finds the live processes whose first argument is the marker.
func marked(marker string) (pids []int) {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if line, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline"); bytes.HasPrefix(line, []byte(marker+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A program cannot open more files than it may, nor make more than its /tmp holds,
// nor one that is larger than it, holes and all.
func TestFiles(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		l := Limits{Memory: 256 << 20, Pids: 64, Tmp: 1 << 20, Files: 64}
		count := func(what string, without ...string) int {
			out, _ := limited(t, tier, l, without, what, "300")
			n := -1
			fmt.Sscan(out, &n)
			return n
		}
		if n := count("open"); n < 1 || n >= 64 {
			t.Errorf("%d files open, 64 allowed", n)
		}
		if n := count("sparse"); n != 0 {
			t.Error("a file of a TiB in a folder of a MiB")
		}
		if n := count("create"); tier.namespaces() && (n < 1 || n >= 300) { // else the folder is the host's
			t.Errorf("%d files made in 1 MiB", n)
		}
		l.Tmp, l.Files = 16<<20, 1000
		if n := count("open"); n != 300 {
			t.Errorf("%d files open, 1000 allowed", n)
		}
		if n := count("create"); n != 300 {
			t.Errorf("%d files made in 16 MiB", n)
		}
		if tier.namespaces() && count("sparse", "limits") != 1 { // in memory, and gone with the mount
			t.Error("without the limit there is no such file either: nothing is shown")
		}
	})
}

// What one program leaves, the next does not see; and both see the same world, so
// that none can tell from it which run it is in.
func TestResidue(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		see := func(leave string) string {
			out, exit, stderr := run(t, tier, Spec{Argv: []string{"/bin/sh", "-c", "ls -A $TMPDIR; " + leave}, Env: []string{"PATH=/usr/bin:/bin"}}, "")
			if !exit.OK() {
				t.Errorf("%v, %s", exit, stderr)
			}
			return out
		}
		if out := see("echo left > $TMPDIR/x; cat $TMPDIR/x"); out != "left\n" {
			t.Errorf("nothing could be left: %q", out)
		}
		if out := see("true"); out != "" {
			t.Errorf("the next program sees %q", out)
		}
		if !tier.namespaces() {
			return
		}
		world := func() string { return see("env | sort; uname -n; id; pwd; ls -A / /dev /etc; nproc; ulimit -a") }
		first := world()
		if second := world(); second != first {
			t.Errorf("two worlds:\n%s\n%s", first, second)
		}
		if low := strings.ToLower(first); strings.Contains(strings.ReplaceAll(low, ".proctor", ""), "proctor") || !strings.Contains(low, "\nmodel\n") {
			t.Errorf("the world tells who asks:\n%s", first)
		}
	})
}
