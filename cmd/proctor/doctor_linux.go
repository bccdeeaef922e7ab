package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// diskOf returns the bytes free below dir and, where it is not local, on what it is.
func diskOf(dir string) (free uint64, network string, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, "", fmt.Errorf("statfs %s: %w", dir, err)
	}
	network = map[int64]string{unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB",
		unix.CIFS_SUPER_MAGIC: "CIFS", unix.AFS_SUPER_MAGIC: "AFS", unix.CEPH_SUPER_MAGIC: "Ceph"}[int64(st.Type)]
	return st.Bavail * uint64(st.Bsize), network, nil
}

// synced asks the kernel whether somebody keeps its clock right.
func synced() check {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err != nil || state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
		return check{"time", checkWarn, "nobody tells the kernel the right time", "run a time service, such as chrony or systemd-timesyncd"}
	}
	return check{"time", checkOK, "the kernel's clock is kept right", ""}
}
