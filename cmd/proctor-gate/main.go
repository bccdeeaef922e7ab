// Command proctor-gate tells a pipeline whether a model may be released.
//
//	proctor-gate --bundle approval.json --trust trust.json --requirements gate.json --model ./model
//
// It works offline from files. Exit codes: 0 released; 10 denied or not valid
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
	Code     string `json:"code"` // open, invalid, denied, stale, inconclusive, awaiting-review, cannot-check
	Step     int    `json:"step,omitempty"`
	Reason   string `json:"reason"`
	Subject  string `json:"subject,omitempty"`
	LastDay  string `json:"last_day,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	LogIndex *int64 `json:"log_index,omitempty"`
}

func run(args []string, now time.Time, out, errs io.Writer) (exit int) {
	f := flag.NewFlagSet("proctor-gate", flag.ContinueOnError)
	f.SetOutput(errs)
	bundle := f.String("bundle", "", "`file` with the approval's bundle")
	evidence := f.String("evidence", "", "`file` with the evidence's bundle; needed if the requirements name binding or tier_at_least")
	trust := f.String("trust", "", "`file` with the pinned keys, as the service publishes them")
	requirements := f.String("requirements", "", "`file` with what this gate demands")
	model := f.String("model", "", "`folder` with the model's files, as they are to be released")
	memory := f.String("memory", "", "`file` in which the gate keeps what it saw of the log; made at the first yes")
	explain := f.Bool("explain", false, "say of each step what it stops and how it went")
	asJSON := f.Bool("json", false, "answer in JSON")
	if err := f.Parse(args); err != nil {
		return exitUsage
	}
	a, exit := decide(f.NArg(), *bundle, *evidence, *trust, *requirements, *model, *memory, now)
	if *explain && !*asJSON {
		explainTo(out, a)
	}
	if err := say(out, a, *asJSON); err != nil {
		fmt.Fprintln(errs, "proctor-gate:", err)
		return exitInternal // an answer that nobody got is no yes
	}
	return exit
}

func decide(extra int, bundle, evidence, trust, requirements, model, memory string, now time.Time) (answer, int) {
	in, err := read(extra, bundle, evidence, trust, requirements, model)
	if err == nil {
		in.Memory, err = remembered(memory)
	}
	if err != nil {
		return answer{Code: gate.Unreadable, Reason: err.Error()}, exitUsage
	}
	in.Now = now
	ok, err := gate.Check(in)
	if err == nil && memory != "" {
		err = remember(memory, ok.Memory)
	}
	if err == nil {
		return answer{Open: true, Code: "open", Subject: ok.Subject, LastDay: ok.LastDay, Evidence: ok.Evidence, LogIndex: &ok.LogIndex,
			Reason: fmt.Sprintf("%s (%s) is approved until %s, log entry %d", ok.Name, ok.Subject, ok.LastDay, ok.LogIndex)}, exitOpen
	}
	var r *gate.Refusal
	if !errors.As(err, &r) || exits[r.Code] == exitOpen {
		return answer{Code: gate.Unreadable, Reason: err.Error()}, exitInternal
	}
	return answer{Code: r.Code, Step: r.Step, Reason: r.Reason}, exits[r.Code]
}

func read(extra int, bundle, evidence, trust, requirements, model string) (in gate.Input, err error) {
	if extra > 0 {
		return in, errors.New("there are arguments that belong to no flag")
	}
	if in.Model = model; model == "" {
		return in, errors.New("--model is missing")
	}
	if in.Approval, err = readFile("--bundle", bundle); err != nil {
		return in, err
	}
	if evidence != "" {
		if in.Evidence, err = readFile("--evidence", evidence); err != nil {
			return in, err
		}
	}
	text, err := readFile("--trust", trust)
	if err != nil {
		return in, err
	}
	if in.Trust, err = gate.ParseTrust(text); err != nil {
		return in, err
	}
	if text, err = readFile("--requirements", requirements); err != nil {
		return in, err
	}
	in.Requirements, err = gate.ParseRequirements(text)
	return in, err
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
		word = "OPEN"
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", word, printable(a.Reason))
	return err
}

// explainTo says of each step how it went. What stopped it is said after that.
func explainTo(w io.Writer, a answer) {
	for i, stops := range gate.Steps() {
		word := "passed     "
		switch {
		case !a.Open && i+1 == a.Step:
			word = "STOPPED    "
		case !a.Open && i+1 > a.Step: // a.Step is 0 if what is needed could not be read
			word = "not reached"
		}
		fmt.Fprintf(w, "%2d  %s  against %s\n", i+1, word, stops)
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
