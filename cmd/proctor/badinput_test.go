package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput: what is wrong on a command line ends with 2 and one sentence that names
// it, before anything is made or sent.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	there, data := filepath.Join(dir, "there"), filepath.Join(dir, "data")
	if err := os.WriteFile(there, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	remote := []string{"--server", "http://127.0.0.1:1", "--token", "x"}
	serve := []string{"serve", "--dir", data, "--addr", "127.0.0.1:0"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"trust", "root", "", "--key", filepath.Join(dir, "k")}, `"" is no name of a root key`},
		{[]string{"trust", "root", "ann lee", "--key", filepath.Join(dir, "k")}, `"ann lee" is no name of a root key`},
		{[]string{"trust", "root", "ann", "--key", there}, there + " is there already"},
		{append([]string{"impact", "sha256:zz"}, remote...), `"sha256:zz" is no digest`},
		{append([]string{"impact", ""}, remote...), `"" is no digest`},
		{append([]string{"impact", "", "--person"}, remote...), "--person: the name is empty"},
		{append(serve, "--metrics", taken.Addr().String()), "give another address with --metrics"},
		{append(serve, "--metrics", "nowhere"), "--metrics: cannot listen on nowhere"},
		{append(serve, "--db", "mysql://HOST/x"), "not one like postgres://HOST/DATABASE"},
	} {
		var out, errw bytes.Buffer
		if code := run(context.Background(), c.args, &out, &errw); code != exitUsage || !strings.Contains(errw.String(), c.says) || out.Len() > 0 {
			t.Errorf("%q: %d %q %q, not %q", c.args, code, out.String(), errw.String(), c.says)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
