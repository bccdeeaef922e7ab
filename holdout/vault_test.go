package holdout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

func itoa(n int) string { return strconv.Itoa(n) }

// damage changes one byte of a blob's file.
func damage(t *testing.T, dir string, ref blob.Ref) {
	t.Helper()
	hex := strings.TrimPrefix(string(ref), "sha256:")
	path := filepath.Join(dir, "sha256", hex[:2], hex)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := errors.Join(os.Remove(path), os.WriteFile(path, b, 0o400)); err != nil {
		t.Fatal(err)
	}
}

// countingKeys counts how often a data key was unwrapped.
type countingKeys struct {
	*FileKeyring
	unwrapped int
}

func (k *countingKeys) Unwrap(ctx context.Context, b []byte, c string) ([]byte, error) {
	k.unwrapped++
	return k.FileKeyring.Unwrap(ctx, b, c)
}

// Without a charge nothing is read and no key is unwrapped: ledger down, budget
// spent, no ledger, wrong manifest, zero grant.
func TestChargeFirst(t *testing.T) {
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	keys := &countingKeys{FileKeyring: w.keys}
	store := w.store.(*fakeStore)
	down := errors.New("the ledger is down")
	spent := &memoryLedger{budget: 0}
	r := Request{RunID: "r1", Lineage: "l", Commitment: c, Manifest: raw, Key: w.key(t, raw)}

	if _, err := NewVault(store, keys, w.pub, &memoryLedger{fail: down}).Grant(t.Context(), r); !errors.Is(err, down) {
		t.Errorf("ledger down: %v", err)
	}
	var over *BudgetError
	if g, err := NewVault(store, keys, w.pub, spent).Grant(t.Context(), r); !errors.As(err, &over) || g.v != nil {
		t.Errorf("spent: %v", err)
	}
	if _, err := NewVault(store, keys, w.pub, nil).Grant(t.Context(), r); err == nil {
		t.Error("a vault without a ledger granted")
	}
	if _, err := (*Vault)(nil).Grant(t.Context(), r); err == nil {
		t.Error("no vault granted")
	}
	if _, err := (Grant{}).open(t.Context(), partScored); !errors.Is(err, ErrNoGrant) {
		t.Errorf("zero grant: %v", err)
	}
	if store.gets != 0 || keys.unwrapped != 0 {
		t.Errorf("%d blobs were read and %d keys unwrapped before any charge", store.gets, keys.unwrapped)
	}

	// What does not verify costs nothing.
	l := &memoryLedger{budget: 5}
	bad := r
	bad.Manifest = append([]byte(nil), raw...)
	bad.Manifest[100] ^= 1
	for name, req := range map[string]Request{"manifest": bad, "no run": {Lineage: "l", Commitment: c, Manifest: raw, Key: w.key(t, raw)}, "no lineage": {RunID: "r", Commitment: c, Manifest: raw, Key: w.key(t, raw)}} {
		if _, err := NewVault(store, keys, w.pub, l).Grant(t.Context(), req); err == nil || len(l.past) != 0 {
			t.Errorf("%s: %v, %d charges", name, err, len(l.past))
		}
	}
	// Granting reads nothing; opening does.
	g, err := NewVault(store, keys, w.pub, l).Grant(t.Context(), r)
	if err != nil || len(l.past) != 1 || store.gets != 0 || keys.unwrapped != 0 {
		t.Fatalf("%v, %d charges, %d reads, %d keys", err, len(l.past), store.gets, keys.unwrapped)
	}
	if l.past[0].Purpose == "" || l.past[0].Holdout.Digest != c.Digest {
		t.Errorf("%+v", l.past[0])
	}
	if _, err := g.open(t.Context(), partScored); err != nil || store.gets == 0 {
		t.Errorf("%v after %d reads", err, store.gets)
	}
}

// Exposure counts runs, by lineage and rows: a run taken up again pays once; a
// renamed and re-sealed set inherits all, half a set half of it, fresh rows nothing.
func TestExposure(t *testing.T) {
	w := newWorld()
	tab, more := people(t, 2000, 1), people(t, 2000, 2)
	seal := func(name string, version int, tab rows.Table) Request {
		in := input(t, tab)
		in.Spec.Name, in.Version = name, version
		c, raw := w.seal(t, in)
		return Request{Lineage: "income", Commitment: c, Manifest: raw, Key: w.key(t, raw)}
	}
	half, err := rows.Concat(tab.Slice(0, 1000), more.Slice(0, 1000))
	if err != nil {
		t.Fatal(err)
	}
	shuffled, err := rows.Concat(tab.Slice(700, 2000), tab.Slice(0, 700))
	if err != nil {
		t.Fatal(err)
	}
	original, renamed := seal("people", 1, tab), seal("folk", 1, shuffled)
	mixed, fresh := seal("people", 2, half), seal("people", 3, more)

	l := &memoryLedger{budget: 4}
	run := func(id string, r Request) error {
		r.RunID = id
		_, err := w.vault(l).Grant(t.Context(), r)
		return err
	}
	var over *BudgetError
	for i := range 3 {
		if err := run("r"+itoa(i), original); err != nil {
			t.Fatal(err)
		}
		if err := run("r"+itoa(i), original); err != nil || len(l.past) != i+1 {
			t.Fatalf("again: %v, %d charges", err, len(l.past))
		}
	}
	if err := run("r3", renamed); err != nil {
		t.Fatalf("the fourth run: %v", err)
	}
	for name, r := range map[string]Request{"original": original, "renamed": renamed} {
		if err := run("r4", r); !errors.As(err, &over) {
			t.Errorf("a fifth run on the %s rows: %v", name, err)
		}
	}
	if err := run("r5", mixed); err != nil { // half of four is two
		t.Errorf("half the rows: %v", err)
	}
	if err := run("r6", fresh); err != nil {
		t.Errorf("fresh rows: %v", err)
	}
	original.Lineage = "other"
	if err := run("r7", original); err != nil {
		t.Errorf("another lineage: %v", err)
	}
}
