package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A Process is a program that a Group started.
type Process struct {
	name  string
	log   string
	grace time.Duration
	cmd   *exec.Cmd
	out   *lines
	done  chan struct{}
	err   error // valid after done is closed
}

// ExitError says that a process ended in another way than with status 0.
type ExitError struct {
	Name  string   // of the command
	Log   string   // path of its log
	State string   // such as "exit status 1" or "signal: killed"
	Code  int      // exit status, -1 if a signal ended it
	Tail  []string // the last lines it wrote
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s ended with %s", e.Name, e.State)
	if len(e.Tail) > 0 {
		text += ":\n    " + strings.Join(e.Tail, "\n    ")
	}
	return text + "\n  its log is " + e.Log
}

func (p *Process) wait() {
	err := p.cmd.Wait()
	p.out.close()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		p.err = &ExitError{Name: p.name, Log: p.log, State: exit.ProcessState.String(), Code: exit.ExitCode(), Tail: p.out.tail}
	case err != nil:
		p.err = fmt.Errorf("wait for %s: %w", p.name, err)
	}
}

// Name returns the name of the command.
func (p *Process) Name() string { return p.name }

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and everything it wrote is in its log.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns how the process ended: nil for exit status 0, else in general an *ExitError. It is valid once Done is closed.
func (p *Process) Err() error { return p.err }

// Stop asks the process to end, kills it when the grace is over, and returns when it is gone.
func (p *Process) Stop() {
	p.ask()
	timer := time.NewTimer(p.grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
	}
}

// Kill ends the process at once and returns when it is gone.
func (p *Process) Kill() {
	p.signalGroup(os.Kill)
	<-p.done
}
