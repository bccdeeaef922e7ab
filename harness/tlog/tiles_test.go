package tlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"proctor/harness/tlog"
	"proctor/harness/verdict/verdicttest"
)

// grow appends n entries to a store.
func grow(t *testing.T, s *verdicttest.Store, n int) {
	t.Helper()
	for i := range n {
		if _, err := tlog.Append(s, tlog.Entry{Leaf: fmt.Appendf(nil, "leaf %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// tileReader reads published tiles, as any client of tlog-tiles does.
type tileReader struct {
	t    *testing.T
	s    *verdicttest.Store
	size int64
}

func (r tileReader) Height() int                     { return 8 }
func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(ts []tlog.Tile) (out [][]byte, err error) {
	for _, t := range ts {
		again, err := tlog.ParseTilePath(tlog.TilePath(t))
		if err != nil || again != t {
			r.t.Errorf("%v has the path %s, which reads as %v %v", t, tlog.TilePath(t), again, err)
		}
		b, err := tlog.ReadTile(r.s, t, r.size)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// A client that knows the root alone proves from tiles every entry and every older
// tree; entries come back as they were.
func TestTiles(t *testing.T) {
	for _, size := range []int{1, 2, 3, 255, 256, 257, 511, 513, 1000} {
		s := &verdicttest.Store{}
		grow(t, s, size)
		n := int64(size)
		root, err := xtlog.TreeHash(n, xtlog.HashReaderFunc(s.LogHashes))
		if err != nil {
			t.Fatal(err)
		}
		hashes := xtlog.TileHashReader(tlog.Tree{N: n, Hash: root}, tileReader{t, s, n})
		for i := int64(0); i < n; i += max(1, n/7) {
			p, err := xtlog.ProveRecord(n, i, hashes)
			if err != nil {
				t.Fatalf("size %d, entry %d: %v", size, i, err)
			}
			if err := xtlog.CheckRecord(p, n, root, i, xtlog.RecordHash(fmt.Appendf(nil, "leaf %d", i))); err != nil {
				t.Errorf("size %d, entry %d: %v", size, i, err)
			}
			old, err := xtlog.TreeHash(i+1, hashes)
			want, _ := xtlog.TreeHash(i+1, xtlog.HashReaderFunc(s.LogHashes))
			if err != nil || old != want {
				t.Errorf("size %d: the tree of %d: %v", size, i+1, err)
			}
		}
		for at := int64(0); at < n; at += tlog.TileWidth {
			w := int(min(n-at, tlog.TileWidth))
			b, err := tlog.ReadTile(s, tlog.Tile{H: 8, L: -1, N: at / tlog.TileWidth, W: w}, n)
			if err != nil {
				t.Fatal(err)
			}
			leaves, err := tlog.ParseEntries(b, w)
			if err != nil || string(leaves[w-1]) != fmt.Sprint("leaf ", at+int64(w)-1) {
				t.Errorf("size %d, entries from %d: %v", size, at, err)
			}
		}
	}
}

// No tile reaches beyond the head: what is committed and not signed yet is not shown.
func TestNoTile(t *testing.T) {
	s := &verdicttest.Store{}
	grow(t, s, 700)
	for _, c := range []struct {
		tile tlog.Tile
		ok   bool
	}{
		{tlog.Tile{H: 8, L: 0, N: 1, W: 256}, true}, {tlog.Tile{H: 8, L: 0, N: 2, W: 88}, true}, {tlog.Tile{H: 8, L: 0, N: 2, W: 89}, false}, {tlog.Tile{H: 8, L: 0, N: 2, W: 256}, false},
		{tlog.Tile{H: 8, L: 1, N: 0, W: 2}, true}, {tlog.Tile{H: 8, L: 1, N: 0, W: 3}, false}, {tlog.Tile{H: 8, L: 2, N: 0, W: 1}, false}, {tlog.Tile{H: 8, L: -1, N: 2, W: 88}, true},
		{tlog.Tile{H: 8, L: -1, N: 2, W: 89}, false}, {tlog.Tile{H: 8, L: 0, N: 1 << 60, W: 1}, false}, {tlog.Tile{H: 8, L: 63, N: 0, W: 1}, false}, {tlog.Tile{H: 7, L: 0, N: 0, W: 1}, false},
		{tlog.Tile{H: 8, L: 0, N: 0, W: 0}, false},
	} {
		if _, err := tlog.ReadTile(s, c.tile, 600); (err == nil) != c.ok || err != nil && !errors.Is(err, tlog.ErrNoTile) {
			t.Errorf("%+v: %v", c.tile, err)
		}
	}
}

func TestTilePaths(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"tile/0/000": {H: 8, L: 0, N: 0, W: 256}, "tile/2/x001/234.p/17": {H: 8, L: 2, N: 1234, W: 17}, "tile/entries/067": {H: 8, L: -1, N: 67, W: 256},
	} {
		if got, err := tlog.ParseTilePath(path); err != nil || got != want || tlog.TilePath(got) != path {
			t.Errorf("%s: %+v %v", path, got, err)
		}
	}
	for _, path := range []string{"", "tile", "tile/0", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/data/000", "tile/8/0/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/-1/000", "tile/0/x000/001", "tile/0/000/", "/tile/0/000", "tile/0/../000", "tile/entries/000.p/256", "tile/0/x999/x999/x999/x999/x999/x999/999"} {
		if got, err := tlog.ParseTilePath(path); err == nil {
			t.Errorf("%q is taken for %+v", path, got)
		}
	}
}

func TestParseEntries(t *testing.T) {
	good := []byte("\x00\x01a\x00\x00\x00\x02bc")
	if got, err := tlog.ParseEntries(good, 3); err != nil || string(bytes.Join(got, []byte("|"))) != "a||bc" {
		t.Errorf("%q %v", got, err)
	}
	for n, b := range map[int][]byte{2: good, 4: good, 3: good[:len(good)-1], 1: []byte("\x00"), 0: good[:3], 5: []byte(strings.Repeat("\xff", 10))} {
		if got, err := tlog.ParseEntries(b, n); err == nil {
			t.Errorf("%q as %d entries: %q", b, n, got)
		}
	}
}
