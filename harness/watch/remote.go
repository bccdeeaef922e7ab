// Package watch follows a log from outside, over HTTP, and says what is wrong.
//
// It trusts the pinned keys and its own memory of the last checkpoint, and nothing
// that the log or its service sends: tiles are checked against the signed root,
// entries against tiles, statements against entries. What it reports with its keys
// alone: a log that shrank, forked or shows an entry by an unknown key. With the
// statements, which an auditor may read, also one that its predecessors do not allow:
// a verdict without a plan, an approval of what did not pass.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	xtlog "golang.org/x/mod/sumdb/tlog"

	"proctor/harness/tlog"
)

// A Remote is a log that is published as C2SP tlog-tiles.
type Remote struct {
	Base string       // address of the log: checkpoint and tiles are below it
	HTTP *http.Client // nil: http.DefaultClient
}

// maxTile is the most bytes of a tile: 256 entries of the largest size.
const maxTile = tlog.TileWidth * (2 + tlog.MaxLeaf)

func (r Remote) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.Base, "/")+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	h := r.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	resp, err := h.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the log does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the log answers %s with %s", path, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s of the log: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s of the log is longer than %d bytes", path, limit)
	}
	return b, nil
}

// Checkpoint returns the log's newest checkpoint, if the log of that key signed it.
func (r Remote) Checkpoint(ctx context.Context, key string) ([]byte, tlog.Tree, error) {
	b, err := r.get(ctx, "checkpoint", tlog.MaxCheckpoint)
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	t, err := tlog.ParseCheckpoint(b, key)
	return b, t, err
}

// hashes reads hashes of a tree that was signed. What it returns was checked against
// the tree's root.
func (r Remote) hashes(ctx context.Context, t tlog.Tree) xtlog.HashReader {
	return xtlog.TileHashReader(t, &tiles{ctx: ctx, remote: r, have: map[tlog.Tile][]byte{}})
}

// tiles fetches hash tiles, each once. One goroutine uses it.
type tiles struct {
	ctx    context.Context
	remote Remote
	have   map[tlog.Tile][]byte // as the hash reader has checked them
}

// Height implements [xtlog.TileReader].
func (t *tiles) Height() int { return 8 }

// ReadTiles implements [xtlog.TileReader].
func (t *tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(want))
	for i, tile := range want {
		b, ok := t.have[tile]
		if !ok {
			var err error
			if b, err = t.remote.get(t.ctx, tlog.TilePath(tile), tlog.TileWidth*xtlog.HashSize); err != nil {
				return nil, err
			}
		}
		out[i] = b
	}
	return out, nil
}

// SaveTiles implements [xtlog.TileReader]. It is given what was checked.
func (t *tiles) SaveTiles(is []tlog.Tile, data [][]byte) {
	for i, tile := range is {
		t.have[tile] = data[i]
	}
}

// leaves returns the entries from, from+1 and so on up to the end of their tile, each
// checked against the tree.
func (r Remote) leaves(ctx context.Context, t tlog.Tree, hashes xtlog.HashReader, from int64) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: -1, N: from / tlog.TileWidth, W: int(min(t.N-from/tlog.TileWidth*tlog.TileWidth, tlog.TileWidth))}
	b, err := r.get(ctx, tlog.TilePath(tile), maxTile)
	if err != nil {
		return nil, err
	}
	all, err := tlog.ParseEntries(b, tile.W)
	if err != nil {
		return nil, err
	}
	leaves := all[from%tlog.TileWidth:]
	at := make([]int64, len(leaves))
	for i := range at {
		at[i] = xtlog.StoredHashIndex(0, from+int64(i))
	}
	want, err := hashes.ReadHashes(at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTree, err)
	}
	for i, leaf := range leaves {
		if xtlog.RecordHash(leaf) != want[i] {
			return nil, &tlog.BadEntryError{Index: from + int64(i), Err: errors.New("it is not the one that the checkpoint signs")}
		}
	}
	return leaves, nil
}

// errTree says that tiles are not those of the signed tree, or could not be fetched.
var errTree = errors.New("the log's tiles")
