package metrics

import (
	"fmt"
	"strings"
)

const (
	// ByClass is the dimension of the true class. Accuracy within it is recall.
	ByClass = "class"
	cross   = "*"   // between the names of an intersection: "sex*race"
	times   = " × " // between its values: "Female × Other"
)

// maxValues bounds the values of an intersection, so that a careless choice of
// columns is an error and not a full memory.
const maxValues = 1 << 20

// A Group is one value of a dimension and the cells of its rows.
type Group struct {
	Value string
	Cells Cells
}

// By counts the cells of each value of a dimension: a slice column, "class" for
// the true class, or an intersection "sex*race" with values "Female × Other".
// Values without rows are left out; the others come in the order of Values, the
// last name of an intersection turning fastest.
func (p *Pair) By(dimension string) ([]Group, error) {
	d, err := p.baseline.dimension(dimension)
	if err != nil {
		return nil, err
	}
	return p.groups(d).groups(), nil
}

func (c *Cells) count(baseline, candidate, same bool) {
	switch {
	case baseline && candidate:
		c.BothRight++
	case baseline:
		c.Broke++
	case candidate:
		c.Fixed++
	case same:
		c.SameWrong++
	default:
		c.OtherWrong++
	}
}

// Where returns the pair of the rows whose value in a dimension is one of
// values. A value that the dimension does not have is an error; one that has no
// rows is not.
func (p *Pair) Where(dimension string, values ...string) (*Pair, error) {
	d, err := p.baseline.dimension(dimension)
	if err != nil {
		return nil, err
	}
	index := make(map[string]int, len(d.Values))
	for i, v := range d.Values {
		index[v] = i
	}
	in := make([]bool, len(d.Values))
	for _, v := range values {
		i, ok := index[v]
		if !ok {
			return nil, fmt.Errorf("dimension %q has no value %q", dimension, v)
		}
		in[i] = true
	}
	rows := []int{}
	for i, c := range d.Codes {
		if in[c] {
			rows = append(rows, i)
		}
	}
	return p.pick(rows), nil
}

// dimension finds a slice column, the true class, or an intersection of these.
func (v view) dimension(name string) (Dimension, error) {
	first, rest, both := strings.Cut(name, cross)
	d, err := v.column(first)
	if err != nil || !both {
		return d, err
	}
	e, err := v.dimension(rest)
	if err != nil {
		return Dimension{}, err
	}
	if len(d.Values)*len(e.Values) > maxValues {
		return Dimension{}, fmt.Errorf("dimension %q has more than %d values", name, maxValues)
	}
	return d.times(e), nil
}

func (v view) column(name string) (Dimension, error) {
	if name == ByClass {
		return Dimension{name, v.classes, v.answers}, nil
	}
	for _, d := range v.dims {
		if d.Name == name {
			return d, nil
		}
	}
	return Dimension{}, fmt.Errorf("no dimension %q", name)
}

func (d Dimension) times(e Dimension) Dimension {
	out := Dimension{Name: d.Name + cross + e.Name, Codes: make([]int32, len(d.Codes))}
	for _, v := range d.Values {
		for _, w := range e.Values {
			out.Values = append(out.Values, v+times+w)
		}
	}
	for i, c := range d.Codes {
		out.Codes[i] = c*int32(len(e.Values)) + e.Codes[i]
	}
	return out
}
