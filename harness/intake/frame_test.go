package intake

import (
	"bufio"
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

// specimen frames: a table of numbers and text, and a fault.
func specimens() [][]byte {
	var fault, tab bytes.Buffer
	_, f := decodeCSV(bufio.NewReader(strings.NewReader("a,b\n1\n")), Options{})
	writeFrame(&fault, nil, f)
	t, _ := decodeCSV(bufio.NewReader(strings.NewReader("age,sex\n38,Male\n52,Female\n")), Options{})
	writeFrame(&tab, t, nil)
	return [][]byte{tab.Bytes(), fault.Bytes()}
}

// A frame that is cut anywhere, or continued, is no answer.
func TestFrameCut(t *testing.T) {
	for i, frame := range specimens() {
		_, whole := readFrame(bytes.NewReader(frame))
		if isFile(whole) != (i == 1) || whole != nil && i == 0 {
			t.Fatalf("specimen %d: %v", i, whole)
		}
		for n := range frame {
			if tab, err := readFrame(bytes.NewReader(frame[:n])); err == nil || isFile(err) || tab.Len() != 0 {
				t.Errorf("specimen %d cut to %d bytes: %v", i, n, err)
			}
		}
		if _, err := readFrame(bytes.NewReader(append(bytes.Clone(frame), 0))); !errors.Is(err, errFrame) {
			t.Errorf("specimen %d and a byte: %v", i, err)
		}
	}
}

// Lengths and counts that lie are refused, or cost no more than what arrives.
func TestFrameLies(t *testing.T) {
	head := func(cols, n int) *bytes.Buffer {
		var out bytes.Buffer
		w := frameWriter{bufio.NewWriter(&out)}
		w.WriteString(frameMagic + "T")
		w.u32(cols)
		w.u32(n)
		w.Flush()
		return &out
	}
	text := func(lens ...int) *bytes.Buffer {
		out := head(1, len(lens))
		w := frameWriter{bufio.NewWriter(out)}
		w.WriteByte(isText)
		w.name("a")
		for _, n := range lens {
			w.u32(n)
		}
		w.Flush()
		return out
	}
	number := func(v float64) *bytes.Buffer {
		out := head(1, 1)
		w := frameWriter{bufio.NewWriter(out)}
		w.column(&column{name: "a", floats: []float64{v}})
		w.WriteByte(frameEnd)
		w.Flush()
		return out
	}
	if _, err := readFrame(number(1)); err != nil {
		t.Fatalf("negative control: %v", err)
	}
	many := make([]int, MaxBytes/MaxValue+1)
	for i := range many {
		many[i] = MaxValue
	}
	for name, in := range map[string]*bytes.Buffer{
		"no columns":     head(0, 1),
		"no rows":        head(1, 0),
		"rows":           head(1, MaxRows+1),
		"columns":        head(MaxColumns+1, 1),
		"cells":          head(MaxColumns, MaxRows),
		"most of u32":    head(math.MaxUint32, math.MaxUint32),
		"a long value":   text(MaxValue + 1),
		"a longer value": text(math.MaxUint32),
		"much text":      text(many...),
		"NaN":            number(math.NaN()),
		"infinite":       number(math.Inf(-1)),
		"a made-up code": bytes.NewBufferString(frameMagic + "F\xf0" + strings.Repeat("\x00", 20) + "."),
		"a type":         bytes.NewBufferString(head(1, 1).String() + "x\x01\x00\x00\x00a" + strings.Repeat("\x00", 8) + "."),
		"bad UTF-8":      bytes.NewBufferString(text(1).String() + "\xff."),
		"a bad name":     bytes.NewBufferString(frameMagic + "F\x00" + strings.Repeat("\x00", 16) + "\x01\x00\x00\x00\xff."),
		"a long name":    bytes.NewBufferString(frameMagic + "F\x00" + strings.Repeat("\x00", 16) + "\x01\x01\x00\x00" + strings.Repeat("a", 257) + "."),
		"two of a name":  bytes.NewBufferString(head(2, 1).String() + strings.Repeat("n\x01\x00\x00\x00a"+strings.Repeat("\x00", 8), 2) + "."),
	} {
		if tab, err := readFrame(in); !errors.Is(err, errFrame) || tab.Len() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// readBounded reads a frame and fails if that takes memory out of proportion.
func readBounded(t *testing.T, frame []byte) (rows.Table, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tab, err := readFrame(bytes.NewReader(frame))
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(8<<20+100*len(frame)); got > most {
		t.Errorf("%d bytes were allocated for a frame of %d", got, len(frame))
	}
	if err == nil {
		if _, err := rows.New(tab.Columns()...); err != nil || tab.Len() == 0 {
			t.Errorf("a table that is none: %v", err)
		}
	}
	return tab, err
}

// Seeded mutations: no panic, no allocation ahead of the bytes.
func TestFrameMutations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	refused := 0
	for range 20_000 {
		frame := bytes.Clone(specimens()[rng.IntN(2)])
		for range 1 + rng.IntN(3) {
			switch i := len(frameMagic) + rng.IntN(len(frame)-len(frameMagic)); rng.IntN(3) {
			case 0:
				frame[i] ^= 1 << rng.IntN(8)
			case 1:
				frame[i] = 0xff
			case 2:
				frame = append(frame[:i], frame[i+1:]...)
			}
			if len(frame) <= len(frameMagic) {
				break
			}
		}
		if _, err := readFrame(bytes.NewReader(frame)); err != nil && !isFile(err) {
			refused++
		}
		if rng.IntN(50) == 0 {
			readBounded(t, frame)
		}
	}
	if refused < 10_000 {
		t.Errorf("only %d mutations were refused", refused)
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range specimens() {
		f.Add(s)
	}
	f.Add(promise())
	f.Fuzz(func(t *testing.T, frame []byte) { readBounded(t, frame) })
}
