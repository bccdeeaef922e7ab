package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A progress shows on a terminal how much of the files has been read. Where there is
// no terminal it shows nothing.
type progress struct {
	w           io.Writer // nil: nobody is looking
	what        string
	total, done int64
	began, last time.Time
	now         func() time.Time
}

// newProgress watches the reading of files of so many bytes together.
func newProgress(w io.Writer, what string, total int64) *progress {
	p := &progress{what: what, total: total, now: time.Now}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	p.began = p.now()
	return p
}

// reader counts what is read from r.
func (p *progress) reader(r io.Reader) io.Reader { return counted{r, p} }

type counted struct {
	io.Reader
	p *progress
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.p.add(int64(n))
	return n, err
}

const (
	barWidth = 30
	redraw   = 100 * time.Millisecond
)

// add draws the bar, ten times a second at most and once when all has been read.
//
//	sending the tables [===========                   ]  38 %  460 of 1208 MB, 52 MB/s
func (p *progress) add(n int64) {
	whole := p.done >= p.total
	p.done += n
	now := p.now()
	if p.w == nil || whole || p.done < p.total && now.Sub(p.last) < redraw {
		return
	}
	p.last = now
	share := 1.0
	if p.total > 0 {
		share = min(1, float64(p.done)/float64(p.total))
	}
	bar := strings.Repeat("=", int(share*barWidth))
	rate := float64(p.done) / 1e6 / max(1e-3, now.Sub(p.began).Seconds())
	fmt.Fprintf(p.w, "\r\x1b[K%s [%-*s] %3.0f %%  %d of %d MB, %.0f MB/s", p.what, barWidth, bar, 100*share, p.done/1e6, p.total/1e6, rate)
	if p.done >= p.total {
		fmt.Fprintf(p.w, "\r\x1b[Kthe service is checking the rows ...")
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
