//go:build !unix

package proc

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// attributes has nothing to say here.
func attributes() *syscall.SysProcAttr { return nil }

func (p *Process) ask() { p.cmd.Process.Kill() }

// Pause stops the process until Resume; it keeps its memory and its sockets.
func (p *Process) Pause() error { return fmt.Errorf("pause %s: %w", p.name, errors.ErrUnsupported) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return fmt.Errorf("resume %s: %w", p.name, errors.ErrUnsupported) }

func (p *Process) signalGroup(s os.Signal) { p.cmd.Process.Signal(s) }
