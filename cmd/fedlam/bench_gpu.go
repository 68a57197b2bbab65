package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/fedlam/fedlam/training/bench"
)

type benchGPUCmd struct {
	computing
	Threads int    `help:"Threads of the processor; 0 uses all cores."`
	Runs    int    `default:"10" help:"Runs that are timed, after two to warm up."`
	JSON    string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output, instead of the table."`
}

func (benchGPUCmd) Help() string {
	return `Compares forces of the GPU with those of the processor, and of two runs with each other. Then measures training steps and predictions
with the models and systems that docs/performance.md has bars for, and prints the table in Markdown. The largest need some 30 GB
of GPU memory; what does not fit says so. Other programs should leave the GPU alone meanwhile.

Example:
  fedlam bench gpu --device cuda`
}

func (c *benchGPUCmd) Run(ctx context.Context) error {
	if c.Runs < 1 {
		return fmt.Errorf("--runs is %d; give a number of at least 1", c.Runs)
	}
	return reportTo(c.JSON, func() (printer, error) {
		place, err := c.Device.Open(c.Threads)
		if err != nil {
			return nil, err
		}
		if place.Device == nil {
			return nil, errors.New(place.Notice)
		}
		report, err := bench.GPU(ctx, bench.Options{Threads: c.Threads, Device: place.Device, Runs: c.Runs}, bench.GPUTasks,
			func(text string) { fmt.Fprintln(os.Stderr, text) })
		return report, errors.Join(err, place.Close())
	})
}
