package training

import (
	"fmt"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// A fitter finds out how many frames make a batch that fills a GPU.
type fitter struct {
	cfg  *Config
	step *dpa2.TrainingStep // made when first needed
}

const (
	mostFilledAtoms = 4096 // beyond, larger batches are not faster
	memoryShare     = 2    // a batch may take one of so many parts of the memory: frames differ, and so do their neighbours
)

// rule returns what decides on batches of a head; model is any of its architecture.
func (f *fitter) rule(size BatchSize, model *dpa2.Model) func(*dataset.Frame) (int, error) {
	if size != fillMemory || f.cfg.Place.Device == nil {
		return size.of
	}
	return func(frame *dataset.Frame) (int, error) {
		per, err := f.fill(frame, model)
		if err != nil {
			err = fmt.Errorf("batch_size %q: %w", string(size), err)
		}
		return per, err
	}
}

// fill measures steps of one frame and of two, and concludes how many fit.
func (f *fitter) fill(frame *dataset.Frame, model *dpa2.Model) (int, error) {
	if frame.NumAtoms() == 0 {
		return BatchSize("auto").of(frame)
	}
	one, err := f.memory(frame, 1, model)
	if err != nil {
		return 0, err
	}
	two, err := f.memory(frame, 2, model)
	if err != nil {
		return 0, err
	}
	each := max(1, two-one)
	fits := 1 + (int64(f.cfg.Place.Device.Info().Memory)/memoryShare-one)/each
	return max(1, min(int(fits), mostFilledAtoms/frame.NumAtoms())), nil
}

// memory returns what a step with so many copies of a frame takes, in bytes.
func (f *fitter) memory(frame *dataset.Frame, copies int, model *dpa2.Model) (int64, error) {
	var err error
	if f.step == nil {
		if f.step, err = dpa2.NewTrainingStepAt(f.cfg.Model, f.cfg.Loss, f.cfg.Precision, f.cfg.Place); err != nil {
			return 0, err
		}
	}
	frames := make([]dataset.Frame, copies)
	for k := range frames {
		frames[k] = *frame
	}
	b, err := dpa2.NewBatch(f.cfg.Model, frames)
	if err != nil {
		return 0, err
	}
	if _, err := f.step.Run(model, b, dpa2.Prefactors{}, &weights.Set{}); err != nil {
		return 0, err
	}
	return f.step.Meter().ArenaBytes(), nil
}

// close frees the memory.
func (f *fitter) close() error {
	if f.step == nil {
		return nil
	}
	return f.step.Close()
}
