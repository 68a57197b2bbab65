package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/memory"
	"github.com/fedlam/fedlam/training/weights"
)

// ErrNotFinite is returned where a model makes no numbers of a system, so that its time would mean little.
var ErrNotFinite = errors.New("the loss is not finite; use float64, or another system")

// startLR is the learning rate of the official inputs' first step, at which the loss has its first prefactors.
const startLR = 1e-3

// Step measures the training step of a model on one frame, with the loss of the official inputs: energy and forces.
func Step(ctx context.Context, subject *Subject, system *System, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	loss := dpa2.DefaultLoss()
	step, err := dpa2.NewTrainingStepAt(subject.Model.Config, loss, o.Precision, o.place())
	if err != nil {
		return nil, err
	}
	labelled := &System{Name: system.Name}
	if labelled.Frame, err = system.labelled(); err != nil {
		return nil, err
	}
	grad := &weights.Set{}
	return run(ctx, "step", subject, labelled, o, step.Meter, func(b *dpa2.Batch) error {
		metrics, err := step.Run(subject.Model, b, loss.At(startLR, startLR), grad)
		if err == nil && (math.IsNaN(metrics.Loss) || math.IsInf(metrics.Loss, 0)) {
			return ErrNotFinite
		}
		return err
	})
}

// Eval measures the prediction of energy, forces and virial of one frame.
func Eval(ctx context.Context, subject *Subject, system *System, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	e, err := dpa2.NewEvaluatorAt(subject.Model, o.Precision, o.place())
	if err != nil {
		return nil, err
	}
	if o.Device == nil {
		e.Limit(memory.OrUnlimited)
	}
	return run(ctx, "eval", subject, system, o, e.Meter, func(b *dpa2.Batch) error {
		_, err := e.EvaluateBatch(b)
		return err
	})
}

// run measures f on the batch of the system's frame.
func run(ctx context.Context, what string, subject *Subject, system *System, o Options, meterOf func() dpa2.Meter, f func(*dpa2.Batch) error) (*Report, error) {
	start := time.Now()
	b, err := dpa2.NewBatch(subject.Model.Config, []dataset.Frame{system.Frame})
	if err != nil {
		return nil, fmt.Errorf("system %q: %w", system.Name, err)
	}
	r := &Report{
		Version: 1, What: what, Model: subject.Name, Parameters: subject.Model.Config.NumParameters(),
		System: system.Name, Atoms: b.NumAtoms(), Neighbors: b.NumEdges(), Precision: o.Precision, Threads: o.Threads,
		Prepare: time.Since(start).Seconds(), Machine: ThisMachine(),
	}
	ceilings, err := newCeilings(&o, r)
	if err != nil {
		return nil, err
	}
	if err := ceilings.before(); err != nil {
		return nil, err
	}
	clock := &deviceClock{meterOf: meterOf}
	timed := func() error {
		if err := f(b); err != nil || o.Device == nil {
			return err
		}
		return clock.read()
	}
	if r.Times, r.Allocations, err = measure(ctx, o.Runs, timed); err != nil {
		return nil, err
	}
	r.DeviceTimes = clock.times(o.Runs)
	r.Memory.Process = ProcessMemory() // before the vectors of the bandwidth
	meter := meterOf()                 // after the runs, which may have chosen a program
	r.FLOP, r.ProductFLOP, r.Memory.Arena = meter.FLOP(), meter.ProductFLOP(), meter.ArenaBytes()
	if o.Profile {
		meter.StartProfile()
		for range o.Runs {
			if err := once(ctx, func() error { return f(b) }); err != nil {
				return nil, err
			}
		}
	}
	profile := meter.Profile()
	if err := ceilings.after(); err != nil {
		return nil, err
	}
	r.derive()
	r.addNodes(profile)
	return r, nil
}
