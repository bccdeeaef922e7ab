package runner

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"proctor/harness/jail"
	"proctor/holdout/rows"
)

// A Remote asks models that run elsewhere. It speaks HTTP in the service's own process
// and gives back what the pipe protocol then checks like any other model's answers.
type Remote interface {
	// Allows says why the operator does not let a package be asked; nil: he does. The
	// sentence is for submitters.
	Allows(m Manifest) error
	// Model reaches the endpoint and finds out how to ask a package that lies in dir. What the server says of
	// itself goes to log, for reviewers.
	Model(ctx context.Context, dir string, m Manifest, log io.Writer) (func(context.Context, rows.Table) (labels []int32, probs []float64, err error), error)
}

// runRemote is Run for packages of kind remote: the protocol's other end is here.
func (r Runner) runRemote(ctx context.Context, dir string, p *Package, s Sheet, l Limits) (Output, Facts, error) {
	facts := Facts{Tier: string(jail.Remote), Program: "endpoint"}
	if !jail.Remote.AtLeast(r.leastTier()) {
		return Output{}, facts, &Failure{ServiceTier, fmt.Sprintf("a model elsewhere has tier %q, %q is required", jail.Remote, r.leastTier()), 0}
	}
	total, cancel := context.WithTimeout(ctx, l.Total)
	defer cancel()
	begun := time.Now()
	var log note
	first, done := context.WithTimeout(total, l.Start)
	defer done()
	predict, err := r.Remote.Model(first, dir, p.Manifest, &log) // no row has left
	if err != nil && ctx.Err() != nil {
		return Output{}, facts, &Failure{ServiceCancelled, ctx.Err().Error(), 0}
	}
	if err != nil {
		return Output{}, facts, &Failure{RemoteFailed, err.Error(), 0}
	}
	t, err := talk(total, p.Manifest, predict)
	if err != nil {
		return Output{}, facts, &Failure{ServiceError, err.Error(), 0}
	}
	c := newConversation(peer{in: t.in, out: t.out, done: t.done, kill: t.kill}, s, p.Manifest, l)
	v := c.run()
	if v != nil {
		c.stop()
	}
	<-t.done
	c.close()
	facts.Wall, facts.BytesOut, facts.Stderr = time.Since(begun), c.bytes, log.String()
	switch {
	case ctx.Err() != nil:
		v = &violation{ServiceCancelled, ctx.Err().Error()}
	case v != nil && total.Err() != nil:
		v = violationf(RunTimeout, "not done after %v", l.Total)
	case v != nil && v.reason == ExitEarly && t.err != nil:
		v = &violation{RemoteFailed, t.err.Error()}
	case v == nil && t.err != nil:
		v = &violation{ExitError, t.err.Error()}
	}
	if v != nil {
		return Output{}, facts, &Failure{v.reason, v.detail, c.delivered()}
	}
	return c.out, facts, nil
}

// leastTier is the weakest tier at which a package that brings code may run.
func (r Runner) leastTier() jail.Tier {
	if r.MinTier == "" {
		return jail.Landlock
	}
	return r.MinTier
}

// A talker is the model's side of a conversation, for a model elsewhere.
type talker struct {
	in   io.WriteCloser
	out  *os.File
	done chan struct{} // closed when err is set
	err  error
	kill func()
}

// talk begins to answer what comes in.
func talk(ctx context.Context, m Manifest, predict func(context.Context, rows.Table) ([]int32, []float64, error)) (*talker, error) {
	ask, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, answer, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ask.Close(), in.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &talker{in: in, out: out, done: make(chan struct{})}
	t.kill = func() {
		cancel()
		ask.Close() // frees Serve, if it waits for a batch
	}
	go func() {
		defer close(t.done)
		defer cancel()
		t.err = Serve(ask, answer, m, func(t rows.Table) ([]int32, []float64, error) { return predict(ctx, t) })
		ask.Close()
		answer.Close()
	}()
	return t, nil
}

// A note keeps the first bytes that are written to it.
type note struct {
	mu   sync.Mutex
	text strings.Builder
}

const maxNote = 64 << 10

// Write implements [io.Writer].
func (n *note) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text.Write(p[:min(len(p), maxNote-n.text.Len())])
	return len(p), nil
}

func (n *note) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// asked names what a package of kind remote asks: a digest of the words that lead to
// the model, not of the model.
func (m Manifest) asked() Runtime {
	return Runtime{"endpoint", fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("proctor-endpoint/1\n"+m.Endpoint+"\n"+m.API+"\n"+m.Model+"\n")))}
}
