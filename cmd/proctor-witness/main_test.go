package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/cosig"
	"proctor/harness/tlog"
	"proctor/harness/verdict/verdicttest"
)

// Made once, served, asked, stopped; made again it refuses.
func TestWitness(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	var out, errs bytes.Buffer
	if exit := run(t.Context(), []string{"create", "--name", "w.example", "--dir", dir}, &out, &errs); exit != 0 {
		t.Fatalf("exit %d: %s", exit, errs.String())
	}
	key, err := cosig.ParseVerifier(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if exit := run(t.Context(), []string{"create", "--name", "w.example", "--dir", dir}, io.Discard, &errs); exit != 2 {
		t.Errorf("a witness's key was replaced: exit %d", exit)
	}
	w := verdicttest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	r, pw := io.Pipe()
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"serve", "--dir", dir, "--log", w.Log.Key(), "--addr", "127.0.0.1:0"}, pw, io.Discard)
	}()
	url, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.Append(w.Store, tlog.Entry{Leaf: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(strings.TrimSpace(url)+"/add-checkpoint", "text/plain", strings.NewReader("old 0\n\n"+string(w.Checkpoint(t, w.Store))))
	if err != nil {
		t.Fatal(err)
	}
	line, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.HasPrefix(string(line), "— "+key.Name()+" ") {
		t.Errorf("%s %q", resp.Status, line)
	}
	stop()
	if exit := <-done; exit != 0 {
		t.Errorf("exit %d", exit)
	}
}

// What the command line got wrong is told, and ends with the code for that.
func TestUsage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"no name", "name of a witness", []string{"create", "--dir", dir}},
		{"a name with a space", "name of a witness", []string{"create", "--name", "a b", "--dir", dir}},
		{"no command", "usage:", nil},
		{"no witness there", "no such file", []string{"serve", "--dir", dir, "--log", "x"}},
	} {
		var errs bytes.Buffer
		if exit := run(t.Context(), c.args, io.Discard, &errs); exit != 2 || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%s: exit %d: %s", c.name, exit, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if exit := run(t.Context(), []string{"create", "--name", "w.example", "--dir", dir}, &out, &errs); exit != 0 {
		t.Fatalf("exit %d: %s", exit, errs.String())
	}
	if exit := run(t.Context(), []string{"serve", "--dir", dir, "--log", "nonsense"}, io.Discard, &errs); exit != 2 || !strings.Contains(errs.String(), "nonsense") {
		t.Errorf("a log key that is none: exit %d: %s", exit, errs.String())
	}
}
