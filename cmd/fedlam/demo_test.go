//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fedlam/fedlam/testnet/report"
)

// TestDemo runs a short demo and then every command it shows, as a person would who copies it.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes that train")
	}
	dir := t.TempDir()
	demo := exec.Command("fedlam", "demo", "--dir", "the demo", "--rounds", "2", "--json", "report.json")
	demo.Dir = dir
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"only two members share this head", "round 2 of 2 certified", "SPC/Fw", "3 of 3 members"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if !r.Met || len(r.Heads) != 2 || !r.Heads[0].Shared || r.Heads[0].Federation.Forces == 0 || r.Members[0].PerRound == 0 || len(r.Commands) != 5 {
		t.Errorf("got %s", text)
	}
	for _, c := range r.Commands {
		if !strings.Contains(string(out), c.Line) {
			t.Errorf("%q is not shown", c.Line)
		}
		shell := exec.Command("sh", "-c", c.Line)
		shell.Dir = dir
		if strings.HasPrefix(c.What, "Start the nodes again") {
			restart(t, shell, filepath.Join(dir, "the demo", "nodes", "north"))
			continue
		}
		if out, err := shell.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", c.Line, err, out)
		}
	}
}

// restart runs the line that starts the nodes, waits until they have certified one more round, and presses Ctrl-C.
func restart(t *testing.T, shell *exec.Cmd, node string) {
	t.Helper()
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	shell.Stdout, shell.Stderr = &said, &said
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	interrupted := false
	interrupt := func() {
		if !interrupted {
			syscall.Kill(-shell.Process.Pid, syscall.SIGINT)
		}
		interrupted = true
	}
	defer interrupt()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for finished := uint64(0); finished < 4; { // three rounds were certified before
		if ctx.Err() != nil {
			t.Fatalf("the nodes do not go on:\n%s", said.String())
		}
		finished = finishedRounds(ctx, node)
	}
	interrupt()
	shell.Wait() // its status is that of a shell that was interrupted
	if finishedRounds(ctx, node) != 0 {
		t.Error("a node runs after Ctrl-C")
	}
}

// finishedRounds asks a node; 0 means that it does not answer.
func finishedRounds(ctx context.Context, node string) uint64 {
	text, err := exec.CommandContext(ctx, "fedlam", "status", node, "--json", "-").Output()
	var status statusOutput
	if err != nil || json.Unmarshal(text, &status) != nil {
		return 0
	}
	return status.Finished
}

// TestDemoInterrupted presses Ctrl-C while the nodes run and looks for what is left of them.
func TestDemoInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes that train")
	}
	dir := filepath.Join(t.TempDir(), "demo")
	demo := exec.Command("fedlam", "demo", "--dir", dir, "--rounds", "20")
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := demo.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { demo.Process.Kill() })
	defer stop.Stop()
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "certified (setup)") {
			if n := len(processesWith(t, dir)); n < 3 {
				t.Errorf("%d processes run, want the demo and its nodes", n)
			}
			syscall.Kill(demo.Process.Pid, syscall.SIGINT)
		}
	}
	if err := demo.Wait(); err == nil || !strings.Contains(strings.Join(said, "\n"), "interrupted: all processes are stopped") {
		t.Errorf("got %v\n%s", err, strings.Join(said, "\n"))
	}
	if left := processesWith(t, dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

// processesWith lists the command lines that contain a text.
func processesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(paths) == 0 {
		t.Skip("processes cannot be listed here")
	}
	for _, p := range paths {
		line, err := os.ReadFile(p)
		if err == nil && strings.Contains(string(line), text) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestDemoRefusesForeignFolder(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious.txt")
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("fedlam", "demo", "--dir", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "choose another one with --dir") {
		t.Errorf("got %v: %s", err, out)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"a/b-1.xyz": "a/b-1.xyz", "the demo": "'the demo'", "it's": `'it'\''s'`, "$HOME": "'$HOME'"} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}
