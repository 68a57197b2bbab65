package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
)

type nodeCmd struct {
	Dir     string `arg:"" help:"Folder of the node."`
	Log     string `enum:"text,json" default:"text" help:"Form of the messages: text for people, json for programs (one object a line)."`
	Verbose bool   `short:"v" help:"Tell also what only matters when something is wrong."`
}

// Help is shown by `fedlam node --help`.
func (nodeCmd) Help() string {
	return `Takes part in the federation until it is stopped with Ctrl-C, SIGTERM or fedlam status --stop. Started again it continues from
the last certified round. Private data, single updates and keys never leave; after every round the errors on your own
validation frames are in data/results/round-<n>.json:
  {"fedlam_results":1,"round":n,"weights":CID,"step":n,"sent_bytes":n,"received_bytes":n,"heads":{KEY:{"name":..,
   "training_frames":n,"validation":{"frames":n,"energy":{"n":n,"rmse":eV/atom,"mae":..},"force":{.. eV/Å},"virial":{.. eV/atom}}}}}

Example:
  fedlam node lab

node.toml, where everything but name and data may be left out; a key that is unknown is an error:
  name = "Water Lab"
  listen = ["/ip4/0.0.0.0/udp/4101/quic-v1", "/ip4/0.0.0.0/tcp/4101"]
  announce = ["/dns4/fedlam.example.org/udp/4101/quic-v1"]   # for the card, where it differs from listen
  [[data]]                                  # paths are relative to the node's folder
  path = "../water.xyz:0:900"
  convention = "../water.json"
  [network]
  relay = false                             # carry connections between members that cannot reach each other
  nat = false                               # this computer cannot be called from outside: use the members that are relays
  [public]                                  # anyone may download certified weights
  enabled = false
  listen = ["/ip4/0.0.0.0/udp/4102/quic-v1", "/ip4/0.0.0.0/tcp/4102"]
  [training]
  threads = 0                               # all cores
  device = "auto"                           # a GPU if there is one; cpu, cuda or cuda:N
  validation_fraction = 0.1
  seed = 0                                  # of the split and of the order of frames
  precision = "float32"                     # float32 or float64; default: the federation's choice
  batch_size = "auto:32"                    # default: the federation's choice
  [policy]
  min_cohort = 5                            # smallest number of members in a sum you contribute to
  rounds = 0                                # stop contributing after that many rounds; 0 is never
  [transcripts]
  keep = 0                                  # newest rounds whose messages are kept, for fedlam replay; masked updates among them`
}

func (c *nodeCmd) Run(ctx context.Context) error {
	h, err := home.Open(c.Dir)
	if err != nil {
		return err
	}
	hooks, err := node.HooksFrom(os.Getenv)
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Config{Home: h, Log: c.logger(), Software: "fedlam " + programVersion(), Hooks: hooks})
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-n.Done():
	}
	return errors.Join(n.Close())
}

func (c *nodeCmd) logger() *slog.Logger {
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(os.Stdout, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !term.IsTerminal(int(os.Stdout.Fd()))}))
}
