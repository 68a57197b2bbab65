package graph

import (
	"time"

	"github.com/fedlam/fedlam/kernels/cuda"
)

// deviceClock measures by events of the device.
type deviceClock struct {
	begin, end *cuda.Event
	steps      []*cuda.Event // before each step of the program, while a profile is taken
	waiting    bool          // the last run has not been read
}

// StartClock begins to measure the time of each run by events of the device, see Elapsed.
func (e *DeviceExec[F]) StartClock() (err error) {
	if e.clock.begin, err = e.device.NewEvent(); err == nil {
		e.clock.end, err = e.device.NewEvent()
	}
	return err
}

// Elapsed returns how long the device was at work on the last run: from the beginning of its first copy to the end of its last step. It waits
// for that. 0 without StartClock.
func (e *DeviceExec[F]) Elapsed() (time.Duration, error) {
	if e.clock.end == nil || e.laid == nil {
		return 0, nil
	}
	if err := e.stream.Sync(); err != nil {
		return 0, err
	}
	return e.clock.end.Since(e.clock.begin)
}

// StartProfile begins to measure the time of each step by events, from zero. Steps are as fast as without, but for the gaps
// between them.
func (e *DeviceExec[F]) StartProfile() {
	e.Exec.StartProfile()
	e.clock.steps, e.clock.waiting = nil, false
	for range len(e.program.steps) + 1 {
		event, err := e.device.NewEvent()
		if err != nil { // of a device that is lost, as the next run will say
			e.clock.steps = nil
			return
		}
		e.clock.steps = append(e.clock.steps, event)
	}
}

// Profile returns the times measured since StartProfile, the longest first.
func (e *DeviceExec[F]) Profile() []NodeTime {
	if e.profile != nil && e.readProfile() != nil {
		return nil
	}
	return e.Exec.Profile()
}

// mark records the time before step i; the time after the last one belongs to the number of steps.
func (e *DeviceExec[F]) mark(i int) {
	if e.profile != nil && e.clock.steps != nil {
		cuda.Mark(&e.list, e.clock.steps[i])
		e.clock.waiting = true
	}
}

// readProfile adds the times of the last run.
func (e *DeviceExec[F]) readProfile() error {
	if !e.clock.waiting {
		return nil
	}
	e.clock.waiting = false
	if err := e.stream.Sync(); err != nil {
		return err
	}
	for i := range e.program.steps {
		d, err := e.clock.steps[i+1].Since(e.clock.steps[i])
		if err != nil {
			return err
		}
		if s := &e.program.steps[i]; !s.frozen {
			e.profile.add(i, d)
		}
	}
	return nil
}
