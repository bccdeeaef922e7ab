package runner

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// window is how many batches a model may hold unanswered where the sheet does not say.
const window = 2

// roomFor is how many answers room is made for before they are there.
const roomFor = 1 << 23

// A peer is the other end of a conversation.
type peer struct {
	in   io.WriteCloser
	out  *os.File
	done <-chan struct{} // closed when it has ended
	kill func()
}

// A conversation asks a model all batches and takes down its answers: one
// goroutine writes, the caller's reads, both end when the process does.
type conversation struct {
	peer   peer
	in     io.WriteCloser
	read   *bufio.Reader
	sheet  Sheet
	input  string // the form of batches
	k      int
	limits Limits
	line   []byte
	bytes  int64
	out    Output

	turn  chan struct{} // one token for each batch that may still be sent
	quit  chan struct{} // closed when the reader is done
	wrote chan struct{} // closed when the writer is done
	sent  atomic.Int64  // rows
	asked atomic.Int64  // batches
	ended bool          // the output ended; owned by the reader
}

func newConversation(p peer, s Sheet, m Manifest, l Limits) *conversation {
	inHand := cmp.Or(s.InHand, window)
	c := &conversation{peer: p, in: p.in, sheet: s, input: m.Input, k: len(m.Classes), limits: l, turn: make(chan struct{}, inHand),
		quit: make(chan struct{}), wrote: make(chan struct{})}
	c.read = bufio.NewReaderSize(p.out, 64<<10)
	for range inHand {
		c.turn <- struct{}{}
	}
	return c
}

// write sends the batches, each when its turn comes, and closes the input.
func (c *conversation) write() {
	defer close(c.wrote)
	defer c.in.Close()
	w := newBatchWriter(c.input, c.in)
	lo := 0
	for b, n := range c.sheet.Batches {
		select {
		case <-c.turn:
		case <-c.quit:
			return
		}
		c.sent.Add(int64(n)) // before: a row that may have been seen was seen
		c.asked.Store(int64(b + 1))
		if err := w.write(b+1, c.sheet.Rows.Slice(lo, lo+n)); err != nil {
			return // the process is gone; the reader finds out why
		}
		lo += n
	}
	_ = w.end() // likewise
}

// run returns nil when every row is answered and the process has ended its output.
func (c *conversation) run() *violation {
	go c.write()
	defer close(c.quit)
	wait, late := c.limits.Start, StartTimeout
	for b, n := range c.sheet.Batches {
		line, v := c.next(maxLine(n, c.k), wait, late)
		if v == nil {
			v = c.take(line, b+1, n)
		}
		if v != nil {
			return v
		}
		c.turn <- struct{}{} // never blocks: take made sure that a token was used
		wait, late = c.limits.Batch, BatchTimeout
	}
	return c.finish()
}

// take believes one answer, or says why not.
func (c *conversation) take(line []byte, batch, n int) *violation {
	a, v := parseAnswer(line, n, c.k)
	if v == nil {
		v = a.check(batch, n, c.k)
	}
	if v != nil {
		return v
	}
	if int(c.asked.Load()) < batch {
		return violationf(AnswerOrder, "batch %d was answered before it was asked", batch)
	}
	if batch > 1 && (a.probs == nil) != (c.out.Probs == nil) {
		return violationf(AnswerMalformed, "batch %d: probabilities are in some answers and not in others", batch)
	}
	if a.labels == nil {
		a.labels = make([]int32, n)
		for r := range n {
			a.labels[r] = argmax(a.probs[r*c.k : (r+1)*c.k])
		}
	}
	if batch == 1 { // in one go where it is not much
		c.out.Labels = make([]int32, 0, min(c.sheet.Rows.Len(), roomFor))
		if a.probs != nil {
			c.out.Probs = make([]float64, 0, min(c.sheet.Rows.Len()*c.k, roomFor))
		}
	}
	c.out.Labels = append(c.out.Labels, a.labels...)
	c.out.Probs = append(c.out.Probs, a.probs...)
	return nil
}

// finish wants the end line and then nothing.
func (c *conversation) finish() *violation {
	line, v := c.next(1024, c.limits.Batch, BatchTimeout)
	if v != nil {
		if v.reason == ExitEarly {
			v.reason = AnswerEnd
		}
		return v
	}
	a, v := parseAnswer(line, 0, c.k)
	if v != nil || !a.isEnd {
		return violationf(AnswerEnd, "%d bytes in place of the end line", len(line))
	}
	if a.end != c.sheet.Rows.Len() {
		return violationf(AnswerEnd, "the end line counts %d rows of %d", a.end, c.sheet.Rows.Len())
	}
	line, v = c.next(1024, grace(c.limits), ExitError)
	switch {
	case v == nil:
		return violationf(AnswerAfterEnd, "%d bytes after the end line", len(line))
	case v.reason == ExitEarly && len(line) == 0:
		return nil
	case v.reason == ExitEarly || v.reason == AnswerLong:
		return violationf(AnswerAfterEnd, "%d bytes after the end line", len(line))
	case v.reason == ExitError:
		v.detail = "still running after its end line"
	}
	return v
}

// next reads a line of at most most bytes, without its line feed. When the output
// ends, the reason is ExitEarly and what was read of a line is returned.
func (c *conversation) next(most int, wait time.Duration, late string) ([]byte, *violation) {
	c.peer.out.SetReadDeadline(time.Now().Add(wait))
	c.line = c.line[:0]
	for {
		part, err := c.read.ReadSlice('\n')
		c.line = append(c.line, part...)
		c.bytes += int64(len(part))
		switch {
		case c.bytes > c.limits.Stdout:
			return c.line, violationf(LimitOutput, "more than %d bytes", c.limits.Stdout)
		case len(c.line) > most:
			return c.line, violationf(AnswerLong, "a line of more than %d bytes", most)
		case err == nil:
			return c.line[:len(c.line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, os.ErrDeadlineExceeded):
			return c.line, violationf(late, "nothing complete after %v", wait)
		default:
			c.ended = true
			return c.line, violationf(ExitEarly, "output ended (%v) after %d of %d rows", err, len(c.out.Labels), c.sheet.Rows.Len())
		}
	}
}

// stop ends the process. One that ended its output is given a moment to end by
// itself, so that it is known how.
func (c *conversation) stop() {
	if c.ended {
		select {
		case <-c.peer.done:
		case <-time.After(time.Second):
		}
	}
	c.peer.kill()
}

func (c *conversation) close() {
	c.in.Close() // frees the writer, if it waits for a reader that is gone
	<-c.wrote
	c.peer.out.Close()
}

func (c *conversation) delivered() int { return int(c.sent.Load()) }
