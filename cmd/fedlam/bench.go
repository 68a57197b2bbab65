package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fedlam/fedlam/training/bench"
	"github.com/fedlam/fedlam/training/dpa2"
)

type benchCmd struct {
	Step benchStepCmd `cmd:"" help:"Measure a training step: energy and forces, gradient of the loss."`
	Eval benchEvalCmd `cmd:"" help:"Measure a prediction: energy, forces, virial."`
	Gemm benchGemmCmd `cmd:"" help:"Measure the matrix products that occur in the models."`

	GPU benchGPUCmd `cmd:"" name:"gpu" help:"Check a GPU against the processor and fill the table of docs/performance.md."`

	Round  benchRoundCmd  `cmd:"" help:"Measure a round of secure aggregation, all members in one process."`
	Verify benchVerifyCmd `cmd:"" help:"Measure how long a stranger needs to verify downloaded weights."`
}

// Help is shown by `fedlam bench --help`.
func (benchCmd) Help() string {
	return `Measures how fast this machine trains and predicts. Models and systems are built in and always the same numbers, so that anybody
can repeat a measurement; the table names the processor, the instruction set and the version of Go.

Examples:
  fedlam bench step --model small --system water192 --precision float32 --threads 2
  fedlam bench eval --model medium --system water.xyz --profile --json eval.json
  fedlam bench gemm --precision float64
  fedlam bench step --model medium --system water12288 --device cuda
  fedlam bench round --members 200 --dropped 66

The fraction of peak is the FLOP of matrix products and contractions, divided by the time of the whole run and by the rate of
a matrix product that stays in the caches; that rate is measured by the same process with the same threads right before and
after the runs, and the best counts. On a GPU (--device cuda) the two ceilings are those of a large product and a large copy within its
memory, and times by events of the GPU stand beside those of the whole run. Tanh, sums and gathers take time but do not count. All FLOP are counted for the real
neighbours; exp, tanh, sigmoid and softplus count 20 each.

--profile adds a table of where the time goes: for each node of the program the time, the share, FLOP and bytes (operands
read and results written) with their rates. More than 100 % of memory means that caches served.

A training step on water12288 takes about 4 GB with the model small and 20 GB with medium, in float32, a prediction of water98304 7 GB
with small; the line "memory" of a smaller system says how much per atom. A prediction that would not fit is refused.`
}

// measuring are the flags that all measurements share.
type measuring struct {
	Precision string `default:"float32" enum:"float32,float64" help:"Arithmetic: ${enum}."`
	Threads   int    `help:"Threads; 0 uses all cores."`
	computing
	Runs int    `default:"10" help:"Runs that are timed, after two to warm up."`
	JSON string `name:"json" placeholder:"F" help:"Write the report to this file as JSON; - for standard output, instead of the table."`
}

// subject are the flags about what is computed.
type subject struct {
	Model   string `default:"small" help:"small, medium or large of DeePMD-kit's inputs for water, or a model as eval reads it."`
	Head    string `help:"Head of a model with several: its key or its name."`
	System  string `default:"water192" help:"water192, water1536, water12288 or another waterN with N = 3n³ atoms, or a file of frames, of which the first counts."`
	Profile bool   `help:"Measure each node of the program too."`
}

type benchStepCmd struct {
	subject
	measuring
}

type benchEvalCmd struct {
	subject
	measuring
}

type benchGemmCmd struct{ measuring }

func (benchStepCmd) Help() string {
	return "Example:\n  fedlam bench step --model small --system water192 --threads 2 --profile"
}

func (benchEvalCmd) Help() string {
	return "Example:\n  fedlam bench eval --model medium --system water1536 --precision float64"
}

func (benchGemmCmd) Help() string {
	return "Example:\n  fedlam bench gemm --precision float64 --threads 1"
}

func (c *benchStepCmd) Run(ctx context.Context) error { return c.run(ctx, &c.measuring, bench.Step) }

func (c *benchEvalCmd) Run(ctx context.Context) error { return c.run(ctx, &c.measuring, bench.Eval) }

func (c *benchGemmCmd) Run(ctx context.Context) error {
	return c.report(func(o bench.Options) (printer, error) { return bench.GEMM(ctx, o) })
}

// run opens model and system and measures them.
func (s *subject) run(ctx context.Context, m *measuring,
	measure func(context.Context, *bench.Subject, *bench.System, bench.Options) (*bench.Report, error),
) error {
	return m.report(func(o bench.Options) (printer, error) {
		model, err := bench.OpenModel(s.Model, s.Head)
		if err != nil {
			return nil, err
		}
		system, err := bench.OpenSystem(s.System, model.Model.Config.TypeMap)
		if err != nil {
			return nil, err
		}
		o.Profile = s.Profile
		return measure(ctx, model, system, o)
	})
}

// printer is a report.
type printer interface{ Print(w io.Writer) error }

// report measures, and writes the result as a table, as JSON, or both.
func (m *measuring) report(measure func(bench.Options) (printer, error)) error {
	if m.Runs < 1 {
		return fmt.Errorf("--runs is %d; give a number of at least 1", m.Runs)
	}
	return reportTo(m.JSON, func() (printer, error) {
		place, err := m.openPlace(m.Threads, os.Stderr)
		if err != nil {
			return nil, err
		}
		report, err := measure(bench.Options{Precision: dpa2.Precision(m.Precision), Threads: m.Threads, Device: place.Device, Runs: m.Runs})
		return report, errors.Join(err, place.Close())
	})
}
