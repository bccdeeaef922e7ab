package jail

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A scratch is a folder of the host for one program: the writable one in a tier
// without mounts, or a root filesystem. Next to it lies a file that the service keeps
// locked while it lives: a folder whose lock can be had belongs to a service that died.
type scratch struct {
	top  string // folder of the two
	dir  string // what the program sees
	lock *os.File
}

const scratchPrefix = "proctor-jail-"

// newScratch makes the folder that a user, unless it is negative, may write.
func newScratch(user int) (*scratch, error) {
	s, err := makeScratch("tmp", 0o700)
	if err != nil || user < 0 {
		return s, err
	}
	if err := os.Chown(s.dir, user, user); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// MakeRoot makes an empty folder for [Spec.Root]. remove takes it away with all that
// lies in it; if the service is killed before, the next one's sweep does.
func MakeRoot() (dir string, remove func(), err error) {
	sweepOnce.Do(sweep) // first: roots are large, and those of the dead fill the disk
	s, err := makeScratch("root", 0o755)
	if err != nil {
		return "", nil, err
	}
	return s.dir, s.remove, nil
}

func makeScratch(name string, mode os.FileMode) (_ *scratch, err error) {
	top, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, err
	}
	s := &scratch{top: top, dir: filepath.Join(top, name)}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	making, lock := filepath.Join(top, "making"), filepath.Join(top, "lock")
	if s.lock, err = os.OpenFile(making, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, err
	}
	if err := os.Rename(making, lock); err != nil { // now: no sweep finds it unlocked
		return nil, err
	}
	if err := os.Chmod(top, 0o711); err != nil {
		return nil, err
	}
	return s, os.Mkdir(s.dir, mode)
}

func (s *scratch) remove() {
	os.RemoveAll(s.top) // first: while locked, no other service takes it for a leftover
	if s.lock != nil {
		s.lock.Close()
	}
}

// sweep removes what services that were killed left behind: cgroups, scratch
// folders, root filesystems, and processes of jails without a pid namespace, which outlive them.
func sweep() {
	sweepCgroups()
	tops, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	for _, top := range tops {
		if err := sweepScratch(top); err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			continue // another user's, or half made: leave it
		}
	}
}

func sweepScratch(top string) error {
	var st unix.Stat_t
	if err := unix.Lstat(top, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not ours", top)
	}
	lock, err := os.OpenFile(filepath.Join(top, "lock"), os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	endLeftovers(top)
	return os.RemoveAll(top)
}

// endLeftovers kills the processes whose environment names this folder: members
// of a tree without pid namespace whose service was killed. A model can hide from
// this by overwriting its environment; it cannot hide from the next reboot, nor
// reach anything that it could not reach before.
func endLeftovers(top string) {
	want := []byte("TMPDIR=" + filepath.Join(top, "tmp"))
	procs, _ := os.ReadDir("/proc")
	for _, d := range procs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0) // from here on the number cannot come to mean another
		if err != nil {
			continue
		}
		st, err := readStatus(d.Name())
		env, eerr := os.ReadFile("/proc/" + d.Name() + "/environ")
		if err == nil && eerr == nil && st["NoNewPrivs"] == "1" && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(e []byte) bool { return bytes.Equal(e, want) }) {
			unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
		unix.Close(fd)
	}
}
