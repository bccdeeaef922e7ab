package jail

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// jailUser is the user and group that a jailed program has on the host when the
// service is root: nobody else's, so that it owns no file and may signal nobody.
const (
	jailUser   = 65533
	insideUser = 1000 // what it looks like inside
)

// A config is what the parent tells the process that becomes the jail.
type config struct {
	Tier    Tier     `json:"tier"`
	Argv    []string `json:"argv"`
	Role    bool     `json:"role"` // Argv are arguments of our own binary
	Dir     string   `json:"dir"`
	Binds   []Bind   `json:"binds"`
	Env     []string `json:"env"`
	Limits  Limits   `json:"limits"`
	Tmp     string   `json:"tmp"`     // where the program may write, or ""
	User    int      `json:"user"`    // to become; -1: stay
	NProc   int      `json:"nproc"`   // what to set RLIMIT_NPROC to
	Tree    bool     `json:"tree"`    // a cgroup bounds the tree's memory
	Loop    bool     `json:"loop"`    // 127.0.0.1 is there and may be used
	HostNS  string   `json:"host_ns"` // the mount namespace that must not be ours
	Runsc   []string `json:"runsc"`   // tier gvisor: arguments of runsc
	Without []string `json:"without,omitempty"`
}

func (c *config) with(guard string) bool { return !slices.Contains(c.Without, guard) }

// allowed refuses to leave guards out anywhere but in this package's tests.
func (c *config) allowed() error {
	if c.Without != nil && !allowWithout {
		return errors.New("guards may be left out in tests only")
	}
	return nil
}

func (s *Spec) config(tier Tier) (*config, error) {
	c := &config{Tier: tier, Argv: s.Argv, Role: s.Role != "", Dir: s.Dir, Limits: s.Limits, Loop: s.Loopback, User: -1, Without: s.without}
	if c.Role {
		c.Argv = append([]string{roleName, s.Role}, s.Args...)
	}
	c.Limits.Memory = max(c.Limits.Memory, 64<<20)
	c.Limits.Pids = max(c.Limits.Pids, 24) // a Go program alone has about ten threads
	c.Limits.Files = max(c.Limits.Files, 64)
	c.NProc = c.Limits.Pids
	var err error
	if c.HostNS, err = os.Readlink("/proc/self/ns/mnt"); err != nil && tier.namespaces() {
		return nil, err
	}
	shown := SystemBinds()
	if s.Root != "" {
		if shown, err = rootBinds(s.Root, c.with("inside")); err != nil {
			return nil, err
		}
	}
	if c.Binds, err = resolve(append(shown, s.Binds...)); err != nil {
		return nil, err
	}
	if c.Dir != "" {
		c.Dir = s.path(tier, c.Dir)
	} else if !tier.namespaces() {
		c.Dir = "/"
	}
	if os.Geteuid() == 0 && mapped("uid") && mapped("gid") {
		c.User = jailUser
		if tier.namespaces() {
			c.User = insideUser
		} else if !c.Role {
			if err := reachable(c.Binds); err != nil && tier == None {
				c.User = -1 // nothing is promised
			} else if err != nil {
				return nil, err
			}
		}
	}
	if !tier.namespaces() {
		c.NProc += tasksOf(max(c.User, os.Geteuid()))
	}
	return c, nil
}

// environ is the program's environment.
func (c *config) environ(env []string) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		return strings.HasPrefix(e, "HOME=") || strings.HasPrefix(e, "TMPDIR=")
	})
	home := c.Tmp
	if home == "" {
		home = "/"
	}
	out = append(out, "HOME="+home, "TMPDIR="+home)
	if c.Role { // leave the collector room to act before the limit does
		out = append(out, fmt.Sprintf("GOMEMLIMIT=%d", c.Limits.Memory/10*7), "GOTRACEBACK=single")
	}
	return out
}

// SystemBinds shows what any program needs that is not statically linked: the
// system's programs and libraries, nothing of its configuration or data.
func SystemBinds() []Bind {
	var binds []Bind
	for _, p := range []string{"/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache"} {
		if _, err := os.Stat(p); err == nil {
			binds = append(binds, Bind{p, p})
		}
	}
	return binds
}

// resolve follows links in sources, so that what is opened is what was named, and
// sorts a folder before what lies below it.
func resolve(binds []Bind) ([]Bind, error) {
	out := slices.Clone(binds)
	for i, b := range out {
		src, err := filepath.EvalSymlinks(b.Source)
		if err != nil {
			return nil, fmt.Errorf("bind: %w", err)
		}
		out[i].Source = src
	}
	slices.SortStableFunc(out, func(a, b Bind) int { return strings.Compare(a.Target, b.Target) })
	return slices.CompactFunc(out, func(a, b Bind) bool { return a.Target == b.Target }), nil
}

// reachable checks that the program's own user can walk to each bind. Without a
// root of its own it must, and as root it must not stay: limits do not bind root.
func reachable(binds []Bind) error {
	for _, b := range binds {
		for p := b.Source; ; p = filepath.Dir(p) {
			fi, err := os.Stat(p)
			if err != nil {
				return err
			}
			if fi.IsDir() && fi.Mode()&0o001 == 0 {
				return fmt.Errorf("%s lies below %s, which the model's own user cannot enter: put it elsewhere, or open that folder for passing through (chmod o+x)", b.Source, p)
			}
			if p == "/" {
				break
			}
		}
	}
	return nil
}

// mapped says whether this process's user namespace knows jailUser.
func mapped(kind string) bool {
	f, err := os.Open("/proc/self/" + kind + "_map")
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var inside, outside, n int64
		if _, err := fmt.Sscan(s.Text(), &inside, &outside, &n); err == nil && inside <= jailUser && jailUser < inside+n {
			return true
		}
	}
	return false
}

// tasksOf counts the threads of a user: RLIMIT_NPROC counts them all.
func tasksOf(uid int) int {
	dirs, _ := os.ReadDir("/proc")
	n := 0
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil {
			continue
		}
		st, err := readStatus(d.Name())
		if err == nil && st["Uid"] == strconv.Itoa(uid) {
			t, _ := strconv.Atoi(st["Threads"])
			n += t
		}
	}
	return n
}

// readStatus returns the first word of each line of /proc/PID/status.
func readStatus(pid string) (map[string]string, error) {
	data, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return nil, err
	}
	st := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		if words := strings.Fields(value); len(words) > 0 {
			st[key] = words[0]
		}
	}
	if st["Pid"] == "" {
		return nil, errors.New("no such process")
	}
	return st, nil
}
