package tlog_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"proctor/harness/tlog"
	"proctor/harness/verdict/verdicttest"
)

// A world is a log's key, head file and storage.
type world struct {
	t     *testing.T
	dir   string
	log   *tlog.Log
	head  *tlog.Head
	store *verdicttest.Store
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), store: &verdicttest.Store{}}
	var err error
	if w.log, err = tlog.CreateKey(filepath.Join(w.dir, "log.key"), "log.proctor.example", rand.Reader); err != nil {
		t.Fatal(err)
	}
	if err := tlog.CreateHead(w.path(), w.log); err != nil {
		t.Fatal(err)
	}
	w.open()
	return w
}

func (w *world) path() string { return filepath.Join(w.dir, "head") }

// open takes the head as a starting process does.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.head, err = tlog.OpenHead(w.path(), w.log); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.head.Close() })
}

func (w *world) restart() { w.t.Helper(); w.head.Close(); w.open() }

func (w *world) append(leaf string) int64 {
	w.t.Helper()
	i, err := tlog.Append(w.store, tlog.Entry{Leaf: []byte(leaf)})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) advance() error { return w.head.Advance(w.store.View) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// All sizes up to 70, all entries of each: the proof verifies, and so does every
// consistency proof between two sizes. The roots are those of a slow obvious twin.
func TestProofsOfAllSizes(t *testing.T) {
	w := newWorld(t)
	var leaves []string
	var trees []tlog.Tree
	for n := range 70 {
		_, tree := w.head.Checkpoint()
		if want := slowRoot(leaves); tree.N != int64(n) || tree.Hash != want {
			t.Fatalf("%d entries: root %v, want %v", n, tree, want)
		}
		trees = append(trees, tree)
		leaves = append(leaves, fmt.Sprint("leaf ", n))
		w.append(leaves[n])
		w.must(w.advance())
		for i := range leaves {
			p, err := w.head.Prove(w.store, int64(i))
			w.must(err)
			if size, err := p.Check([]byte(leaves[i]), w.log.Key()); err != nil || size != int64(n+1) {
				t.Fatalf("entry %d of %d: %v", i, n+1, err)
			}
			if _, err := p.Check([]byte("something else"), w.log.Key()); err == nil {
				t.Fatalf("entry %d of %d: another leaf is in the log", i, n+1)
			}
			if back, err := tlog.ParseProof(p.Text()); err != nil || !bytes.Equal(back.Text(), p.Text()) {
				t.Fatalf("text: %v", err)
			}
		}
	}
	for b := range trees {
		for a := range b + 1 {
			p, err := tlog.Consistency(w.store, int64(a), int64(b))
			w.must(err)
			w.must(tlog.CheckConsistency(p, trees[a], trees[b]))
			other := trees[a]
			other.Hash[0] ^= 1
			if tlog.CheckConsistency(p, other, trees[b]) == nil {
				t.Fatalf("%d to %d: another history is consistent", a, b)
			}
		}
	}
	if _, err := w.head.Prove(w.store, 70); err == nil {
		t.Error("an entry that does not exist has a proof")
	}
	if _, err := w.head.Prove(w.store, -1); err == nil {
		t.Error("entry -1 has a proof")
	}
	if _, err := tlog.Consistency(w.store, 5, 71); err == nil {
		t.Error("a size that does not exist has a proof")
	}
}

// slowRoot is RFC 6962 section 2.1, written down.
func slowRoot(leaves []string) tlog.Hash {
	switch len(leaves) {
	case 0:
		h, _ := xtlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") // SHA-256 of nothing
		return h
	case 1:
		return xtlog.RecordHash([]byte(leaves[0]))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return xtlog.NodeHash(slowRoot(leaves[:k]), slowRoot(leaves[k:]))
}

// 10,000 changed proofs: none is accepted.
func TestChangedProofs(t *testing.T) {
	w := newWorld(t)
	for i := range 100 {
		w.append(fmt.Sprint("leaf ", i))
	}
	w.must(w.advance())
	rng := mrand.New(mrand.NewPCG(1, 2))
	for range 10000 {
		i := rng.Int64N(100)
		p, err := w.head.Prove(w.store, i)
		w.must(err)
		p.Hashes = append([]tlog.Hash(nil), p.Hashes...)
		switch rng.IntN(5) {
		case 0:
			p.Hashes[rng.IntN(len(p.Hashes))][rng.IntN(32)] ^= 1 << rng.IntN(8)
		case 1:
			p.Hashes = p.Hashes[:len(p.Hashes)-1]
		case 2:
			p.Hashes = append(p.Hashes, p.Hashes[0])
		case 3:
			p.Index = (p.Index + 1 + rng.Int64N(99)) % 100
		case 4:
			p.Index += 100 * (1 + rng.Int64N(1<<40))
		}
		if _, err := p.Check(fmt.Appendf(nil, "leaf %d", i), w.log.Key()); err == nil {
			t.Fatalf("entry %d: accepted %+v", i, p)
		}
	}
}

// An inner node is not a leaf: the leaves of two entries, hashed as one leaf, are in no log.
func TestLeafIsNoNode(t *testing.T) {
	w := newWorld(t)
	w.append("a")
	w.append("b")
	w.must(w.advance())
	a, b := xtlog.RecordHash([]byte("a")), xtlog.RecordHash([]byte("b"))
	_, tree := w.head.Checkpoint()
	signed, _ := w.head.Checkpoint()
	node := append(append([]byte{}, a[:]...), b[:]...)
	if _, err := (tlog.Proof{Index: 0, Checkpoint: signed}).Check(node, w.log.Key()); err == nil {
		t.Errorf("a node was taken for a leaf in %v", tree)
	}
}

// The head is written after the commit. Whatever the moment of a crash, the next
// start is right; whatever was restored or rewritten, it refuses.
func TestHeadAtStart(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *world)
		fork bool
	}{
		"nothing happened":                   {func(w *world) {}, false},
		"crash after commit, before advance": {func(w *world) { w.append("e") }, false},
		"crash with many commits ahead":      {func(w *world) { w.append("e"); w.append("f"); w.append("g") }, false},
		"crash before commit":                {func(w *world) { w.store = w.store.Clone() }, false},
		"restored backup":                    {func(w *world) { w.store = truncated(w.store, 2) }, true},
		"emptied":                            {func(w *world) { w.store = &verdicttest.Store{} }, true},
		"backup that went on otherwise": {func(w *world) {
			w.store = truncated(w.store, 2)
			w.append("other c")
			w.append("other d")
		}, true},
		"backup that went on further": {func(w *world) {
			w.store = truncated(w.store, 2)
			for i := range 9 {
				w.append(fmt.Sprint("other ", i))
			}
		}, true},
		"rewritten from the start": {func(w *world) {
			w.store = &verdicttest.Store{}
			for _, l := range []string{"A", "b", "c", "d"} {
				w.append(l)
			}
		}, true},
		"a hash was changed": {func(w *world) { w.store.Hashes[len(w.store.Hashes)-1][3] ^= 1 }, true},
	} {
		w := newWorld(t)
		for _, l := range []string{"a", "b", "c", "d"} {
			w.append(l)
			w.must(w.advance())
		}
		before, _ := os.ReadFile(w.path())
		c.do(w)
		w.restart()
		err := w.advance()
		if c.fork != errors.Is(err, tlog.ErrForked) || !c.fork && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		after, _ := os.ReadFile(w.path())
		size, _ := w.store.LogSize()
		if _, tree := w.head.Checkpoint(); c.fork && !bytes.Equal(before, after) || !c.fork && tree.N != size {
			t.Errorf("%s: the head moved, or did not: %v", name, tree)
		}
		// Negative control: a head that is made anew from the storage knows nothing.
		w.head.Close()
		w.must(os.Remove(w.path()))
		w.must(tlog.CreateHead(w.path(), w.log))
		w.open()
		if name != "a hash was changed" && w.advance() != nil {
			t.Errorf("%s: it is not the head that refused", name)
		}
	}
}

// truncated is what a backup of an earlier moment holds.
func truncated(s *verdicttest.Store, n int64) *verdicttest.Store {
	c := s.Clone()
	c.Entries, c.Hashes = c.Entries[:n], c.Hashes[:xtlog.StoredHashCount(n)]
	return c
}

// The head's file: damaged, lost, of another log, changed by another process.
func TestHeadFile(t *testing.T) {
	w := newWorld(t)
	w.append("a")
	w.must(w.advance())
	good, err := os.ReadFile(w.path())
	w.must(err)
	if err := tlog.CreateHead(w.path(), w.log); err == nil {
		t.Error("a head was replaced")
	}
	if _, err := tlog.OpenHead(w.path(), w.log); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two processes hold the head: %v", err)
	}
	other := newWorld(t)
	foreign, _ := other.head.Checkpoint()
	w.head.Close()
	size := strings.NewReplacer("\n0\n", "\n7\n", "\n1\n", "\n2\n")
	for name, b := range map[string][]byte{
		"empty": {}, "zeros": make([]byte, len(good)), "cut": good[:40], "other log": foreign, "edited": []byte(size.Replace(string(good))), "longer": append(bytes.Clone(good), 0),
		"unsigned": []byte("log.proctor.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), "huge": bytes.Repeat([]byte("x"), 1<<20),
	} {
		w.must(os.WriteFile(w.path(), b, 0o600))
		if _, err := tlog.OpenHead(w.path(), w.log); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	w.must(os.Remove(w.path()))
	if _, err := tlog.OpenHead(w.path(), w.log); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("lost: %v", err)
	}
	// A torn write leaves the head before it: the newest entry is taken up again.
	torn := bytes.Clone(good)
	copy(torn[4096+60:], make([]byte, 4096))
	w.must(os.WriteFile(w.path(), torn, 0o600))
	w.open()
	if _, tree := w.head.Checkpoint(); tree.N != 0 {
		t.Errorf("a torn write left %v", tree)
	}
	w.must(w.advance())
	if again, err := os.ReadFile(w.path()); err != nil || !bytes.Equal(again, good) {
		t.Errorf("the same entry has another checkpoint: %v", err)
	}
	// A head that is one checkpoint and nothing else is one slot.
	w.head.Close()
	w.must(os.WriteFile(w.path(), bytes.TrimRight(good[4096:], "\x00"), 0o600))
	w.open()
	w.append("b")
	w.must(w.advance())
	if _, tree, err := tlog.ReadHead(w.path(), w.log.Key()); err != nil || tree.N != 2 {
		t.Errorf("%v %v", tree, err)
	}
	// Somebody moved the file under a running process: it must not write over it.
	w.must(w.advance())
	w.must(os.WriteFile(w.path(), good, 0o600))
	w.append("c")
	if err := w.advance(); err == nil {
		t.Error("another process's head was written over")
	}
	if err := w.advance(); err == nil {
		t.Error("the head goes on after that")
	}
	if _, err := w.head.Prove(w.store, 0); err == nil {
		t.Error("proofs go on after that")
	}
}

// A write that fails, and was kept or not, leaves an object that does nothing more;
// the next one reads what is there and goes on.
func TestHeadWriteFails(t *testing.T) {
	for _, kept := range []bool{false, true} {
		w := newWorld(t)
		w.append("a")
		w.head.Around = func(write func() error) error {
			if kept {
				w.must(write())
			}
			return errors.New("the disk failed")
		}
		if err := w.advance(); err == nil || !strings.Contains(err.Error(), "the disk failed") {
			t.Fatalf("kept %v: %v", kept, err)
		}
		if _, tree, err := tlog.ReadHead(w.path(), w.log.Key()); err != nil || (tree.N == 1) != kept {
			t.Errorf("kept %v: %v %v", kept, tree, err)
		}
		if err := w.advance(); err == nil || !strings.Contains(err.Error(), "start again") {
			t.Errorf("goes on after a failed write: %v", err)
		}
		w.restart()
		w.must(w.advance())
		if _, tree := w.head.Checkpoint(); tree.N != 1 {
			t.Errorf("%v", tree)
		}
	}
}

// Two histories that one key signed verify one by one; whoever keeps a
// checkpoint of the first and asks the second for consistency sees it.
func TestSplitView(t *testing.T) {
	w := newWorld(t)
	w.append("a")
	w.append("b")
	w.must(w.advance())
	dark := newWorldWith(t, w)
	w.append("refused")
	w.must(w.advance())
	dark.append("approved in secret")
	dark.append("c")
	w.must(dark.advance())
	p, err := dark.head.Prove(dark.store, 2)
	w.must(err)
	if _, err := p.Check([]byte("approved in secret"), w.log.Key()); err != nil {
		t.Fatalf("an offline reader accepts either history, so this must verify: %v", err)
	}
	_, public := w.head.Checkpoint()
	_, secret := dark.head.Checkpoint()
	proof, err := tlog.Consistency(dark.store, public.N, secret.N)
	w.must(err)
	if tlog.CheckConsistency(proof, public, secret) == nil {
		t.Error("the second history contains the first")
	}
	if _, err := tlog.Audit(dark.store, []tlog.Tree{public}, nil); !errors.Is(err, tlog.ErrForked) {
		t.Errorf("the audit with the kept checkpoint: %v", err)
	}
	if _, err := tlog.Audit(dark.store, nil, nil); err != nil {
		t.Errorf("negative control: without it the second history is sound: %v", err)
	}
}

// newWorldWith is what the thief of key, head and storage has.
func newWorldWith(t *testing.T, from *world) *world {
	w := &world{t: t, dir: t.TempDir(), log: from.log, store: from.store.Clone()}
	signed, _ := from.head.Checkpoint()
	w.must(os.WriteFile(w.path(), signed, 0o600))
	w.open()
	return w
}

// Every way to tamper with one row is named by its index.
func TestAudit(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.append(fmt.Sprint("leaf ", i))
	}
	w.must(w.advance())
	_, tree := w.head.Checkpoint()
	known := []tlog.Tree{tree}
	if got, err := tlog.Audit(w.store, known, nil); err != nil || got != tree {
		t.Fatalf("honest: %v %v", got, err)
	}
	honest := w.store
	names := func(what string, index int64) {
		t.Helper()
		var bad *tlog.BadEntryError
		if _, err := tlog.Audit(w.store, known, nil); !errors.As(err, &bad) || bad.Index != index {
			t.Errorf("%s %d: %v", what, index, err)
		}
		w.store = honest
	}
	for i := range int64(60) {
		w.store = honest.Clone()
		w.store.Entries[i].Leaf = []byte("changed")
		names("changed leaf", i)
		w.store = honest.Clone()
		w.store.Hashes[xtlog.StoredHashIndex(0, i)][0] ^= 1
		names("changed leaf hash", i)
		w.store = honest.Clone()
		w.store.Entries = append(w.store.Entries[:i:i], w.store.Entries[i+1:]...)
		names("deleted row", i) // every later leaf has moved up
		w.store = truncated(honest, i)
		names("deleted last rows, from", i)
	}
	w.store = honest.Clone()
	w.store.Hashes[xtlog.StoredHashIndex(3, 2)][0] ^= 1
	names("changed inner hash over 16 to 23, entry", 23)
	// The caller's check of leaf and envelope is named too.
	var bad *tlog.BadEntryError
	_, err := tlog.Audit(w.store, known, func(i int64, _ tlog.Entry) error {
		if i == 7 {
			return errors.New("the envelope is not the leaf's")
		}
		return nil
	})
	if !errors.As(err, &bad) || bad.Index != 7 {
		t.Errorf("%v", err)
	}
}

// A storage that was changed under the head yields no proof, rather than one that
// nobody accepts.
func TestProveNoticesChange(t *testing.T) {
	for name, change := range map[string]func(*verdicttest.Store){
		"leaf":         func(s *verdicttest.Store) { s.Entries[2].Leaf = []byte("changed") },
		"hash":         func(s *verdicttest.Store) { s.Hashes[xtlog.StoredHashIndex(0, 3)][0] ^= 1 },
		"missing row":  func(s *verdicttest.Store) { s.Entries = s.Entries[:2] },
		"missing hash": func(s *verdicttest.Store) { s.Hashes = s.Hashes[:3] },
	} {
		w := newWorld(t)
		for i := range 4 {
			w.append(fmt.Sprint("leaf ", i))
		}
		w.must(w.advance())
		change(w.store)
		if p, err := w.head.Prove(w.store, 2); err == nil || strings.HasPrefix(name, "missing") == errors.Is(err, tlog.ErrForked) {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
}

func TestProofText(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.append(fmt.Sprint("leaf ", i))
	}
	w.must(w.advance())
	p, err := w.head.Prove(w.store, 2)
	w.must(err)
	good := string(p.Text())
	if _, err := tlog.ParseProof([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty": "", "other version": strings.Replace(good, "@v1", "@v2", 1), "leading zero": strings.Replace(good, "index 2", "index 02", 1),
		"negative": strings.Replace(good, "index 2", "index -2", 1), "sign": strings.Replace(good, "index 2", "index +2", 1), "extra line": strings.Replace(good, "index 2", "extra AA==\nindex 2", 1),
		"no blank line": strings.Replace(good, "\n\n", "\n", 1), "carriage returns": strings.ReplaceAll(good, "\n", "\r\n"), "huge": good + strings.Repeat("x", 1<<20),
	} {
		if _, err := tlog.ParseProof([]byte(bad)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log.key")
	l, err := tlog.CreateKey(path, "log.proctor.example", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := tlog.OpenKey(path); err != nil || back.Key() != l.Key() {
		t.Errorf("%v", err)
	}
	if _, err := tlog.CreateKey(path, "log.proctor.example", rand.Reader); err == nil {
		t.Error("a key was replaced")
	}
	for _, origin := range []string{"", "a b", "Proctor", "a/b", "a+b", ".a", "a\n"} {
		if _, err := tlog.CreateKey(filepath.Join(dir, "k"), origin, rand.Reader); err == nil {
			t.Errorf("origin %q", origin)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.OpenKey(path); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("others can read it: %v", err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("PRIVATE+KEY+secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.OpenKey(bad); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	for range 200 { // half of all keys have a plus in their base64
		p := filepath.Join(t.TempDir(), "k")
		if _, err := tlog.CreateKey(p, "a.example", rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, n := range []int{0, tlog.MaxLeaf + 1} {
		if _, err := tlog.Append(&verdicttest.Store{}, tlog.Entry{Leaf: make([]byte, n)}); err == nil {
			t.Errorf("a leaf of %d bytes", n)
		}
	}
}

// Many workers append and advance at once: the head ends at the newest entry and
// never refuses an honest one.
func TestConcurrentAdvance(t *testing.T) {
	w := newWorld(t)
	var mu sync.RWMutex // the storage's transactions
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for i := range 20 {
				mu.Lock()
				_, err := tlog.Append(w.store, tlog.Entry{Leaf: fmt.Appendf(nil, "%d %d", k, i)})
				mu.Unlock()
				if err == nil {
					err = w.head.Advance(func(f func(tlog.Tx) error) error { mu.RLock(); defer mu.RUnlock(); return f(w.store) })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, tree := w.head.Checkpoint(); tree.N != 160 {
		t.Errorf("%v", tree)
	}
}

// A process that was killed leaves its lock for a moment with a child that has not
// started its program yet: the next start waits for that, and no longer.
func TestHeadComesFree(t *testing.T) {
	w := newWorld(t)
	old := w.head
	time.AfterFunc(50*time.Millisecond, func() { old.Close() })
	h, err := tlog.OpenHead(w.path(), w.log)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
}
