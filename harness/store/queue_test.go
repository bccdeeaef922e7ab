package store

import (
	"fmt"
	"strings"
	"testing"
)

// The next is always one of the person who was served longest ago.
func TestInTurn(t *testing.T) {
	for _, c := range []struct{ name, queued, served, want string }{
		{"one person", "a1 a2 a3", "", "a1 a2 a3"},
		{"a newcomer waits behind one run at most", "a1 a2 a3 b1", "a=3", "b1 a1 a2 a3"},
		{"all new: by their first run", "a1 a2 b1 a3 b2", "", "a1 b1 a2 b2 a3"},
		{"served long ago comes first", "a1 b1 c1", "a=3 b=1 c=2", "b1 c1 a1"},
		{"whose run is being evaluated comes last", "a1 b1 a2", "a=~ b=9", "b1 a1 a2"},
	} {
		var queued []Run
		for _, id := range strings.Fields(c.queued) {
			queued = append(queued, Run{ID: id, SubmittedPerson: id[:1]})
		}
		served := map[string]string{}
		for _, s := range strings.Fields(c.served) {
			served[s[:1]] = s[2:]
		}
		var got []string
		for _, r := range inTurn(queued, served) {
			got = append(got, r.ID)
		}
		if fmt.Sprint(got) != "["+c.want+"]" {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
