package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("the group of processes is closed")

// Config of a Group.
type Config struct {
	// LogDir is the folder of the log files; it is made.
	LogDir string
	// Grace is the time between asking a process to end and killing it. Default 10 s.
	Grace time.Duration
	// Thread is called once on the one thread that starts all processes, which inherit what it changes there: its network
	// namespace, its limits. The thread is used for nothing else and ends with the group. nil is allowed.
	Thread func() error
}

// Command says what to run.
type Command struct {
	// Name names the process in messages, and its log file; several processes of one name write to one file.
	Name string
	// Path is the program; default: the one that is running.
	Path string
	Args []string
	// Env is added to the environment of the starter, as NAME=value.
	Env []string
	// Dir is the working directory; default: that of the starter.
	Dir string
	// Line is called with each line the process writes, from one goroutine at a time; nil is allowed.
	Line func(line string)
	// Stdout takes the standard output instead of log and Line; nil is allowed.
	Stdout io.Writer
}

// A Group owns processes. Close it.
type Group struct {
	cfg    Config
	launch chan func()

	mu      sync.Mutex
	closed  bool
	running map[*Process]bool
}

// NewGroup makes a group without processes.
func NewGroup(cfg Config) (*Group, error) {
	if cfg.Grace == 0 {
		cfg.Grace = 10 * time.Second
	}
	if err := os.MkdirAll(cfg.LogDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for logs: %w", err)
	}
	g := &Group{cfg: cfg, launch: make(chan func()), running: map[*Process]bool{}}
	ready := make(chan error)
	go launcher(cfg.Thread, ready, g.launch)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("prepare to start processes: %w", err)
	}
	return g, nil
}

// launcher starts all processes of a group from one thread, which lives as long as the group: the kernel sends the
// signal of a parent's death when the *thread* ends that made the child.
func launcher(prepare func() error, ready chan<- error, launch <-chan func()) {
	runtime.LockOSThread()
	if prepare == nil {
		defer runtime.UnlockOSThread() // otherwise the thread is like no other, and ends here
	} else if err := prepare(); err != nil {
		ready <- err
		return
	}
	close(ready)
	for start := range launch {
		start()
	}
}

// Start runs c in the background.
func (g *Group) Start(c Command) (*Process, error) {
	p, err := g.start(c)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return p, nil
}

func (g *Group) start(c Command) (*Process, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	if c.Path == "" {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the running program: %w", err)
		}
		c.Path = path
	}
	p := &Process{name: c.Name, grace: g.cfg.Grace, done: make(chan struct{}), log: filepath.Join(g.cfg.LogDir, c.Name+".log")}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	out := &lines{file: file, visit: c.Line}
	p.out, p.cmd = out, exec.Command(c.Path, c.Args...)
	p.cmd.Env, p.cmd.Dir = append(os.Environ(), c.Env...), c.Dir
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if c.Stdout != nil {
		p.cmd.Stdout = c.Stdout
	}
	p.cmd.WaitDelay = g.cfg.Grace // for a grandchild that keeps the pipe open
	p.cmd.SysProcAttr = attributes()
	started := make(chan error)
	g.launch <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		file.Close()
		return nil, err
	}
	g.running[p] = true
	go func() {
		p.wait()
		g.mu.Lock()
		delete(g.running, p)
		g.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// Run runs c to its end. When ctx ends first, the process is stopped and the context's error returned.
func (g *Group) Run(ctx context.Context, c Command) error {
	p, err := g.Start(c)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		p.Stop()
		return ctx.Err()
	}
}

// Close stops all processes and returns when the last is gone.
func (g *Group) Close() {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	var rest []*Process
	for p := range g.running {
		rest = append(rest, p)
	}
	g.mu.Unlock()
	var all sync.WaitGroup
	for _, p := range rest {
		all.Go(p.Stop)
	}
	all.Wait()
	if first {
		close(g.launch) // not earlier: with the thread goes what it started
	}
}
