package policy

import (
	"reflect"
	"strings"
	"testing"

	"proctor/holdout"
	"proctor/metrics"
)

// withCosts is a policy over the census sizes with some costs.
func withCosts(t *testing.T, costs string) (*Resolved, error) {
	t.Helper()
	p, err := Parse([]byte("policy: p\nlineage: l\nholdouts: [s]\nconfidence: 0.99\nprove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -2}\n" + costs +
		"tier_at_least: jail\nbudget_runs: 1\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n"))
	if err != nil {
		return nil, err
	}
	again, err := Parse(p.Canonical())
	if err != nil || !reflect.DeepEqual(p, again) {
		t.Fatalf("the canonical form says something else: %v\n%s", err, p.Canonical())
	}
	return Resolve(p, []holdout.Commitment{census()}, nil)
}

func TestCosts(t *testing.T) {
	for _, c := range []struct {
		costs string
		want  metrics.Costs
	}{
		{"", nil},
		{"costs:\n  - {answer: \">50K\", given: \"<=50K\", cost: 4}\n", metrics.Costs{{0, 1, 1}, {4, 0, 4}}},
		{"costs:\n  - {answer: \">50K\", given: \"<=50K\", cost: 0}\n  - {answer: \"<=50K\", given: \">50K\", cost: 0.5}\n", metrics.Costs{{0, .5, .5}, {0, 0, 0}}},
	} {
		r, err := withCosts(t, c.costs)
		if err != nil || !reflect.DeepEqual(r.Costs(), c.want) {
			t.Errorf("%q: %v %v", c.costs, r, err)
		}
	}
	one := `  - {answer: ">50K", given: "<=50K", cost: 4}` + "\n"
	for costs, want := range map[string]string{
		"costs: []\n":                                                 "the list is empty",
		"costs:\n  - {cost: 1}\n":                                     "answer, given and cost are all needed",
		"costs:\n" + one + one:                                        "is there twice",
		"costs:\n  - {answer: a, given: a, cost: 1}\n":                "that costs nothing",
		"costs:\n  - {answer: a, given: b, cost: -1}\n":               "-1 is not within 0 to 1000000",
		"costs:\n  - {answer: a, given: b, cost: .nan}\n":             "want a number",
		"costs:\n  - {answer: a, given: b, cost: \"1\"}\n":            "want a number",
		"costs:\n  - {answer: \">50k\", given: \"<=50K\", cost: 2}\n": "set s has no class \">50k\"",
		"costs:\n  - {answer: a, gave: b, cost: 1}\n":                 "no key \"gave\"",
		"costs:\n" + strings.Repeat(one, maxCosts+1):                  "201 are listed",
	} {
		if _, err := withCosts(t, costs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", costs, err, want)
		}
	}
}
