package intake

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"proctor/harness/jail"
)

// hostile are children that a file has taken over.
var hostile = map[string]func([]string) int{
	"silent":   func([]string) int { drain(); return 0 },
	"crashes":  func([]string) int { drain(); os.Stdout.Write(answer(2)); return 7 },
	"deaf":     func([]string) int { select {} },
	"hangs":    func([]string) int { drain(); os.Stdout.Write(answer(2)); select {} },
	"garbage":  func([]string) int { drain(); fmt.Println("<!doctype html>" + strings.Repeat("x", 1000)); return 0 },
	"endless":  func([]string) int { return endless() },
	"hungry":   func([]string) int { return hungry() },
	"cut":      func([]string) int { drain(); a := answer(2); os.Stdout.Write(a[:len(a)-9]); return 0 },
	"twice":    func([]string) int { drain(); os.Stdout.Write(append(answer(2), answer(2)...)); return 0 },
	"early":    func([]string) int { os.Stdout.Write(answer(2)); return 0 },
	"honest":   func([]string) int { drain(); os.Stdout.Write(answer(2)); return 0 },
	"promises": func([]string) int { drain(); os.Stdout.Write(promise()); select {} },
}

func drain() { io.Copy(io.Discard, os.Stdin) }

// answer is a good frame of so many rows.
func answer(n int) []byte {
	var out bytes.Buffer
	t, f := decodeCSV(bufio.NewReader(strings.NewReader("a,b\n"+strings.Repeat("1,x\n", n))), Options{})
	writeFrame(&out, t, f)
	return out.Bytes()
}

// promise begins a table of the greatest size and sends none of it.
func promise() []byte {
	var out bytes.Buffer
	w := frameWriter{bufio.NewWriter(&out)}
	w.WriteString(frameMagic + "T")
	w.u32(6)
	w.u32(MaxRows)
	w.WriteByte(isNumber)
	w.name("a")
	w.Flush()
	return out.Bytes()
}

func endless() int {
	drain()
	os.Stdout.Write(promise())
	for b := make([]byte, 1<<20); ; {
		if _, err := os.Stdout.Write(b); err != nil {
			return 1
		}
	}
}

func hungry() int {
	drain()
	var all [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
}

// Whatever the child does, the caller gets one clear error and no rows, soon.
func TestHostileChildren(t *testing.T) {
	most, _ := jail.Probe()
	tiers := []jail.Tier{jail.None}
	if most != jail.None {
		tiers = append(tiers, most)
	}
	for _, tier := range tiers {
		for role, want := range map[string]string{
			"silent":   "the decoder ended before its answer was complete",
			"crashes":  "the decoder ended: exit code 7",
			"deaf":     "not done after 1s",
			"hangs":    "not done after 1s",
			"promises": "not done after 1s",
			"garbage":  "the decoder wrote garbage",
			"endless":  "the decoder wrote garbage",
			"hungry":   "it takes more than 96 MiB of memory",
			"cut":      "the decoder ended before its answer was complete",
			"twice":    "the decoder wrote garbage",
			"honest":   "",
			"early":    "",
		} {
			t.Run(string(tier)+"/"+role, func(t *testing.T) {
				t.Parallel()
				d := decoder{role: role, memory: 96 << 20, cpu: 20 * time.Second, total: 20 * time.Second, tier: tier}
				if strings.Contains(want, "1s") {
					d.total = time.Second
				}
				tab, err := d.decode(t.Context(), "csv", strings.NewReader(strings.Repeat("a,b\n", 1<<18)), Options{})
				if want == "" {
					if err != nil || tab.Len() != 2 {
						t.Fatalf("%v, %d rows", err, tab.Len())
					}
					return
				}
				var dec *DecoderError
				if !errors.As(err, &dec) || dec.Why != want || tab.Len() != 0 {
					t.Errorf("got  %v (%d rows)\nwant %s", err, tab.Len(), want)
				}
			})
		}
	}
}

// A reader that fails in the middle, a file that is too large, a context that
// ends: never a table of the part that arrived.
func TestInterrupted(t *testing.T) {
	broken := errors.New("connection reset")
	r := io.MultiReader(strings.NewReader("a,b\n1,2\n3,4\n"), failing{broken})
	if tab, err := Decode(t.Context(), "csv", r, Options{}); !errors.Is(err, broken) || tab.Len() != 0 {
		t.Errorf("%v, %d rows", err, tab.Len())
	}
	// Negative control: what had arrived is a table by itself.
	if tab, err := Decode(t.Context(), "csv", strings.NewReader("a,b\n1,2\n3,4\n"), Options{}); err != nil || tab.Len() != 2 {
		t.Errorf("%v, %d rows", err, tab.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, "csv", strings.NewReader("a\n1\n"), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	var file *FileError
	if err := feed(io.Discard, strings.NewReader("12345"), 4); !errors.As(err, &file) {
		t.Errorf("%v", err)
	}
	if err := feed(io.Discard, strings.NewReader("12345"), 5); err != nil {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
