package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"proctor/harness/telemetry"
)

// measure shows the service's numbers at an address until ctx ends, and returns what
// counts its requests. "": at none, and nothing is counted.
func (s *service) measure(ctx context.Context, addr string, log *slog.Logger) (around func(http.Handler) http.Handler, err error) {
	if addr == "" {
		return func(h http.Handler) http.Handler { return h }, nil
	}
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	t := telemetry.New(s.Service, s.Harness, log)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", t.Handler())
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, MaxHeaderBytes: 16 << 10}
	go server.Serve(l)
	context.AfterFunc(ctx, func() { server.Close() })
	log.Info("numbers for Prometheus", "address", l.Addr().String())
	return t.Count, nil
}
