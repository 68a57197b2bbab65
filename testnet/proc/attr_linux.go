package proc

import "syscall"

// attributes put a process in a group of its own, and let the kernel kill it when the starter dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
