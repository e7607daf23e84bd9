package localpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes drop root's rights, leave the terminal's process group, and have
// the kernel send the child a fast-shutdown request when Cotejo dies.
func attributes(as account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if as.drop {
		attr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
	if as.mapped {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
	}
	return attr
}

// nobody is Linux's overflow user, which every system has an entry for.
const nobody = 65534

// canMap tries whether a user namespace may be made here.
func canMap() bool {
	cmd := exec.Command("/bin/sh", "-c", "exit 0")
	cmd.SysProcAttr = attributes(account{mapped: true})
	return runLocked(cmd) == nil
}

// isPostmaster tells a server of this cluster from a stranger with its number:
// the postmaster works inside its data directory.
func isPostmaster(pid int, data string) bool {
	cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(data)
	return err == nil && cwd == real
}
