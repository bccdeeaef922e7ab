package holdout

import (
	"context"
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/rows"

	"golang.org/x/mod/sumdb/tlog"
)

// A notebook records openings.
type notebook struct {
	lines [][]int
	fail  error
}

func (n *notebook) Record(_ context.Context, _ Commitment, lines []int) error {
	n.lines = append(n.lines, lines)
	return n.fail
}

func (w *world) custody(t testing.TB, c Commitment, raw []byte, n Recorder, lines ...int) (*Custodian, error) {
	t.Helper()
	return OpenCustody(t.Context(), Request{Commitment: c, Manifest: raw, Key: w.key(t, raw)}, lines, n, w.store, w.keys, w.pub)
}

func (w *world) hold(t testing.TB, c Commitment, raw []byte, lines ...int) *Custodian {
	t.Helper()
	k, err := w.custody(t, c, raw, &notebook{}, lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// values of a row, as its owner has them.
func values(t testing.TB, tab rows.Table, r int) map[string]any {
	t.Helper()
	sealed, err := tab.Select("age", "sex", "school", "hours", "gain", "weight", "region", "income")
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]any{}
	if err := json.Unmarshal(sealed.AppendJSON(nil, r), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What is not recorded is not opened: no recorder, one that fails, lines that are not there.
func TestCustodyRecordsFirst(t *testing.T) {
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	store := w.store.(*fakeStore)
	down := errors.New("the log is down")
	if _, err := w.custody(t, c, raw, &notebook{fail: down}, 3); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	n := &notebook{}
	for _, lines := range [][]int{{0}, {301}, {2, 2}, {3, 2}} {
		if _, err := w.custody(t, c, raw, n, lines...); err == nil {
			t.Errorf("lines %v opened", lines)
		}
	}
	if _, err := w.custody(t, c, raw, nil, 3); err == nil {
		t.Error("opened without a recorder")
	}
	if store.gets != 0 || len(n.lines) != 0 {
		t.Errorf("%d blobs were read, %d recorded", store.gets, len(n.lines))
	}
	k, err := w.custody(t, c, raw, n, 3, 7)
	if err != nil || len(n.lines) != 1 || !slices.Equal(n.lines[0], []int{3, 7}) {
		t.Fatalf("%v %v", err, n.lines)
	}
	if shown := k.Show(); len(shown) != 2 || !strings.HasPrefix(string(shown[0]), `{"age":`) {
		t.Errorf("%s", shown)
	}
	k.Close()
	if k.Show() != nil && len(k.parts) != 0 {
		t.Error("closed and still open")
	}
}

// A proof verifies for its row and set alone: every change of it is refused.
func TestProveRow(t *testing.T) {
	w := newWorld()
	tab := people(t, 333, 1)
	c, raw := w.seal(t, input(t, tab))
	for _, line := range []int{1, 2, 17, 256, 257, 332, 333} {
		p, err := w.hold(t, c, raw, line).Prove(values(t, tab, line-1))
		if err != nil {
			t.Fatalf("row %d: %v", line, err)
		}
		wire, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back RowProof
		if err := errors.Join(json.Unmarshal(wire, &back), back.Verify(c.Digest)); err != nil {
			t.Fatalf("row %d: %v", line, err)
		}
	}
	// Nobody gets a proof of a row that he does not have.
	if _, err := w.hold(t, c, raw, 18).Prove(values(t, tab, 16)); !errors.Is(err, ErrOtherRow) {
		t.Errorf("another row: %v", err)
	}
	good, err := w.hold(t, c, raw, 17).Prove(values(t, tab, 16))
	if err != nil {
		t.Fatal(err)
	}
	other, raw2 := w.seal(t, func() SealInput { in := input(t, people(t, 333, 2)); in.Version = 2; return in }())
	for name, change := range map[string]func(*RowProof){
		"row":  func(p *RowProof) { p.Row++ },
		"rows": func(p *RowProof) { p.Rows-- },
		"salt": func(p *RowProof) { p.Salt = "00" + p.Salt[2:] },
		"value": func(p *RowProof) {
			p.Values = json.RawMessage(strings.Replace(string(p.Values), `"age":`, `"age":1`, 1))
		},
		"spelling": func(p *RowProof) { p.Values = append(json.RawMessage(" "), p.Values...) },
		"path":     func(p *RowProof) { p.Path = slices.Clone(p.Path); p.Path[3] = p.Path[2] },
		"short":    func(p *RowProof) { p.Path = p.Path[1:] },
		"leaf":     func(p *RowProof) { p.Leaf = slices.Clone(p.Leaf); p.Leaf[3] = p.Leaf[2] },
		"order":    func(p *RowProof) { p.Leaf = slices.Clone(p.Leaf); slices.Reverse(p.Leaf) },
		"less":     func(p *RowProof) { p.Leaf = p.Leaf[1:] },
		"more":     func(p *RowProof) { p.Leaf = append(slices.Clone(p.Leaf), p.Leaf[0]) },
		"no path":  func(p *RowProof) { p.Path = nil },
		"version":  func(p *RowProof) { p.Version++ },
		"manifest": func(p *RowProof) { p.Manifest = raw2 },
		"set":      func(p *RowProof) { p.Manifest, p.Digest = raw2, other.Digest },
		"format":   func(p *RowProof) { p.Format = "" },
	} {
		p := good
		change(&p)
		if err := p.Verify(c.Digest); err == nil {
			t.Errorf("another %s verifies", name)
		}
	}
	if err := good.Verify(other.Digest); !errors.Is(err, ErrDigestMismatch) {
		t.Errorf("under another pin: %v", err)
	}
	if err := (RowProof{}).Verify(c.Digest); err == nil {
		t.Error("the empty proof verifies")
	}
	if strings.Contains(string(good.Values), `"person"`) {
		t.Error("the id is in the proof")
	}
}

// A proof says nothing of the rows beside its own: who guesses their values cannot
// tell without their salts, which are not in it, whether the guess is right. Were the
// rows' hashes not salted, or all by one salt, the guess would show.
func TestProofHidesNeighbours(t *testing.T) {
	w := newWorld()
	tab := people(t, 333, 1)
	c, raw := w.seal(t, input(t, tab))
	k := w.hold(t, c, raw, 17)
	p, err := k.Prove(values(t, tab, 16))
	if err != nil || len(p.Leaf) != leafRows-1 {
		t.Fatalf("%v, %d hashes", err, len(p.Leaf))
	}
	wire, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(salt []byte, r int) bool {
		sum := sha256.Sum256(appendRow(nil, salt, k.parts[partScored], r))
		return strings.Contains(string(wire), hex.EncodeToString(sum[:]))
	}
	own, err := hex.DecodeString(p.Salt)
	if err != nil {
		t.Fatal(err)
	}
	h := newRowHasher(k.dek, partScored)
	for r := 17; r < 32; r++ {
		if shows(nil, r) || shows(own, r) {
			t.Errorf("a guess of row %d can be checked", r+1)
		}
		if !shows(h.saltOf(r), r) {
			t.Errorf("negative control: row %d is not in the leaf", r+1)
		}
		if strings.Contains(string(wire), hex.EncodeToString(h.saltOf(r))) {
			t.Errorf("the salt of row %d is in the proof", r+1)
		}
	}
}

// Proofs out of the kept tree are those that the plain definition gives.
func TestRowTree(t *testing.T) {
	dek := make([]byte, 32)
	for _, n := range []int{1, 2, 15, 16, 17, 100, 129} {
		tab := people(t, n, 3)
		tree, err := newRowTree(dek, partScored, tab)
		if err != nil {
			t.Fatal(err)
		}
		root, err := readHash("sha256:", rowRoot(dek, partScored, tab))
		if err != nil || root != plainRoot(t, dek, partScored, tab) {
			t.Fatalf("%d rows: %v, %x", n, err, root)
		}
		m := manifest{Public: Commitment{Name: "people", Version: 1}}
		for _, r := range []int{0, n / 2, n - 1} {
			p, err := m.proof(tree, r)
			others, e := readHashes(p.Leaf)
			path, f := readHashes(p.Path)
			if err := errors.Join(err, e, f); err != nil || len(path) > 4 || !checkRow(root, tree.rows.row(tab, 0, r), others, path, r, n) {
				t.Fatalf("%d of %d: %v, path of %d", r, n, err, len(p.Path))
			}
			for _, other := range []int{0, n / 2, n - 1} {
				if other != r && checkRow(root, tree.rows.row(tab, 0, r), others, path, other, n) {
					t.Errorf("row %d of %d is taken for row %d", r, n, other)
				}
			}
		}
	}
}

// plainRoot is the root as tree.go states it, with every leaf as a record of a log.
func plainRoot(t *testing.T, dek []byte, part string, tab rows.Table) tlog.Hash {
	t.Helper()
	key, err := aes.NewCipher(derive(dek, "proctor/holdout/1/salt/"+part))
	if err != nil {
		t.Fatal(err)
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	leaves := int64(0)
	for first := 0; first < tab.Len(); first += 16 {
		var record []byte
		for r := first; r < min(first+16, tab.Len()); r++ {
			b := make([]byte, 17)
			binary.BigEndian.PutUint64(b[9:], uint64(r))
			key.Encrypt(b[1:], b[1:])
			b[0] = 2
			for _, c := range tab.Columns() {
				if c.IsNumber() {
					b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.Floats[r]))
				} else {
					b = append(binary.BigEndian.AppendUint32(b, uint32(len(c.Strings[r]))), c.Strings[r]...)
				}
			}
			sum := sha256.Sum256(b)
			record = append(record, sum[:]...)
		}
		more, err := tlog.StoredHashes(leaves, record, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		leaves++
	}
	root, err := tlog.TreeHash(leaves, read)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Corrections, erasures and additions make the next version; what is left alone
// keeps its exposure.
func TestAmend(t *testing.T) {
	w := newWorld()
	tab := people(t, 500, 1)
	in := input(t, tab)
	in.Reserve = people(t, 200, 2)
	c, raw := w.seal(t, in)
	add := values(t, people(t, 1, 9), 0)
	list, err := ParseCorrections(strings.NewReader(`{"row": 17, "set": {"income": "` + flip(t, tab, 16) + `"}}
{"row": 18, "erase": true}
` + addLine(t, add)))
	if err != nil {
		t.Fatal(err)
	}
	next, err := w.hold(t, c, raw).Amend(list)
	if err != nil {
		t.Fatal(err)
	}
	next.Version, next.Now, next.Rand = 2, in.Now, stream("amend")
	c2, raw2 := w.seal(t, next)
	if c2.Rows != 500 || c2.Previous != c.Digest || c2.ReserveRows != 200 {
		t.Errorf("%+v", c2)
	}
	for _, x := range []struct {
		line, now int
		stays     bool
	}{{17, 17, true}, {18, 17, false}, {19, 18, true}, {500, 499, true}} {
		if now, stays := c2.After(x.line); now != x.now && stays || stays != x.stays {
			t.Errorf("row %d is %d, %v", x.line, now, stays)
		}
	}
	if _, stays := c.After(1); stays {
		t.Error("a version that amends nothing has rows of another")
	}
	if share := Overlap(c2, c); share < .995 {
		t.Errorf("the amended set has %v of the old one's exposure", share)
	}
	old, now := w.hold(t, c, raw, 17, 18, 19).Show(), w.hold(t, c2, raw2, 16, 17, 18, 500).Show()
	if string(old[0]) == string(now[1]) || string(old[2]) != string(now[2]) {
		t.Error("row 17 is not corrected, or row 18 is still there")
	}
	if want := string(mustJSON(t, add)); !sameObject(t, now[3], want) {
		t.Errorf("added %s, want %s", now[3], want)
	}
	if err := w.audit(t, raw2); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"":                                    "no correction",
		`{"row": 501, "erase": true}`:         "not in the set",
		`{"row": 0, "erase": true}`:           "names a row",
		`{"row": 1}`:                          "names a row",
		`{"row": 1, "erase": true, "x": 1}`:   "line 1",
		`{"row": 1, "set": {"wrong": 1}}`:     "no column",
		`{"row": 1, "set": {"age": "young"}}`: "not of its kind",
		`{"add": {"age": 1}}`:                 "no value for column",
		`{"row":1,"erase":true}{"row":2}`:     "line 1",
		"{\"row\":1,\"erase\":true}\n{\"row\":1,\"erase\":true}": "corrected twice",
	} {
		list, err := ParseCorrections(strings.NewReader(text))
		if err == nil {
			_, err = w.hold(t, c, raw).Amend(list)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Rotation scores the reserve without copies of what people have seen. What it still
// shares with the old set, and only that, keeps its exposure.
func TestRotate(t *testing.T) {
	w := newWorld()
	in := input(t, people(t, 1000, 1))
	mixed, err := rows.Concat(in.Table.Slice(0, 100), people(t, 900, 2))
	if err != nil {
		t.Fatal(err)
	}
	in.Reserve = mixed
	c, raw := w.seal(t, in)
	for _, x := range []struct {
		seen, known int
		share       float64
	}{{0, 0, .1}, {40, 40, .0625}, {100, 100, 0}} {
		var seen []int
		for i := range x.seen {
			seen = append(seen, i+1)
		}
		k := w.hold(t, c, raw)
		shown, err := k.Seen(seen)
		if err != nil {
			t.Fatal(err)
		}
		next, known, err := k.Rotate(shown)
		if err != nil || known != x.known || next.Table.Len() != 1000-x.known {
			t.Fatalf("%d seen: %v, %d known, %d rows", x.seen, err, known, next.Table.Len())
		}
		next.Version, next.Now, next.Rand = 2+x.seen, in.Now, stream("rotate")
		if c2, _ := w.seal(t, next); math.Abs(Overlap(c2, c)-x.share) > .002 {
			t.Errorf("%d seen: the rotated set inherits %v, want %v", x.seen, Overlap(c2, c), x.share)
		}
	}
	if _, err := w.hold(t, c, raw).Seen([]int{1001}); err == nil {
		t.Error("a row that is not there was seen")
	}
	in.Reserve, in.Version = rows.Table{}, 9
	c, raw = w.seal(t, in)
	if _, _, err := w.hold(t, c, raw).Rotate(); !errors.Is(err, ErrNoReserve) {
		t.Errorf("%v", err)
	}
}

func flip(t testing.TB, tab rows.Table, r int) string {
	t.Helper()
	if values(t, tab, r)["income"] == "low" {
		return "high"
	}
	return "low"
}

func addLine(t testing.TB, v map[string]any) string {
	return string(mustJSON(t, map[string]any{"add": v}))
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameObject(t testing.TB, a []byte, b string) bool {
	t.Helper()
	var x, y map[string]any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return string(mustJSON(t, x)) == string(mustJSON(t, y))
}
