package remote

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"proctor/harness/runner"
)

func head(n int) Head {
	return Head{Suites: []string{"sha256:aa"}, Asked: Asked("model"), Examples: n}
}

// echo answers a chat with its own question, and counts how often each was put.
type echo struct {
	mu     sync.Mutex
	asked  map[string]int
	now    int
	most   int
	answer func(w http.ResponseWriter, question string) bool // before the echo; true: that was the answer
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct{ Messages []struct{ Content string } }
	if json.NewDecoder(r.Body).Decode(&q) != nil || len(q.Messages) != 1 {
		http.Error(w, "what?", 400)
		return
	}
	e.mu.Lock()
	e.asked[q.Messages[0].Content]++
	e.now++
	e.most = max(e.most, e.now)
	e.mu.Unlock()
	if e.answer == nil || !e.answer(w, q.Messages[0].Content) {
		b, _ := json.Marshal(q.Messages[0].Content)
		say(w, `{"choices":[{"message":{"content":`+string(b)+`}}]}`)
	}
	e.mu.Lock()
	e.now--
	e.mu.Unlock()
}

// times is how often questions were put, by how many questions.
func (e *echo) times() map[int]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[int]int{}
	for _, n := range e.asked {
		out[n]++
	}
	return out
}

// askAll asks n examples of an echo at an address and keeps the answers in a file.
func askAll(ctx context.Context, path, address string, n int) error {
	e, err := NewEndpoints(Endpoint{URL: address, Private: true})
	if err != nil {
		return err
	}
	model, err := e.Text(address, runner.APIChat, "m", "", 16)
	if err != nil {
		return err
	}
	model.Client.(*Client).wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	j, err := OpenJournal(path, head(n))
	if err != nil {
		return err
	}
	ask := func(ctx context.Context, i int) (string, error) { return model.Ask(ctx, "question "+strconv.Itoa(i)) }
	return errors.Join(j.Ask(ctx, ask), j.Close())
}

func serve(t testing.TB, e *echo) string {
	e.asked = map[string]int{}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.URL
}

// wantAll checks that a journal holds the answer to every example.
func wantAll(t *testing.T, path string, n int) {
	t.Helper()
	got, err := ReadAnswers(path, []string{"sha256:aa"})
	if err != nil || len(got) != n {
		t.Fatalf("%d answers: %v", len(got), err)
	}
	for i, a := range got {
		if a != "question "+strconv.Itoa(i) {
			t.Fatalf("example %d: %q", i, a)
		}
	}
}

// Every example is asked once, 64 at the same time and no more; what passes is asked again.
func TestAsk(t *testing.T) {
	const n = 2000
	var together sync.WaitGroup
	together.Add(AtOnce)
	var arrived atomic.Int64
	e := &echo{answer: func(w http.ResponseWriter, q string) bool {
		if arrived.Add(1) <= AtOnce { // the first wait for each other: they must all be on their way
			together.Done()
			together.Wait()
		}
		return false
	}}
	path := filepath.Join(t.TempDir(), "a.journal")
	if err := askAll(t.Context(), path, serve(t, e), n); err != nil {
		t.Fatal(err)
	}
	wantAll(t, path, n)
	if e.most != AtOnce || e.times()[1] != n {
		t.Errorf("%d at once, asked %v", e.most, e.times())
	}
	var failed sync.Map
	e = &echo{answer: func(w http.ResponseWriter, q string) bool {
		if _, again := failed.LoadOrStore(q, true); !again && strings.HasSuffix(q, "7") {
			w.WriteHeader(429)
			return true
		}
		return false
	}}
	path = filepath.Join(t.TempDir(), "b.journal")
	if err := askAll(t.Context(), path, serve(t, e), n); err != nil || e.times()[2] != n/10 {
		t.Errorf("%v, asked %v", err, e.times())
	}
	wantAll(t, path, n)
}

// A run that an endpoint ends goes on where it was.
func TestResume(t *testing.T) {
	const n = 500
	var broken atomic.Bool
	broken.Store(true)
	e := &echo{answer: func(w http.ResponseWriter, q string) bool {
		if broken.Load() && q == "question 300" {
			http.Error(w, "no", http.StatusForbidden)
			return true
		}
		return false
	}}
	address, path := serve(t, e), filepath.Join(t.TempDir(), "a.journal")
	if err := askAll(t.Context(), path, address, n); err == nil || !strings.Contains(err.Error(), "example 301: POST /chat/completions: status 403") {
		t.Fatal(err)
	}
	if _, err := ReadAnswers(path, []string{"sha256:aa"}); err == nil || !strings.Contains(err.Error(), "suite.count_mismatch") {
		t.Errorf("answers that are not complete: %v", err)
	}
	kept := answered(t, path)
	before := map[int]int{}
	for i := range kept {
		before[i] = e.asked["question "+strconv.Itoa(i)]
	}
	broken.Store(false)
	if err := askAll(t.Context(), path, address, n); err != nil || len(kept) < 200 {
		t.Fatalf("%v; kept %d", err, len(kept))
	}
	wantAll(t, path, n)
	for i, times := range before {
		if e.asked["question "+strconv.Itoa(i)] != times {
			t.Errorf("example %d was answered and asked again", i)
		}
	}
}

// answered are the examples that a journal holds.
func answered(t *testing.T, path string) map[int]bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[int]bool{}
	if _, _, err := readJournal(f, func(e entry) error { out[e.I] = true; return nil }, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

const asksFor = "PROCTOR_TEST_ASKS" // path, address and number of examples, for a process that is killed

// TestKilled kills the process that asks, several times, and lets the last one finish.
// What it had taken down is never asked again; without the journal, all would be.
func TestKilled(t *testing.T) {
	const n, kills = 3000, 4
	if args := strings.Fields(os.Getenv(asksFor)); len(args) == 3 {
		n, _ := strconv.Atoi(args[2])
		if err := askAll(context.Background(), args[0], args[1], n); err != nil {
			t.Fatal(err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "a.journal")
	var count atomic.Int64
	reached := make(chan bool, n)
	e := &echo{answer: func(http.ResponseWriter, string) bool {
		if count.Add(1)%500 == 0 {
			reached <- true
		}
		return false
	}}
	address := serve(t, e)
	for k := range kills + 1 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), asksFor+"="+path+" "+address+" "+strconv.Itoa(n))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if k < kills {
			<-reached
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Wait(); (err == nil) != (k == kills) {
			t.Fatalf("process %d: %v", k, err)
		}
		if k == kills {
			break
		}
		kept := answered(t, path)
		e.mu.Lock()
		for i := range kept {
			delete(e.asked, "question "+strconv.Itoa(i))
		}
		e.mu.Unlock()
		defer func() {
			for i := range kept {
				if e.asked["question "+strconv.Itoa(i)] > 0 {
					t.Errorf("example %d was taken down before kill %d and asked again", i, k+1)
				}
			}
		}()
		if len(kept) == 0 && k > 0 {
			t.Errorf("nothing was taken down before kill %d", k+1)
		}
	}
	wantAll(t, path, n)
	if most := int64(n + kills*AtOnce); count.Load() > most {
		t.Errorf("%d requests for %d examples and %d kills; at most %d", count.Load(), n, kills, most)
	}
}

// What a journal may look like when it is opened, and what it then holds, or why it is
// refused. Lines follow the head of 3 examples.
var journals = []struct{ what, lines, want string }{
	{"empty", "", "0"},
	{"whole", `{"i":2,"a":"x"}` + "\n" + `{"i":0,"a":"<&>\u2028"}` + "\n", "2"},
	{"torn", `{"i":2,"a":"x"}` + "\n" + `{"i":0,"a":"y`, "1"},
	{"torn at its end", `{"i":2,"a":"x"}` + "\n" + `{"i":0,"a":"y"}`, "1"},
	{"torn in the middle", `{"i":2,"a":"x` + "\n" + `{"i":0,"a":"y"}` + "\n", "line 2"},
	{"twice", `{"i":2,"a":"x"}` + "\n" + `{"i":2,"a":"y"}` + "\n", "line 3"},
	{"beyond", `{"i":3,"a":"x"}` + "\n", "line 2"},
	{"before", `{"i":-1,"a":"x"}` + "\n", "line 2"},
	{"another key", `{"i":1,"a":"x","score":1}` + "\n", "line 2"},
	{"another case", `{"I":1,"A":"x"}` + "\n", "line 2"},
	{"a space", `{"i": 1,"a":"x"}` + "\n", "line 2"},
	{"an empty line", "\n", "line 2"},
	{"no text", `{"i":1}` + "\n", "line 2"},
	{"too long", `{"i":1,"a":"` + strings.Repeat("x", maxEntry) + `"}` + "\n", "longer than"},
}

func TestJournal(t *testing.T) {
	first, err := line(Head{journalFormat, []string{"sha256:aa"}, Asked("model"), 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range journals {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, append(slices.Clone(first), c.lines...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path, head(3))
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.what, err)
			}
			if b, _ := os.ReadFile(path); string(b) != string(first)+c.lines {
				t.Errorf("%s: refused, and changed", c.what)
			}
			continue
		}
		if got := strconv.Itoa(j.Answered()); got != c.want {
			t.Errorf("%s: %s answers, want %s", c.what, got, c.want)
		}
		for i := range 3 {
			if !j.answered(i) {
				if err := j.add(entry{i, "new"}); err != nil {
					t.Error(err)
				}
			}
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if got, err := ReadAnswers(path, []string{"sha256:aa"}); err != nil || len(got) != 3 || got[1] != "new" {
			t.Errorf("%s: then %q, %v", c.what, got, err)
		}
	}
}

// A journal answers for its own run and for no other; a head that was torn is begun anew.
func TestJournalOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := OpenJournal(path, head(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.add(entry{0, "x"}), j.Close()); err != nil {
		t.Fatal(err)
	}
	for what, h := range map[string]Head{
		"suite": {Suites: []string{"sha256:bb"}, Asked: Asked("model"), Examples: 1},
		"model": {Suites: []string{"sha256:aa"}, Asked: Asked("mo", "del"), Examples: 1},
		"size":  {Suites: []string{"sha256:aa"}, Asked: Asked("model"), Examples: 2},
	} {
		if _, err := OpenJournal(path, h); err == nil || !strings.Contains(err.Error(), "another run") {
			t.Errorf("another %s: %v", what, err)
		}
	}
	if _, err := ReadAnswers(path, []string{"sha256:bb"}); err == nil {
		t.Error("another suite's answers were read")
	}
	if j, err = OpenJournal(path, head(1)); err != nil || j.Answered() != 1 {
		t.Fatalf("its own: %v", err)
	}
	if _, err := OpenJournal(path, head(1)); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened twice: %v", err)
	}
	j.Close()
	if err := os.WriteFile(path, []byte(`{"journal":"proctor/answers/1","sui`), 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err = OpenJournal(path, head(1)); err != nil || j.Answered() != 0 {
		t.Fatalf("a head that was torn: %v", err)
	}
	j.Close()
	if err := os.WriteFile(path, []byte("id,answer\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(path, head(1)); err == nil {
		t.Error("a file of something else was taken over")
	}
	if b, _ := os.ReadFile(path); string(b) != "id,answer\n1,x\n" {
		t.Error("and changed")
	}
}

// Whatever stands in a file, reading it does not panic, and what is read was written so.
func FuzzJournal(f *testing.F) {
	first, _ := line(Head{journalFormat, []string{"sha256:aa"}, Asked("model"), 3})
	for _, c := range journals[:len(journals)-1] {
		f.Add(append(slices.Clone(first), c.lines...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		h, end, err := readJournal(strings.NewReader(string(data)), func(e entry) error {
			b, err := line(e)
			again = append(again, b...)
			return err
		}, nil)
		if err != nil || h == nil {
			return
		}
		b, err := line(h)
		if err != nil || string(b)+string(again) != string(data[:end]) {
			t.Errorf("%q was read as %q%q", data[:end], b, again)
		}
	})
}

// One answer a request, 64 at a time, to a server in this process: both ends are counted.
func BenchmarkAsk(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		say(w, `{"choices":[{"message":{"role":"assistant","content":"yes"}}]}`)
	}))
	defer s.Close()
	b.ReportAllocs()
	if err := askAll(b.Context(), filepath.Join(b.TempDir(), "j"), s.URL, b.N); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
