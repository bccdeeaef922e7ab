//go:build !linux

package jail

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Elsewhere than on Linux a program is a plain process, tier none, which Start
// refuses unless the spec says that none will do.

type cgroup struct{}
type scratch struct{}
type link struct{}

func initMain() int { return 2 }

func startAt(ctx context.Context, s Spec, tier Tier) (*Process, error) {
	if tier != None {
		return nil, fmt.Errorf("jail: tier %s is to be had on Linux only", tier)
	}
	p := &Process{tier: None, start: time.Now(), done: make(chan struct{}), errDone: make(chan struct{})}
	theirs, stderr, err := p.pipes()
	if err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	argv, path := s.Argv, ""
	if s.Role != "" {
		argv = append([]string{roleName, s.Role}, s.Args...)
		path, err = os.Executable()
	} else {
		path, err = exec.LookPath(argv[0])
	}
	p.cmd = &exec.Cmd{Path: path, Args: argv, Env: s.Env, Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2]}
	if s.Dir != "" {
		p.cmd.Dir = s.path(None, s.Dir)
	}
	if err == nil {
		err = p.cmd.Start()
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		p.closePipes()
		stderr.Close()
		return nil, &StartError{argv[0], err.Error()}
	}
	go p.readStderr(stderr)
	stop := context.AfterFunc(ctx, p.Kill)
	go func() { <-p.done; stop() }()
	go p.attend()
	return p, nil
}

func (p *Process) attend() {
	defer close(p.done)
	p.cmd.Wait()
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	st := p.cmd.ProcessState
	p.exit = Exit{Code: st.ExitCode(), Killed: p.killed, Wall: time.Since(p.start), CPU: st.UserTime() + st.SystemTime()}
	select {
	case <-p.errDone:
	case <-time.After(waitDelay):
	}
}

func (p *Process) killTree() { p.cmd.Process.Kill() }

// SystemBinds shows nothing: without mounts everything is in sight.
func SystemBinds() []Bind { return nil }

// LandlockVersion is 0: no Landlock.
func LandlockVersion() int { return 0 }

// UseRunsc fails: gVisor runs on Linux only.
func UseRunsc(path, digest string) error { return fmt.Errorf("runsc: to be had on Linux only") }

// Cgroups fails: there are none.
func Cgroups() error { return fmt.Errorf("cgroups are to be had on Linux only") }

// MakeRoot fails: programs see a root of their own on Linux only.
func MakeRoot() (dir string, remove func(), err error) {
	return "", nil, fmt.Errorf("a root filesystem: to be had on Linux only")
}
