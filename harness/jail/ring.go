package jail

import "sync"

// stderrSize is how much of a program's standard error is kept.
const stderrSize = 64 << 10

// A ring keeps the last bytes written to it. A write never fails or waits.
type ring struct {
	mu   sync.Mutex
	buf  [stderrSize]byte
	next int
	full bool
}

func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(p)
	p = p[max(0, n-len(r.buf)):]
	for len(p) > 0 {
		k := copy(r.buf[r.next:], p)
		p = p[k:]
		if r.next += k; r.next == len(r.buf) {
			r.next, r.full = 0, true
		}
	}
	return n, nil
}

func (r *ring) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full {
		return append([]byte(nil), r.buf[:r.next]...)
	}
	return append(append([]byte(nil), r.buf[r.next:]...), r.buf[:r.next]...)
}
