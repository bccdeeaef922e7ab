// Command proctor is everything that a person, a pipeline or an operator types:
// it serves, seals, submits, reviews, compares and audits.
//
// Exit codes are the same everywhere: 0 pass, 10 fail, 11 inconclusive, 12 budget
// spent, 13 pass awaiting review, 3 tampered, 2 usage, 1 internal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"proctor/harness"
	"proctor/harness/jail"
	"proctor/web/client"
)

// Exit codes, see docs/exit-codes.md.
const (
	exitPass         = 0
	exitInternal     = 1
	exitUsage        = 2
	exitTampered     = 3
	exitFail         = 10
	exitInconclusive = 11
	exitBudget       = 12
	exitAwaiting     = 13
)

// cli is the command line; every flag can also come from PROCTOR_FLAG in the
// environment or from the file that --config names.
type cli struct {
	Config kong.ConfigFlag `help:"YAML file with flags, one 'flag: value' a line." placeholder:"FILE"`

	Demo     demoCmd     `cmd:"" help:"Run the whole story on real data: a good model, a poisoned, a backdoored and a leaked one."`
	Serve    serveCmd    `cmd:"" help:"Run the service."`
	User     userCmd     `cmd:"" help:"Add an account to a service's data folder and print its token."`
	Seal     sealCmd     `cmd:"" help:"Seal a table as a holdout and propose it."`
	Suite    suiteCmd    `cmd:"" help:"Check and propose behavioural suites."`
	Policy   policyCmd   `cmd:"" help:"Draft, check and propose policies."`
	Change   changeCmd   `cmd:"" help:"List, activate and refuse proposals."`
	Baseline baselineCmd `cmd:"" help:"Propose the model of an approved run as the deployed one."`
	Package  packageCmd  `cmd:"" help:"Check a candidate package before submitting it."`
	Submit   submitCmd   `cmd:"" help:"Submit a candidate package."`
	Verdict  verdictCmd  `cmd:"" help:"Fetch the signed verdict of a run."`
	Review   reviewCmd   `cmd:"" help:"Approve or refuse a PASS."`
	Compare  compareCmd  `cmd:"" help:"Compare two prediction files; no service, no approval."`
	Audit    auditCmd    `cmd:"" help:"Recompute the log and everything that rests on it."`
}

func main() {
	jail.Main(roles()) // a re-executed child becomes what it was started as and never returns
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// console is where a command writes: results to Out, progress and errors to Err.
type console struct{ Out, Err io.Writer }

// coded is an error with the exit code that it means. A nil Err prints nothing.
type coded struct {
	Code int
	Err  error
}

func (c *coded) Error() string {
	if c.Err == nil {
		return fmt.Sprintf("exit %d", c.Code)
	}
	return c.Err.Error()
}
func (c *coded) Unwrap() error { return c.Err }

func usagef(format string, args ...any) error {
	return &coded{exitUsage, fmt.Errorf(format, args...)}
}

func run(ctx context.Context, args []string, out, errw io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("proctor"),
		kong.Description("Models sit sealed exams: signed verdicts on behavioural change."),
		kong.DefaultEnvars("PROCTOR"), kong.Configuration(loadConfig), kong.UsageOnError(),
		kong.Writers(out, errw), kong.Exit(func(n int) { code = n }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(console{out, errw}))
	if err != nil {
		fmt.Fprintln(errw, "proctor:", err)
		return exitInternal
	}
	kctx, err := parser.Parse(args)
	if code >= 0 { // --help
		return code
	}
	if err != nil {
		fmt.Fprintln(errw, "proctor:", err)
		return exitUsage
	}
	return exitOf(kctx.Run(), errw)
}

// exitOf prints an error and returns its exit code.
func exitOf(err error, errw io.Writer) int {
	if err == nil {
		return exitPass
	}
	var c *coded
	if errors.As(err, &c) {
		if c.Err != nil {
			fmt.Fprintln(errw, "proctor:", c.Err)
		}
		return c.Code
	}
	fmt.Fprintln(errw, "proctor:", err)
	var remote *client.Error
	var refused *harness.Error
	switch {
	case errors.As(err, &remote) && remote.Code == string(harness.Budget), errors.As(err, &refused) && refused.Kind == harness.Budget:
		return exitBudget
	case errors.As(err, &remote) && remote.Status < 500, errors.As(err, &refused), errors.Is(err, os.ErrNotExist):
		return exitUsage
	}
	return exitInternal
}
