package training

import (
	"fmt"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// A fitter finds out how many atoms make a batch that fills a GPU.
type fitter struct {
	cfg  *Config
	step *dpa2.TrainingStep // made when first needed
}

const (
	mostFilledAtoms = 4096 // of a batch of several frames
	memoryShare     = 2    // a batch may take one of so many parts of the memory: frames differ, and so do their neighbours
)

// rule returns what decides on batches of a head; model is any of its architecture.
func (f *fitter) rule(h Head, model *dpa2.Model) (batchRule, error) {
	rule := batchRule{size: h.BatchSize}
	if h.BatchSize != fillMemory || f.cfg.Place.Device == nil {
		return rule, nil
	}
	largest := &dataset.Frame{}
	for i := range h.Train {
		if frame := &h.Train[i]; frame.NumAtoms() > largest.NumAtoms() {
			largest = frame
		}
	}
	if largest.NumAtoms() == 0 {
		return rule, nil
	}
	var err error
	if rule.most, err = f.fill(largest, model); err != nil {
		return rule, fmt.Errorf("head %q: batch_size %q: %w", h.Key, string(h.BatchSize), err)
	}
	return rule, nil
}

// fill measures steps of one frame and of two, and concludes how many atoms fit.
func (f *fitter) fill(frame *dataset.Frame, model *dpa2.Model) (int, error) {
	one, err := f.memory(frame, 1, model)
	if err != nil {
		return 0, err
	}
	two, err := f.memory(frame, 2, model)
	if err != nil {
		return 0, err
	}
	atoms := int64(frame.NumAtoms())
	each := max(1, (two-one)/atoms)
	fits := atoms + (int64(f.cfg.Place.Device.Info().Memory)/memoryShare-one)/each
	return int(max(1, min(fits, mostFilledAtoms))), nil
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
