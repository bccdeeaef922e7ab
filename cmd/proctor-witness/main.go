// Command proctor-witness co-signs the checkpoints of logs. Another party runs it, on
// another machine than the service: gates that demand its signature then know that
// they see the history that it saw.
//
//	proctor-witness create --name witness.example/1 --dir DIR     makes key and state, prints the verifier key
//	proctor-witness serve --dir DIR --log KEY [--log KEY] [--addr 127.0.0.1:7900]
//
// It speaks C2SP tlog-witness (POST /add-checkpoint). Exit codes: 0 ended by a signal;
// 2 the command line, or something is missing; 1 an internal error.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"proctor/harness/cosig"
	"proctor/harness/secret"
	"proctor/harness/tlog"
	"proctor/harness/witness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const usage = "usage: proctor-witness create --name NAME --dir DIR | serve --dir DIR --log KEY [--addr ADDRESS]"

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var err error
	switch {
	case len(args) > 0 && args[0] == "create":
		err = create(args[1:], out, errs)
	case len(args) > 0 && args[0] == "serve":
		err = serve(ctx, args[1:], out, errs)
	default:
		err = errUsage
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(errs, usage)
		return 2
	}
	fmt.Fprintln(errs, "proctor-witness:", err)
	for _, theirs := range []error{cosig.ErrName, witness.ErrLogs, fs.ErrNotExist, fs.ErrExist, tlog.ErrHeld, syscall.EADDRINUSE} {
		if errors.Is(err, theirs) {
			return 2
		}
	}
	return 1
}

var errUsage = errors.New("usage")

func parse(f *flag.FlagSet, args []string, errs io.Writer) error {
	f.SetOutput(errs)
	if f.Parse(args) != nil || f.NArg() > 0 {
		return errUsage
	}
	return nil
}

func create(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("create", flag.ContinueOnError)
	name := f.String("name", "", "name of the witness, like witness.example/1")
	dir := f.String("dir", "", "`folder` for key and state")
	if err := parse(f, args, errs); err != nil || *dir == "" {
		return errUsage
	}
	text, err := cosig.Generate(*name, rand.Reader)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	if err := secret.Create(filepath.Join(*dir, "witness.key"), []byte(text+"\n")); err != nil {
		return err
	}
	if err := witness.Create(filepath.Join(*dir, "state.json")); err != nil {
		return err
	}
	s, err := cosig.ParseSigner(text, time.Now)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, s.Verifier().Key())
	return err
}

// logKeys is a flag that can be repeated.
type logKeys []string

func (l *logKeys) String() string     { return strings.Join(*l, " ") }
func (l *logKeys) Set(s string) error { *l = append(*l, s); return nil }

func serve(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	dir := f.String("dir", "", "`folder` with key and state")
	addr := f.String("addr", "127.0.0.1:7900", "address to listen on")
	var logs logKeys
	f.Var(&logs, "log", "verifier `key` of a log, log_key of its trust.json; can be repeated")
	if err := parse(f, args, errs); err != nil || *dir == "" || len(logs) == 0 || *addr == "" {
		return errUsage
	}
	text, err := secret.Read(filepath.Join(*dir, "witness.key"))
	if err != nil {
		return err
	}
	signer, err := cosig.ParseSigner(strings.TrimSuffix(string(text), "\n"), time.Now)
	if err != nil {
		return err
	}
	w, err := witness.Open(filepath.Join(*dir, "state.json"), signer, logs)
	if err != nil {
		return err
	}
	defer w.Close()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: w, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	fmt.Fprintf(out, "http://%s\n", l.Addr())
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}
