package jail

import (
	"fmt"
	"os"
	"sync"
)

// Names that our binary is executed again under. Whoever starts our binary with
// such a name gets a process that reads a description from descriptor 3 and gives
// up rights, nothing else.
const (
	initName  = "proctor-jail-init"
	roleName  = "proctor-jail-role"
	probeRole = "jail-probe" // starts and ends: what Probe runs
)

// known is what Main was given. Until Main ran, Start refuses: a binary that does
// not call it would run itself again and again.
var known struct {
	sync.Mutex
	roles map[string]func(args []string) int
}

// Main must be the first thing in main and in TestMain. In the program itself it
// takes note of the roles and returns. In a process that Start made it does not
// return: it becomes the jail, then the role.
//
// A role is a function of our own binary that runs in a jail: standard input and
// output are its pipes, the result is its exit code.
func Main(roles map[string]func(args []string) int) {
	switch os.Args[0] {
	case initName:
		os.Exit(initMain())
	case roleName:
		os.Exit(roleMain(roles))
	}
	known.Lock()
	defer known.Unlock()
	known.roles = map[string]func([]string) int{probeRole: nil}
	for name, f := range roles {
		known.roles[name] = f
	}
}

func roleMain(roles map[string]func(args []string) int) int {
	if len(os.Args) < 2 {
		return 2
	}
	if os.Args[1] == probeRole {
		return 0
	}
	f, ok := roles[os.Args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "there is no role %q\n", os.Args[1])
		return 2
	}
	return f(os.Args[2:])
}

// checkRole says whether Main was called, and knows the role.
func checkRole(name string) error {
	known.Lock()
	defer known.Unlock()
	if known.roles == nil {
		return fmt.Errorf("jail.Main was not called: it must be the first thing in main and in TestMain")
	}
	if _, ok := known.roles[name]; name != "" && !ok {
		return fmt.Errorf("role %q was not given to jail.Main", name)
	}
	return nil
}
