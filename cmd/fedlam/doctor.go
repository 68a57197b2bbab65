package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

type doctorCmd struct {
	Dir     string        `arg:"" optional:"" default:"." name:"home" help:"Folder of the node."`
	JSON    string        `name:"json" placeholder:"F" help:"Write the findings to this file as JSON; - for standard output."`
	Timeout time.Duration `default:"5s" placeholder:"D" help:"How long to wait for each answer of another member."`
}

// Help is shown by `fedlam doctor --help`.
func (doctorCmd) Help() string {
	return `Finds out what keeps a node from working: keys and genesis, disk and log, ports, clock, address translation (NAT), the ways to and
from every member by TCP and by QUIC, and whether all have the same history; and says what to do next. A running node examines
itself; one that does not run is examined from its folder, which cannot be used by a node meanwhile. Members are asked to dial
back at the addresses that their list of members has. Who the members are, and whether this node is one, is read from the newest
certified epoch in the folder. Only members are asked, nothing is changed.

Example:
  fedlam doctor lab

The status is 0 when nothing failed (warnings are no failure), 1 when something did, 2 when there is no node to examine. The JSON is
{"version":1,"ok":true,"running":true,"findings":[{"check":NAME,"member":NAME,"state":"ok","text":..,"next":..,"paths":[{"from":..,"to":..,
"address":MULTIADDR,"transport":"quic","outcome":"reached","seconds":x}]}]} with the states ok, skipped, warning and failed.`
}

// doctorOutput is the layout of the JSON; see Help.
type doctorOutput struct {
	Version  int             `json:"version"`
	OK       bool            `json:"ok"`
	Running  bool            `json:"running"`
	Findings []doctorFinding `json:"findings"`
}

type doctorFinding struct {
	Check  string       `json:"check"`
	Member string       `json:"member,omitempty"`
	State  string       `json:"state"`
	Text   string       `json:"text"`
	Next   string       `json:"next,omitempty"`
	Paths  []doctorPath `json:"paths,omitempty"`
}

type doctorPath struct {
	From      string  `json:"from"`
	To        string  `json:"to"`
	Address   string  `json:"address"`
	Transport string  `json:"transport"`
	Outcome   string  `json:"outcome"`
	Seconds   float64 `json:"seconds"`
}

// exitUsage is the status when the command was called wrongly; a failed check has the status of every other error, 1.
const exitUsage = 2

func (c *doctorCmd) Run(ctx context.Context) error {
	if err := c.misused(); err != nil {
		fmt.Fprintln(os.Stderr, "fedlam:", err)
		os.Exit(exitUsage)
	}
	findings, running, err := c.examine(ctx)
	if err != nil {
		return err
	}
	failed := 0
	for _, f := range findings {
		if f.State == doctor.Failed {
			failed++
		}
	}
	if c.JSON != "" {
		out := doctorOutput{Version: 1, OK: failed == 0, Running: running, Findings: doctorFindings(findings)}
		if err := writeTo(c.JSON, func(w io.Writer) error { return writeDoctorJSON(w, out) }); err != nil {
			return err
		}
	}
	if c.JSON != "-" {
		if err := printFindings(os.Stdout, findings); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d findings are failures", failed, len(findings))
	}
	return nil
}

func writeDoctorJSON(w io.Writer, out doctorOutput) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // "you -> bank" stays readable
	return e.Encode(out)
}

func (c *doctorCmd) misused() error {
	if c.Timeout <= 0 || c.Timeout > 10*time.Minute {
		return fmt.Errorf("--timeout is %s; it must be above 0 and at most 10m", c.Timeout)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "node.toml")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no node in %q: name its folder, as in `fedlam doctor lab`, or make one with `fedlam init`", c.Dir)
	}
	return nil
}

// examine asks the node, or looks at its folder when it does not run.
func (c *doctorCmd) examine(ctx context.Context) (findings []doctor.Finding, running bool, err error) {
	take := func(e doctor.Event) {
		if e.Finding == nil {
			fmt.Fprintf(os.Stderr, "%s ...\n", e.Begins)
			return
		}
		findings = append(findings, *e.Finding)
	}
	client, err := local.Dial(c.Dir)
	if err != nil {
		return nil, false, err
	}
	defer client.Close()
	err = client.Doctor(ctx, c.Timeout, func(e *localpb.DoctorEvent) error {
		take(doctor.EventFrom(e))
		return nil
	})
	if err == nil || !errors.Is(err, local.ErrNotRunning) || len(findings) > 0 {
		return findings, true, err
	}
	fmt.Fprintln(os.Stderr, "the node does not run; looking at its folder")
	site := doctor.Open(c.Dir, software())
	doctor.Examine(ctx, site, c.Timeout, take)
	return findings, false, errors.Join(ctx.Err(), site.Close())
}

func doctorFindings(in []doctor.Finding) []doctorFinding {
	out := make([]doctorFinding, len(in))
	for i, f := range in {
		out[i] = doctorFinding{Check: f.Check, Member: f.Member, State: string(f.State), Text: f.Text, Next: f.Next}
		for _, p := range f.Paths {
			out[i].Paths = append(out[i].Paths, doctorPath{p.From, p.To, p.Address, p.Transport, string(p.Outcome), p.Took.Seconds()})
		}
	}
	return out
}
