package holdout

import "testing"

// A manifest whose rows cannot be counted back is refused before it is signed.
func TestCheckAmends(t *testing.T) {
	const old = "sha256:0"
	for _, x := range []struct {
		c  Commitment
		ok bool
	}{
		{Commitment{}, true},
		{Commitment{Previous: old, Amends: true}, true},
		{Commitment{Previous: old, Amends: true, Erased: []int{2, 9}}, true},
		{Commitment{Previous: old, Amends: true, Erased: []int{9, 2}}, false},
		{Commitment{Previous: old, Amends: true, Erased: []int{2, 2}}, false},
		{Commitment{Previous: old, Amends: true, Erased: []int{0}}, false},
		{Commitment{Previous: old, Erased: []int{2}}, false},
		{Commitment{Amends: true}, false},
	} {
		if err := x.c.checkAmends(); (err == nil) != x.ok {
			t.Errorf("%+v: %v", x.c, err)
		}
	}
}
