package cmd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"proctor/harness/jail"
	"proctor/web/client"
)

// Scripts run the programs as they are shipped. What they add to testscript:
//
//	world                  a data folder where v1 is deployed, v2 approved ($GOOD), v2-poisoned refused ($BAD)
//	serve [flags]          proctor serve on the folder data and a free port; sets PROCTOR_SERVER
//	end TERM|KILL          end it by that signal
//	numbers FILE           what the service shows Prometheus, with serve --metrics
//	hire NAME flags        proctor user add NAME; `as NAME` then has the token
//	code N [as NAME] CMD   run CMD, which must end with exit code N
//	let VAR REGEXP         set VAR to what the group matches in the last output
//	await RUN REGEXP       until the run's stage matches, or the run has ended
//	misbehave MODE         make the package MODE, a program that breaks the protocol so
//	small FOLDER SIZE      a file system of that size
//	identity FILE VAR      a new age identity in FILE, its recipient in VAR
//	receive                a receiver of webhooks at $HOOK
//	received REGEXP        until it got an event of which a sentence matches
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world": cmdWorld, "serve": cmdServe, "end": cmdEnd, "numbers": cmdNumbers, "hire": cmdHire,
			"code": cmdCode, "let": cmdLet, "await": cmdAwait, "misbehave": cmdMisbehave, "small": cmdSmall, "identity": cmdIdentity, "receive": cmdReceive, "received": cmdReceived,
		},
	})
}

var bin string // folder of the programs

func TestMain(m *testing.M) {
	jail.Main(nil) // asked for the tier of this machine, the test binary executes itself again
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "proctor-script-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "bin")
	// A jailed model of another user reaches its package through these.
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(bin, 0o755)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := exec.Command("go", "build", "-o", bin+"/", "./proctor", "./proctor-gate", "../harness/runner/testdata/misbehave")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the programs:", err)
		return 1
	}
	scratch = dir
	return m.Run()
}

func setup(env *testscript.Env) error {
	income, err := filepath.Abs(filepath.Join("..", "testdata", "income"))
	if err != nil {
		return err
	}
	for path := env.WorkDir; len(path) > len(os.TempDir()); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			return err
		}
	}
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv("INCOME", income)
	env.Values["services"] = &services{}
	env.Values["tokens"] = map[string]string{}
	env.Defer(func() { env.Values["services"].(*services).end(syscall.SIGKILL) })
	return nil
}

var strongest = sync.OnceValue(func() jail.Tier { tier, _ := jail.Probe(); return tier })

func condition(name string) (bool, error) {
	switch name {
	case "jail": // the demo's policy asks code for this tier
		return strongest() == jail.Jail, nil
	case "mount":
		return canMount(), nil
	case "bwrap": // can take namespaces from a program
		return exec.Command("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns", "true").Run() == nil, nil
	}
	return false, fmt.Errorf("there is no condition %q", name)
}

// canMount says whether this process may make a file system.
var canMount = sync.OnceValue(func() bool {
	dir := filepath.Join(scratch, "mount")
	return errors.Join(os.Mkdir(dir, 0o755), mount(dir, "64k"), syscall.Unmount(dir, 0)) == nil
})

func mount(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=755")
}

// services are what a script has started and not ended yet.
type services struct {
	running  []*exec.Cmd
	receiver *receiver // of webhooks, after "receive"
}

func (s *services) end(sig syscall.Signal) (err error) {
	for _, c := range s.running {
		c.Process.Signal(sig)
		err = c.Wait()
	}
	s.running = nil
	return err
}

func started(ts *testscript.TestScript) *services { return ts.Value("services").(*services) }
func tokensOf(ts *testscript.TestScript) map[string]string {
	return ts.Value("tokens").(map[string]string)
}

func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	c := exec.Command(filepath.Join(bin, "proctor"), append([]string{"serve", "--dir", ts.MkAbs("data"), "--addr", "127.0.0.1:0"}, args...)...)
	url, err := startService(c, ts.MkAbs("."))
	ts.Check(err)
	started(ts).running = append(started(ts).running, c)
	ts.Setenv("PROCTOR_SERVER", url)
}

// startService returns the address once the service answers.
func startService(c *exec.Cmd, dir string) (string, error) {
	log, err := os.CreateTemp(dir, "service-*.log")
	if err != nil {
		return "", err
	}
	defer log.Close()
	c.Stderr = log
	out, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.Wait()
		b, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("the service did not start: %s", b)
	}
	return strings.TrimSpace(line), nil
}

func cmdEnd(ts *testscript.TestScript, _ bool, args []string) {
	if len(started(ts).running) == 0 {
		ts.Fatalf("nothing runs")
	}
	switch args[0] {
	case "TERM":
		ts.Check(started(ts).end(syscall.SIGTERM))
	case "KILL":
		started(ts).end(syscall.SIGKILL)
	default:
		ts.Fatalf("usage: end TERM|KILL")
	}
}

func cmdHire(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("proctor", append([]string{"user", "add", "--dir", "data"}, args...)...))
	tokensOf(ts)[args[0]] = strings.TrimSpace(ts.ReadFile("stdout"))
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N [as NAME] COMMAND")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	args = args[1:]
	if args[0] == "as" {
		token, ok := tokensOf(ts)[args[1]]
		if !ok {
			ts.Fatalf("nobody has hired %s", args[1])
		}
		ts.Setenv("PROCTOR_TOKEN", token)
		defer ts.Setenv("PROCTOR_TOKEN", "")
		args = args[2:]
	}
	got := 0
	if err := ts.Exec(args[0], args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, line := range strings.Split(ts.ReadFile("stderr"), "\n") { // no sentence of ours looks like this
		if strings.Contains(line, "goroutine ") || strings.Contains(line, "%!") || strings.HasPrefix(line, "panic:") {
			ts.Fatalf("not a sentence: %s", line)
		}
	}
}

func cmdLet(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	m := re.FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if len(m) != 2 {
		ts.Fatalf("the last output has no %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	c := &client.Client{Base: ts.Getenv("PROCTOR_SERVER"), Token: tokensOf(ts)["ci"]}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		s, err := c.Submission(context.Background(), args[0])
		ts.Check(err)
		if s.Done() || re.MatchString(s.Stage) {
			return
		}
	}
	ts.Fatalf("the run never came to %s", args[1])
}

func cmdMisbehave(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	program, err := os.ReadFile(filepath.Join(bin, "misbehave"))
	ts.Check(err)
	manifest := fmt.Sprintf(`{"protocol": "proctor/1", "kind": "command", "command": ["./misbehave", %q], "input": "jsonl", "batch_max": 512, "task": "classification", "classes": ["<=50K", ">50K"]}`, args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	ts.Check(errors.Join(os.WriteFile(filepath.Join(dir, "misbehave"), program, 0o755), os.WriteFile(filepath.Join(dir, "proctor-model.json"), []byte(manifest), 0o644)))
}

func cmdSmall(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	ts.Check(mount(dir, args[1]))
	ts.Defer(func() {
		started(ts).end(syscall.SIGKILL)
		syscall.Unmount(dir, syscall.MNT_DETACH)
	})
}

func cmdIdentity(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: identity FILE VAR")
	}
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
	ts.Setenv(args[1], id.Recipient().String())
}

func cmdWorld(ts *testscript.TestScript, _ bool, _ []string) {
	w, err := built()
	ts.Check(err)
	ts.Check(os.RemoveAll(ts.MkAbs("data")))
	ts.Check(exec.Command("cp", "-a", w.dir, ts.MkAbs("data")).Run())
	for name, token := range w.tokens {
		tokensOf(ts)[name] = token
	}
	ts.Setenv("GOOD", w.good)
	ts.Setenv("BAD", w.bad)
}

// A world is a data folder with a past.
type world struct {
	dir       string
	tokens    map[string]string
	good, bad string // runs: v2 is approved, v2-poisoned failed
	url       string
}

var (
	scratch string // of the whole test run
	built   = sync.OnceValues(buildWorld)
)

var staff = [][]string{
	{"cora", "cora", "curator"}, {"carl", "carl", "curator"}, {"paula", "paula", "policy-owner"}, {"pavel", "pavel", "policy-owner"},
	{"rita", "rita", "reviewer"}, {"rob", "rob", "reviewer"}, {"anna", "anna", "auditor"}, {"olga", "olga", "operator"},
	{"ci", "sam", "submitter", "--robot"}, {"paulas-other-self", "paula", "policy-owner"},
}

// buildWorld makes it once, by the programs; scripts get copies.
func buildWorld() (w world, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("build the world: %v", p)
		}
	}()
	w = world{dir: filepath.Join(scratch, "world"), tokens: map[string]string{}}
	service := exec.Command(filepath.Join(bin, "proctor"), "serve", "--dir", w.dir, "--addr", "127.0.0.1:0")
	if w.url, err = startService(service, scratch); err != nil {
		return w, err
	}
	defer func() {
		service.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, service.Wait())
	}()
	for _, p := range staff {
		w.tokens[p[0]] = strings.TrimSpace(w.run("", 0, append([]string{"user", "add", "--dir", w.dir, p[0], "--person", p[1], "--role", p[2]}, p[3:]...)...))
	}
	income := filepath.Join("..", "testdata", "income")
	sealed := filepath.Join(scratch, "sealed.csv")
	if err := exec.Command("sh", "-c", `gunzip -c "$0" > "$1"`, filepath.Join(income, "sealed.csv.gz"), sealed).Run(); err != nil {
		return w, err
	}
	w.agree("cora", "carl", "seal", filepath.Join(income, "seal.yaml"), sealed)
	for _, s := range []string{"income-triggers", "income-invariance"} {
		w.agree("cora", "carl", "suite", "add", filepath.Join(income, "suites", s+".yaml"))
	}
	w.agree("paula", "pavel", "policy", "add", filepath.Join(income, "policy.yaml"))
	v1 := w.submit(13, filepath.Join(income, "models", "v1"))
	w.review("rita", v1)
	w.review("rob", v1)
	w.agree("rita", "rob", "baseline", "income", v1)
	w.good = w.submit(13, filepath.Join(income, "models", "v2"))
	w.review("rita", w.good)
	w.bad = w.submit(10, filepath.Join(income, "models", "v2-poisoned"))
	return w, nil
}

// run runs proctor as somebody and returns what it printed.
func (w *world) run(who string, code int, args ...string) string {
	c := exec.Command(filepath.Join(bin, "proctor"), args...)
	c.Env = append(os.Environ(), "PROCTOR_SERVER="+w.url, "PROCTOR_TOKEN="+w.tokens[who])
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
		panic(fmt.Sprintf("proctor %v: %v, want exit code %d: %s%s", args, err, code, out, errs.String()))
	}
	return string(out)
}

func (w *world) agree(who, second string, args ...string) {
	id, _, _ := strings.Cut(w.run(who, 0, args...), " ")
	w.run(second, 0, "change", "activate", id)
}

func (w *world) submit(code int, dir string) string {
	id, _, _ := strings.Cut(w.run("ci", code, "submit", dir, "--lineage", "income", "--wait"), " ")
	return id
}

func (w *world) review(who, run string) {
	words := strings.Fields(w.run(who, 0, "report", run))
	w.run(who, 0, "review", run, "--approve", "--reason", "read it", "--report", words[len(words)-1])
}

// TestEveryScriptRuns guards against a folder that is looked for in the wrong place.
func TestEveryScriptRuns(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "script", "*.txtar"))
	if err != nil || len(names) < 10 || !slices.IsSorted(names) {
		t.Fatalf("found %d scripts, %v", len(names), err)
	}
}
