package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"proctor/harness"
	"proctor/harness/gate"
	"proctor/harness/store/sqlite"
	"proctor/harness/tlog"
)

// call runs a command as it is typed.
func call(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if exit := run(context.Background(), args, &out, &errs); exit != want {
		t.Fatalf("%q: exit %d, want %d: %s%s", args, exit, want, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// A key is replaced: what it signed stays valid up to where it leaked, the folder is
// served by the new one, and a call that was broken off is made whole by the next.
func TestReplaceKey(t *testing.T) {
	dir := t.TempDir() + "/data"
	d := dataDir{Dir: dir, Name: "https://proctor.local"}
	s, err := d.open(context.Background(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"ann", "bob", "cy"} { // each is logged
		call(t, 0, "user", "add", name, "--dir", dir, "--person", name, "--role", []string{"auditor", "operator", "curator"}[i])
	}
	size := func() int64 {
		t.Helper()
		l, err := tlog.OpenKey(dir + "/keys/log.key")
		if err != nil {
			t.Fatal(err)
		}
		_, tree, err := tlog.ReadHead(d.head(), l.Key())
		if err != nil {
			t.Fatal(err)
		}
		return tree.N
	}
	before := size()
	if before < 2 {
		t.Fatalf("%d entries", before)
	}
	old, err := os.ReadFile(dir + "/keys/evidence.pem")
	if err != nil {
		t.Fatal(err)
	}
	call(t, 2, "signing-key", "replace", "evidence", "--dir", dir, "--leaked-from", "99")
	call(t, 2, "signing-key", "replace", "officer", "--dir", dir)
	if says := call(t, 0, "signing-key", "replace", "evidence", "--dir", dir); !strings.Contains(says, "the evidence key is new") {
		t.Error(says)
	}
	now, err := os.ReadFile(dir + "/keys/evidence.pem")
	if err != nil || bytes.Equal(old, now) {
		t.Error("the key is the old one")
	}
	call(t, 0, "user", "add", "dee", "--dir", dir, "--person", "dee", "--role", "reviewer")
	audit := func() error {
		t.Helper()
		s, err := d.open(context.Background(), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			return err
		}
		keys, err := s.Trust()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(keys)
		_, trust, err := gate.ReadTrust(text)
		if err != nil {
			t.Fatal(err)
		}
		st, err := sqlite.OpenRead(context.Background(), dir+"/proctor.db")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		_, err = harness.AuditLog(context.Background(), st, trust, nil)
		return err
	}
	if err := audit(); err != nil || size() <= before {
		t.Errorf("after a replacement: %v", err)
	}
	// Broken off after the old key was recorded: refused until it is done again.
	retired, err := os.ReadFile(dir + "/" + retiredFile)
	if err != nil {
		t.Fatal(err)
	}
	c := signingKeyReplace{dataDir: d, Use: "evidence"}
	if err := c.retire(dir+"/keys/evidence.pem", size(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := audit(); err == nil || !strings.Contains(err.Error(), "another key's too") {
		t.Errorf("broken off: %v", err)
	}
	call(t, 0, "signing-key", "replace", "evidence", "--dir", dir, "--leaked-from", "1")
	if err := audit(); err == nil || !strings.Contains(err.Error(), "signs nothing from entry 1 on") {
		t.Errorf("entries after the leak are believed: %v", err)
	}
	if again, _ := os.ReadFile(dir + "/" + retiredFile); bytes.Count(again, []byte(`"use"`)) != bytes.Count(retired, []byte(`"use"`))+1 {
		t.Errorf("recorded twice: %s", again)
	}
}
