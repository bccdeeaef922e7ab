package holdout

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"proctor/holdout/rows"
)

// sketchSize is how many hashes a sketch keeps; an overlap is then known to about
// 1.5 points.
const sketchSize = 1024

// A sketch is the lowest sketchSize of the keyed hashes of a set's rows: a random
// sample that two sets draw alike, so that sets which share rows share hashes. Only
// the values of features count, as a [mixer] shows them: new answers, another order,
// other names of set or columns, other case and a little noise make no fresh rows. A
// column that is added or left out does; the second person who activates the set
// sees that. The key comes from [Keyring.Secret],
// since with an open hash anybody could ask whether a row is in the set.
func sketch(ctx context.Context, kr Keyring, features rows.Table) (list []string, key string, err error) {
	secret, err := kr.Secret(ctx, "proctor/holdout/1/sketch")
	if err != nil {
		return nil, "", err
	}
	h := hmac.New(sha256.New, secret)
	hashes := make([][8]byte, features.Len())
	m := newMixer(features)
	var buf []byte
	for r := range hashes {
		buf = m.row(buf[:0], r)
		h.Reset()
		h.Write(buf)
		buf = h.Sum(buf[:0])
		hashes[r] = [8]byte(buf)
	}
	slices.SortFunc(hashes, func(a, b [8]byte) int { return bytes.Compare(a[:], b[:]) })
	hashes = slices.Compact(hashes)
	for _, x := range hashes[:min(len(hashes), sketchSize)] {
		list = append(list, hex.EncodeToString(x[:]))
	}
	return list, hex.EncodeToString(mac(secret, []byte("id"))[:8]), nil
}

// Overlap estimates the share of a's scored rows that b also has, from 0 to 1: what
// b has revealed counts for a by this share. It is 1 where the sketches cannot
// tell: made with different keys, absent, or too small a sample in common.
func Overlap(a, b Commitment) float64 {
	if a.SketchKey != b.SketchKey || len(a.Sketch) == 0 || len(b.Sketch) == 0 {
		return 1
	}
	// Below both ends each sketch holds every hash of its set, so that what a has
	// there is a fair sample of a, and b's share of it can be counted.
	end := ""
	for _, s := range [][]string{a.Sketch, b.Sketch} {
		if last := s[len(s)-1]; len(s) >= sketchSize && (end == "" || last < end) {
			end = last
		}
	}
	n, shared := 0, 0
	for _, x := range a.Sketch {
		if end != "" && x > end {
			break
		}
		n++
		if _, ok := slices.BinarySearch(b.Sketch, x); ok {
			shared++
		}
	}
	if n == 0 {
		return 1
	}
	return float64(shared) / float64(n)
}
