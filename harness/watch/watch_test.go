package watch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// A site is a service that publishes its log, and may lie.
type site struct {
	t      *testing.T
	w      *verdicttest.World
	server *httptest.Server
	signed []byte // checkpoint to show; nil: the newest
	shown  *verdicttest.Store
	edit   func(path string, b []byte) []byte
	silent bool             // the list of revocations leaves all out
	sent   map[int64][]byte // statements that are sent in place of the logged ones
}

func newSite(t *testing.T) *site {
	s := &site{t: t, w: verdicttest.New(t), sent: map[int64][]byte{}}
	s.shown = s.w.Store
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/log/")
	signed, _ := s.w.Head.Checkpoint()
	if s.signed != nil {
		signed = s.signed
	}
	b := signed
	if path == "revocations" {
		b = s.list()
	} else if path != "checkpoint" {
		tile, err := tlog.ParseTilePath(path)
		if err == nil {
			size, _ := s.shown.LogSize()
			b, err = tlog.ReadTile(s.shown, tile, size)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
	}
	if s.edit != nil {
		b = s.edit(path, append([]byte(nil), b...))
	}
	w.Write(b)
}

// list is what the service publishes of revocations: all of them, if it is honest.
func (s *site) list() []byte {
	l := &verdict.RevocationList{Verifier: "v", Log: verdicttest.Origin, Sequence: int64(len(s.w.Store.Entries)), Root: verdicttest.Digest("8"), Revoked: []verdict.Revoked{}, At: "2026-09-14T12:00:00Z", Expires: "2026-09-14T13:00:00Z"}
	for i, e := range s.w.Store.Entries {
		env, err := verdict.Open(e.Envelope, s.w.Trust, int64(i))
		if err != nil {
			continue
		}
		if r, ok := env.Statement().(*verdict.Revocation); ok && !s.silent {
			l.Revoked = append(l.Revoked, verdict.Revoked{Kind: r.Kind, Digest: r.Target.Digest, Evidence: r.Evidence, LogIndex: int64(i)})
		}
	}
	return s.w.List(s.t, l)
}

func (s *site) monitor(statements bool) *Monitor {
	m := &Monitor{Remote: Remote{Base: s.server.URL + "/log"}, Trust: s.w.Trust, LogKey: s.w.Log.Key()}
	if statements {
		m.Envelopes = func(_ context.Context, from int64, n int) (out [][]byte, err error) {
			for i := from; i < from+int64(n) && len(out) < 3; i++ { // fewer than asked, as a service may
				e := s.w.Store.Entries[i].Envelope
				if other, ok := s.sent[i]; ok {
					e = other
				}
				out = append(out, e)
			}
			return out, nil
		}
	}
	return m
}

// log signs and logs statements as they are, in any order.
func (s *site) log(signer verdict.Signer, list ...verdict.Statement) {
	s.t.Helper()
	for _, st := range list {
		p, err := verdict.Prepare(st)
		if err != nil {
			s.t.Fatal(err)
		}
		e, err := verdict.Issue(context.Background(), p, signer)
		if err != nil {
			s.t.Fatal(err)
		}
		s.entry(e)
	}
}

func (s *site) entry(e *verdict.Envelope) {
	s.t.Helper()
	leaf, err := e.Leaf()
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := tlog.Append(s.w.Store, tlog.Entry{Leaf: leaf, Kind: e.Type(), Subject: e.Subject().Digest, Envelope: e.Bytes()}); err != nil {
		s.t.Fatal(err)
	}
	if err := s.w.Head.Advance(s.w.Store.View); err != nil {
		s.t.Fatal(err)
	}
}

// run returns an honest plan and the verdict on it, planned at an index.
func run(id string, plan int64) (*verdict.Plan, *verdict.Evidence) {
	e := verdicttest.Passed(verdicttest.Digest("1"))
	e.Run.ID, e.Plan = id, plan
	return &verdict.Plan{Run: e.Run, Inputs: e.Inputs, SeedSHA256: verdicttest.SeedSHA256(e), Attempt: 1, Budget: 6, By: "ci", Person: "sam", At: e.At}, e
}

func (s *site) run(id string) *verdict.Evidence {
	s.t.Helper()
	n, _ := s.w.Store.LogSize()
	p, e := run(id, n)
	s.log(s.w.Evidence, p, e)
	return e
}

func (s *site) digest(e *verdict.Evidence) string {
	s.t.Helper()
	p, err := verdict.Prepare(e)
	if err != nil {
		s.t.Fatal(err)
	}
	env, err := verdict.Issue(context.Background(), p, s.w.Evidence)
	if err != nil {
		s.t.Fatal(err)
	}
	return env.Digest()
}

// approval of evidence, from bytes that need not be in the log.
func (s *site) approval(e *verdict.Evidence) *verdict.Approval {
	s.t.Helper()
	env, _ := verdicttest.New(s.t).Issue(s.t, e)
	return s.w.Approval(s.t, env)
}

func (s *site) revocation(kind string, of verdict.Ref, hits ...*verdict.Evidence) *verdict.Revocation {
	r := &verdict.Revocation{ID: "c", Verifier: "v", Kind: kind, Target: of, Evidence: []string{}, Reason: "x", ProposedBy: "a", ProposedPerson: "A", By: "b", Person: "B", At: "2026-09-14T12:00:00Z"}
	for _, e := range hits {
		r.Evidence = append(r.Evidence, s.digest(e))
	}
	return r
}

func (s *site) waiver(e *verdict.Evidence) *verdict.Waiver {
	return &verdict.Waiver{ID: "c", Verifier: "v", Candidate: e.Inputs.Candidate, Gate: "g", Environment: "prod", Admission: "CHG-1", Evidence: s.digest(e), Result: e.Result, Reason: "x",
		ProposedBy: "a", ProposedPerson: "A", By: "b", Person: "B", At: "2026-09-14T12:00:00Z", Until: "2026-09-14T16:00:00Z"}
}

func (s *site) look(m *Monitor, was *State) (*State, string) {
	s.t.Helper()
	next, alarms, err := m.Look(context.Background(), was)
	if err != nil {
		return next, "error: " + err.Error()
	}
	var out []string
	for _, a := range alarms {
		out = append(out, a.Kind+": "+a.Text)
	}
	return next, strings.Join(out, "\n")
}

// An honest log raises no alarm, however often and from wherever it is looked at.
func TestHonest(t *testing.T) {
	for _, statements := range []bool{false, true} {
		s := newSite(t)
		m := s.monitor(statements)
		st, alarms := s.look(m, nil)
		if alarms != "" || st.Size != 0 {
			t.Fatalf("empty: %+v %s", st, alarms)
		}
		for i := range 3 {
			for range 66 * i {
				s.run("run-" + strings.Repeat("x", len(s.w.Store.Entries)))
			}
			text, _ := json.Marshal(st)
			var kept State
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
			if st, alarms = s.look(m, &kept); alarms != "" || st.Size != int64(len(s.w.Store.Entries)) {
				t.Fatalf("%d entries: %+v %s", len(s.w.Store.Entries), st.Size, alarms)
			}
		}
	}
}

// What no honest log shows, and the alarm that it raises. Without statements a monitor
// sees the log; with them it sees what the statements claim.
func TestAlarms(t *testing.T) {
	for _, c := range []struct {
		name          string
		do            func(s *site)
		leaves, whole string // the alarm of a monitor without, and with statements; "": none
	}{
		{"nothing", func(s *site) {}, "", ""},
		{"rolled back", func(s *site) {
			s.shown = truncated(s.w.Store, 2)
			s.signed = s.w.Checkpoint(s.t, s.shown)
		}, Fork, Fork},
		{"rewritten", func(s *site) { s.rewrite() }, Fork, Fork},
		{"an entry by a stranger's key", func(s *site) {
			p, _ := run("thief", 0)
			s.log(verdicttest.New(s.t).Evidence, p)
		}, UnknownSigner, UnknownSigner},
		{"a verdict without a plan", func(s *site) { _, e := run("ghost", 0); s.log(s.w.Evidence, e) }, "", OutOfOrder},
		{"a verdict that names another plan", func(s *site) {
			p, e := run("r", 3)
			s.log(s.w.Evidence, p, e)
		}, "", OutOfOrder},
		{"a verdict by another seed than planned", func(s *site) {
			p, e := run("r", int64(len(s.w.Store.Entries)))
			p.SeedSHA256 = verdicttest.Digest("8")
			s.log(s.w.Evidence, p, e)
		}, "", OutOfOrder},
		{"a verdict on another model than planned", func(s *site) {
			p, e := run("r", int64(len(s.w.Store.Entries)))
			e.Inputs.Candidate.Digest = verdicttest.Digest("7")
			s.log(s.w.Evidence, p, e)
		}, "", OutOfOrder},
		{"two verdicts of one run", func(s *site) { e := s.run("r"); e.Sentence = "again"; s.log(s.w.Evidence, e) }, "", OutOfOrder},
		{"two plans of one run", func(s *site) { s.run("r"); p, _ := run("r", 0); s.log(s.w.Evidence, p) }, "", OutOfOrder},
		{"a charge for no run", func(s *site) {
			p, _ := run("r", 0)
			s.log(s.w.Evidence, &verdict.Exposure{Run: p.Run, Holdout: p.Inputs.Holdouts[0], Used: 1, Budget: 6, At: p.At})
		}, "", OutOfOrder},
		{"an approval of evidence that is nowhere", func(s *site) {
			_, e := run("ghost", 0)
			env, _ := verdicttest.New(s.t).Issue(s.t, e)
			s.log(s.w.Approve, s.w.Approval(s.t, env))
		}, "", OutOfOrder},
		{"a review of evidence that is nowhere", func(s *site) {
			_, e := run("ghost", 0)
			s.log(s.w.Evidence, &verdict.Review{Run: e.Run, Candidate: e.Inputs.Candidate, Evidence: verdicttest.Digest("5"), Report: e.Report, Decision: "approve", By: "rae", Person: "Rae", Reason: "r", At: e.At})
		}, "", OutOfOrder},
		{"an approval after a revocation", func(s *site) {
			e := s.run("r")
			s.log(s.w.Approve, s.revocation("package", e.Inputs.Candidate, e))
			s.log(s.w.Approve, s.approval(e))
		}, "", OutOfOrder},
		{"an approval of what rests on a set revoked before", func(s *site) {
			_, e := run("r", 0)
			s.log(s.w.Approve, s.revocation("holdout", e.Inputs.Holdouts[0]))
			s.log(s.w.Approve, s.approval(s.run("r")))
		}, "", OutOfOrder},
		{"an approval, then its revocation", func(s *site) {
			e := s.run("r")
			s.log(s.w.Approve, s.approval(e))
			s.log(s.w.Approve, s.revocation("package", e.Inputs.Candidate, e))
		}, "", ""},
		{"a revocation that the list leaves out", func(s *site) {
			e := s.run("r")
			s.log(s.w.Approve, s.revocation("package", e.Inputs.Candidate, e))
			s.silent = true
		}, "", Untrue},
		{"a revocation of evidence that is nowhere", func(s *site) {
			_, e := run("ghost", 0)
			s.log(s.w.Approve, s.revocation("package", e.Inputs.Candidate, e))
		}, "", OutOfOrder},
		{"a waiver for evidence that is nowhere", func(s *site) { _, e := run("ghost", 0); s.log(s.w.Approve, s.waiver(e)) }, "", OutOfOrder},
		{"a waiver", func(s *site) { s.log(s.w.Approve, s.waiver(s.run("r"))) }, "", ""},
		{"a list of revocations in the log", func(s *site) {
			s.log(s.w.Approve, &verdict.RevocationList{Verifier: "v", Log: verdicttest.Origin, Sequence: 1, Root: verdicttest.Digest("8"), Revoked: []verdict.Revoked{}, At: "2026-09-14T12:00:00Z", Expires: "2026-09-14T13:00:00Z"})
		}, "", OutOfOrder},
		{"another statement is sent than was logged", func(s *site) {
			s.run("r")
			s.sent[int64(len(s.w.Store.Entries)-1)] = s.w.Store.Entries[0].Envelope
		}, "", Untrue},
		{"no statement is sent", func(s *site) { s.run("r"); s.sent[int64(len(s.w.Store.Entries)-1)] = []byte("{}") }, "", Untrue},
		{"an entry changed in its tile", func(s *site) {
			s.run("r")
			s.edit = func(path string, b []byte) []byte {
				if strings.Contains(path, "entries") {
					b[len(b)-2] ^= 1
				}
				return b
			}
		}, Fork, Fork},
		{"hashes changed in their tile", func(s *site) {
			s.run("r")
			s.edit = func(path string, b []byte) []byte {
				if strings.Contains(path, "tile/0") {
					b[len(b)-1] ^= 1
				}
				return b
			}
		}, "error", "error"},
		{"a checkpoint by another key", func(s *site) { s.signed, _ = verdicttest.New(s.t).Head.Checkpoint() }, "error", "error"},
		{"nothing is served", func(s *site) { s.server.Close() }, "error", "error"},
	} {
		for _, statements := range []bool{false, true} {
			s := newSite(t)
			m := s.monitor(statements)
			s.run("a")
			s.run("b")
			st, alarms := s.look(m, nil)
			if alarms != "" {
				t.Fatal(alarms)
			}
			c.do(s)
			want := c.leaves
			if statements {
				want = c.whole
			}
			next, got := s.look(m, st)
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s, statements %v: %q, want %q", c.name, statements, got, want)
			}
			if want == Fork && next.Size != st.Size {
				t.Errorf("%s: the state moved on over a fork", c.name)
			}
			if want == "" || want == "error" {
				continue
			}
			// The control: a monitor without memory does not see a fork.
			if _, got := s.look(m, nil); (c.name == "rolled back" || c.name == "rewritten") && got != "" {
				t.Errorf("%s: it is not the memory that noticed: %s", c.name, got)
			}
		}
	}
}

// A state of another format, or kept in the other way, is not read as an empty one.
func TestStates(t *testing.T) {
	s := newSite(t)
	s.run("a")
	st, _ := s.look(s.monitor(true), nil)
	plain, _ := s.look(s.monitor(false), nil)
	damaged := *plain
	damaged.Root = "AAAA"
	for name, c := range map[string]struct {
		m  *Monitor
		st *State
	}{"zero": {s.monitor(false), &State{}}, "damaged": {s.monitor(false), &damaged}, "with for without": {s.monitor(false), st}, "without for with": {s.monitor(true), plain}} {
		if _, _, err := c.m.Look(context.Background(), c.st); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	m := s.monitor(true)
	m.Envelopes = func(context.Context, int64, int) ([][]byte, error) { return nil, errors.New("denied") }
	if _, _, err := m.Look(context.Background(), nil); err == nil {
		t.Error("looked without the statements")
	}
	m.Envelopes = func(context.Context, int64, int) ([][]byte, error) { return nil, nil }
	if _, _, err := m.Look(context.Background(), nil); err == nil {
		t.Error("the service sent nothing, and all was well")
	}
}

func truncated(s *verdicttest.Store, n int) *verdicttest.Store {
	c := &verdicttest.Store{}
	for _, e := range s.Entries[:n] {
		tlog.Append(c, e)
	}
	return c
}

// rewrite shows another history of the same keys.
func (s *site) rewrite() {
	c := &verdicttest.Store{}
	s.w.Store = c
	for i := range 4 {
		n := int64(len(c.Entries))
		p, e := run("other-"+strings.Repeat("x", i), n)
		for _, st := range []verdict.Statement{p, e} {
			pr, err := verdict.Prepare(st)
			if err != nil {
				s.t.Fatal(err)
			}
			env, err := verdict.Issue(context.Background(), pr, s.w.Evidence)
			if err != nil {
				s.t.Fatal(err)
			}
			leaf, _ := env.Leaf()
			if _, err := tlog.Append(c, tlog.Entry{Leaf: leaf, Envelope: env.Bytes()}); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	s.shown, s.signed = c, s.w.Checkpoint(s.t, c)
}
