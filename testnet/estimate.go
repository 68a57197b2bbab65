package testnet

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/training"
)

// Steps of a member that are timed before the run; the first ones build neighbour lists and are not counted.
const (
	untimedSteps = 2
	timedSteps   = 3
)

// An estimate is how long training will take on this computer.
type estimate struct {
	alone    time.Duration // all local-only trainings
	together time.Duration // the local steps of all rounds
}

// measure times a few steps of every member, one member after the other.
func measure(ctx context.Context, m *manifest.Manifest, members []*member) (estimate, error) {
	var perStep []time.Duration
	for _, p := range members {
		cfg := training.Config{Model: m.ModelConfig(), Loss: m.LossConfig(), Schedule: *m.LearningRate, Optimizer: m.Optimizer,
			Steps: m.Steps(), Seed: m.Seed, Threads: 1}
		t, err := training.New(cfg, []training.Head{{Key: string(p.key), Train: p.train, BatchSize: training.BatchSize(m.Training.BatchSize)}})
		if err != nil {
			return estimate{}, fmt.Errorf("member %s: %w", p.Name, err)
		}
		if err := t.Run(ctx, untimedSteps, nil); err != nil {
			return estimate{}, fmt.Errorf("member %s: %w", p.Name, err)
		}
		start := time.Now()
		if err := t.Run(ctx, timedSteps, nil); err != nil {
			return estimate{}, fmt.Errorf("member %s: %w", p.Name, err)
		}
		perStep = append(perStep, time.Since(start)/timedSteps)
	}
	return forecast(perStep, m.BaselineSlots, m.Steps(), runtime.NumCPU()), nil
}

// forecast spreads the steps over the cores: local-only trainings run in slots and start in order, members of a
// federation all at once, and a round ends with its slowest member.
func forecast(perStep []time.Duration, atOnce, steps, cores int) estimate {
	slots := make([]time.Duration, min(atOnce, max(1, cores)))
	var sum, slowest time.Duration
	for _, d := range perStep {
		free := 0
		for i := range slots {
			if slots[i] < slots[free] {
				free = i
			}
		}
		slots[free] += d * time.Duration(steps)
		sum, slowest = sum+d, max(slowest, d)
	}
	var e estimate
	for _, d := range slots {
		e.alone = max(e.alone, d)
	}
	e.together = max(slowest, sum/time.Duration(max(1, cores))) * time.Duration(steps)
	return e
}
