// Package jail runs a program that is not trusted: a candidate model, or our own
// decoder while it reads a stranger's file.
//
// The jail is our own binary executed again, which shuts itself in and then
// becomes the program. In a full jail ([Jail]) the program is alone in namespaces
// of its own (user, mount, pid, network, ipc, uts, cgroup), sees a read-only root
// made of what was bound into it and a small private /tmp, has no capability and
// no way to gain one, and reaches only the system calls of an allow-list;
// Landlock repeats the file rules, a cgroup bounds the whole tree's memory and
// processes. When the first process ends or [Process.Kill] is called, the whole
// tree is dead.
//
// Machines differ in what they let a process give up. [Probe] tries, once, and
// the [Tier] says honestly what holds; Start refuses below [Spec.MinTier] and
// never steps down silently. What is weaker in tier [Landlock]: the program sees
// the host's processes and file names, though not contents; memory is bounded per
// process only; /tmp is a folder of the host, bounded per file only. In tier
// [None] nothing is promised, though everything that works is still done.
//
// In tier [GVisor] the program's system calls do not reach the host's kernel at
// all: they are answered by gVisor, a kernel written in Go, which runsc starts
// within namespaces and a cgroup of ours. It starts in half a second.
//
// The kernel is trusted, and runsc where it is used. A program can still use processor time up to its limits,
// and learn what time it is.
package jail

import (
	"fmt"
	"slices"
	"time"
)

// A Tier says how a model is confined. Tiers have an order, see [Tier.AtLeast].
type Tier string

// Tiers, weakest first.
const (
	None     Tier = "none"      // a process of its own, nothing promised
	Remote   Tier = "remote"    // runs elsewhere: nobody here can say
	Landlock Tier = "landlock"  // no files, no network, no capabilities; no namespaces
	NoCgroup Tier = "jail-nocg" // namespaces too; memory bounded per process only
	Jail     Tier = "jail"      // and a cgroup for the whole tree
	GVisor   Tier = "gvisor"    // and a kernel of its own, see UseRunsc
	unknown  Tier = "(no such)" // orders below None
)

var order = []Tier{None, Remote, Landlock, NoCgroup, Jail, GVisor}

// Compare orders tiers: negative if t is weaker than u. A tier that is not one of
// the constants is weaker than all of them.
func (t Tier) Compare(u Tier) int { return slices.Index(order, t) - slices.Index(order, u) }

// AtLeast says whether t is as strong as least. An unknown least is never met.
func (t Tier) AtLeast(least Tier) bool { return slices.Contains(order, least) && t.Compare(least) >= 0 }

// ParseTier reads the name of a tier.
func ParseTier(s string) (Tier, error) {
	if !slices.Contains(order, Tier(s)) {
		return "", fmt.Errorf("tier %q is not known; known are %v", s, order)
	}
	return Tier(s), nil
}

// namespaces says whether the tier has its own root, so that binds have targets.
func (t Tier) namespaces() bool { return t == NoCgroup || t == Jail || t == GVisor }

// A Bind shows a file or folder of the host, read-only, with all that is mounted
// below it. Tiers without a root of their own show it where it is.
type Bind struct {
	Source string `json:"source"` // absolute
	Target string `json:"target"` // absolute path in the jail
}

// Limits bound a program. A zero field means the smallest that lets it start.
type Limits struct {
	CPU    time.Duration `json:"cpu"`    // processor time of each process
	Memory int64         `json:"memory"` // bytes, of the tree or (without cgroup) of each process
	Pids   int           `json:"pids"`   // processes and threads
	Files  int           `json:"files"`  // open files of each process
	Tmp    int64         `json:"tmp"`    // bytes of /tmp; 0: no /tmp
}

// A Spec says what to run. Either Argv is set or Role is.
type Spec struct {
	Argv []string // Argv[0] is a path in the jail, absolute or from Dir
	Role string   // a role of our own binary, see Main
	Args []string // of the role

	Dir    string   // working folder: the Target of a bind, or below it; "": the root or /
	Binds  []Bind   // shown besides what Role needs
	Env    []string // the whole environment; HOME and TMPDIR are set by the jail
	Limits Limits
	// Root is a folder of the host with a root filesystem for the program. What lies in
	// it is shown, read-only, in place of the system's programs and libraries; nothing of
	// the host's system is then in sight. Nobody may write to it meanwhile. It needs a
	// root of its own, so that Start refuses below NoCgroup.
	Root string
	// Loopback gives the program a network of its own that holds nothing but itself:
	// 127.0.0.1, on which its processes reach each other and nobody else. It needs a
	// namespace, so that Start refuses below NoCgroup.
	Loopback bool
	MinTier  Tier // refuse below; "" means Landlock
	MaxTier  Tier // do not go above, "" means as high as possible: to see what a weaker machine does

	without []string // tests only: guards to leave out
}

// A TierError says that the machine cannot confine a program as strictly as asked.
type TierError struct {
	Have, Want Tier
	Reasons    []string // why not more
}

func (e *TierError) Error() string {
	return fmt.Sprintf("this machine confines to tier %q at most, %q is required: %v", e.Have, e.Want, e.Reasons)
}

// A StartError says that the program itself could not be started: the jail was
// ready, executing failed.
type StartError struct{ Program, Why string }

func (e *StartError) Error() string { return fmt.Sprintf("start %s: %s", e.Program, e.Why) }

// An Exit is how a program ended.
type Exit struct {
	Code       int    // exit code; -1: by a signal
	Signal     string // name of that signal, or ""
	OutOfMem   bool   // the kernel ended a process of the tree for its memory
	OutOfCPU   bool   // the limit on processor time ended it
	Killed     bool   // by Kill or the end of the context
	CPU, Wall  time.Duration
	PeakMemory int64 // bytes: of the tree with a cgroup, else of the greatest process
}

// OK says whether the program ended by itself and without error.
func (e Exit) OK() bool { return e.Code == 0 && !e.Killed }

func (e Exit) String() string {
	switch {
	case e.OutOfMem:
		return "out of memory"
	case e.OutOfCPU:
		return "out of processor time"
	case e.Killed:
		return "killed"
	case e.Signal != "":
		return "ended by signal " + e.Signal
	}
	return fmt.Sprintf("exit code %d", e.Code)
}
