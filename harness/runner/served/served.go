// Package served runs packages of kind "http": it starts the package's model server
// and is its client.
//
// Both are in one jail, whose network holds nothing but their own loopback. The
// server listens on 127.0.0.1 at the manifest's port; this package waits until it is
// ready, asks it one batch after the other, never two things at once, and answers the
// pipe protocol. When the batches end this process ends, and the server with it.
//
// The server is not trusted, and neither is this process once it has read what the
// server says: the service believes nothing but what comes out of the pipe, which it
// checks as for any other model. What is refused here is refused early and in words.
package served

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// Main is the role [runner.RoleHTTP], to be given to jail.Main: arguments are the
// package's folder and the server's command.
func Main(args []string) int {
	if err := serve(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want the folder of a package and a command, got %d arguments", len(args))
	}
	m, err := manifest(args[0])
	if err != nil {
		return err
	}
	ctx, err := start(args[0], args[1:])
	if err != nil {
		return err
	}
	predict, err := newModel(ctx, m)
	if err != nil {
		return err
	}
	return runner.Serve(os.Stdin, os.Stdout, m, predict)
}

func manifest(dir string) (runner.Manifest, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return runner.Manifest{}, fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	data, err := root.ReadFile(runner.ManifestFile)
	if err != nil {
		return runner.Manifest{}, fmt.Errorf("open package: %w", err)
	}
	m, err := runner.ParseManifest(data)
	if err == nil && m.Kind != runner.KindHTTP {
		err = fmt.Errorf("%s: kind is %q, want %q", runner.ManifestFile, m.Kind, runner.KindHTTP)
	}
	return m, err
}

// start starts the server. What it prints goes to standard error: standard output
// belongs to the protocol. The context ends when the server does.
func start(dir string, command []string) (context.Context, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { // ours, see jail
		return strings.HasPrefix(e, "GOMEMLIMIT=") || strings.HasPrefix(e, "GOTRACEBACK=")
	})
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		cancel(fmt.Errorf("the server ended (%w)", err))
	}()
	return ctx, nil
}

// newModel waits for the server and finds out how to ask it.
func newModel(ctx context.Context, m runner.Manifest) (runner.Predict, error) {
	c, ready := newClient(m.Port), "/v2/health/ready"
	if m.Text() {
		c.base, ready = c.base+"/v1", "/models"
	}
	if err := c.await(ctx, ready); err != nil {
		return nil, err
	}
	predict, err := NewModel(ctx, m, &Text{Client: c, Configuration: tell()}, 1)
	if err != nil {
		return nil, err
	}
	return func(t rows.Table) ([]int32, []float64, error) { return predict(ctx, t) }, nil
}

// A Client asks one server. Paths are below its address.
type Client interface {
	// Get reads a JSON document; found is false if the server has none there.
	Get(ctx context.Context, path string, into any) (found bool, err error)
	// Post sends one JSON document and reads another.
	Post(ctx context.Context, path string, body []byte, into any) error
}

// NewModel finds out how to ask the server behind by.Client for the rows of a
// manifest of kind http or remote, and returns what asks a batch; at most atOnce rows of a
// text model at a time.
func NewModel(ctx context.Context, m runner.Manifest, by *Text, atOnce int) (func(context.Context, rows.Table) ([]int32, []float64, error), error) {
	if m.Text() {
		x, err := newTextModel(by, m, atOnce)
		if err != nil {
			return nil, err
		}
		return x.predict, nil
	}
	x, err := newTensorModel(ctx, by.Client, m)
	if err != nil {
		return nil, err
	}
	return x.predict, nil
}

// Pauses between two looks whether the server is ready.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 200 * time.Millisecond
)
