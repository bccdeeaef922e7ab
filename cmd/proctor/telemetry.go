package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"proctor/harness/telemetry"
)

// listenNumbers takes the address for Prometheus; "": none, and the listener is nil.
func listenNumbers(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	return listen("--metrics", addr)
}

// measure shows the service's numbers at l until ctx ends, and returns what counts its
// requests. Without l nothing is counted.
func (s *service) measure(ctx context.Context, l net.Listener, log *slog.Logger) (around func(http.Handler) http.Handler) {
	if l == nil {
		return func(h http.Handler) http.Handler { return h }
	}
	t := telemetry.New(s.Service, s.Harness, log)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", t.Handler())
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, MaxHeaderBytes: 16 << 10}
	go server.Serve(l)
	context.AfterFunc(ctx, func() { server.Close() })
	log.Info("numbers for Prometheus", "address", l.Addr().String())
	return t.Count
}
