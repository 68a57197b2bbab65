package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fedlam/fedlam/testnet"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/report"
)

type demoCmd struct {
	Dir    string `default:"fedlam-demo" help:"Folder for everything that is made; that of an earlier demo is emptied first."`
	Rounds int    `default:"80" help:"Rounds of training."`
	JSON   string `name:"json" placeholder:"F" help:"Write the report to this file as JSON, in the layout of fedlam testnet run; - for standard output."`
}

// Help is shown by `fedlam demo --help`.
func (demoCmd) Help() string {
	return `Three institutions train one model of water together, as three processes on this computer, with data that is made on the spot.
North and south have frames of one water model and store their labels in other units and signs, so they share a head; west has
another water model and a head of its own. Takes about a minute. In the end it shows the errors of training alone and of
training together, and the commands to verify, evaluate and restart what was made.

Example:
  fedlam demo --dir fedlam-demo --json report.json`
}

func (c *demoCmd) Run(ctx context.Context) error {
	folder, err := testnet.Claim(c.Dir)
	if err != nil {
		return err
	}
	path, err := demo.Write(folder.Path(), demo.Options{Rounds: c.Rounds})
	if err != nil {
		return err
	}
	m, err := manifest.Read(path, manifest.Options{})
	if err != nil {
		return err
	}
	r, err := testnet.Run(ctx, testnet.Config{Manifest: m, Folder: folder, Out: os.Stderr})
	if err != nil {
		return err
	}
	r.Commands = demoCommands(r, c.Dir, programWord())
	return showTestnet(r, c.JSON)
}

// demoCommands are lines to copy into a shell.
func demoCommands(r *report.Report, dir, program string) []report.Command {
	in := func(elements ...string) string { return quoted(filepath.Join(append([]string{dir}, elements...)...)) }
	evaluate := func(m report.Member, model string) string {
		return fmt.Sprintf("%s test %s %s --head %s --convention %s", program, model, in("validation", m.Name+".xyz"), m.Head, in("conventions", m.Name+".json"))
	}
	out := []report.Command{{What: "Verify the weights, offline, from the genesis to the last byte",
		Line: fmt.Sprintf("%s verify %s --genesis %s", program, in("release"), r.Genesis)}}
	shared := map[string]bool{}
	for _, h := range r.Heads {
		shared[h.Key] = h.Shared
	}
	var names []string
	for _, m := range r.Members {
		names = append(names, m.Name)
		what, model := "Evaluate the certified weights on frames of "+m.Name, in("release")
		if !shared[m.Head] {
			what, model = "Evaluate the certified trunk with the head that stays with "+m.Name, in("nodes", m.Name, "data", "local", "state")
		}
		out = append(out, report.Command{What: what, Line: evaluate(m, model)})
	}
	return append(out, report.Command{What: "Start the nodes again, which then train on; Ctrl-C stops them",
		Line: fmt.Sprintf("( trap 'kill 0' INT TERM; for n in %s; do %s node %s/$n & done; wait )", strings.Join(names, " "), program, in("nodes"))})
}

// programWord is how a person at this shell calls this program.
func programWord() string {
	self, err := os.Executable()
	if err != nil {
		return "fedlam"
	}
	if strings.Contains(filepath.ToSlash(self), "/go-build") {
		return "go run ./cmd/fedlam"
	}
	if found, err := exec.LookPath("fedlam"); err == nil && sameFile(found, self) {
		return "fedlam"
	}
	if here, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(here, self); err == nil && !strings.HasPrefix(near, "..") {
			return quoted("." + string(filepath.Separator) + near)
		}
	}
	return quoted(self)
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// quoted protects a path from the shell.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
