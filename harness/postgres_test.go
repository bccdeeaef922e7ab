package harness

import (
	"testing"

	"proctor/harness/store/postgres/postgrestest"
)

// What holds on one file holds on PostgreSQL: the whole way, budgets, turns, canceling,
// a lost worker, and kills at any moment.
func TestPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	databases = func() string { return server.Database("") }
	defer func() { databases = nil }()
	for name, test := range map[string]func(*testing.T){
		"Way": TestWay, "Budget": TestBudget, "ForceChanged": TestForceChanged, "FairQueue": TestFairQueue,
		"Cancel": TestCancel, "FindRuns": TestFindRuns, "Vitals": TestVitals, "Crash": TestCrash,
	} {
		t.Run(name, test)
	}
}
