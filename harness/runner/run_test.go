package runner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/harness/jail"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	jail.Main(map[string]func([]string) int{RoleONNX: Role(toy)})
	os.Exit(m.Run())
}

// toy stands for an evaluator of declarative packages: P(second class) = x.
func toy(string, Manifest) (Predict, error) {
	return func(t rows.Table) ([]int32, []float64, error) {
		x, _ := t.Column("x")
		var p []float64
		for _, v := range x.Floats {
			p = append(p, 1-v, v)
		}
		return nil, p, nil
	}, nil
}

// sheet asks n rows in batches of at most five.
func sheet(t testing.TB, n int) Sheet {
	t.Helper()
	var s Sheet
	x, text := make([]float64, n), make([]string, n)
	for i := range n {
		x[i], text[i] = float64(i%97)/97, `quoted "`+strings.Repeat("ü", i%3)+"\\\n"
	}
	var err error
	if s.Rows, err = rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "text", Strings: text}); err != nil {
		t.Fatal(err)
	}
	for n > 0 {
		s.Batches = append(s.Batches, min(5, n))
		n -= min(5, n)
	}
	return s
}

// stage writes files, reads them as a package and stages it.
func stage(t testing.TB, files map[string]string) (string, *Package) {
	t.Helper()
	src := t.TempDir()
	for name, text := range files {
		os.MkdirAll(filepath.Dir(filepath.Join(src, name)), 0o755)
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := ReadPackage(src)
	if err != nil {
		t.Fatal(err)
	}
	dir, remove, err := StageTemp(p, src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return dir, p
}

// built is the test model, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "proctor-test-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/misbehave", "./testdata/misbehave")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	data, err := os.ReadFile(dir + "/misbehave")
	return string(data), err
})

func misbehave(t testing.TB) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func command(mode string) string {
	return `{"protocol":"proctor/1","kind":"command","command":["./misbehave","` + mode + `"],"batch_max":8,"task":"classification","classes":["no","yes"]}`
}

var quick = Limits{Start: 5 * time.Second, Batch: 400 * time.Millisecond, Total: 8 * time.Second, CPU: 20 * time.Second, Memory: 256 << 20, Pids: 40, Stdout: 1 << 20, Tmp: 1 << 20}

// What a model does, and what its submitter is told.
const misbehaviours = `
well            ok
nothing         exit.early
dies            exit.early
hangs           start.timeout
banner          answer.malformed
early           answer
memory          limit.memory
flood           answer
longline        answer.too_long
forks           exit.early
fewer           answer.count
more            answer.count
wide            answer.count
narrow          answer.count
nan             answer.number
infinite        answer.number
negative        answer.number
sum             answer.number
null            answer.malformed
text            answer.malformed
order           answer.order
repeat          answer.order
slow            batch.timeout
drips           batch.timeout
stops           exit.early
panics          exit.early
closes          exit.early
garbage         answer.malformed
blank           answer.malformed
half            exit.early
extra-key       answer.malformed
twice           answer.malformed
class           answer.class
no-p            answer.malformed
end-now         answer.count
no-end          answer.no_end
wrong-end       answer.no_end
stays           exit.error
after-end       answer.after_end
after-end-half  answer.after_end
code            exit.error
`

func TestMisbehaviour(t *testing.T) {
	bin := misbehave(t)
	for line := range strings.Lines(strings.TrimSpace(misbehaviours)) {
		mode, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		want = strings.TrimSpace(want)
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir, p := stage(t, map[string]string{"misbehave": bin, ManifestFile: command(mode)})
			start := time.Now()
			out, facts, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 23), quick)
			if want == "ok" {
				if err != nil || len(out.Labels) != 23 || len(out.Probs) != 46 {
					t.Fatalf("%+v, %v, %+v", out, err, facts)
				}
				return
			}
			var f *Failure
			if !errors.As(err, &f) || f.Reason != want && !(want == "answer" && strings.HasPrefix(f.Reason, "answer.")) {
				t.Fatalf("want %s, got %v; %+v", want, err, facts)
			}
			if out.Labels != nil || out.Probs != nil {
				t.Errorf("a failed run gave %d labels", len(out.Labels))
			}
			if f.Service() || f.Sentence() == Sentence("") {
				t.Errorf("%s is taken for a fault of the service: %s", f.Reason, f.Sentence())
			}
			if strings.Contains(f.Sentence(), "row was") {
				t.Errorf("the model speaks to its submitter: %s", f.Sentence())
			}
			if d := time.Since(start); d > quick.Start+3*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// A flood of well-formed lines ends at the cap on bytes.
func TestOutputCap(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("well")})
	l := quick
	l.Stdout = 100
	_, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 23), l)
	if f := new(Failure); !errors.As(err, &f) || f.Reason != LimitOutput {
		t.Error(err)
	}
}

// The same package gives the same answers at every tier, declarative or not.
func TestTiers(t *testing.T) {
	have, reasons := jail.Probe()
	t.Logf("%s %v", have, reasons)
	s := sheet(t, 23)
	x, _ := s.Rows.Column("x")
	goDir, goPack := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("well")})
	toyDir, toyPack := stage(t, map[string]string{"m.onnx": "-", ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`})
	for _, tier := range []jail.Tier{jail.None, jail.Landlock, jail.NoCgroup, jail.Jail} {
		if !have.AtLeast(tier) {
			continue // told above
		}
		for name, run := range map[string]func() (Output, Facts, error){
			"command": func() (Output, Facts, error) {
				return Runner{MinTier: tier, MaxTier: tier}.Run(t.Context(), goDir, goPack, s, quick)
			},
			"onnx": func() (Output, Facts, error) {
				return Runner{MaxTier: tier}.Run(t.Context(), toyDir, toyPack, s, quick)
			},
		} {
			out, facts, err := run()
			if err != nil || facts.Tier != string(tier) || facts.Wall <= 0 || facts.BytesOut == 0 {
				t.Fatalf("%s at %s: %v, %+v", name, tier, err, facts)
			}
			for r, v := range x.Floats {
				want := int32(0)
				if v > 0.5 {
					want = 1
				}
				if out.Labels[r] != want || math.Abs(out.Probs[2*r+1]-v) > 1e-6 {
					t.Errorf("%s at %s, row %d: %d %v, want %v", name, tier, r, out.Labels[r], out.Probs[2*r:2*r+2], v)
				}
			}
		}
	}
}

// A package that brings code does not run below the tier that was asked for; a
// declarative one does.
func TestMinTier(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("well")})
	for _, r := range []Runner{{MinTier: jail.GVisor}, {MaxTier: jail.None}, {MinTier: "jial"}} {
		_, _, err := r.Run(t.Context(), dir, p, sheet(t, 5), quick)
		var f *Failure
		if !errors.As(err, &f) || f.Reason != ServiceTier || !f.Service() {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestCancel(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("slow")})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	l := quick
	l.Batch = time.Minute
	_, _, err := Runner{MinTier: jail.None}.Run(ctx, dir, p, sheet(t, 23), l)
	var f *Failure
	if !errors.As(err, &f) || f.Reason != ServiceCancelled || f.Service() || f.Delivered == 0 {
		t.Errorf("%+v: rows were delivered, so the run is not free", err)
	}
	l.Total = 500 * time.Millisecond
	if _, _, err = (Runner{MinTier: jail.None}).Run(t.Context(), dir, p, sheet(t, 23), l); !errors.As(err, &f) || f.Reason != RunTimeout {
		t.Error(err)
	}
}

// At most two batches are in the model's hands: one that answers late has seen
// ten rows, not all.
func TestWindow(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("hangs")})
	l := quick
	l.Start = time.Second
	_, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 200), l)
	var f *Failure
	if !errors.As(err, &f) || f.Delivered != 10 {
		t.Errorf("%+v", f)
	}
}

// A model that waits until it has seen everything gets nowhere: it is never given
// more than two batches. Without the window it would get through.
func TestHoarding(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("hoards")})
	for inHand, want := range map[int]string{0: StartTimeout, 1: StartTimeout, 100: ""} {
		s, l := sheet(t, 23), quick
		if s.InHand = inHand; want != "" {
			l.Start = time.Second
		}
		_, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, s, l)
		if f := new(Failure); want == "" && err != nil || want != "" && (!errors.As(err, &f) || f.Reason != want) {
			t.Errorf("%d batches in hand: %v", inHand, err)
		}
	}
}

// One that looks whether the next batch is there already can do so with two batches
// in hand and not with one: that it looked shows in the difference.
func TestPeeking(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: command("peeks")})
	s := sheet(t, 10)
	l := quick
	l.Batch = 5 * time.Second
	for _, peeks := range []bool{true, false} {
		if s.InHand = 2; !peeks {
			s.InHand = 1
		}
		out, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, s, l)
		if err != nil {
			t.Fatal(err)
		}
		if peeked := out.Labels[0] == 1; peeked != peeks {
			t.Errorf("%d in hand: peeked %v", s.InHand, peeked)
		}
	}
}

func TestPython(t *testing.T) {
	if look("python3", filepath.SplitList(os.Getenv("PATH"))) == "" {
		t.Skip("python3 is not installed")
	}
	dir, p := stagePython(t)
	s := sheet(t, 23)
	out, facts, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, s, Limits{Start: 20 * time.Second})
	if err != nil {
		t.Fatalf("%v; %+v", err, facts)
	}
	x, _ := s.Rows.Column("x")
	if len(out.Labels) != 23 || math.Abs(out.Probs[13]-x.Floats[6]) > 1e-6 {
		t.Errorf("%+v", out)
	}
	t.Logf("%s at %s in %v", facts.Program, facts.Tier, facts.Wall)
}

func stagePython(t testing.TB) (string, *Package) {
	p, err := ReadPackage("testdata/python")
	if err != nil {
		t.Fatal(err)
	}
	dir, remove, err := StageTemp(p, "testdata/python")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return dir, p
}

func TestStartFails(t *testing.T) {
	for want, manifest := range map[string]string{
		`"no-such-program" is neither`: `{"protocol":"proctor/1","kind":"command","command":["no-such-program"],"task":"classification","classes":["a","b"]}`,
		"exec format error":            `{"protocol":"proctor/1","kind":"command","command":["./notes.txt"],"task":"classification","classes":["a","b"]}`,
	} {
		dir, p := stage(t, map[string]string{"notes.txt": "not a program", ManifestFile: manifest})
		_, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 5), quick)
		var f *Failure
		if !errors.As(err, &f) || f.Reason != StartFailed || f.Delivered != 0 || !strings.Contains(f.Detail, want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

func TestSheetIsChecked(t *testing.T) {
	dir, p := stage(t, map[string]string{"misbehave": "", ManifestFile: command("well")})
	for _, batches := range [][]int{{}, {5, 5}, {4, 0}, {9}} {
		s := sheet(t, 9)
		s.Batches = batches
		_, _, err := Runner{}.Run(t.Context(), dir, p, s, quick)
		if f := new(Failure); !errors.As(err, &f) || f.Reason != ServiceError {
			t.Errorf("%v: %v", batches, err)
		}
	}
	if _, _, err := (Runner{}).Run(t.Context(), dir, &Package{}, sheet(t, 5), quick); err == nil {
		t.Error("a package that nobody read runs")
	}
}

// Every reason has its sentence.
func TestSentences(t *testing.T) {
	for reason, s := range sentences {
		if !strings.HasSuffix(s, ".") || !strings.Contains(reason, ".") {
			t.Errorf("%s: %q", reason, s)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	dir, p := stage(b, map[string]string{"m.onnx": "-", ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`})
	const n = 100_000
	cols := make([]rows.Column, 20)
	for i := range cols {
		cols[i] = rows.Column{Name: "x" + strings.Repeat("i", i), Floats: make([]float64, n)}
		for r := range n {
			cols[i].Floats[r] = float64((r*31+i*7)%1009) / 1009
		}
	}
	cols[0].Name = "x"
	t, err := rows.New(cols...)
	if err != nil {
		b.Fatal(err)
	}
	s := Sheet{Rows: t}
	for range n / 1000 {
		s.Batches = append(s.Batches, 1000)
	}
	for b.Loop() {
		if _, _, err := (Runner{}).Run(b.Context(), dir, p, s, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}
