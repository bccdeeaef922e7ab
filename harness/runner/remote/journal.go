package remote

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"proctor/harness/runner/served"
	"proctor/harness/tlog"
)

// A Journal keeps what a text model answered, each answer as it comes, so that a run
// that was cut off asks nothing twice. It is a file of lines:
//
//	{"journal":"proctor/answers/1","suites":["sha256:..."],"asked":"sha256:...","examples":3}
//	{"i":2,"a":"Yes."}
//
// where i is the place of an example among those of the suites, from 0. A line counts
// when its end is written; what is left of the last one by a crash is cut off. One
// process writes at a time.
type Journal struct {
	head Head
	held io.Closer  // the lock
	mu   sync.Mutex // guards what follows
	f    *os.File
	has  []bool // by example: it is answered
	size int64  // bytes of whole lines
}

// A Head says what a journal holds the answers of.
type Head struct {
	Format   string   `json:"journal"`
	Suites   []string `json:"suites"`   // digests
	Asked    string   `json:"asked"`    // digest of everything else that a request is made of
	Examples int      `json:"examples"` // how many there are to answer
}

const (
	journalFormat = "proctor/answers/1"
	maxJournal    = 1 << 30 // bytes
	maxEntry      = 8 << 20 // bytes of a line: an answer of maxText, escaped
)

// An entry is one line.
type entry struct {
	I int    `json:"i"`
	A string `json:"a"`
}

// OpenJournal opens the journal of a run, or begins one. It refuses a file that holds
// anything else than the answers to the same questions.
func OpenJournal(path string, h Head) (*Journal, error) {
	h.Format = journalFormat
	held, err := tlog.Lock(path)
	if errors.Is(err, tlog.ErrHeld) {
		return nil, fmt.Errorf("%s: another process is writing to it", path)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	j := &Journal{head: h, f: f, held: held, has: make([]bool, h.Examples)}
	if err := j.resume(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close(), held.Close())
	}
	return j, nil
}

// resume reads what is there, and makes the file end with its last whole line.
func (j *Journal) resume() error {
	got, end, err := readJournal(j.f, func(e entry) error { j.has[e.I] = true; return nil }, &j.head)
	if err != nil {
		return err
	}
	if j.size = end; got == nil { // new, or not even the head was written
		head, err := line(j.head)
		if err != nil {
			return err
		}
		if err := j.write(head); err != nil {
			return err
		}
	}
	return j.f.Truncate(j.size)
}

// write appends at the end of what is whole.
func (j *Journal) write(text []byte) error {
	if j.size+int64(len(text)) > maxJournal {
		return fmt.Errorf("the answers are longer than %d bytes", maxJournal)
	}
	n, err := j.f.WriteAt(text, j.size)
	if err != nil {
		return err
	}
	j.size += int64(n)
	return nil
}

// Answered is how many examples have an answer.
func (j *Journal) Answered() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, has := range j.has {
		if has {
			n++
		}
	}
	return n
}

// Ask asks what is not answered yet, at most [AtOnce] examples at a time, and writes each
// answer down before another is asked in its place. Memory does not grow with the answers.
func (j *Journal) Ask(ctx context.Context, ask func(ctx context.Context, i int) (string, error)) error {
	return served.Each(ctx, AtOnce, len(j.has), func(ctx context.Context, i int) error {
		if j.answered(i) {
			return nil
		}
		text, err := ask(ctx, i)
		if err != nil {
			return fmt.Errorf("example %d: %w", i+1, err)
		}
		return j.add(entry{i, text})
	})
}

func (j *Journal) answered(i int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.has[i]
}

func (j *Journal) add(e entry) error {
	b, err := line(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.write(b); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.has[e.I] = true
	return nil
}

// Close ends the journal and makes sure that it is on the disk.
func (j *Journal) Close() error { return errors.Join(j.f.Sync(), j.f.Close(), j.held.Close()) }

// IsJournal says whether a file begins as a journal does.
func IsJournal(f io.ReaderAt) bool {
	begin := []byte(`{"journal":`)
	got := make([]byte, len(begin))
	_, err := f.ReadAt(got, 0)
	return err == nil && bytes.Equal(got, begin)
}

// ReadAnswers returns the answers of a journal that is complete, in the order of the
// examples of the suites, which must be those that it was made with.
func ReadAnswers(path string, suites []string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var answers []string
	var has []bool
	n := 0
	head, _, err := readJournal(f, func(e entry) error {
		for e.I >= len(answers) {
			answers, has = append(answers, ""), append(has, false)
		}
		answers[e.I], has[e.I] = e.A, true
		n++
		return nil
	}, nil)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case head == nil || !slices.Equal(head.Suites, suites):
		return nil, fmt.Errorf("%s holds answers to other suites, or to other versions of them", path)
	case n != head.Examples:
		return nil, fmt.Errorf("%s: suite.count_mismatch: %d of %d examples are answered; the run that asks them was cut off: start it again", path, n, head.Examples)
	}
	return answers, nil
}

// readJournal reads lines from the beginning and gives each whole one to take. It
// returns the head, nil if there is none, and where the last whole line ends. A head
// that is not want, unless that is nil, is refused before a line is read.
func readJournal(f io.Reader, take func(entry) error, want *Head) (head *Head, end int64, err error) {
	r := bufio.NewReaderSize(io.LimitReader(f, maxJournal+1), 64<<10)
	var seen []bool
	for n := 1; ; n++ {
		text, err := longLine(r)
		if err == io.EOF {
			return head, end, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		end += int64(len(text))
		if head == nil {
			if head, err = readHead(text, want); err != nil {
				return nil, 0, err
			}
			seen = make([]bool, head.Examples)
			continue
		}
		var e entry
		if !exact(text, &e) || e.I < 0 || e.I >= len(seen) || seen[e.I] {
			return nil, 0, fmt.Errorf("line %d is not the answer to an example that has none yet: the file was changed; remove it, and all is asked again", n)
		}
		seen[e.I] = true
		if err := take(e); err != nil {
			return nil, 0, err
		}
	}
}

const maxExamples = 64 << 20 // as many as a suite has cells at most

func readHead(text []byte, want *Head) (*Head, error) {
	var h Head
	if !exact(text, &h) || h.Format != journalFormat || h.Examples < 0 || h.Examples > maxExamples {
		return nil, fmt.Errorf("not a journal of answers (%s)", journalFormat)
	}
	if want != nil && (h.Asked != want.Asked || h.Examples != want.Examples || !slices.Equal(h.Suites, want.Suites)) {
		return nil, errors.New("the journal is of another run: of other suites, or of another model, prompt or endpoint; name another file")
	}
	return &h, nil
}

// line prints what stands in a line of a journal.
func line(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// exact reads a line that was printed by line, and no other.
func exact[T any](text []byte, into *T) bool {
	if json.Unmarshal(text, into) != nil {
		return false
	}
	again, err := line(*into)
	return err == nil && bytes.Equal(again, text)
}

// longLine reads a line with its end; io.EOF where there is no whole one left.
func longLine(r *bufio.Reader) ([]byte, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		if b = append(b, part...); len(b) > maxEntry {
			return nil, fmt.Errorf("longer than %d bytes", maxEntry)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return b, err
		}
	}
}

// Asked is the digest of what all requests of a run have in common.
func Asked(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%d:%s", len(p), p)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(b.String())))
}
