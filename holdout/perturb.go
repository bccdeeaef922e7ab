package holdout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"proctor/holdout/rows"
)

// A cell is one value of a row; its column says which half counts.
type cell struct {
	num  float64
	text string
}

// How a column lets itself be changed.
type kind int

const (
	kindCategory kind = iota // few values, text or number: take another row's
	kindSparse               // numbers, most of them one value or far out: take another row's
	kindSpread               // numbers of many values: move a little
	kindProse                // texts that hardly repeat: reword
)

// A shape is what perturbing needs to know of a column.
type shape struct {
	rows.Column
	kind     kind
	distinct int
	min, max float64
	spread   float64 // from the 5th to the 95th percentile
	quantum  float64 // the step in which all values come: 1, .1, ... 1e-6, or 0
}

// profileRows bounds how many rows the shapes are read from.
const profileRows = 20_000

// A perturber changes rows of one table, and never into a row that the table or
// an earlier result has.
type perturber struct {
	cols  []shape
	n     int
	seen  map[uint64]struct{}
	rng   *rand.Rand
	order []int // rows in the order in which they serve as originals
}

func newPerturber(t rows.Table, seed [32]byte, purpose string) *perturber {
	key := hmac.New(sha256.New, seed[:])
	key.Write([]byte(purpose))
	p := &perturber{n: t.Len(), seen: make(map[uint64]struct{}, t.Len())}
	p.rng = rand.New(rand.NewChaCha8([32]byte(key.Sum(nil))))
	for _, c := range t.Columns() {
		p.cols = append(p.cols, shapeOf(c))
	}
	for r := range p.n {
		p.seen[p.key(p.row(r))] = struct{}{}
	}
	p.order = p.rng.Perm(p.n)
	return p
}

func shapeOf(c rows.Column) shape {
	s := shape{Column: c}
	stride := max(1, c.Len()/profileRows)
	if !c.IsNumber() {
		seen, n := map[string]bool{}, 0
		for r := 0; r < c.Len(); r += stride {
			seen[c.Strings[r]] = true
			n++
		}
		if s.distinct = len(seen); s.distinct > 20 && 2*s.distinct > n {
			s.kind = kindProse
		}
		return s
	}
	var v []float64
	for r := 0; r < c.Len(); r += stride {
		v = append(v, c.Floats[r])
	}
	if len(v) == 0 {
		return s
	}
	slices.Sort(v)
	s.min, s.max = slices.Min(c.Floats), slices.Max(c.Floats)
	s.spread = v[len(v)*95/100] - v[len(v)*5/100]
	s.quantum = quantum(v)
	run, longest := 0, 0
	for i := range v {
		if i == 0 || v[i] != v[i-1] {
			s.distinct++
			run = 0
		}
		run++
		longest = max(longest, run)
	}
	switch {
	case s.distinct <= 20:
	case 2*longest > len(v) || s.spread == 0 || math.IsInf(s.max-s.min, 0) || s.max-s.min > 20*s.spread:
		s.kind = kindSparse
	default:
		s.kind = kindSpread
	}
	return s
}

// quantum finds the largest step of 1, .1, ... 1e-6 in which all values come.
// Values of another precision than the column's would give a changed row away.
func quantum(v []float64) float64 {
	for scale := 1.0; scale <= 1e6; scale *= 10 {
		if !slices.ContainsFunc(v, func(x float64) bool { return math.Round(x*scale)/scale != x }) {
			return 1 / scale
		}
	}
	return 0
}

func (p *perturber) row(r int) []cell {
	out := make([]cell, len(p.cols))
	for i := range p.cols {
		out[i] = p.at(i, r)
	}
	return out
}

func (p *perturber) at(col, r int) cell {
	if c := p.cols[col]; c.IsNumber() {
		return cell{num: c.Floats[r]}
	} else {
		return cell{text: c.Strings[r]}
	}
}

func (p *perturber) key(row []cell) uint64 {
	var b []byte
	for i, c := range p.cols {
		if c.IsNumber() {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(row[i].num+0))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(len(row[i].text)))
			b = append(b, row[i].text...)
		}
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// take says whether a row is new, and remembers it.
func (p *perturber) take(row []cell) bool {
	k := p.key(row)
	if _, ok := p.seen[k]; ok {
		return false
	}
	p.seen[k] = struct{}{}
	return true
}

// move shifts a number by a share of the column's spread, by at least the given
// number of steps, and stays within what the column holds.
func (p *perturber) move(i int, v, share, steps float64) float64 {
	c := p.cols[i]
	by := max(share*c.spread, steps*c.quantum)
	if c.quantum > 0 {
		by = max(1, math.Round(by/c.quantum)) * c.quantum
	}
	if p.rng.IntN(2) == 0 {
		by = -by
	}
	if to := v + by; to < c.min || to > c.max {
		by = -by
	}
	to := min(max(v+by, c.min), c.max)
	if c.quantum > 0 {
		scale := math.Round(1 / c.quantum)
		to = math.Round(to*scale) / scale
	}
	return to
}

// reword swaps two neighbouring words; a single word is said twice.
func (p *perturber) reword(s string) string {
	w := strings.Split(s, " ")
	if len(w) < 2 {
		return s + " " + s
	}
	i := p.rng.IntN(len(w) - 1)
	w[i], w[i+1] = w[i+1], w[i]
	return strings.Join(w, " ")
}

// table makes a table of rows that this perturber made.
func (p *perturber) table(list [][]cell) rows.Table {
	cols := make([]rows.Column, len(p.cols))
	for i, c := range p.cols {
		cols[i].Name = c.Name
		if c.IsNumber() {
			cols[i].Floats = make([]float64, len(list))
			for r, row := range list {
				cols[i].Floats[r] = row[i].num
			}
		} else {
			cols[i].Strings = make([]string, len(list))
			for r, row := range list {
				cols[i].Strings[r] = row[i].text
			}
		}
	}
	t, err := rows.New(cols...)
	if err != nil {
		panic(err) // values come from a Table or lie between two of its values
	}
	return t
}
