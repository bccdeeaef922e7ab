package jail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// waitDelay is how long after the death of a tree its standard error is still read.
const waitDelay = 2 * time.Second

// A Process is a program in a jail. Stdin and Stdout are pipes that the caller
// owns and closes; both take deadlines. Reading Stdout ends with the tree.
// Someone must read Stdout: the program stops when the pipe is full.
type Process struct {
	Stdin  *os.File
	Stdout *os.File

	tier   Tier
	stderr ring
	cmd    *exec.Cmd
	cg     *cgroup
	tmp    *scratch
	start  time.Time
	cpu    time.Duration // the limit
	link   link

	mu     sync.Mutex // guards the two below: no signal goes to a pid that was reaped
	reaped bool
	killed bool

	done    chan struct{} // closed when exit is set
	exit    Exit
	exitErr error
	errDone chan struct{} // closed when standard error was read to its end
}

// Start starts a program. When ctx ends, the program is killed. The caller must
// call Wait, and Kill if it gives up earlier.
func Start(ctx context.Context, s Spec) (*Process, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	tier, err := s.tier()
	if err != nil {
		return nil, err
	}
	return startAt(ctx, s, tier)
}

func (s *Spec) check() error {
	if (s.Role == "") == (len(s.Argv) == 0) {
		return errors.New("a spec names either a program or a role")
	}
	if len(s.Argv) > 0 && s.Argv[0] == "" {
		return errors.New("the program has no name")
	}
	if slices.ContainsFunc(slices.Concat(s.Argv, s.Args, s.Env), func(a string) bool { return strings.ContainsRune(a, 0) }) {
		return errors.New("an argument or a variable holds a zero byte")
	}
	for _, b := range s.Binds {
		if !filepath.IsAbs(b.Source) || !filepath.IsAbs(b.Target) || filepath.Clean(b.Target) != b.Target || b.Target == "/" {
			return fmt.Errorf("bind of %q at %q: both must be absolute and clean", b.Source, b.Target)
		}
	}
	if s.Dir != "" && s.Root == "" {
		if _, ok := s.host(s.Dir); !ok {
			return fmt.Errorf("working folder %q is not in a bind", s.Dir)
		}
	}
	return checkRole(s.Role)
}

// tier picks the strongest tier that the machine has and the spec allows.
func (s *Spec) tier() (Tier, error) {
	want := s.MinTier
	if want == "" {
		want = Landlock
	}
	if s.Root != "" && !want.AtLeast(NoCgroup) {
		want = NoCgroup
	}
	if s.Loopback && !want.AtLeast(NoCgroup) {
		want = NoCgroup
	}
	have, reasons := Probe()
	if s.MaxTier != "" && s.MaxTier.Compare(have) < 0 {
		have, reasons = s.MaxTier, []string{"the tier is held down to " + string(s.MaxTier)}
	}
	if have == Remote {
		have = None // an order between others, not a way to start a process
	}
	if !have.AtLeast(want) {
		return "", &TierError{have, want, reasons}
	}
	return have, nil
}

// host gives the path on the host of a path in the jail, if a bind shows it.
func (s *Spec) host(target string) (string, bool) {
	best, path := -1, ""
	for _, b := range s.Binds {
		if rest, ok := strings.CutPrefix(target, b.Target); ok && (rest == "" || rest[0] == '/') && len(b.Target) > best {
			best, path = len(b.Target), filepath.Join(b.Source, rest)
		}
	}
	return path, best >= 0
}

// Path gives the path under which the program sees a path of the jail: itself in
// tiers with their own root, else the path on the host.
func (s *Spec) path(tier Tier, target string) string {
	if p, ok := s.host(target); ok && !tier.namespaces() {
		return p
	}
	return target
}

// pipes makes the three pipes; theirs are the program's ends.
func (p *Process) pipes() (theirs [3]*os.File, stderr *os.File, err error) {
	var all []*os.File
	defer func() {
		if err != nil {
			for _, f := range all {
				f.Close()
			}
		}
	}()
	pair := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
			all = append(all, r, w)
		}
		return r, w
	}
	theirs[0], p.Stdin = pair()
	p.Stdout, theirs[1] = pair()
	stderr, theirs[2] = pair()
	return theirs, stderr, err
}

func (p *Process) closePipes() {
	p.Stdin.Close()
	p.Stdout.Close()
}

// readStderr keeps the last of what the program says.
func (p *Process) readStderr(f *os.File) {
	io.Copy(&p.stderr, f)
	f.Close()
	close(p.errDone)
}

// Stderr returns the last 64 KiB that the program wrote to standard error.
func (p *Process) Stderr() []byte { return p.stderr.Bytes() }

// Tier says how the program is confined.
func (p *Process) Tier() Tier { return p.tier }

// Wait waits for the program's end, by then its whole tree is dead, and says how
// it ended. It may be called more than once.
func (p *Process) Wait() (Exit, error) {
	<-p.done
	return p.exit, p.exitErr
}

// Done is closed when the tree is dead.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the whole tree. It returns at once; Wait tells when it is done.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.killed = true
		p.killTree()
	}
}
