package holdout

import (
	"strings"
	"testing"
)

// T46: the answer under another name, as few values, as numbers with noise, inside a
// text, or under a telling name with a tenth of noise, is refused; honest features,
// a coordinate called y among them, are not.
func TestProxies(t *testing.T) {
	tab := people(t, 1000, 1)
	label, _ := tab.Column("income")
	age, _ := tab.Column("age")
	high := func(r int) float64 {
		if label.Strings[r] == "high" {
			return 1
		}
		return 0
	}
	for name, c := range map[string]struct {
		column string
		value  func(r int) any
		want   string
	}{
		"code":          {"code", func(r int) any { return []string{"A", "B"}[int(high(r))] }, "few values"},
		"scaled":        {"score", func(r int) any { return 1000*high(r) + float64(r)/7 }, "range of its numbers"},
		"turned":        {"score", func(r int) any { return -3*high(r) + 1/float64(r+2) }, "range of its numbers"},
		"text":          {"note", func(r int) any { return "case " + itoa(r) + " was " + strings.ToUpper(label.Strings[r]) + " then" }, "name the class"},
		"telling":       {"label", func(r int) any { return []string{"A", "B"}[(int(high(r))+map[bool]int{true: 1}[r%12 == 0])%2] }, "few values"},
		"another name":  {"flag", func(r int) any { return []string{"A", "B"}[(int(high(r))+map[bool]int{true: 1}[r%12 == 0])%2] }, ""},
		"coordinate":    {"y", func(r int) any { return age.Floats[r] * 1.5 }, ""},
		"honest number": {"size", func(r int) any { return high(r) + float64(r%50)/10 }, ""},
		"honest text":   {"note", func(r int) any { return "high up or low down " + itoa(r) }, ""},
	} {
		w, in := newWorld(), input(t, column(t, tab, c.column, c.value))
		in.Spec.Features = append(in.Spec.Features, c.column)
		_, err := Seal(t.Context(), in, w.store, w.keys, w.priv)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: refused: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), "gives the answer away") || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
