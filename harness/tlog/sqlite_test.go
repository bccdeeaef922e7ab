package tlog_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/harness/store/sqlite"
	"proctor/harness/tlog"
)

// The log in the service's own database.
type service struct {
	store *store.Store
	head  *tlog.Head
	log   *tlog.Log
}

func openService(dir string, create bool) (*service, error) {
	ctx := context.Background()
	s := &service{}
	var err error
	if create {
		if s.log, err = tlog.CreateKey(filepath.Join(dir, "log.key"), "log.proctor.example", rand.Reader); err == nil {
			err = tlog.CreateHead(filepath.Join(dir, "head"), s.log)
		}
	} else {
		s.log, err = tlog.OpenKey(filepath.Join(dir, "log.key"))
	}
	if err != nil {
		return nil, err
	}
	if s.store, err = sqlite.Open(ctx, filepath.Join(dir, "db"), time.Now, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		return nil, err
	}
	if s.head, err = tlog.OpenHead(filepath.Join(dir, "head"), s.log); err != nil {
		return nil, err
	}
	return s, s.advance()
}

func (s *service) close() { s.head.Close(); s.store.Close() }

func (s *service) view(f func(tlog.Tx) error) error {
	return s.store.View(context.Background(), func(tx *store.Tx) error { return f(tx) })
}

func (s *service) advance() error { return s.head.Advance(s.view) }

func (s *service) append(leaf string) (i int64, err error) {
	err = s.store.Update(context.Background(), func(tx *store.Tx) error {
		i, err = tlog.Append(tx, tlog.Entry{Leaf: []byte(leaf), Kind: "k", Subject: "s", Envelope: []byte("e")})
		return err
	})
	if err == nil {
		err = s.advance()
	}
	return i, err
}

func TestInTheDatabase(t *testing.T) {
	s, err := openService(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for i := range 20 {
		if at, err := s.append(fmt.Sprint("leaf ", i)); err != nil || at != int64(i) {
			t.Fatalf("%d %v", at, err)
		}
	}
	// A transaction that fails leaves nothing, and the index is used again.
	err = s.store.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tlog.Append(tx, tlog.Entry{Leaf: []byte("lost")}); err != nil {
			return err
		}
		if _, err := tlog.Append(tx, tlog.Entry{Leaf: []byte("lost too")}); err != nil {
			return err
		}
		return errors.New("no")
	})
	if err == nil || err.Error() != "no" {
		t.Fatal(err)
	}
	if at, err := s.append("leaf 20"); err != nil || at != 20 {
		t.Fatalf("%d %v", at, err)
	}
	err = s.view(func(tx tlog.Tx) error {
		for i := range int64(21) {
			p, err := s.head.Prove(tx, i)
			if err != nil {
				return err
			}
			if _, err := p.Check(fmt.Appendf(nil, "leaf %d", i), s.log.Key()); err != nil {
				return err
			}
		}
		if e, err := tx.LogEntry(3); err != nil || e.Kind != "k" || e.Subject != "s" || string(e.Envelope) != "e" {
			t.Errorf("%+v %v", e, err)
		}
		if _, err := tx.LogEntry(99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if _, err := tx.LogHashes([]int64{0, 9999}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if err := tx.AddLogEntry(21, tlog.Entry{Leaf: []byte("x")}); err == nil {
			t.Error("a reader wrote")
		}
		_, tree := s.head.Checkpoint()
		_, err := tlog.Audit(tx, []tlog.Tree{tree}, nil)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.store.Update(t.Context(), func(tx *store.Tx) error { return tx.AddLogEntry(4, tlog.Entry{Leaf: []byte("x")}) }); err == nil {
		t.Error("an entry was written over")
	}
}

// The child of TestKill: appends until it dies, and prints each index that it
// acknowledges.
func TestMain(m *testing.M) {
	dir := os.Getenv("TLOG_TEST_CHILD")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := openService(dir, false)
	for err == nil {
		var i int64
		if i, err = s.append("leaf"); err == nil {
			fmt.Println(i)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// kill -9 at any moment: what was acknowledged is in the log and under the head,
// the log audits, and the next start goes on.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	s, err := openService(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	s.close()
	total := int64(0)
	for round := range 6 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "TLOG_TEST_CHILD="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		acked := readUntil(t, out, total+int64(3+7*round), func() { c.Process.Signal(syscall.SIGKILL) })
		c.Wait()
		s, err := openService(dir, false)
		if err != nil {
			t.Fatalf("round %d: start after the kill: %v", round, err)
		}
		_, tree := s.head.Checkpoint()
		if tree.N <= acked {
			t.Errorf("round %d: entry %d was acknowledged, the log has %d", round, acked, tree.N)
		}
		if err := s.view(func(tx tlog.Tx) error { _, err := tlog.Audit(tx, []tlog.Tree{tree}, nil); return err }); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		s.close()
		total = tree.N
	}
}

// readUntil kills when an index is acknowledged, and returns the last one that was.
func readUntil(t *testing.T, r io.Reader, index int64, kill func()) int64 {
	last, buf, text := int64(-1), make([]byte, 1), ""
	for {
		n, err := r.Read(buf)
		if n == 1 && buf[0] != '\n' {
			text += string(buf)
			continue
		}
		if err != nil {
			return last
		}
		i, perr := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if perr != nil {
			t.Errorf("the child says %q", text)
			kill()
			return last
		}
		text = ""
		if last = i; i == index {
			kill()
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := openService(b.TempDir(), true)
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	leaf := strings.Repeat("x", 500)
	for b.Loop() {
		if _, err := s.append(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
