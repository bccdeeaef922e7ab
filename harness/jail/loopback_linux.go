package jail

import (
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// With Spec.Loopback the network namespace is the guard: it holds one interface,
// lo, and no route to anything. Landlock's rules about ports would close lo too,
// and are left out; its rules about files, signals and abstract sockets stay.

// raiseLoopback brings up the only interface of a new network namespace. It is
// done while the process still may, before rights are given up.
func (c *config) raiseLoopback() error {
	if !c.Tier.namespaces() {
		return fmt.Errorf("loopback: tier %s has no network of its own", c.Tier)
	}
	if !c.with("netns") {
		return nil // the host's is up, and not ours to change
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("loopback: raise lo: %w", err)
	}
	return nil
}

func restrictButNet(ruleset landlock.Config, rules []landlock.Rule) error {
	if err := ruleset.RestrictPaths(rules...); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	if err := ruleset.RestrictScoped(); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}
