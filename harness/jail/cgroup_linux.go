package jail

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A cgroup bounds the memory and the number of processes of one tree. With
// version 1 it is one folder per controller, with version 2 a single one.
type cgroup struct {
	v2     bool
	memory string // folder
	pids   string
}

// cgroupHome is where this process may make cgroups, found once.
var cgroupHome = sync.OnceValues(func() (cgroup, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return cgroup{}, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return cgroup{}, err
	}
	var home cgroup
	for line := range strings.Lines(string(own)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		switch controllers := strings.Split(f[1], ","); {
		case slices.Contains(controllers, "memory"):
			home.memory = findCgroup(string(mounts), "memory", f[2])
		case slices.Contains(controllers, "pids"):
			home.pids = findCgroup(string(mounts), "pids", f[2])
		case f[0] == "0" && home.memory == "" && home.pids == "":
			if dir := findCgroup(string(mounts), "", f[2]); dir != "" && hasControllers(dir) {
				return cgroup{true, dir, dir}, delegated(dir)
			}
		}
	}
	if home.memory == "" || home.pids == "" {
		return cgroup{}, errors.New("no cgroup with memory and pids")
	}
	for _, dir := range []string{home.memory, home.pids} {
		if err := os.MkdirAll(filepath.Join(dir, "proctor"), 0o755); err != nil {
			return cgroup{}, err
		}
	}
	return home, nil
})

// Cgroups says why this process cannot make cgroups that bound memory and
// processes; nil: it can.
func Cgroups() error {
	_, err := cgroupHome()
	return err
}

// findCgroup gives the folder that shows a process's own cgroup.
func findCgroup(mountinfo, controller, path string) string {
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		if controller == "" && r[0] != "cgroup2" || controller != "" && (r[0] != "cgroup" || !slices.Contains(strings.Split(r[2], ","), controller)) {
			continue
		}
		if !below(path, l[3]) { // the mount shows another part of the tree
			continue
		}
		return filepath.Join(l[4], strings.TrimPrefix(path, l[3]))
	}
	return ""
}

func hasControllers(dir string) bool {
	data, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	have := strings.Fields(string(data))
	return slices.Contains(have, "memory") && slices.Contains(have, "pids")
}

// delegated readies a version 2 cgroup that was given to this process alone: it
// moves into a leaf, because a cgroup with processes cannot have limited children.
func delegated(dir string) error {
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return err
	}
	self := strconv.Itoa(os.Getpid())
	switch who := strings.Fields(string(procs)); {
	case len(who) == 1 && who[0] == self:
		leaf := filepath.Join(dir, "service")
		if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := put(leaf, "cgroup.procs", self); err != nil {
			return err
		}
	case len(who) > 0:
		return errors.New("the cgroup is shared with other processes (under systemd, set Delegate=yes)")
	}
	if err := put(dir, "cgroup.subtree_control", "+memory +pids"); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "proctor"), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return put(filepath.Join(dir, "proctor"), "cgroup.subtree_control", "+memory +pids")
}

func put(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}

// newCgroup makes a cgroup for one tree. Its name begins with our pid, so that a
// later sweep knows whose it was.
func newCgroup(l Limits) (_ *cgroup, err error) {
	home, err := cgroupHome()
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	var id [8]byte
	rand.Read(id[:])
	name := fmt.Sprintf("proctor/%d-%s", os.Getpid(), hex.EncodeToString(id[:]))
	cg := &cgroup{home.v2, filepath.Join(home.memory, name), filepath.Join(home.pids, name)}
	defer func() {
		if err != nil {
			cg.remove()
		}
	}()
	for _, dir := range cg.dirs() {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, fmt.Errorf("cgroup: %w", err)
		}
	}
	memory := strconv.FormatInt(l.Memory, 10)
	if cg.v2 {
		err = put(cg.memory, "memory.max", memory)
		_ = put(cg.memory, "memory.swap.max", "0") // absent without swap
	} else {
		err = put(cg.memory, "memory.limit_in_bytes", memory)
		_ = put(cg.memory, "memory.memsw.limit_in_bytes", memory)
	}
	if err == nil {
		err = put(cg.pids, "pids.max", strconv.Itoa(l.Pids))
	}
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	return cg, nil
}

func (cg *cgroup) dirs() []string {
	if cg.v2 {
		return []string{cg.memory}
	}
	return []string{cg.memory, cg.pids}
}

func (cg *cgroup) add(pid int) error {
	for _, dir := range cg.dirs() {
		if err := put(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}

// peak returns the most memory that the tree held.
func (cg *cgroup) peak() int64 {
	file := "memory.max_usage_in_bytes"
	if cg.v2 {
		file = "memory.peak"
	}
	data, _ := os.ReadFile(filepath.Join(cg.memory, file))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n
}

// outOfMemory says whether the kernel ended a process for its memory.
func (cg *cgroup) outOfMemory() bool {
	file := "memory.oom_control"
	if cg.v2 {
		file = "memory.events"
	}
	data, _ := os.ReadFile(filepath.Join(cg.memory, file))
	for line := range strings.Lines(string(data)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// remove removes the folders. A process that just died can hold one a little longer.
func (cg *cgroup) remove() {
	for _, dir := range cg.dirs() {
		for range 50 {
			if err := unix.Rmdir(dir); err != unix.EBUSY {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// sweepCgroups removes what a service that was killed left behind.
func sweepCgroups() {
	home, err := cgroupHome()
	if err != nil {
		return
	}
	for _, dir := range home.dirs() {
		left, _ := filepath.Glob(filepath.Join(dir, "proctor", "*-*"))
		for _, d := range left {
			pid, _, _ := strings.Cut(filepath.Base(d), "-")
			fi, err := os.Stat(d)
			if _, serr := os.Stat("/proc/" + pid); serr == nil || err != nil || time.Since(fi.ModTime()) < time.Minute {
				continue // its service lives, or is one that we cannot see
			}
			unix.Rmdir(d) // refused while processes are in it
		}
	}
}
