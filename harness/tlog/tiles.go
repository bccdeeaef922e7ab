package tlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is that of C2SP tlog-tiles: 256 hashes or entries a tile.
const tileHeight = 8

// TileWidth is how many entries a full tile has.
const TileWidth = 1 << tileHeight

// A Tile is a part of the log as it is published: hashes of one level, or, at level
// -1, entries.
type Tile = tlog.Tile

// ParseTilePath reads a path of C2SP tlog-tiles below the log's address, and nothing
// that is written otherwise:
//
//	tile/0/000            256 hashes of level 0
//	tile/0/x001/234.p/17  the first 17 hashes of a tile that is not full yet
//	tile/entries/000      256 entries
func ParseTilePath(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if ok {
		if entries, isEntries := strings.CutPrefix(rest, "entries/"); isEntries {
			rest = "data/" + entries
		} else if strings.HasPrefix(rest, "data/") {
			ok = false
		}
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, rest))
	if !ok || err != nil || TilePath(t) != path {
		return Tile{}, errors.New("not the path of a tile: tile/<level>/<N>[.p/<width>] or tile/entries/<N>[.p/<width>]")
	}
	return t, nil
}

// TilePath returns the path that [ParseTilePath] reads.
func TilePath(t Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if entries, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + entries
	}
	return "tile/" + path
}

// ErrNoTile says that a log of that size has no such tile.
var ErrNoTile = errors.New("the log has no such tile")

// ReadTile returns the bytes of a tile of the tree of the first size entries.
func ReadTile(tx Tx, t Tile, size int64) ([]byte, error) {
	level := max(t.L, 0)
	// The entries that the tile covers; shifts first checked against overflow.
	if t.H != tileHeight || t.W < 1 || t.W > TileWidth || level > 7 || t.N > size>>tileHeight || (t.N<<tileHeight)+int64(t.W) > size>>(tileHeight*level) {
		return nil, ErrNoTile
	}
	if t.L >= 0 {
		b, err := tlog.ReadTileData(t, reader(tx))
		if err != nil {
			return nil, fmt.Errorf("log: read tile %s: %w", TilePath(t), err)
		}
		return b, nil
	}
	var out []byte
	for i := range int64(t.W) {
		e, err := tx.LogEntry(t.N<<tileHeight + i)
		if err != nil {
			return nil, fmt.Errorf("log: read tile %s: %w", TilePath(t), err)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(e.Leaf)))
		out = append(out, e.Leaf...)
	}
	return out, nil
}

// ParseEntries reads the leaves of a tile of entries; there must be n.
func ParseEntries(b []byte, n int) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 && len(out) < n {
		if len(b) < 2 {
			break
		}
		size := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+size {
			break
		}
		out, b = append(out, b[2:2+size]), b[2+size:]
	}
	if len(out) != n || len(b) > 0 {
		return nil, fmt.Errorf("log: a tile of entries that does not hold %d of them", n)
	}
	return out, nil
}
