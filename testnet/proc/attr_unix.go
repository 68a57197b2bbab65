//go:build unix && !linux

package proc

import "syscall"

// attributes put a process in a group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
