package main

import (
	"context"
	"errors"
	"os"

	"github.com/fedlam/fedlam/testnet"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/report"
)

type testnetCmd struct {
	Run testnetRunCmd `cmd:"" help:"Run a federation of processes on this computer."`
}

type testnetRunCmd struct {
	Manifest string `arg:"" help:"Description of the federation in TOML."`
	Dir      string `default:"testnet-run" help:"Folder for everything that is made; that of an earlier run is emptied first."`
	JSON     string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output."`
}

// Help is shown by `fedlam testnet run --help`.
func (testnetRunCmd) Help() string {
	return `Runs every member of a manifest as processes of this program: first its local-only training, for comparison, then its node;
kills, pauses and restarts members where the manifest says so; waits for the certified rounds, downloads and verifies the
weights as a stranger would, and evaluates them. Ends with status 0 only if everything the manifest expects is met.

Example:
  FEDLAM_SHARED=../shared fedlam testnet run testnet/manifests/molecules.toml --dir molecules --json report.json

A manifest is the plan of fedlam genesis, with
  timeout = "15m"
  baseline_slots = 2           # local-only trainings at a time
  threads = 1                  # of each process
  record_inputs = false        # check every secure sum with what the members put in: for tests
  [expect]                     # for every head, on validation frames
  force_of_reference = 0.5     # force RMSE / root mean square of the reference forces
  force_of_local = 1.1         # force RMSE / that of local-only training
  [[member]]
  name = "alpha"
  data = "${FEDLAM_SHARED}/data/train.xyz:0:250"
  convention = "conventions/alpha.json"
  validation_fraction = 0.1
  [[perturbation]]
  member = "alpha"
  action = "restart"           # kill, pause, restart
  step = "mask"                # keys, shares, confirm, mask, survivors, unmask, prepare, sign
  round = 3
  restart_after = "3s"

The JSON is {"fedlam_testnet":1,"name":..,"wall_s":x,"rounds":n,"certified":n,"void":n,"local_steps":n,"genesis":CID,"record":CID,
"certificate":CID,"weights":CID,"verification":{"ok":true,..},"heads":[..],"members":[..],"sums":[..],"checks":[..],"met":true};
docs/json.md tells every field.`
}

// errNotMet makes the exit status tell what the report shows.
var errNotMet = errors.New("not everything that was expected is met; see the report above")

func (c *testnetRunCmd) Run(ctx context.Context) error {
	m, err := manifest.Read(c.Manifest, manifest.Options{})
	if err != nil {
		return err
	}
	folder, err := testnet.Claim(c.Dir)
	if err != nil {
		return err
	}
	r, err := testnet.Run(ctx, testnet.Config{Manifest: m, Folder: folder, Out: os.Stderr})
	if err != nil {
		return err
	}
	return showTestnet(r, c.JSON)
}

// showTestnet writes the report as JSON where it is wanted, and for people on standard output unless the JSON is there. It
// fails when the report is not what the manifest expects.
func showTestnet(r *report.Report, path string) error {
	if path != "" {
		if err := r.WriteFile(path); err != nil {
			return err
		}
	}
	if path != "-" {
		if err := r.Print(os.Stdout); err != nil {
			return err
		}
	}
	if !r.Met {
		return errNotMet
	}
	return nil
}
