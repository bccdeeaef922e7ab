package regress

// New makes a suite of tests, and refuses what a suite must not be.
func New(name, about string, tests []Test) (*Suite, error) { return newSuite(name, about, tests) }
