package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"proctor/harness/jail"
	"proctor/holdout/rows"
)

// A decoder says how the child is run.
type decoder struct {
	role   string
	memory int64 // bytes
	cpu    time.Duration
	total  time.Duration // from the start to the complete answer, the upload included
	tier   jail.Tier     // not above; "" is as high as the machine goes
}

// standard takes 1 M rows of 15 columns in about a fifth of its memory.
var standard = decoder{role: roleDecode, memory: 2 << 30, cpu: 3 * time.Minute, total: 10 * time.Minute}

// order is the first line that the child gets; the file follows.
type order struct {
	Format string   `json:"format"`
	Text   []string `json:"text"`
}

// Decode reads a file of rows. The format is "csv", "jsonl",
// "parquet" (flat) or "arrow" (an IPC file); the first two look so:
//
//	age,sex,income          {"age":38,"sex":"Male","income":"<=50K"}
//	38,Male,<=50K           {"age":52,"sex":"Female","income":">50K"}
//	52,Female,>50K
//
// A CSV column holds numbers if every value is a finite decimal number and
// [Options] do not name it as text; a column of which all but a few values are
// numbers, the others missing, infinite or NaN, is an error rather than text. In
// JSONL the types are those of the first line, in the others those of the schema.
//
// The error is a *FileError, a *DecoderError, the context's or the reader's. The
// table is complete or there is none. r is read by the calling goroutine and not
// after Decode returns; while a Read of r blocks, so does Decode.
func Decode(ctx context.Context, format string, r io.Reader, opt Options) (rows.Table, error) {
	return standard.decode(ctx, format, r, opt)
}

func (d decoder) decode(ctx context.Context, format string, r io.Reader, opt Options) (rows.Table, error) {
	if !slices.Contains(formats, format) {
		return rows.Table{}, &FileError{What: fmt.Sprintf("format %.20q is not known; known are %s", format, strings.Join(formats, ", "))}
	}
	first, err := json.Marshal(order{format, opt.Text})
	if err != nil {
		return rows.Table{}, err
	}
	limited, cancel := context.WithTimeout(ctx, d.total)
	defer cancel()
	p, err := jail.Start(limited, jail.Spec{
		Role: d.role, MinTier: jail.None, MaxTier: d.tier,
		Limits: jail.Limits{CPU: d.cpu, Memory: d.memory, Pids: 64, Files: 64},
	})
	if err != nil {
		return rows.Table{}, errors.Join(ctx.Err(), fmt.Errorf("start the decoder: %w", err))
	}
	t, readErr, feedErr := converse(p, io.MultiReader(strings.NewReader(string(first)+"\n"), r), int64(len(first)+1))
	exit, err := p.Wait()
	switch {
	case ctx.Err() != nil:
		return rows.Table{}, ctx.Err()
	case feedErr != nil:
		return rows.Table{}, feedErr
	case limited.Err() != nil:
		return rows.Table{}, &DecoderError{fmt.Sprintf("not done after %v", d.total)}
	case err != nil:
		return rows.Table{}, fmt.Errorf("end the decoder: %w", err)
	}
	if err := d.blame(readErr, exit, string(p.Stderr())); err != nil {
		return rows.Table{}, err
	}
	return t, nil
}

// converse feeds the child and reads its answer; afterwards the child is dead or
// dying. feedErr is what is wrong with the input as a stream.
func converse(p *jail.Process, in io.Reader, extra int64) (t rows.Table, readErr, feedErr error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if t, readErr = readFrame(p.Stdout); errors.Is(readErr, errFrame) {
			p.Kill() // it may wait for us to read on
		}
		p.Stdout.Close()
	}()
	feedErr = feed(p.Stdin, in, MaxBytes+extra)
	p.Stdin.Close()
	if feedErr != nil {
		p.Kill()
	}
	<-done
	return t, readErr, feedErr
}

func isFile(err error) bool {
	var f *FileError
	return errors.As(err, &f)
}

// feed copies to the child until either end has enough. That the child reads no
// more is no error: it has found a fault, or died, and its answer says so.
func feed(w io.Writer, r io.Reader, most int64) error {
	buf := make([]byte, 1<<16)
	for {
		n, err := r.Read(buf)
		if most -= int64(n); most < 0 {
			return &FileError{What: fmt.Sprintf("the file is larger than %d bytes", MaxBytes)}
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
	}
}

// blame turns what happened to the child into an error, or nil. An answer counts
// only from a child that ended well: one that died may have died in the middle.
func (d decoder) blame(readErr error, exit jail.Exit, stderr string) error {
	if isFile(readErr) || readErr == nil && exit.OK() {
		return readErr
	}
	noMemory := exit.OutOfMem || strings.Contains(stderr, "out of memory") || strings.Contains(stderr, "cannot allocate memory")
	switch {
	case noMemory:
		return &DecoderError{fmt.Sprintf("it takes more than %d MiB of memory", d.memory>>20)}
	case exit.OutOfCPU:
		return &DecoderError{fmt.Sprintf("it takes more than %v of processor time", d.cpu)}
	case errors.Is(readErr, errFrame):
		return &DecoderError{"the decoder wrote garbage"}
	case readErr != nil && exit.OK():
		return &DecoderError{"the decoder ended before its answer was complete"}
	}
	return &DecoderError{"the decoder ended: " + exit.String()}
}
