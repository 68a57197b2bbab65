//go:build unix

package node

import "syscall"

// killSelf ends the process as kill -9 does: nothing is flushed, nobody is told.
func killSelf() {
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}
