package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"proctor/harness/tlog"
)

// maxRequest bounds a request: a line with the old size, 63 hashes, a checkpoint.
const maxRequest = 64*64 + tlog.MaxCheckpoint

func origin(checkpoint []byte) string {
	name, _, _ := bytes.Cut(checkpoint, []byte("\n"))
	return string(name)
}

// format returns the body of add-checkpoint.
func format(old int64, proof []tlog.Hash, checkpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteString("\n")
	b.Write(checkpoint)
	return b.Bytes()
}

// parse reads what format writes, and nothing else.
func parse(body []byte) (old int64, proof []tlog.Hash, checkpoint []byte, err error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	size, ok2 := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(size, 10, 64)
	if !ok || !ok2 || err != nil || old < 0 || len(lines) > 64 {
		return 0, nil, nil, ErrMalformed
	}
	for _, l := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(h) != len(tlog.Hash{}) {
			return 0, nil, nil, ErrMalformed
		}
		proof = append(proof, tlog.Hash(h))
	}
	if !bytes.Equal(format(old, proof, checkpoint), body) {
		return 0, nil, nil, ErrMalformed
	}
	return old, proof, checkpoint, nil
}

// ServeHTTP answers POST /add-checkpoint.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/add-checkpoint" {
		http.Error(rw, "POST /add-checkpoint", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(rw, "POST /add-checkpoint", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		http.Error(rw, "the request is too long", http.StatusBadRequest)
		return
	}
	old, proof, checkpoint, err := parse(body)
	var line []byte
	if err == nil {
		line, err = w.Add(old, proof, checkpoint)
	}
	var conflict *ConflictError
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Write(line)
	case errors.As(err, &conflict):
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintf(rw, "%d\n", conflict.Size)
	case errors.Is(err, ErrMalformed):
		http.Error(rw, err.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrUnknownLog):
		http.Error(rw, err.Error(), http.StatusNotFound)
	case errors.Is(err, ErrBadNote):
		http.Error(rw, ErrBadNote.Error(), http.StatusForbidden)
	case errors.Is(err, ErrProof):
		http.Error(rw, err.Error(), http.StatusUnprocessableEntity)
	default:
		http.Error(rw, "the witness cannot keep what it sees", http.StatusInternalServerError)
	}
}
