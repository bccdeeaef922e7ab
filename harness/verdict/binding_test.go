package verdict_test

import (
	"slices"
	"testing"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// An approval of a model that runs elsewhere says so, and holds for a week at most.
func TestBindsConfig(t *testing.T) {
	w := verdicttest.New(t)
	for binding, days := range map[string]int{"package": 30, "config": verdict.MaxConfigDays} {
		e := verdicttest.Passed(verdicttest.Digest("a"))
		e.Binding = binding
		env, _ := w.Issue(t, e)
		a, err := verdict.NewApproval(env, verdicttest.ResourceURI, verdicttest.PolicyURI, verdicttest.At, 30)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.Contains(a.VerifiedLevels, verdict.LevelConfig)
		if said != (binding == "config") || a.BindsConfig() != said || !a.ValidOn(verdicttest.At.AddDate(0, 0, days-1)) || a.ValidOn(verdicttest.At.AddDate(0, 0, days)) {
			t.Errorf("%s: %v", binding, a.VerifiedLevels)
		}
		if _, err := verdict.Prepare(a); err != nil {
			t.Errorf("%s: %v", binding, err)
		}
		// The word cannot be said of a month, whoever writes the statement.
		if binding == "package" {
			a.VerifiedLevels = append(a.VerifiedLevels, verdict.LevelConfig)
			if _, err := verdict.Prepare(a); err == nil {
				t.Error("a month for a model that runs elsewhere")
			}
		}
	}
}
