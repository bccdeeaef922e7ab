package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/cosig"
	"proctor/harness/tlog"
)

// A Peer is a witness as a log asks it. One goroutine uses it.
type Peer struct {
	URL  string // address; add-checkpoint is below it
	Key  *cosig.Verifier
	HTTP *http.Client // nil: http.DefaultClient

	size int64 // that the witness saw last, as far as is known
}

// ParsePeer reads "KEY ADDRESS".
func ParsePeer(s string) (*Peer, error) {
	key, url, ok := strings.Cut(s, " ")
	if !ok || !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return nil, fmt.Errorf("witness %.80q: not a verifier key, a space and an address", s)
	}
	v, err := cosig.ParseVerifier(key)
	if err != nil {
		return nil, err
	}
	return &Peer{URL: strings.TrimSuffix(url, "/"), Key: v}, nil
}

// Ask asks the witness to cosign a checkpoint of n entries, and returns its line, which
// is checked. prove returns the consistency proof from an older size.
func (p *Peer) Ask(ctx context.Context, checkpoint []byte, n int64, prove func(old int64) ([]tlog.Hash, error)) ([]byte, error) {
	line, err := p.ask(ctx, checkpoint, prove)
	var conflict *ConflictError
	if errors.As(err, &conflict) && conflict.Size != p.size && conflict.Size <= n { // it remembers more than we do, or less
		p.size = conflict.Size
		line, err = p.ask(ctx, checkpoint, prove)
	}
	if err != nil {
		return nil, fmt.Errorf("witness %s: %w", p.Key.Name(), err)
	}
	if err := p.check(checkpoint, line); err != nil {
		return nil, fmt.Errorf("witness %s: %w", p.Key.Name(), err)
	}
	p.size = n
	return line, nil
}

func (p *Peer) ask(ctx context.Context, checkpoint []byte, prove func(old int64) ([]tlog.Hash, error)) ([]byte, error) {
	proof, err := prove(p.size)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/add-checkpoint", bytes.NewReader(format(p.size, proof, checkpoint)))
	if err != nil {
		return nil, err
	}
	h := p.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	resp, err := h.Do(req)
	if err != nil {
		return nil, errors.New("it does not answer")
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return nil, errors.New("it broke off its answer")
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return b, nil
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSuffix(string(b), "\n"), 10, 64)
		if err != nil || size < 0 {
			return nil, errors.New("it answered with a conflict of no size")
		}
		return nil, &ConflictError{size}
	}
	return nil, fmt.Errorf("it answered %s", resp.Status)
}

// check demands exactly one line, by this witness over this checkpoint.
func (p *Peer) check(checkpoint, line []byte) error {
	if bytes.Count(line, []byte("\n")) != 1 {
		return errors.New("its answer is not one line")
	}
	n, err := note.Open(append(bytes.Clone(checkpoint), line...), note.VerifierList(p.Key))
	if err != nil || len(n.Sigs) != 1 {
		return errors.New("its answer is no cosignature of this checkpoint")
	}
	return nil
}
