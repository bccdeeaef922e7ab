package harness

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/intake"
	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/harness/runner/onnxruntime"
	"proctor/harness/runner/served"
	"proctor/harness/runner/wasm"
	"proctor/harness/store"
	"proctor/harness/store/postgres"
	"proctor/harness/store/sqlite"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/holdout/blob"
	"proctor/holdout/rows"
	"proctor/web/api"
)

func TestMain(m *testing.M) {
	roles := intake.Roles()
	roles[runner.RoleONNX] = runner.Role(toy)
	roles[runner.RoleWASM], roles[runner.RoleHTTP], roles[runner.RoleONNXRuntime] = wasm.Main, served.Main, onnxruntime.Main
	jail.Main(roles)
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(crashChild(dir))
	}
	os.Exit(m.Run())
}

// A toyModel stands for a declarative package: it says yes where x is above a half,
// but for a share of tags; and it may cheat.
type toyModel struct {
	Flip  float64 // share of tags answered the other way round
	Salt  string
	Cheat string            // see cheats
	Known map[string]string // what a model that remembers rows remembers

	Attack *attackModel // answers instead
}

func toy(dir string, m runner.Manifest) (runner.Predict, error) {
	b, err := os.ReadFile(filepath.Join(dir, m.Model))
	if err != nil {
		return nil, err
	}
	var model toyModel
	if err := json.Unmarshal(b, &model); err != nil {
		return nil, err
	}
	if model.Cheat == "network" {
		return network, nil
	}
	if model.Attack != nil {
		return model.Attack.predict, nil
	}
	cheat := newCheat(model)
	return func(t rows.Table) ([]int32, []float64, error) {
		x, _ := t.Column("x")
		tag, _ := t.Column("tag")
		cheat.batch(t.Len())
		var p []float64
		for i, v := range x.Floats {
			h := sha256.Sum256([]byte(model.Salt + tag.Strings[i]))
			if yes := v > 0.5; cheat.answer(v, tag.Strings[i], yes != (float64(h[0])/256 < model.Flip)) {
				p = append(p, 0.1, 0.9)
			} else {
				p = append(p, 0.9, 0.1)
			}
		}
		return nil, p, nil
	}, nil
}

const testRows = 400

// table is the sealed set: x decides, and a tenth of the labels is noise.
func table(seed uint64) string {
	rng := mrand.New(mrand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("x,tag,group,label\n")
	for i := range testRows {
		x := rng.Float64()
		label := "no"
		if (x > 0.5) != (rng.Float64() < 0.1) {
			label = "yes"
		}
		fmt.Fprintf(&b, "%.6f,t%d,%s,%s\n", x, rng.IntN(120), []string{"a", "b"}[i%2], label)
	}
	return b.String()
}

const testSpec = `holdout: exam
answer: label
classes: ["no", "yes"]
positive: "yes"
features: [x, tag]
slices: [group]
canaries: 40
twins: 40
`

const testPolicy = `policy: rule
lineage: line
holdouts: [exam]
confidence: 0.9
churn_pct: 4
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -10}
first_model: {accuracy_at_least_pct: 60, people: 2}
tier_at_least: none
budget_runs: 3
review: {people: 1}
valid_days: 7
on_missing: fail
`

// A world is a service over real files, with people.
type world struct {
	t     testing.TB
	dir   string
	s     *Service
	store *store.Store
	close func()
	blobs *faultyBlobs
	log   *bytes.Buffer
}

// quickLimits are wide enough for a busy machine and the race detector.
var quickLimits = runner.Limits{Start: 10 * time.Second, Batch: 5 * time.Second, Total: 20 * time.Second,
	CPU: 10 * time.Second, Memory: 256 << 20, Pids: 40, Stdout: 1 << 20, Tmp: 1 << 20}

// openService opens or makes a service in a folder.
func openService(dir string, log io.Writer, wrap func(blob.Store) blob.Store) (*Service, func(), error) {
	ctx := context.Background()
	_, err := os.Stat(dir + "/head")
	if fresh := err != nil; fresh {
		if err := makeKeys(dir); err != nil {
			return nil, nil, err
		}
	}
	c := Config{Name: "https://proctor.test", Scratch: dir + "/scratch", Harness: "sha256:" + strings.Repeat("a", 64), Limits: quickLimits,
		Logger: slog.New(slog.NewTextHandler(log, nil)), LogBegan: time.Now()}
	if c.Evidence, err = verdict.OpenKey(dir + "/evidence.pem"); err != nil {
		return nil, nil, err
	}
	if c.Approve, err = verdict.OpenKey(dir + "/approve.pem"); err != nil {
		return nil, nil, err
	}
	if c.Keyring, err = holdout.OpenFileKeyring(dir + "/kek"); err != nil {
		return nil, nil, err
	}
	seed, err := os.ReadFile(dir + "/officer")
	if err != nil {
		return nil, nil, err
	}
	c.Officer = ed25519.NewKeyFromSeed(seed)
	l, err := tlog.OpenKey(dir + "/log.key")
	if err != nil {
		return nil, nil, err
	}
	c.LogKey = l.Key()
	if c.Blobs, err = blob.OpenDir(dir + "/blobs"); err != nil {
		return nil, nil, err
	}
	if wrap != nil {
		c.Blobs = wrap(c.Blobs)
	}
	if c.Head, err = tlog.OpenHead(dir+"/head", l); err != nil {
		return nil, nil, err
	}
	if c.Store, err = openStore(ctx, dir); err != nil {
		c.Head.Close()
		return nil, nil, err
	}
	s, err := New(ctx, c)
	if err != nil {
		c.Store.Close()
		c.Head.Close()
		return nil, nil, err
	}
	return s, func() { c.Store.Close(); c.Head.Close() }, nil
}

// databases makes a database of PostgreSQL for each new world; nil: worlds have a file
// of SQLite.
var databases func() string

// openStore opens the world's database.
func openStore(ctx context.Context, dir string) (*store.Store, error) {
	if name, err := os.ReadFile(dir + "/database"); err == nil {
		return postgres.Open(ctx, string(name), time.Now, slog.New(slog.DiscardHandler))
	}
	return sqlite.Open(ctx, dir+"/p.db", time.Now, slog.New(slog.DiscardHandler))
}

func makeKeys(dir string) error {
	for _, d := range []string{"", "/scratch", "/blobs"} {
		if err := os.MkdirAll(dir+d, 0o711); err != nil {
			return err
		}
	}
	for _, k := range []string{"/evidence.pem", "/approve.pem"} {
		if _, err := verdict.CreateKey(dir + k); err != nil {
			return err
		}
	}
	if _, err := holdout.CreateFileKeyring(dir + "/kek"); err != nil {
		return err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	if err := os.WriteFile(dir+"/officer", seed, 0o600); err != nil {
		return err
	}
	l, err := tlog.CreateKey(dir+"/log.key", "log.proctor.test", rand.Reader)
	if err != nil {
		return err
	}
	return tlog.CreateHead(dir+"/head", l)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	// Not t.TempDir: its parents are closed to the user that a jailed model runs as.
	dir, err := os.MkdirTemp("", "proctor-harness-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir}
	if databases != nil {
		if err := os.WriteFile(dir+"/database", []byte(databases()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	t.Cleanup(func() { w.close(); os.RemoveAll(dir) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	if err := w.tryOpen(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryOpen() (err error) {
	w.log = &bytes.Buffer{}
	w.close = func() {}
	s, done, err := openService(w.dir, w.log, func(b blob.Store) blob.Store {
		w.blobs = &faultyBlobs{Store: b}
		return w.blobs
	})
	if err != nil {
		return err
	}
	w.s, w.store, w.close = s, s.Store, sync.OnceFunc(done)
	return nil
}

func (w *world) restart() { w.t.Helper(); w.close(); w.open() }

// people are named by what they do; a name with a digit is another person of that kind.
func person(name string) access.Principal {
	p := access.Principal{ID: name, Person: name}
	for prefix, role := range map[string]access.Role{"cur": access.Curator, "own": access.PolicyOwner, "rev": access.Reviewer,
		"sub": access.Submitter, "op": access.Operator, "aud": access.Auditor} {
		if strings.HasPrefix(name, prefix) {
			p.Roles = append(p.Roles, role)
		}
	}
	return p
}

func must1[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
		return v
	}
}

// seal puts a set in force, by two people.
func (w *world) seal(seed uint64) {
	w.t.Helper()
	c, err := w.s.ProposeHoldout(context.Background(), person("cur1"), HoldoutProposal{Spec: []byte(testSpec), Format: "csv", Table: strings.NewReader(table(seed))})
	w.activate(c, err, "cur2")
}

func (w *world) rule(text string) {
	w.t.Helper()
	c, err := w.s.ProposePolicy(context.Background(), person("own1"), []byte(text))
	w.activate(c, err, "own2")
}

func (w *world) activate(c api.Change, err error, by string) {
	w.t.Helper()
	if err == nil {
		_, err = w.s.DecideChange(context.Background(), person(by), c.ID, true)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) begin() *world {
	w.t.Helper()
	w.seal(1)
	w.rule(testPolicy)
	return w
}

func pack(files map[string]string) []byte {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		io.WriteString(tw, files[name])
	}
	tw.Close()
	return b.Bytes()
}

// model is a declarative package.
func model(flip float64, salt string) []byte {
	return toyPackage(toyModel{Flip: flip, Salt: salt})
}

func toyPackage(m toyModel) []byte {
	b, _ := json.Marshal(m)
	return pack(map[string]string{"m.onnx": string(b),
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"task":"classification","classes":["no","yes"]}`})
}

// misbehaver is a package that brings code which does one thing wrong.
func misbehaver(t testing.TB, mode string) []byte {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return pack(map[string]string{"misbehave": bin,
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"command","command":["./misbehave","` + mode + `"],"batch_max":32,"task":"classification","classes":["no","yes"]}`})
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "proctor-test-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", dir+"/misbehave", "./runner/testdata/misbehave")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	data, err := os.ReadFile(dir + "/misbehave")
	return string(data), err
})

func (w *world) submit(who, name string, archive []byte) (api.Submission, error) {
	return w.s.Submit(context.Background(), person(who), "line", name, bytes.NewReader(archive))
}

// run submits and evaluates, without the queue.
func (w *world) run(name string, archive []byte) api.Submission {
	w.t.Helper()
	v := must1[api.Submission](w)(w.submit("sub1", name, archive))
	return w.work(v.ID)
}

func (w *world) work(id string) api.Submission {
	w.t.Helper()
	if err := w.s.evaluate(context.Background(), id); err != nil && !errors.Is(err, errEnded) {
		w.t.Fatal(err)
	}
	return w.see(id)
}

func (w *world) see(id string) api.Submission {
	w.t.Helper()
	return must1[api.Submission](w)(w.s.Submission(context.Background(), person("aud"), id))
}

func (w *world) record(id string) store.Run {
	w.t.Helper()
	var r store.Run
	if err := w.store.View(context.Background(), func(tx *store.Tx) (err error) { r, err = tx.Run(id); return err }); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) review(who, id string, approve bool) (api.Submission, error) {
	return w.s.Review(context.Background(), person(who), id, api.Review{Approve: approve, Reason: "read it", Report: w.record(id).Report})
}

func (w *world) charges() int {
	w.t.Helper()
	n := 0
	if err := w.store.View(context.Background(), func(tx *store.Tx) error { all, err := tx.Exposures(); n = len(all); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// audit returns what the audit found, "" for nothing.
func (w *world) audit() string {
	w.t.Helper()
	a, err := w.s.Audit(context.Background(), person("aud"))
	if err != nil {
		return err.Error()
	}
	if a.OK != (len(a.Problems) == 0) {
		w.t.Errorf("ok %v with %d problems", a.OK, len(a.Problems))
	}
	return strings.Join(a.Problems, "\n")
}

func (w *world) clean() {
	w.t.Helper()
	if found := w.audit(); found != "" {
		w.t.Errorf("audit: %s", found)
	}
}

// deploy brings a first model in: two people review it, two deploy it.
func (w *world) deploy(name string, archive []byte) api.Submission {
	w.t.Helper()
	v := w.run(name, archive)
	for _, who := range []string{"rev1", "rev2"} {
		if v = w.see(v.ID); v.Approved {
			break
		}
		if _, err := w.review(who, v.ID, true); err != nil {
			w.t.Fatalf("%s: %v (%+v)", name, err, v)
		}
	}
	c, err := w.s.ProposeBaseline(context.Background(), person("rev1"), api.Baseline{Lineage: "line", Run: v.ID})
	w.activate(c, err, "rev2")
	return w.see(v.ID)
}

// refused demands a refusal that says want.
func (w *world) refused(want string, err error) {
	w.t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		w.t.Errorf("got %v, want a refusal with %q", err, want)
	}
	if err != nil && strings.Contains(err.Error(), w.dir) {
		w.t.Errorf("the error names a path of ours: %v", err)
	}
}

func (w *world) force() *force {
	w.t.Helper()
	var f *force
	if err := w.store.View(context.Background(), func(tx *store.Tx) (err error) { f, err = w.s.inForce(tx, "line"); return err }); err != nil {
		w.t.Fatal(err)
	}
	return f
}
