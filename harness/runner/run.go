package runner

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"proctor/harness/jail"
)

// A Runner runs staged packages. The zero Runner is ready.
type Runner struct {
	// MinTier is the weakest tier at which a package that brings code may run;
	// "" means jail.Landlock. Declarative packages run at any tier.
	MinTier jail.Tier
	// MaxTier holds the tier down, "" does not.
	MaxTier jail.Tier
	// Interpreters names programs that commands may start with, by absolute path;
	// others are looked for on the service's PATH.
	Interpreters map[string]string
	// ONNXRuntime is the library for packages of kind "onnxruntime"; without it they
	// are refused.
	ONNXRuntime Library
	// Faketime is libfaketime.so.1 by absolute path, with which Python and Node are
	// shown other dates; "": they are not.
	Faketime string
	// Remote asks models that run elsewhere; nil: packages of kind "remote" are refused.
	Remote Remote
}

const modelDir = "/model" // where the package is in a jail

// Run runs the package that was staged in dir over a sheet. The error is a
// *Failure; Facts are filled in as far as the run got, whatever the result.
func (r Runner) Run(ctx context.Context, dir string, p *Package, s Sheet, l Limits) (Output, Facts, error) {
	l = l.orDefault()
	var facts Facts
	if err := s.check(p); err != nil {
		return Output{}, facts, &Failure{ServiceError, err.Error(), 0}
	}
	if f := r.ready(p.Manifest); f != nil {
		return Output{}, facts, f
	}
	if p.Manifest.Kind == KindRemote {
		return r.runRemote(ctx, dir, p, s, l)
	}
	spec, program, err := r.spec(dir, p, l)
	if err != nil {
		return Output{}, facts, &Failure{StartFailed, err.Error(), 0}
	}
	total, cancel := context.WithTimeout(ctx, l.Total) // laying an image out is part of the run
	defer cancel()
	if p.Manifest.Kind == KindImage {
		remove, err := r.image(total, dir, p, &spec)
		if remove != nil {
			defer remove()
		}
		if err != nil && overdue(ctx, total) {
			return Output{}, facts, &Failure{RunTimeout, fmt.Sprintf("its image was not laid out after %v", l.Total), 0}
		}
		if err != nil {
			return Output{}, facts, err
		}
	}
	if s.Ahead != 0 {
		r.moveClock(&spec, s.Ahead)
	}
	facts.Program, facts.Landlock = program, jail.LandlockVersion()
	proc, err := jail.Start(total, spec)
	if err != nil && overdue(ctx, total) {
		return Output{}, facts, &Failure{RunTimeout, fmt.Sprintf("not started after %v", l.Total), 0}
	}
	if err != nil {
		return Output{}, facts, startFailure(ctx, err)
	}
	facts.Tier = string(proc.Tier())
	c := newConversation(peer{proc.Stdin, proc.Stdout, proc.Done(), proc.Kill}, s, p.Manifest, l)
	v := c.run()
	if v != nil {
		c.stop()
	}
	exit, err := proc.Wait()
	c.close()
	facts.Wall, facts.CPU, facts.PeakMemory, facts.ExitCode = exit.Wall, exit.CPU, exit.PeakMemory, exit.Code
	facts.BytesOut, facts.Stderr = c.bytes, string(bytes.ToValidUTF8(proc.Stderr(), []byte("?")))
	switch {
	case ctx.Err() != nil:
		v = &violation{ServiceCancelled, ctx.Err().Error()}
	case err != nil:
		v = &violation{ServiceError, err.Error()}
	case v == nil && !exit.OK():
		v = violationf(ExitError, "%v after the end line", exit)
	case v != nil && total.Err() != nil:
		v = violationf(RunTimeout, "not done after %v", l.Total)
	}
	if v != nil {
		return Output{}, facts, &Failure{blame(v.reason, exit, facts.Stderr), v.detail + "; " + exit.String(), c.delivered()}
	}
	return c.out, facts, nil
}

// overdue says whether a run's own time is over and not its caller's.
func overdue(ctx, total context.Context) bool { return ctx.Err() == nil && total.Err() != nil }

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	return Limits{cmp.Or(l.Start, d.Start), cmp.Or(l.Batch, d.Batch), cmp.Or(l.Total, d.Total), cmp.Or(l.CPU, d.CPU),
		cmp.Or(l.Memory, d.Memory), cmp.Or(l.Pids, d.Pids), cmp.Or(l.Stdout, d.Stdout), cmp.Or(l.Tmp, d.Tmp)}
}

// check refuses sheets that Run could not answer for; they are the service's fault.
func (s Sheet) check(p *Package) error {
	if p == nil || p.Digest == "" {
		return errors.New("the package was not read by ReadPackage")
	}
	sum := 0
	for i, n := range s.Batches {
		if n < 1 || n > p.Manifest.BatchMax {
			return fmt.Errorf("batch %d has %d rows; the package takes 1 to %d", i+1, n, p.Manifest.BatchMax)
		}
		sum += n
	}
	if sum != s.Rows.Len() || sum == 0 {
		return fmt.Errorf("the batches hold %d rows, the sheet %d", sum, s.Rows.Len())
	}
	return nil
}

func startFailure(ctx context.Context, err error) *Failure {
	var tier *jail.TierError
	var start *jail.StartError
	reason := ServiceError
	switch {
	case errors.As(err, &tier):
		reason = ServiceTier
	case errors.As(err, &start):
		reason = StartFailed
	case ctx.Err() != nil:
		reason = ServiceCancelled
	}
	return &Failure{reason, err.Error(), 0}
}

// blame names a limit where one is behind an early end. Where no cgroup counts,
// a program is refused memory rather than ended, and tells of it on standard
// error; it could say so falsely, and would gain another fixed sentence by it.
func blame(reason string, exit jail.Exit, stderr string) string {
	switch reason {
	case ExitEarly, ExitError, BatchTimeout, StartTimeout:
	default:
		return reason
	}
	if exit.OutOfMem {
		return LimitMemory
	}
	if exit.OutOfCPU {
		return LimitCPU
	}
	if reason == ExitEarly && exit.Code != 0 {
		for _, words := range []string{"MemoryError", "out of memory", "cannot allocate memory", "heap limit"} {
			if strings.Contains(stderr, words) {
				return LimitMemory
			}
		}
	}
	return reason
}

// grace is how long a program may take to end once it has nothing more to say.
func grace(l Limits) time.Duration { return min(l.Batch, 10*time.Second) }
