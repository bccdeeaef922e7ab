// Command proctor-gate tells a pipeline whether a model may be released.
//
//	proctor-gate check   --bundle approval.json --trust trust.json --requirements gate.json --model ./model [FILE...]
//	proctor-gate explain ...   the same, and how each step went
//
// The word check may be left out. It works offline from files. Exit codes: 0 released; 10 denied or not valid
// today; 11 the evidence was inconclusive; 13 it passed and is not approved; 3 an
// invalid signature, log proof or form; 2 something to read is missing or broken,
// or the command line is; 1 an internal error. Nothing but 0 opens a gate.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode"

	"proctor/harness/gate"
	"proctor/harness/verdict"
)

const (
	exitOpen         = 0
	exitInternal     = 1
	exitUsage        = 2
	exitInvalid      = 3
	exitDenied       = 10
	exitInconclusive = 11
	exitAwaiting     = 13
)

var exits = map[string]int{
	gate.Invalid: exitInvalid, gate.Denied: exitDenied, gate.Stale: exitDenied,
	gate.Inconclusive: exitInconclusive, gate.Awaiting: exitAwaiting, gate.Unreadable: exitUsage,
}

func main() { os.Exit(run(os.Args[1:], time.Now(), os.Stdout, os.Stderr)) }

// answer is what --json prints, on one line.
type answer struct {
	Open     bool   `json:"open"`
	Code     string `json:"code"` // open, waived, invalid, denied, stale, inconclusive, awaiting-review, cannot-check
	Step     int    `json:"step,omitempty"`
	Reason   string `json:"reason"`
	Subject  string `json:"subject,omitempty"`
	LastDay  string `json:"last_day,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	LogIndex *int64 `json:"log_index,omitempty"`
}

// An invocation is what the command line says.
type invocation struct {
	bundle, evidence, trust, root, requirements, revocations, memory string // files
	model, digest                                                    string
	files                                                            []string
	explain, asJSON                                                  bool
}

func parse(args []string, errs io.Writer) (invocation, error) {
	var c invocation
	f := flag.NewFlagSet("proctor-gate", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&c.bundle, "bundle", "", "`file` with the approval's bundle, or a waiver's")
	f.StringVar(&c.evidence, "evidence", "", "`file` with the evidence's bundle; needed if the requirements name a binding, a tier, a policy floor or programs")
	f.StringVar(&c.trust, "trust", "", "`file` with the pinned keys, as the service publishes them; with --root, one that root keys signed")
	f.StringVar(&c.root, "root", "", "`file` with the root keys that sign trust files")
	f.StringVar(&c.requirements, "requirements", "", "`file` with what this gate demands")
	f.StringVar(&c.revocations, "revocations", "", "`file` with the signed list of what is revoked; fetch it before each call")
	f.StringVar(&c.model, "model", "", "`folder` with the model's files, as they are to be released; files behind the flags: these of it alone")
	f.StringVar(&c.digest, "digest", "", "in place of --model, `sha256:...` of the package: whoever gives it answers for the bytes")
	f.StringVar(&c.memory, "memory", "", "`file` in which the gate keeps what it saw; made at the first yes")
	f.BoolVar(&c.explain, "explain", false, "say of each step what it stops and how it went")
	f.BoolVar(&c.asJSON, "json", false, "answer in JSON")
	if len(args) > 0 && (args[0] == "check" || args[0] == "explain") {
		c.explain = args[0] == "explain"
		args = args[1:]
	}
	err := f.Parse(args)
	c.files = f.Args()
	return c, err
}

func run(args []string, now time.Time, out, errs io.Writer) (exit int) {
	c, err := parse(args, errs)
	if err != nil {
		return exitUsage
	}
	a, trace, exit := c.decide(now)
	if c.explain && !c.asJSON {
		explainTo(out, trace)
	}
	if err := say(out, a, c.asJSON); err != nil {
		fmt.Fprintln(errs, "proctor-gate:", err)
		return exitInternal // an answer that nobody got is no yes
	}
	return exit
}

func (c invocation) decide(now time.Time) (answer, []gate.StepResult, int) {
	in, err := c.read()
	if err == nil {
		in.Memory, err = remembered(c.memory)
	}
	if err != nil {
		return answer{Code: gate.Unreadable, Reason: err.Error()}, gate.Untried(), exitUsage
	}
	in.Now = now
	ok, trace, err := gate.Explain(in)
	if err == nil && c.memory != "" {
		err = remember(c.memory, ok.Memory)
	}
	if err == nil {
		return opened(ok), trace, exitOpen
	}
	var r *gate.Refusal
	if !errors.As(err, &r) || exits[r.Code] == exitOpen {
		return answer{Code: gate.Unreadable, Reason: err.Error()}, trace, exitInternal
	}
	return answer{Code: r.Code, Step: r.Step, Reason: r.Reason}, trace, exits[r.Code]
}

func opened(ok gate.Accepted) answer {
	a := answer{Open: true, Code: "open", Subject: ok.Subject, LastDay: ok.LastDay, Evidence: ok.Evidence, LogIndex: &ok.LogIndex,
		Reason: fmt.Sprintf("%s (%s) is approved until %s, log entry %d", ok.Name, ok.Subject, ok.LastDay, ok.LogIndex)}
	if ok.Waived {
		a.Code, a.Reason = "waived", fmt.Sprintf("%s (%s) is NOT approved; two people waived that until %s, log entry %d", ok.Name, ok.Subject, ok.LastDay, ok.LogIndex)
	}
	return a
}

func (c invocation) read() (in gate.Input, err error) {
	in.Model, in.Digest, in.Files = c.model, c.digest, c.files
	if c.model == "" && c.digest == "" && len(c.files) > 0 {
		return in, fmt.Errorf("%q is no command: say check or explain, then flags", c.files[0])
	}
	if c.model == "" && c.digest == "" {
		return in, errors.New("--model is missing: the folder that is to be released; proctor-gate --help lists what is needed")
	}
	if in.Approval, err = readFile("--bundle", c.bundle); err != nil {
		return in, err
	}
	for _, f := range []struct {
		flag, path string
		into       *[]byte
	}{{"--evidence", c.evidence, &in.Evidence}, {"--revocations", c.revocations, &in.Revocations}} {
		if f.path == "" {
			continue
		}
		if *f.into, err = readFile(f.flag, f.path); err != nil {
			return in, err
		}
	}
	if err := c.readTrust(&in); err != nil {
		return in, err
	}
	text, err := readFile("--requirements", c.requirements)
	if err != nil {
		return in, err
	}
	in.Requirements, err = gate.ParseRequirements(text)
	return in, err
}

// readTrust reads bare keys, or a trust file that root keys signed.
func (c invocation) readTrust(in *gate.Input) error {
	text, err := readFile("--trust", c.trust)
	if err != nil {
		return err
	}
	if c.root == "" {
		in.Trust, err = gate.ParseTrust(text)
		return err
	}
	keys, err := readFile("--root", c.root)
	if err != nil {
		return err
	}
	roots, err := gate.ParseRoots(keys)
	if err != nil {
		return err
	}
	signed, err := gate.OpenTrust(text, roots)
	in.Signed = &signed
	return err
}

// remembered reads a gate's memory; one that was not made yet is empty.
func remembered(path string) (gate.Memory, error) {
	if _, err := os.Stat(path); path == "" || errors.Is(err, fs.ErrNotExist) {
		return gate.Memory{}, nil
	}
	text, err := readFile("--memory", path)
	if err != nil {
		return gate.Memory{}, err
	}
	return gate.ParseMemory(text)
}

// remember writes the memory whole, before the yes is said: a yes that is not
// remembered is none.
func remember(path string, m gate.Memory) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	return os.Rename(tmp, path)
}

// readFile reads no more of a file than any of ours may have.
func readFile(name, path string) ([]byte, error) {
	if path == "" {
		return nil, fmt.Errorf("%s is missing", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, verdict.MaxBundle+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(b) == 0:
		return nil, fmt.Errorf("%s: %s is empty", name, path)
	case len(b) > verdict.MaxBundle:
		return nil, fmt.Errorf("%s: %s is longer than %d bytes", name, path, verdict.MaxBundle)
	}
	return b, nil
}

func say(w io.Writer, a answer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(a)
	}
	word := "CLOSED"
	if a.Open {
		word = strings.ToUpper(a.Code) // OPEN, WAIVED
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", word, printable(a.Reason))
	return err
}

// explainTo says of each step how it went. What stopped it is said after that.
func explainTo(w io.Writer, trace []gate.StepResult) {
	for i, s := range trace {
		fmt.Fprintf(w, "%2d  %-12s  against %s\n", i+1, s.Went, s.Stops)
	}
}

// printable keeps names in a bundle from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
