package verdict

// Without returns trust that leaves steps of Verify out.
func (t Trust) Without(steps ...string) Trust {
	t.without = map[string]bool{}
	for _, s := range steps {
		t.without[s] = true
	}
	return t
}

// ParseTree is parseTree.
var ParseTree = parseTree
