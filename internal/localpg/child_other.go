//go:build !linux

package localpg

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// attributes drop root's rights and leave the terminal's process group. There is
// no parent-death signal here: after a SIGKILL the server lives on until the
// next start stops it (see clearPrevious).
func attributes(as account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as.drop {
		attr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
	return attr
}

func canMap() bool { return false }

// isPostmaster tells a server of this cluster from a stranger with its number by
// the command line, which names the data directory.
func isPostmaster(pid int, data string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	program, args, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return filepath.Base(program) == "postgres" && strings.Contains(args, data)
}
