//go:build unix

package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fedlam/fedlam/testnet/proc"
)

const role = "FEDLAM_PROC_TEST_ROLE"

// TestMain lets the test binary play the processes it starts.
func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(runTests(m))
	case "say":
		fmt.Println("first")
		fmt.Fprintln(os.Stderr, "second")
		fmt.Print("third without an end")
	case "fail":
		for i := range 20 {
			fmt.Println("line", i)
		}
		os.Exit(3)
	case "obey":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("ready")
		<-stop
		fmt.Println("stopping")
	case "refuse":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		select {}
	case "parent": // starts a child, tells its number, and dies without cleaning up
		g, err := proc.NewGroup(proc.Config{LogDir: os.Getenv("LOGS")})
		if err != nil {
			panic(err)
		}
		ready := make(chan bool)
		told := sync.OnceFunc(func() { close(ready) })
		p, err := g.Start(proc.Command{Name: "child", Env: []string{role + "=refuse"}, Line: func(string) { told() }})
		if err != nil {
			panic(err)
		}
		<-ready
		fmt.Println(p.PID())
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

func group(t *testing.T, grace time.Duration) (*proc.Group, string) {
	t.Helper()
	dir := t.TempDir()
	g, err := proc.NewGroup(proc.Config{LogDir: dir, Grace: grace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g, dir
}

// play starts a role and returns when it said its first line.
func play(t *testing.T, g *proc.Group, name string) *proc.Process {
	t.Helper()
	ready := make(chan bool, 10)
	p, err := g.Start(proc.Command{Name: name, Env: []string{role + "=" + name}, Line: func(string) { ready <- true }})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-ready:
	case <-p.Done():
		t.Fatalf("%s ended: %v", name, p.Err())
	}
	return p
}

func TestRunKeepsWhatWasSaid(t *testing.T) {
	g, dir := group(t, time.Minute)
	var got []string
	for range 2 {
		err := g.Run(t.Context(), proc.Command{Name: "say", Env: []string{role + "=say"}, Line: func(l string) { got = append(got, l) }})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := "first second third without an end"
	if strings.Join(got, " ") != want+" "+want {
		t.Errorf("got lines %q", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "say.log"))
	if one := "first\nsecond\nthird without an end"; err != nil || string(text) != one+one {
		t.Errorf("the log holds %q, %v", text, err)
	}
}

func TestStdoutApart(t *testing.T) {
	g, dir := group(t, time.Minute)
	var out strings.Builder
	if err := g.Run(t.Context(), proc.Command{Name: "say", Env: []string{role + "=say"}, Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "say.log"))
	if out.String() != "first\nthird without an end" || err != nil || string(text) != "second\n" {
		t.Errorf("output %q, log %q, %v", out.String(), text, err)
	}
}

func TestExitErrorShowsTheEnd(t *testing.T) {
	g, dir := group(t, time.Minute)
	err := g.Run(t.Context(), proc.Command{Name: "fail", Env: []string{role + "=fail"}})
	var exit *proc.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || exit.Name != "fail" {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"exit status 3", "line 19", filepath.Join(dir, "fail.log")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 3\n") {
		t.Errorf("the whole log is in %q", err)
	}
}

func TestStopAsksFirst(t *testing.T) {
	g, dir := group(t, time.Minute)
	p := play(t, g, "obey")
	p.Stop()
	text, _ := os.ReadFile(filepath.Join(dir, "obey.log"))
	if p.Err() != nil || !strings.Contains(string(text), "stopping") {
		t.Errorf("ended with %v, log %q", p.Err(), text)
	}
}

func TestStopInsists(t *testing.T) {
	g, _ := group(t, time.Millisecond)
	p := play(t, g, "refuse")
	p.Stop()
	var exit *proc.ExitError
	if !errors.As(p.Err(), &exit) || exit.State != "signal: killed" || exit.Code != -1 {
		t.Errorf("ended with %v", p.Err())
	}
}

func TestCloseEndsAll(t *testing.T) {
	g, _ := group(t, time.Minute)
	running, paused := play(t, g, "obey"), play(t, g, "obey")
	if err := paused.Pause(); err != nil {
		t.Fatal(err)
	}
	g.Close()
	for _, p := range []*proc.Process{running, paused} {
		select {
		case <-p.Done():
		default:
			t.Errorf("process %d runs after Close", p.PID())
		}
		if err := p.Resume(); err == nil {
			t.Error("a process that is gone was resumed")
		}
	}
	if _, err := g.Start(proc.Command{Name: "late"}); !errors.Is(err, proc.ErrClosed) {
		t.Errorf("started after Close: %v", err)
	}
	g.Close()
}

func TestRunEndsWithItsContext(t *testing.T) {
	g, _ := group(t, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	err := g.Run(ctx, proc.Command{Name: "obey", Env: []string{role + "=obey"}, Line: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMissingProgram(t *testing.T) {
	g, _ := group(t, time.Minute)
	if _, err := g.Start(proc.Command{Name: "x", Path: "/does/not/exist"}); err == nil || !strings.Contains(err.Error(), "start x") {
		t.Errorf("got %v", err)
	}
}

func TestProcessesInheritFromTheThread(t *testing.T) {
	var limit syscall.Rlimit
	g, err := proc.NewGroup(proc.Config{LogDir: t.TempDir(), Thread: func() error { return syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) }})
	if err != nil {
		t.Fatal(err)
	}
	if p := play(t, g, "obey"); limit.Cur == 0 {
		t.Error("the thread was not prepared")
	} else if g.Close(); p.Err() != nil {
		t.Errorf("ended with %v, want a graceful end", p.Err())
	}
	refused := errors.New("refused")
	if _, err := proc.NewGroup(proc.Config{LogDir: t.TempDir(), Thread: func() error { return refused }}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

// TestNoOrphan kills a starter in a way it cannot handle and looks for what it had started.
func TestNoOrphan(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux kills the children of a dead starter")
	}
	g, dir := group(t, time.Minute)
	err := g.Run(t.Context(), proc.Command{Name: "parent", Env: []string{role + "=parent", "LOGS=" + filepath.Join(dir, "inner")}})
	var exit *proc.ExitError
	if !errors.As(err, &exit) || len(exit.Tail) != 1 {
		t.Fatalf("got %v", err)
	}
	child, err := strconv.Atoi(exit.Tail[0])
	if err != nil {
		t.Fatal(err)
	}
	patience, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for alive(child) {
		if patience.Err() != nil {
			syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("the child lives on")
		}
		runtime.Gosched()
	}
}

// alive tells whether a process exists and is more than an entry that waits to be collected.
func alive(pid int) bool {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if state, ok := strings.CutPrefix(s.Text(), "State:"); ok {
			return !strings.HasPrefix(strings.TrimSpace(state), "Z")
		}
	}
	return false
}
