package blob

import (
	"errors"
	"os"
	"slices"
	"testing"
)

// Each names every blob once, in order, and stops at what is none.
func TestEach(t *testing.T) {
	dir := t.TempDir()
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var put, got []Ref
	for _, s := range []string{"a", "b", "c", "a"} {
		ref, err := d.Put(t.Context(), []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		put = append(put, ref)
	}
	note := func(r Ref) error { got = append(got, r); return nil }
	slices.Sort(put)
	if err := d.Each(t.Context(), note); err != nil || !slices.Equal(got, slices.Compact(put)) {
		t.Errorf("%v, %v; want %v", got, err, slices.Compact(put))
	}
	stop := errors.New("stop")
	if err := d.Each(t.Context(), func(Ref) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if err := os.WriteFile(dir+"/sha256/zz", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Each(t.Context(), note); err == nil {
		t.Error("a file that is no blob was passed over")
	}
}
