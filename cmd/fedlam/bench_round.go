package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fedlam/fedlam/testnet/roundbench"
	"github.com/fedlam/fedlam/training/bench"
	"github.com/fedlam/fedlam/training/dpa2"
)

type benchRoundCmd struct {
	Members    int    `default:"20" help:"Members of the federation, 4 to 255."`
	Parameters int    `default:"1048576" help:"Numbers in the update."`
	Bits       int    `default:"16" help:"Bits of a lane, 16 or 32."`
	Dropped    int    `help:"Members that go away after key agreement."`
	Steps      int    `help:"Compare with a round of this many local steps of the model small, measured here; 0 leaves that out."`
	JSON       string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output, instead of the table."`
}

func (benchRoundCmd) Help() string {
	return `Runs keys, shares, confirmations, masks, agreement, opening and sum of one session with the real cryptography and no network, and checks the sum.
Upload counts what the member that sends most has to say, keys included, each byte once.

Examples:
  fedlam bench round --members 200 --parameters 1048576 --dropped 66
  fedlam bench round --members 20 --parameters 10485760 --steps 100 --json round.json`
}

func (c *benchRoundCmd) Run(ctx context.Context) error {
	return reportTo(c.JSON, func() (printer, error) {
		r, err := roundbench.Run(ctx, roundbench.Options{Members: c.Members, Parameters: c.Parameters, Bits: c.Bits, Dropped: c.Dropped,
			Progress: func(text string) { fmt.Fprintln(os.Stderr, text) }})
		if err != nil || c.Steps <= 0 {
			return r, err
		}
		step, err := localStep(ctx)
		if err != nil {
			return nil, err
		}
		r.AddTraining(step, c.Steps)
		return r, nil
	})
}

// localStep measures a training step of the smallest model and system, in seconds: the shortest round there is.
func localStep(ctx context.Context) (float64, error) {
	model, err := bench.OpenModel("small", "")
	if err != nil {
		return 0, err
	}
	system, err := bench.OpenSystem("water192", model.Model.Config.TypeMap)
	if err != nil {
		return 0, err
	}
	r, err := bench.Step(ctx, model, system, bench.Options{Precision: dpa2.Float32, Runs: 5})
	if err != nil {
		return 0, err
	}
	return r.Times.Median, nil
}

type benchVerifyCmd struct {
	Parameters int    `default:"20000000" help:"Numbers in the weights, float32."`
	Members    int    `default:"200" help:"Members, all of whom have signed."`
	Rounds     int    `default:"1" help:"Certified rounds that lead to the weights."`
	Runs       int    `default:"10" help:"Runs that are timed."`
	JSON       string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output, instead of the table."`
}

func (benchVerifyCmd) Help() string {
	return "Checks a release in memory against its genesis, as fedlam verify does with a folder.\n\nExample:\n  fedlam bench verify --parameters 20000000 --members 200 --rounds 10"
}

func (c *benchVerifyCmd) Run(ctx context.Context) error {
	return reportTo(c.JSON, func() (printer, error) {
		return roundbench.Verify(ctx, c.Parameters, c.Members, c.Rounds, c.Runs)
	})
}

// reportTo measures, and writes the result as a table, as JSON, or both.
func reportTo(path string, measure func() (printer, error)) error {
	asJSON, err := createOutput(path)
	if err != nil {
		return err
	}
	defer asJSON.discard()
	r, err := measure()
	if err != nil {
		return err
	}
	if path != "-" {
		if err := r.Print(os.Stdout); err != nil {
			return err
		}
	}
	if asJSON == nil {
		return nil
	}
	if err := json.NewEncoder(asJSON).Encode(r); err != nil {
		return asJSON.failed(err)
	}
	return asJSON.commit()
}
