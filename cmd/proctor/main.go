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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"proctor/harness/jail"
)

const description = `Models sit sealed exams: signed verdicts on behavioural change.

A flag can also be given in the environment (the name stands behind it) or in a YAML file that --config names; the command line wins over the environment, the environment over the file.

Exit codes: 0 pass, 10 fail, 11 inconclusive, 12 budget spent, 13 pass awaiting review, 3 tampered, 2 usage, 1 internal. Nothing but 0 opens a gate.`

// cli is the command line; every flag can also come from PROCTOR_FLAG in the
// environment or from the file that --config names.
type cli struct {
	Config kong.ConfigFlag `help:"YAML file with flags, one 'flag: value' a line." placeholder:"FILE"`

	Demo     demoCmd     `cmd:"" help:"Run the whole story on real data: a good model, a poisoned, a backdoored and a leaked one."`
	Serve    serveCmd    `cmd:"" help:"Run the service."`
	Backup   backupCmd   `cmd:"" help:"Copy what a service knows, without its keys."`
	Restore  restoreCmd  `cmd:"" help:"Make a data folder from a backup, and audit it."`
	Doctor   doctorCmd   `cmd:"" help:"Say what this machine can do for a service, and what is amiss."`
	User     userCmd     `cmd:"" help:"Add, propose and end accounts."`
	Access   accessCmd   `cmd:"" help:"Print who could do what at a time."`
	Seal     sealCmd     `cmd:"" help:"Seal a table as a holdout and propose it."`
	Holdout  holdoutCmd  `cmd:"" help:"Prove, audit, rotate, amend and retire sealed sets; fetch practice rows."`
	Budget   budgetCmd   `cmd:"" help:"Say what a lineage has left on its sealed sets."`
	Key      keyCmd      `cmd:"" help:"Rotate the key-encryption key; put data keys in escrow and back."`
	Suite    suiteCmd    `cmd:"" help:"Check and propose behavioural suites."`
	Policy   policyCmd   `cmd:"" help:"Draft, check and propose policies."`
	Change   changeCmd   `cmd:"" help:"List, activate and refuse proposals."`
	Baseline baselineCmd `cmd:"" help:"Propose the model of an approved run as the deployed one."`
	Package  packageCmd  `cmd:"" help:"Check a candidate package before submitting it."`
	Submit   submitCmd   `cmd:"" help:"Submit a candidate package."`
	Runs     runsCmd     `cmd:"" help:"Find runs, newest first."`
	Cancel   cancelCmd   `cmd:"" help:"End a submission that waits; it costs nothing."`
	Verdict  verdictCmd  `cmd:"" help:"Say how a run ended and fetch what is signed about it."`
	Report   reportCmd   `cmd:"" help:"Show what changed in a run, for reviewers and auditors."`
	Review   reviewCmd   `cmd:"" help:"Approve or refuse a PASS."`
	Compare  compareCmd  `cmd:"" help:"Compare two prediction files; no service, no approval."`
	Metrics  metricsCmd  `cmd:"" help:"List the metrics and say how each is defined."`
	Audit    auditCmd    `cmd:"" help:"Recompute the log and everything that rests on it."`
	Log      logCmd      `cmd:"" help:"Check a log on the machine that holds it."`
	Monitor  monitorCmd  `cmd:"" help:"Watch a service's log from outside."`
	Trust    trustCmd    `cmd:"" help:"Write the keys that a release gate pins; sign trust files with offline root keys."`
	Impact   impactCmd   `cmd:"" help:"List every verdict that rests on a set, suite, policy, harness build, key or person."`
	Revoke   revokeCmd   `cmd:"" help:"Propose to take back a verdict, a model, a key, or all that rests on something."`
	Waiver   waiverCmd   `cmd:"" help:"Let one model through one gate once without an approval; two people."`

	Revocations revocationsCmd `cmd:"" help:"Fetch the signed list of what is revoked, for gates that stay offline."`

	SigningKey signingKeyCmd `cmd:"" help:"Replace signing keys."`
}

func main() {
	jail.Main(roles()) // a re-executed child becomes what it was started as and never returns
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// console is where a command writes: results to Out, progress and errors to Err.
type console struct{ Out, Err io.Writer }

func run(ctx context.Context, args []string, out, errw io.Writer) int {
	if err := dropEmpty("PROCTOR_"); err != nil {
		return exitOf(err, errw)
	}
	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("proctor"), kong.Vars{"platform": platform}, kong.Description(description),
		kong.DefaultEnvars("PROCTOR"), kong.Configuration(loadConfig),
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
		fmt.Fprintf(errw, "proctor: %v; see %s --help\n", err, commandOf(err))
		return exitUsage
	}
	return exitOf(kctx.Run(), errw)
}

// commandOf names the command that was being read when the command line broke off.
func commandOf(err error) string {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		return p.Context.Selected().FullPath()
	}
	return "proctor"
}

// dropEmpty removes empty variables of ours from the environment: PROCTOR_ADDR=
// would otherwise mean any port of every interface.
func dropEmpty(prefix string) error {
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(name, prefix) {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}
