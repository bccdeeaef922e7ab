package runner

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"proctor/harness/jail"
)

// What the clock of a package is worth as a probe: [Runner.Clock] returns one.
const (
	ClockNone     = "none"        // the package's code has no clock
	ClockMoves    = "moves"       // its runtime can be shown another date
	ClockNoLib    = "no-faketime" // it could, but this service has no libfaketime
	ClockRuntime  = "runtime"     // its runtime asks the kernel itself
	ClockRemote   = "remote"      // it runs elsewhere
	ClockRefuses  = "refuses"     // its runtime was shown another date and did not see it
	clockSlack    = time.Hour     // between the trial's clock and ours
	clockTrial    = 400 * 24 * time.Hour
	clockTrialMax = 30 * time.Second
)

// tellTime are programs that print the seconds since 1970, by interpreter.
var tellTime = map[string][]string{
	"python": {"-c", "import time; print(int(time.time()))"},
	"node":   {"-e", "console.log(Math.floor(Date.now()/1000))"},
}

// Clock says whether a package's program can be run at another date. It tries it
// out with the interpreter alone, in a jail like the package's, rather than trust
// what the package shows. An error is the service's.
func (r Runner) Clock(ctx context.Context, p *Package) (string, error) {
	switch p.Manifest.Kind {
	case KindONNX, KindWASM: // the clock of a module stands still
		return ClockNone, nil
	case KindRemote:
		return ClockRemote, nil
	case KindCommand:
	default:
		return ClockRuntime, nil
	}
	prog, err := r.program(p)
	if err != nil {
		return "", err
	}
	return r.clockOf(ctx, prog)
}

// Interpreter says where a program is that commands may start with, "" if nowhere,
// and what Clock says of packages that do.
func (r Runner) Interpreter(ctx context.Context, word string) (path, clock string, err error) {
	prog, err := r.program(&Package{Manifest: Manifest{Kind: KindCommand, Command: []string{word}}})
	if err != nil {
		return "", "", err
	}
	clock, err = r.clockOf(ctx, prog)
	return prog.name, clock, err
}

func (r Runner) clockOf(ctx context.Context, prog program) (string, error) {
	script := tellTime[strings.TrimRight(filepath.Base(prog.name), "0123456789.")]
	switch {
	case script == nil:
		return ClockRuntime, nil
	case r.Faketime == "":
		return ClockNoLib, nil
	}
	spec := jail.Spec{Argv: append([]string{prog.name}, script...), Binds: prog.binds, Env: prog.environ(),
		Limits: jail.Limits{CPU: clockTrialMax, Memory: DefaultLimits.Memory, Pids: DefaultLimits.Pids, Files: 256, Tmp: 1 << 20}, MinTier: r.MinTier, MaxTier: r.MaxTier}
	r.moveClock(&spec, clockTrial)
	ctx, cancel := context.WithTimeout(ctx, clockTrialMax)
	defer cancel()
	said, err := output(ctx, spec)
	if err != nil {
		return "", fmt.Errorf("ask %s for the date: %w", prog.name, err)
	}
	sec, err := strconv.ParseInt(strings.TrimSpace(said), 10, 64)
	off := time.Unix(sec, 0).Sub(time.Now().Add(clockTrial))
	if err != nil || off.Abs() > clockSlack {
		return ClockRefuses, nil
	}
	return ClockMoves, nil
}

// moveClock shows the program another date: the library stands between it and the
// C library. Programs that ask the kernel themselves see the true date.
func (r Runner) moveClock(spec *jail.Spec, ahead time.Duration) {
	spec.Binds = append(spec.Binds, jail.Bind{Source: r.Faketime, Target: r.Faketime})
	spec.Env = append(spec.Env, "LD_PRELOAD="+r.Faketime, fmt.Sprintf("FAKETIME=+%ds", int64(ahead.Seconds())),
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1")
}

// output runs a program and returns what it prints, at most a line or so.
func output(ctx context.Context, spec jail.Spec) (string, error) {
	p, err := jail.Start(ctx, spec)
	if err != nil {
		return "", err
	}
	p.Stdin.Close()
	defer p.Stdout.Close()
	said, err := io.ReadAll(io.LimitReader(p.Stdout, 4096))
	p.Kill() // what is left of it; nothing, if it ended
	if _, werr := p.Wait(); err == nil {
		err = werr
	}
	return string(said), err
}
