package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
)

type replayCmd struct {
	Round      uint64 `arg:"" help:"Number of the round; the first one, the setup round, is 0."`
	Home       string `placeholder:"DIR" help:"Folder of a node that kept the round's transcript."`
	Transcript string `placeholder:"F" help:"File with the transcript; default: the one in the home."`
	Release    string `placeholder:"DIR" help:"Release of this round or a later one, for the certified rounds; default: the log in the home, which a running node has to itself."`
	Weights    string `placeholder:"F" help:"Weights that the round started from; default: from the home."`
	State      string `placeholder:"F" help:"Optimizer state that the round started from; default: from the home."`
	Genesis    string `placeholder:"CID" help:"CID that the genesis must have, from somebody you trust."`
	JSON       string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output."`
}

// Help is shown by `fedlam replay --help`.
func (replayCmd) Help() string {
	return `Verifies a finished round again, offline and without any key, from the messages that a node kept: every signature, keys and shares,
masked inputs against their roots, opened shares, the sums, the outer step down to the bytes of the record, and the votes. Prints
what happened, who took part, and the first thing that does not hold, with the name of who is to blame where messages prove it.

Nodes keep no messages unless node.toml says how many rounds' worth:
  [transcripts]
  keep = 2

Examples:
  fedlam replay 7 --home lab
  fedlam replay 7 --home lab --release release      # while the node is running
  fedlam replay 7 --transcript round-000000000007.transcript --release release --weights before.safetensors --state state.safetensors

Ends with status 0 if everything holds, 1 if something is wrong, and 2 if messages or files are missing so that it cannot be
said. docs/json.md describes the JSON.`
}

// Statuses with which replay ends.
const (
	statusWrong   = 1
	statusMissing = 2
)

// exitError is an error that ends the program with a status of its own.
type exitError struct {
	error
	status int
}

func (e exitError) Unwrap() error { return e.error }

func (c *replayCmd) Run(ctx context.Context) error {
	report, err := c.replay(ctx)
	if err != nil {
		return exitError{err, statusMissing}
	}
	if c.JSON != "" {
		if err := writeTo(c.JSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(report) }); err != nil {
			return exitError{err, statusMissing}
		}
	}
	if c.JSON != "-" {
		if err := printReplay(os.Stdout, report); err != nil {
			return exitError{err, statusMissing}
		}
	}
	switch report.Worst() {
	case federation.Wrong:
		return exitError{fmt.Errorf("round %d does not hold: %s", report.Round, report.First), statusWrong}
	case federation.Incomplete:
		return exitError{fmt.Errorf("round %d: the transcript does not show everything: %s; another member may have kept more", report.Round, report.First), statusMissing}
	}
	return nil
}

func (c *replayCmd) replay(ctx context.Context) (*federation.ReplayReport, error) {
	cfg := node.ReplayConfig{Round: c.Round, Transcript: c.Transcript, Release: c.Release, Weights: c.Weights, State: c.State}
	if c.Genesis != "" {
		var err error
		if cfg.Genesis, err = parseCID(c.Genesis); err != nil {
			return nil, err
		}
	}
	if c.Home != "" {
		var err error
		if cfg.Home, err = home.Open(c.Home); err != nil {
			return nil, err
		}
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		cfg.Progress = func(what string, done, total int) {
			end := ""
			if done == total {
				end = "\033[K\r"
			}
			fmt.Fprintf(os.Stderr, "\r%s: %d%%%s", what, 100*done/total, end)
		}
	}
	return node.Replay(ctx, cfg)
}

// printReplay writes a report for people.
func printReplay(w io.Writer, r *federation.ReplayReport) error {
	fmt.Fprintf(w, "federation %q, genesis %s\n", r.Federation, r.Genesis)
	fmt.Fprintf(w, "round %d (%s): %d messages, %.1f MiB\n", r.Round, r.Kind, r.Messages, float64(r.Bytes)/(1<<20))
	if len(r.Story) > 0 {
		fmt.Fprintf(w, "\nwhat happened\n  %s\n", strings.Join(r.Story, "\n  "))
	}
	if len(r.Members) > 0 {
		fmt.Fprintf(w, "\nmembers\n")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range r.Members {
		fmt.Fprintf(t, "  %s\t%d messages\t%s\n", m.Name, m.Messages, m.Account)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nchecks\n")
	for _, c := range r.Checks {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Verdict, c.What, c.Found)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, b := range r.Blame {
		fmt.Fprintf(w, "\nproven deviation of %s: %s\n", b.Member, b.Proof)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", conclusion(r))
	return err
}

func conclusion(r *federation.ReplayReport) string {
	open := 0
	for _, c := range r.Checks {
		if c.Verdict == federation.NotChecked {
			open++
		}
	}
	switch {
	case !r.OK:
		return "first that does not hold: " + r.First
	case r.Why != "":
		return "everything holds; the round is void because " + r.Why
	case open > 0:
		return fmt.Sprintf("all that could be checked holds; not checked: %d, see above", open)
	}
	return "everything holds: these messages make the certified record, byte for byte"
}
