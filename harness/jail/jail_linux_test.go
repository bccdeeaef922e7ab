package jail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { allowWithout = true }

func TestMain(m *testing.M) {
	Main(map[string]func([]string) int{"attempt": attemptMain, "echo": echoMain, "service": serviceMain})
	os.Exit(m.Run())
}

func echoMain([]string) int {
	io.Copy(os.Stdout, os.Stdin)
	fmt.Fprintln(os.Stderr, "echoed")
	return 0
}

func TestTierOrder(t *testing.T) {
	for i, a := range order {
		for j, b := range order {
			if a.AtLeast(b) != (i >= j) {
				t.Errorf("%s at least %s: %v", a, b, a.AtLeast(b))
			}
		}
		if a.AtLeast("") || a.AtLeast("jial") || Tier("jial").AtLeast(a) || Tier("").AtLeast(a) {
			t.Errorf("%s compares with tiers that do not exist", a)
		}
		if got, err := ParseTier(string(a)); got != a || err != nil {
			t.Error(got, err)
		}
	}
	if _, err := ParseTier("Jail"); err == nil {
		t.Error("ParseTier takes a tier that does not exist")
	}
}

// tiers runs a test at every tier that this machine has.
func tiers(t *testing.T, f func(t *testing.T, tier Tier)) {
	have, reasons := Probe()
	for _, tier := range []Tier{None, Landlock, NoCgroup, Jail} {
		t.Run(string(tier), func(t *testing.T) {
			if !have.AtLeast(tier) {
				t.Skipf("this machine gives tier %s only: %v", have, reasons)
			}
			f(t, tier)
		})
	}
}

// run runs a spec at exactly this tier and returns what it printed.
func run(t *testing.T, tier Tier, s Spec, stdin string) (out string, exit Exit, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s.MinTier, s.MaxTier = tier, tier
	if s.Limits == (Limits{}) {
		s.Limits = Limits{Memory: 512 << 20, Pids: 64, Tmp: 4 << 20}
	}
	p, err := Start(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if p.Tier() != tier {
		t.Fatalf("started at tier %s, want %s", p.Tier(), tier)
	}
	return collect(t, p, stdin)
}

// collect gives a process its input and returns what it printed.
func collect(t *testing.T, p *Process, stdin string) (out string, exit Exit, stderr string) {
	t.Helper()
	go func() {
		io.WriteString(p.Stdin, stdin)
		p.Stdin.Close()
	}()
	data, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout.Close()
	if exit, err = p.Wait(); err != nil {
		t.Fatal(err)
	}
	return string(data), exit, string(p.Stderr())
}

func TestRole(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		text := strings.Repeat("0123456789abcde\n", 64<<10)
		out, exit, stderr := run(t, tier, Spec{Role: "echo"}, text)
		if out != text || !exit.OK() || stderr != "echoed\n" {
			t.Errorf("%d bytes back of %d, %v, stderr %q", len(out), len(text), exit, stderr)
		}
		if exit.Wall <= 0 || exit.PeakMemory <= 0 {
			t.Errorf("%+v", exit)
		}
	})
}

// openDir is a folder that every user can walk to.
func openDir(t *testing.T) string {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProgram(t *testing.T) {
	dir := openDir(t)
	if err := os.WriteFile(dir+"/words", []byte("from the package\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tiers(t, func(t *testing.T, tier Tier) {
		s := Spec{Argv: []string{"/bin/sh", "-c", "cat words && echo $GREETING && echo x >$HOME/x && cat $TMPDIR/x && exit 7"}, Dir: "/model",
			Binds: []Bind{{dir, "/model"}}, Env: []string{"GREETING=hello", "PATH=/usr/bin:/bin", "HOME=/root"}}
		out, exit, stderr := run(t, tier, s, "")
		if out != "from the package\nhello\nx\n" || exit.Code != 7 {
			t.Errorf("%q, %v, stderr %q", out, exit, stderr)
		}
	})
}

func TestStartRefuses(t *testing.T) {
	have, _ := Probe()
	for want, s := range map[string]Spec{
		"either a program or a role":    {},
		"holds a zero byte":             {Argv: []string{"/bin/true", "a\x00b"}},
		"either a program or":           {Role: "echo", Argv: []string{"/bin/true"}},
		`role "nobody" was not given`:   {Role: "nobody"},
		`tier "jail" at most, "gvisor"`: {Role: "echo", MinTier: GVisor, MaxTier: Jail},
		`tier "none" at most`:           {Role: "echo", MaxTier: None},
		`"jial" is required`:            {Role: "echo", MinTier: "jial"},
		"is not in a bind":              {Role: "echo", Dir: "/model"},
		"must be absolute":              {Role: "echo", Binds: []Bind{{"x", "/x"}}},
		"no such file or directory":     {Argv: []string{"/no/such/program"}, MinTier: None},
		"bind: lstat /no":               {Role: "echo", Binds: []Bind{{"/no/such/folder", "/x"}}, MinTier: None},
	} {
		p, err := Start(t.Context(), s)
		if err == nil {
			p.Kill()
			p.Wait()
		}
		if err == nil || !strings.Contains(err.Error(), want) && !(have != Jail && strings.Contains(want, "gvisor")) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	_, err := Start(t.Context(), Spec{Argv: []string{"/no/such/program"}, MinTier: None})
	var se *StartError
	if !errors.As(err, &se) {
		t.Errorf("a missing program is %T", err)
	}
	_, err = Start(t.Context(), Spec{Role: "echo", MinTier: GVisor})
	var te *TierError
	if !errors.As(err, &te) || te.Want != GVisor {
		t.Errorf("a tier that is too low is %v", err)
	}
}

// A child that is gone before it said that the jail stands is not a program that
// ran and ended, however silently it went.
func TestStands(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		for _, without := range [][]string{nil, {"standing"}} {
			p, err := Start(t.Context(), Spec{Argv: []string{"/bin/true"}, MinTier: tier, MaxTier: tier, without: without})
			if err == nil {
				p.Wait()
				p.closePipes()
			}
			if (err == nil) != (without == nil) || err != nil && !strings.Contains(err.Error(), "died while it shut itself in") {
				t.Errorf("without %q: %v", without, err)
			}
		}
	})
}

// The switch by which tests leave guards out does nothing in another binary.
func TestWithoutIsForTests(t *testing.T) {
	c := config{Without: []string{"seccomp"}}
	allowWithout = false
	defer func() { allowWithout = true }()
	if err := c.allowed(); err == nil {
		t.Error("a guard can be left out")
	}
	if err := (&config{}).allowed(); err != nil {
		t.Error(err)
	}
}

// A context that ends takes the program with it, and so does Kill.
func TestKill(t *testing.T) {
	tiers(t, func(t *testing.T, tier Tier) {
		ctx, cancel := context.WithCancel(t.Context())
		p, err := Start(ctx, Spec{Argv: []string{"/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"}, MinTier: tier, MaxTier: tier, Limits: Limits{CPU: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(p.Stdout, make([]byte, 3)); err != nil {
			exit, _ := p.Wait()
			t.Fatalf("%v, %v, stderr %q", err, exit, p.Stderr())
		}
		cancel()
		if exit, err := p.Wait(); err != nil || !exit.Killed || exit.Signal == "" {
			t.Errorf("%v, %v", exit, err)
		}
		p.Kill() // nothing left to kill
		if rest, err := io.ReadAll(p.Stdout); len(rest) > 0 || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		p.closePipes()
	})
}

// Only the last 64 KiB of standard error are kept, however much is written.
func TestRing(t *testing.T) {
	for _, sizes := range [][]int{{10}, {stderrSize}, {stderrSize + 5}, {7, stderrSize - 3, 9}, {3 * stderrSize, 1}} {
		var r ring
		var all []byte
		for i, n := range sizes {
			p := make([]byte, n)
			for k := range p {
				p[k] = byte(i*31 + k)
			}
			r.Write(p)
			all = append(all, p...)
		}
		if want := all[max(0, len(all)-stderrSize):]; string(r.Bytes()) != string(want) {
			t.Errorf("%v: %d bytes kept, want the last %d", sizes, len(r.Bytes()), len(want))
		}
	}
}

// BenchmarkStart is the time from Start to a program that runs, confined as far as the
// machine can, and what the whole life of a jail takes of a processor, the service's part
// included. On a machine that has other things to do, the first is mostly waiting; before
// all others it is what an idle one needs:
//
//	go test -c -o jail.test ./harness/jail && chrt --fifo 50 ./jail.test -test.run - -test.bench Start -test.benchtime 200x
func BenchmarkStart(b *testing.B) {
	tier, _ := Probe()
	var took []time.Duration
	used := -processorTime(b)
	for b.Loop() {
		start := time.Now()
		p, err := Start(b.Context(), Spec{Role: "echo", MinTier: tier, Limits: Limits{Memory: 512 << 20, Pids: 64}})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		p.Stdin.Close()
		io.Copy(io.Discard, p.Stdout)
		p.Stdout.Close()
		exit, err := p.Wait()
		if err != nil || !exit.OK() {
			b.Fatal(exit, err)
		}
		used += exit.CPU
	}
	used += processorTime(b)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms")
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
