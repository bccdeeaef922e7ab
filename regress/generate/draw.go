package generate

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// A Seed names a sequence of draws.
type Seed [32]byte

// SeedOf is the seed of what is written: the SHA-256 of the parts, each with its length.
func SeedOf(parts ...string) Seed {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return Seed(h.Sum(nil))
}

// With is the seed of a part.
func (s Seed) With(parts ...string) Seed {
	return SeedOf(slices.Concat([]string{string(s[:])}, parts)...)
}

// A draw is a sequence of random numbers. ChaCha8 is a fixed algorithm; below is ours,
// because the ways to a bounded number in libraries have changed before.
type draw struct{ src *rand.ChaCha8 }

func (s Seed) draw() draw { return draw{rand.NewChaCha8(s)} }

// below returns a number in [0, n), all equally likely.
func (d draw) below(n int) int {
	most := ^uint64(0) - ^uint64(0)%uint64(n)
	for {
		if v := d.src.Uint64(); v < most {
			return int(v % uint64(n))
		}
	}
}

// Uniform returns a number in [-1, 1) with 53 bits.
func (s Seed) Uniform() float64 {
	return float64(float64(s.draw().src.Uint64()>>11)/(1<<52)) - 1
}

// sample returns k different numbers of [0, n), ascending (Floyd's algorithm).
func (d draw) sample(n, k int) []int {
	seen := make(map[int]bool, k)
	for j := n - k; j < n; j++ {
		v := d.below(j + 1)
		if seen[v] {
			v = j
		}
		seen[v] = true
	}
	out := make([]int, 0, k)
	for v := range seen {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}
