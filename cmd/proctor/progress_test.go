package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// The bar is drawn at most ten times a second, ends with what comes next, and is gone
// afterwards.
func TestProgress(t *testing.T) {
	var w bytes.Buffer
	clock := time.Unix(0, 0)
	p := &progress{w: &w, what: "sending", total: 100e6, began: clock, now: func() time.Time { return clock }}
	step := func(n int64, after time.Duration) string {
		w.Reset()
		clock = clock.Add(after)
		p.add(n)
		return w.String()
	}
	if got := step(50e6, time.Second); !strings.Contains(got, "sending [===============               ]  50 %  50 of 100 MB, 50 MB/s") {
		t.Errorf("%q", got)
	}
	if got := step(1e6, 50*time.Millisecond); got != "" {
		t.Errorf("drawn again after a twentieth of a second: %q", got)
	}
	if got := step(49e6, 0); !strings.Contains(got, "100 %") || !strings.HasSuffix(got, "the service is checking the rows ...") {
		t.Errorf("%q", got)
	}
	if got := step(0, time.Second); got != "" { // the end of the file
		t.Errorf("%q", got)
	}
	w.Reset()
	if p.end(); w.String() != "\r\x1b[K" {
		t.Errorf("%q", w.String())
	}
}

// A pipe or a file gets no bar; all is read as it is.
func TestNoProgress(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	for _, w := range []io.Writer{&b, f} {
		p := newProgress(w, "sending", 3)
		got, err := io.ReadAll(p.reader(strings.NewReader("abc")))
		p.end()
		if err != nil || string(got) != "abc" || p.done != 3 {
			t.Errorf("%q %v", got, err)
		}
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 || b.Len() != 0 {
		t.Errorf("%v %d bytes in a file, %q", err, info.Size(), b.String())
	}
}
