package dpa2

import (
	"time"

	"github.com/fedlam/fedlam/training/graph"
)

// A Meter tells what the program of a TrainingStep or an Evaluator costs. Its numbers are those of graph.Exec: for the
// sizes of the last run, 0 before the first. It belongs to the goroutine of what it measures.
type Meter interface {
	FLOP() int64        // floating-point operations of a run
	ProductFLOP() int64 // of these, those of matrix products and contractions
	ArenaBytes() int64  // memory of intermediate values
	StartProfile()      // begin to measure the time of each node
	Profile() []graph.NodeTime
}

// A DeviceMeter is the Meter of a program on a GPU.
type DeviceMeter interface {
	Meter
	StartClock() error               // begin to measure runs by events of the device
	Elapsed() (time.Duration, error) // of the last run
}

var (
	_ DeviceMeter = (*graph.DeviceExec[float32])(nil)
	_ DeviceMeter = (*graph.DeviceExec[float64])(nil)
)

// Meter returns the meter of the step's program.
func (s *TrainingStep) Meter() Meter { return s.run.meter() }

// Meter returns the meter of the program that made the last prediction. Frames of many atoms have another program than small
// ones, so ask again after a prediction.
func (e *Evaluator) Meter() Meter { return e.run.meter() }
