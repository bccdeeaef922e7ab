package regress

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"proctor/harness/spell"
	"proctor/holdout/rows"
	"proctor/regress/generate"
)

// A change makes another form of an example. Its parts touch different columns,
// so that their order does not matter.
type change struct {
	set     map[string]scalar
	swap    map[string]map[string]scalar
	add     map[string]float64
	scale   map[string]float64           // unit changes: times the number
	jitter  map[string]float64           // up to this share of the number up or down
	rewrite map[string]string            // by one of generate.Rewriters
	replace map[string]map[string]string // whole words: paraphrases, synonyms
	append  map[string]string            // behind the text: a stamp, an irrelevant sentence

	seed generate.Seed // of jitter and rewrite
}

func (c change) columns() []string {
	return slices.Concat(sorted(c.set), sorted(c.swap), sorted(c.add), sorted(c.scale), sorted(c.jitter), sorted(c.rewrite), sorted(c.replace), sorted(c.append))
}

func (c change) check() error {
	cols := c.columns()
	if len(cols) == 0 {
		return errors.New("a change without set, swap, add, scale, jitter, rewrite, replace or append changes nothing")
	}
	slices.Sort(cols)
	for i := 1; i < len(cols); i++ {
		if cols[i] == cols[i-1] {
			return fmt.Errorf("column %q is changed twice by one change", cols[i])
		}
	}
	return nil
}

// String gives the change in words, columns in alphabetical order.
func (c change) String() string {
	var s []string
	for _, name := range sorted(c.set) {
		s = append(s, fmt.Sprintf("%s := %s", name, c.set[name]))
	}
	for _, name := range sorted(c.swap) {
		s = append(s, fmt.Sprintf("%s: %s", name, pairs(c.swap[name])))
	}
	for _, name := range sorted(c.add) {
		s = append(s, fmt.Sprintf("%s + %s", name, formatNumber(c.add[name])))
	}
	for _, name := range sorted(c.scale) {
		s = append(s, fmt.Sprintf("%s * %s", name, formatNumber(c.scale[name])))
	}
	for _, name := range sorted(c.jitter) {
		s = append(s, fmt.Sprintf("%s +- %s of it", name, formatNumber(c.jitter[name])))
	}
	for _, name := range sorted(c.rewrite) {
		s = append(s, fmt.Sprintf("%s: %s", name, c.rewrite[name]))
	}
	for _, name := range sorted(c.replace) {
		s = append(s, fmt.Sprintf("%s: %s", name, pairs(c.replace[name])))
	}
	for _, name := range sorted(c.append) {
		s = append(s, fmt.Sprintf("%s ... %s", name, c.append[name]))
	}
	return strings.Join(s, "; ")
}

// pairs lists what becomes what, in alphabetical order.
func pairs[V any](m map[string]V) string {
	var s []string
	for _, from := range sorted(m) {
		s = append(s, fmt.Sprintf("%s -> %v", from, m[from]))
	}
	return strings.Join(s, ", ")
}

func describe(changes []change) string {
	s := make([]string, len(changes))
	for i, c := range changes {
		s[i] = c.String()
	}
	text := strings.Join(s, " | ")
	if len(text) > MaxNote {
		cut := MaxNote - len("...")
		for cut > 0 && text[cut]&0xc0 == 0x80 { // not inside a character
			cut--
		}
		text = text[:cut] + "..."
	}
	return text
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// apply returns the changed columns over all rows of t.
func (c change) apply(t rows.Table) (map[string]rows.Column, error) {
	out := map[string]rows.Column{}
	for _, name := range c.columns() {
		col, ok := t.Column(name)
		if !ok {
			var names []string
			for _, f := range t.Fields() {
				names = append(names, f.Name)
			}
			return nil, fmt.Errorf("the change names column %q, which the carriers do not have%s", name, spell.Suggest(name, names))
		}
		var err error
		if out[name], err = c.column(col); err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
	}
	return out, nil
}

// column changes one column.
func (c change) column(col rows.Column) (rows.Column, error) {
	name := col.Name
	switch {
	case hasKey(c.set, name):
		return setColumn(col, c.set[name])
	case hasKey(c.swap, name):
		return swapColumn(col, c.swap[name])
	case hasKey(c.add, name):
		return mapNumbers(col, fmt.Sprintf("+ %v", c.add[name]), func(v float64) float64 { return v + c.add[name] })
	case hasKey(c.scale, name):
		return mapNumbers(col, fmt.Sprintf("* %v", c.scale[name]), func(v float64) float64 { return float64(v * c.scale[name]) })
	case hasKey(c.jitter, name):
		return c.jitterColumn(col, c.jitter[name])
	case hasKey(c.rewrite, name):
		return c.rewriteColumn(col, c.rewrite[name])
	case hasKey(c.replace, name):
		return mapTexts(col, func(s string) string { return generate.ReplaceWords(s, c.replace[name]) })
	}
	return mapTexts(col, func(s string) string { return s + c.append[name] })
}

func hasKey[V any](m map[string]V, k string) bool { _, ok := m[k]; return ok }

func setColumn(c rows.Column, v scalar) (rows.Column, error) {
	if err := fits(c, v); err != nil {
		return c, err
	}
	out := rows.Column{Name: c.Name}
	if c.IsNumber() {
		out.Floats = slices.Repeat([]float64{v.num}, c.Len())
	} else {
		out.Strings = slices.Repeat([]string{v.text}, c.Len())
	}
	return out, nil
}

func fits(c rows.Column, v scalar) error {
	switch {
	case c.IsNumber() && v.isText:
		return fmt.Errorf("it holds numbers, %q is text", v.text)
	case !c.IsNumber() && !v.isText:
		return fmt.Errorf("it holds text; put %s in quotes", v)
	case c.IsNumber() && (math.IsNaN(v.num) || math.IsInf(v.num, 0)):
		return fmt.Errorf("%v is not a finite number", v.num)
	}
	return nil
}

func swapColumn(c rows.Column, m map[string]scalar) (rows.Column, error) {
	out := rows.Column{Name: c.Name, Floats: slices.Clone(c.Floats), Strings: slices.Clone(c.Strings)}
	byNumber := map[float64]float64{}
	for _, from := range sorted(m) {
		if err := fits(c, m[from]); err != nil {
			return c, err
		}
		if !c.IsNumber() {
			continue
		}
		f, ok := number(from)
		if !ok {
			return c, fmt.Errorf("it holds numbers, %q is text", from)
		}
		if _, twice := byNumber[f]; twice {
			return c, fmt.Errorf("%s is swapped twice", from)
		}
		byNumber[f] = m[from].num
	}
	for i, v := range out.Floats {
		if to, ok := byNumber[v]; ok {
			out.Floats[i] = to
		}
	}
	for i, v := range out.Strings {
		if to, ok := m[v]; ok {
			out.Strings[i] = to.text
		}
	}
	return out, nil
}

func mapNumbers(c rows.Column, by string, f func(float64) float64) (rows.Column, error) {
	if !c.IsNumber() {
		return c, fmt.Errorf("it holds text; %s is for numbers", by)
	}
	out := rows.Column{Name: c.Name, Floats: make([]float64, c.Len())}
	for i, v := range c.Floats {
		if out.Floats[i] = float64(f(v)) + 0; math.IsInf(out.Floats[i], 0) || math.IsNaN(out.Floats[i]) {
			return c, fmt.Errorf("row %d: %v %s is not a finite number", i+1, v, by)
		}
	}
	return out, nil
}

func mapTexts(c rows.Column, f func(string) string) (rows.Column, error) {
	if c.IsNumber() {
		return c, errors.New("it holds numbers; the change is for text")
	}
	out := rows.Column{Name: c.Name, Strings: make([]string, c.Len())}
	for i, v := range c.Strings {
		if out.Strings[i] = f(v); len(out.Strings[i]) > rows.MaxString {
			return c, fmt.Errorf("row %d: the changed text has more than %d bytes", i+1, rows.MaxString)
		}
	}
	return out, nil
}

// jitterColumn moves each number by up to a share of it. The move follows from the
// number, so that it is the same wherever the row stands.
func (c change) jitterColumn(col rows.Column, share float64) (rows.Column, error) {
	if !(share > 0 && share <= 1) {
		return col, fmt.Errorf("jitter is %v; it is a share of the number, above 0 and at most 1", share)
	}
	return mapNumbers(col, "with jitter", func(v float64) float64 {
		return jitter(v, share, c.seed.With(col.Name, formatNumber(v)).Uniform())
	})
}

// jitter moves v by share*u of it. The product is rounded before the sum: a machine
// that fuses the two would make other bytes, and another digest of the suite.
func jitter(v, share, u float64) float64 { return float64(v * (1 + float64(share*u))) }

func (c change) rewriteColumn(col rows.Column, by string) (rows.Column, error) {
	if _, ok := generate.Rewrite(by, c.seed, ""); !ok {
		return col, fmt.Errorf("rewrite %q is not known%s; there are %s", by, spell.Suggest(by, generate.Rewriters()), strings.Join(generate.Rewriters(), ", "))
	}
	return mapTexts(col, func(s string) string {
		s, _ = generate.Rewrite(by, c.seed, s)
		return s
	})
}

// expand lays out each carrier followed by those changed forms that differ from
// it, and says how many those are.
func expand(t rows.Table, changes []change) (rows.Table, []int32, error) {
	forms := make([]map[string]rows.Column, len(changes))
	for k, c := range changes {
		if err := c.check(); err != nil {
			return rows.Table{}, nil, err
		}
		var err error
		if forms[k], err = c.apply(t); err != nil {
			return rows.Table{}, nil, err
		}
	}
	changed := make([]int32, t.Len())
	var carrier []int
	var form []int8 // index of the change, -1 for the carrier itself
	for r := range t.Len() {
		carrier, form = append(carrier, r), append(form, -1)
		for k := range forms {
			if differs(t, forms[k], r) {
				carrier, form = append(carrier, r), append(form, int8(k))
				changed[r]++
			}
		}
	}
	if n := len(carrier) * len(t.Columns()); n > MaxCells {
		return rows.Table{}, nil, fmt.Errorf("its examples hold %d values; at most %d are possible", n, MaxCells)
	}
	out, err := lay(t, carrier, form, forms)
	return out, changed, err
}

// lay makes a table of the carriers' rows, with the changed columns of the form.
func lay(t rows.Table, carrier []int, form []int8, forms []map[string]rows.Column) (rows.Table, error) {
	cols := t.Take(carrier).Columns()
	for _, c := range cols {
		for i, k := range form {
			if k < 0 {
				continue
			}
			f, ok := forms[k][c.Name]
			switch {
			case !ok:
			case c.IsNumber():
				c.Floats[i] = f.Floats[carrier[i]]
			default:
				c.Strings[i] = f.Strings[carrier[i]]
			}
		}
	}
	return rows.New(cols...)
}

func differs(t rows.Table, form map[string]rows.Column, r int) bool {
	for name, f := range form { // any order gives the same answer
		c, _ := t.Column(name)
		if c.IsNumber() && c.Floats[r] != f.Floats[r] || !c.IsNumber() && c.Strings[r] != f.Strings[r] {
			return true
		}
	}
	return false
}
