//go:build unix

package proc

import (
	"fmt"
	"os"
	"syscall"
)

// ask sends SIGTERM, and SIGCONT because a paused process would not see it.
func (p *Process) ask() {
	p.signalGroup(syscall.SIGTERM)
	p.signalGroup(syscall.SIGCONT)
}

// Pause stops the process until Resume; it keeps its memory and its sockets.
func (p *Process) Pause() error { return p.signal("pause", syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.signal("resume", syscall.SIGCONT) }

func (p *Process) signal(what string, s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%s %s: %w", what, p.name, err)
	}
	return nil
}

// signalGroup reaches the process and what it started. The first call fails when the process is gone already, so that
// its number is never used after somebody else may have got it.
func (p *Process) signalGroup(s os.Signal) {
	if p.cmd.Process.Signal(s) == nil {
		syscall.Kill(-p.cmd.Process.Pid, s.(syscall.Signal))
	}
}
