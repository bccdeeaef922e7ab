package holdout

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"proctor/holdout/rows"
)

// A Correction changes one row of a set, or adds one:
//
//	{"row": 17, "set": {"income": ">50K"}}
//	{"row": 18, "erase": true}
//	{"add": {"age": 38, "sex": "Male", "income": "<=50K"}}
type Correction struct {
	Row   int            `json:"row"` // scored row, from 1
	Set   map[string]any `json:"set"`
	Erase bool           `json:"erase"`
	Add   map[string]any `json:"add"`
}

// maxCorrections bounds one amendment.
const maxCorrections = 100_000

// ParseCorrections reads one JSON object a line, strictly.
func ParseCorrections(r io.Reader) ([]Correction, error) {
	var out []Correction
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRow)
	for n := 1; lines.Scan(); n++ {
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		var c Correction
		if err := d.Decode(&c); err != nil || d.More() {
			return nil, fmt.Errorf("line %d: not one JSON object with the keys row and set, row and erase, or add", n)
		}
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if out = append(out, c); len(out) > maxCorrections {
			return nil, fmt.Errorf("more than %d corrections: seal the table anew", maxCorrections)
		}
	}
	if lines.Err() != nil {
		return nil, errors.New("the corrections could not be read to their end")
	}
	if len(out) == 0 {
		return nil, errors.New("there is no correction")
	}
	return out, nil
}

func (c Correction) check() error {
	kinds := 0
	for _, is := range []bool{len(c.Set) > 0, c.Erase, len(c.Add) > 0} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || (c.Row > 0) != (len(c.Add) == 0) || c.Row < 0 {
		return errors.New("it names a row and says set or erase, or it says add")
	}
	return nil
}

// Touched returns the rows of a set, from 1 and sorted, that corrections change or
// erase: what becomes of the set tells of these.
func Touched(list []Correction) []int {
	var out []int
	for _, c := range list {
		if c.Add == nil {
			out = append(out, c.Row)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Amend returns what the next version is sealed from: the scored rows with the
// corrections, in their old order, and the same reserve. Rows that keep their
// features keep their exposure, since that follows rows.
func (c *Custodian) Amend(list []Correction) (SealInput, error) {
	in := c.next()
	old := c.parts[partScored]
	fields := old.Fields()
	keep, sets, seen := make([]bool, old.Len()), map[int]map[string]any{}, map[int]bool{}
	for r := range keep {
		keep[r] = true
	}
	var added []rows.Table
	for i, x := range list {
		if x.Add != nil {
			row, err := rowOf(fields, x.Add)
			if err != nil {
				return in, fmt.Errorf("correction %d: %w", i+1, err)
			}
			added = append(added, row)
			continue
		}
		if x.Row > old.Len() || seen[x.Row] {
			return in, fmt.Errorf("correction %d: row %d is not in the set, which has %d rows, or is corrected twice", i+1, x.Row, old.Len())
		}
		seen[x.Row] = true
		keep[x.Row-1] = !x.Erase
		sets[x.Row-1] = x.Set
	}
	changed, err := replaceCells(old, sets)
	if err != nil {
		return in, err
	}
	index := []int{}
	for r, stays := range keep {
		if stays {
			index = append(index, r)
		} else {
			in.Erased = append(in.Erased, r+1)
		}
	}
	in.Table, err = rows.Concat(append([]rows.Table{changed.Take(index)}, added...)...)
	in.Reserve, in.Amends = c.parts[partReserve], true
	return in, err
}

// replaceCells returns a copy of t with the cells of some rows replaced.
func replaceCells(t rows.Table, sets map[int]map[string]any) (rows.Table, error) {
	cols := make([]rows.Column, len(t.Columns()))
	for i, c := range t.Columns() {
		cols[i] = rows.Column{Name: c.Name, Floats: slices.Clone(c.Floats), Strings: slices.Clone(c.Strings)}
	}
	for r, set := range sets {
		for name, v := range set {
			at := slices.IndexFunc(cols, func(c rows.Column) bool { return c.Name == name })
			if at < 0 {
				return rows.Table{}, fmt.Errorf("row %d: the set has no column %q", r+1, name)
			}
			one, err := cellOf(rows.Field{Name: name, Number: cols[at].IsNumber()}, v)
			if err != nil {
				return rows.Table{}, fmt.Errorf("row %d: %w", r+1, err)
			}
			if one.IsNumber() {
				cols[at].Floats[r] = one.Floats[0]
			} else {
				cols[at].Strings[r] = one.Strings[0]
			}
		}
	}
	return rows.New(cols...)
}

// ErrNoReserve is returned, wrapped, for a rotation of a set that has no fresh rows.
var ErrNoReserve = errors.New("the set has no reserve: seal a new table under the same name")

// Rotate returns what the next version is sealed from: the reserve, without copies,
// exact or near, of rows that people have seen, in this version or another, or that
// were given away. It says how many went. Rows that happen to equal scored ones stay:
// such rows are common ones, and a set without them would be harder than the world.
// Their share of the exposure stays with them.
func (c *Custodian) Rotate(seen ...Seen) (in SealInput, known int, err error) {
	in = c.next()
	practice, reserve := c.parts[partPractice], c.parts[partReserve]
	if reserve.Len() == 0 {
		return in, 0, ErrNoReserve
	}
	list := []rows.Table{practice}
	for _, s := range seen {
		list = append(list, s.rows)
	}
	given, err := rows.Concat(list...)
	if err != nil {
		return in, 0, err
	}
	all, err := rows.Concat(given, reserve)
	if err != nil {
		return in, 0, err
	}
	keys, first := nearKeys(all), given.Len()
	gone := map[[16]byte]bool{}
	for _, k := range keys[:first] {
		gone[k] = true
	}
	fresh := []int{}
	for r, k := range keys[first:] {
		if !gone[k] {
			fresh = append(fresh, r)
		}
	}
	in.Table = reserve.Take(fresh)
	return in, reserve.Len() - len(fresh), nil
}

// next is what stays the same in the version that follows. Ids are not sealed, so
// that they cannot be checked again.
func (c *Custodian) next() SealInput {
	s := c.m.Spec
	s.ID = ""
	sealed := s.sealed()
	s.Text = slices.DeleteFunc(slices.Clone(s.Text), func(name string) bool { return !slices.Contains(sealed, name) })
	return SealInput{Spec: s, Previous: c.m.digest, Practice: c.parts[partPractice]}
}
