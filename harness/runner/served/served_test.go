package served

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	jail.Main(map[string]func([]string) int{runner.RoleHTTP: Main})
	os.Exit(m.Run())
}

func table(t testing.TB, n int) rows.Table {
	t.Helper()
	x, tag := make([]float64, n), make([]string, n)
	for i := range n {
		x[i], tag[i] = float64(i%97)/97, fmt.Sprintf("tag %d \"ü\"\n", i)
	}
	out, err := rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "tag", Strings: tag})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sheet(t testing.TB, n, batch int) runner.Sheet {
	s := runner.Sheet{Rows: table(t, n)}
	for ; n > 0; n -= batch {
		s.Batches = append(s.Batches, min(n, batch))
	}
	return s
}

// needPython skips where a server in Python could not run, or could not be confined.
func needPython(t testing.TB) jail.Tier {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	have, reasons := jail.Probe()
	if !have.AtLeast(jail.NoCgroup) {
		t.Skipf("no namespaces here: %v", reasons)
	}
	return have
}

// stage stages a package: a folder's files, some of them replaced.
func stage(t testing.TB, from string, with map[string]string) (string, *runner.Package) {
	t.Helper()
	src := t.TempDir()
	if err := os.CopyFS(src, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for name, text := range with {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := runner.ReadPackage(src)
	if err != nil {
		t.Fatal(err)
	}
	dir, remove, err := runner.StageTemp(p, src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return dir, p
}

const (
	oipExample    = "../../../testdata/models/http-oip-python"
	openaiExample = "../../../testdata/models/http-openai-python"
)

// Both examples answer as they should, in every jail that has a network of its own.
func TestExamples(t *testing.T) {
	have := needPython(t)
	s := sheet(t, 200, 64)
	x, _ := s.Rows.Column("x")
	for _, from := range []string{oipExample, openaiExample} {
		dir, p := stage(t, from, nil)
		for _, tier := range []jail.Tier{jail.NoCgroup, jail.Jail} {
			if !have.AtLeast(tier) {
				continue
			}
			out, facts, err := runner.Runner{MinTier: tier, MaxTier: tier}.Run(t.Context(), dir, p, s, runner.Limits{})
			if err != nil || facts.Tier != string(tier) {
				t.Fatalf("%s at %s: %v, %+v", from, tier, err, facts)
			}
			for i, v := range x.Floats {
				if (out.Labels[i] == 1) != (v > 0.5) || from == oipExample && math.Abs(out.Probs[2*i+1]-v) > 1e-6 {
					t.Fatalf("%s, row %d: %d for %v", from, i, out.Labels[i], v)
				}
			}
			if from == openaiExample && (out.Probs != nil || !strings.Contains(facts.Stderr, `system_fingerprint "rule-1"`)) {
				t.Errorf("%v probabilities, %q", out.Probs != nil, facts.Stderr)
			}
			t.Logf("%s at %s: %v for %d rows", filepath.Base(from), tier, facts.Wall, len(out.Labels))
		}
	}
}

// Without a network namespace a server would listen on the host's loopback, for all
// to ask: it is not started, and the service says that it cannot.
func TestNeedsNamespace(t *testing.T) {
	dir, p := stage(t, oipExample, nil)
	for _, r := range []runner.Runner{{MinTier: jail.None, MaxTier: jail.Landlock}, {MinTier: jail.None, MaxTier: jail.None}} {
		r.Interpreters = map[string]string{"python3": "/bin/true"} // no server starts, whatever is installed
		_, _, err := r.Run(t.Context(), dir, p, sheet(t, 5, 5), runner.Limits{})
		var f *runner.Failure
		if !errors.As(err, &f) || f.Reason != runner.ServiceTier || !strings.Contains(f.Detail, string(jail.NoCgroup)) || !f.Service() {
			t.Errorf("%+v", err)
		}
	}
}

// A server that does something else, and what its submitter is told.
func TestHostileServers(t *testing.T) {
	needPython(t)
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	good, err := os.ReadFile(filepath.Join(oipExample, "serve.py"))
	if err != nil {
		t.Fatal(err)
	}
	// Attempts before serving: each prints "open" if it got anywhere.
	try := func(lines string) string {
		return "try:\n  import socket\n  " + strings.ReplaceAll(lines, "\n", "\n  ") + "\n  print('open', flush=True)\nexcept Exception as e:\n  print('closed:', e, flush=True)\n" + string(good)
	}
	replace := func(old, new string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	for _, c := range []struct{ name, script, reason, stderr string }{
		{"host loopback", try(fmt.Sprintf("socket.create_connection(('127.0.0.1', %d), 2)", host.Addr().(*net.TCPAddr).Port)), "", "closed:"},
		{"outside", try("socket.create_connection(('192.0.2.1', 80), 2)"), "", "closed:"},
		{"vsock", try("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"), "", "closed:"},
		{"netlink", try("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"), "", "closed:"},
		{"prints", "print('hello')\nimport sys\nsys.stdout.flush()\n" + string(good), "", "hello"},
		{"ends at once", "raise SystemExit(3)", runner.ExitEarly, "exit status 3"},
		{"never listens", "import time\ntime.sleep(60)", runner.StartTimeout, ""},
		{"never ready", replace(`self.reply(200, {})`, `self.reply(503, {})`), runner.StartTimeout, ""},
		{"ends when asked", replace("p = predict", "import os; os._exit(4); p = predict"), runner.ExitEarly, "batch 1: POST /v2/models/rule/infer"},
		{"hangs when asked", replace("p = predict", "import time; time.sleep(60); p = predict"), runner.StartTimeout, ""},
		{"not a probability", replace("[1 - v, v]", "[1.5, -0.5]"), runner.AnswerNumber, ""},
		{"not a number", replace("[1 - v, v]", "[float('nan'), v]"), runner.ExitEarly, "invalid character"},
		{"too few", replace("for v in x]", "for v in x[1:]]"), runner.ExitEarly, "no output of the server has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, p := stage(t, oipExample, map[string]string{"serve.py": c.script})
			l := runner.Limits{Start: 10 * time.Second, Memory: 512 << 20}
			if c.reason == runner.StartTimeout {
				l.Start = 1500 * time.Millisecond
			}
			out, facts, err := runner.Runner{}.Run(t.Context(), dir, p, sheet(t, 5, 5), l)
			var f *runner.Failure
			errors.As(err, &f)
			switch {
			case !strings.Contains(facts.Stderr, c.stderr) || strings.Contains(facts.Stderr, "open\n"):
				t.Errorf("%q, want %q", facts.Stderr, c.stderr)
			case c.reason == "" && (err != nil || len(out.Labels) != 5):
				t.Errorf("%v, %+v", err, facts)
			case c.reason != "" && (f == nil || f.Reason != c.reason):
				t.Errorf("%v, want %s; %+v", err, c.reason, facts)
			}
		})
	}
}
