package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"proctor/harness"
	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/harness/witness"
	"proctor/web"
)

type serveCmd struct {
	dataDir
	confinement
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:7800"`
	TLS     bool     `help:"The service is reached over TLS (by a proxy in front of it): cookies demand it."`
	Workers int      `help:"Runs that are evaluated at the same time." default:"1"`
	Witness []string `help:"Witness of the log: its verifier key, a space, its address. Can be repeated." sep:"none" placeholder:"KEY ADDRESS"`
	limits
	libraries
	endpoints
	webhooks
	issuers
	Metrics string `help:"Address at which Prometheus reads the service's numbers. It asks for no token: keep it on a network of your own." placeholder:"ADDRESS"`
}

// limits bound a model. One that needs more is not judged.
type limits struct {
	ModelStart  time.Duration `help:"Longest time to a model's first answer." default:"1m"`
	ModelBatch  time.Duration `help:"Longest time from one answer to the next." default:"30s"`
	ModelTotal  time.Duration `help:"Longest time for a whole exam." default:"10m"`
	ModelMemory int64         `help:"Most memory of a model, in MiB." default:"2048"`
}

func (l limits) runner() (runner.Limits, error) {
	if l.ModelStart <= 0 || l.ModelBatch <= 0 || l.ModelTotal <= 0 || l.ModelMemory <= 0 || l.ModelMemory > 1<<20 {
		return runner.Limits{}, usagef("the limits of a model are greater than 0, and its memory at most %d MiB", 1<<20)
	}
	return runner.Limits{Start: l.ModelStart, Batch: l.ModelBatch, Total: l.ModelTotal, CPU: l.ModelTotal, Memory: l.ModelMemory << 20}, nil
}

// A serving is what a command line asks for, checked before anything is opened or made.
type serving struct {
	harness func(*harness.Config)
	people  web.SignIn // nil: by token alone
	peers   []*witness.Peer
}

func (c *serveCmd) read(ctx context.Context) (serving, error) {
	if c.Workers < 1 {
		return serving{}, usagef("--workers is at least 1")
	}
	if err := c.ready(); err != nil {
		return serving{}, err
	}
	bounds, err := c.limits.runner()
	if err != nil {
		return serving{}, err
	}
	onnx, err := c.libraries.onnxruntime(ctx)
	if err != nil {
		return serving{}, err
	}
	elsewhere, err := c.endpoints.remote()
	if err != nil {
		return serving{}, err
	}
	people, robots, err := c.issuers.read()
	if err != nil {
		return serving{}, err
	}
	peers, err := witnessPeers(c.Witness)
	if err != nil {
		return serving{}, err
	}
	return serving{func(hc *harness.Config) {
		hc.Limits, hc.Robots, hc.Runner = bounds, robots, c.confinement.runner()
		hc.Runner.ONNXRuntime, hc.Runner.Remote = onnx, elsewhere
	}, people, peers}, c.webhooks.check()
}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context, o console) error {
	asked, err := c.read(ctx)
	if err != nil {
		return err
	}
	if err := noCore(); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	log := slog.New(slog.NewJSONHandler(o.Err, nil))
	l, err := listen("--addr", c.Addr)
	if err != nil {
		return err
	}
	defer l.Close()
	numbers, err := listenNumbers(c.Metrics)
	if err != nil {
		return err
	}
	s, err := c.open(ctx, log, asked.harness)
	if err != nil {
		return err
	}
	defer s.close()
	beside, done := context.WithCancel(ctx)
	defer done()
	stop, err := c.listenConsole(s.Service, log)
	if err != nil {
		return err
	}
	defer stop()
	told, err := c.webhooks.receivers(c.dataDir)
	if err != nil {
		return err
	}
	s.Witnesses = asked.peers
	go s.Cosign(beside)
	s.tell(ctx, told, log)
	pages := web.New(s.Service, log, c.TLS)
	pages.Around(s.measure(beside, numbers, log))
	if asked.people != nil {
		pages.SignInAt(asked.people)
	}
	tier, why := jail.Probe()
	log.Info("serving", "address", l.Addr().String(), "data", c.Dir, "tier", tier, "not_stronger", why)
	fmt.Fprintf(o.Out, "http://%s\n", l.Addr())
	return s.serve(ctx, l, pages, c.Workers)
}

func witnessPeers(list []string) (peers []*witness.Peer, err error) {
	for _, s := range list {
		p, err := witness.ParsePeer(s)
		if err != nil {
			return nil, usagef("--witness: %v", err)
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// listen takes the port before anything is opened, so that a second service does
// not touch the data of the first. flag is what named the address.
func listen(flag, addr string) (net.Listener, error) {
	if addr == "" { // would be any port of every interface
		return nil, usagef("%s is empty; give one like 127.0.0.1:7800", flag)
	}
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, usagef("%s is taken by another program; give another address with %s", addr, flag)
	}
	if err != nil {
		return nil, usagef("%s: cannot listen on %s: %v", flag, addr, err)
	}
	return l, nil
}

// serve answers and evaluates until ctx ends. A run that is cut off is taken up
// again by the next start.
func (s *service) serve(ctx context.Context, l net.Listener, pages *web.Server, workers int) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop, err := s.Work(work, workers)
	if err != nil {
		return err
	}
	err = pages.Serve(ctx, l)
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	return errors.Join(err, stop(grace))
}
