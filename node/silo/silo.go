package silo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// A Set is one set of labelled frames.
type Set struct {
	Path       string // as for load.Open
	Convention string // file
}

// A Recipe is what all members of a federation train alike.
type Recipe struct {
	Model     *dpa2.Config
	Loss      dpa2.LossConfig
	Schedule  optim.Schedule
	Optimizer optim.Config
	Steps     int // of the whole training, for the schedule
}

// Config describes a Silo. Sets and Recipe.Model are required.
type Config struct {
	Sets   []Set
	Recipe Recipe
	// ValidationFraction of the frames is held back.
	ValidationFraction float64
	// Seed of the split and of the order of frames.
	Seed uint64
	// Threads used for training; 0 means all cores.
	Threads int
	// Place is where training and canaries run; the zero Place is the processor, with Threads.
	Place dpa2.Place
	// Precision of the arithmetic; "" means what the model asks for.
	Precision dpa2.Precision
	// BatchSize of every head.
	BatchSize training.BatchSize
	// Canaries are public frames that Judge tries weights on, in canonical units, by key of a shared head; the member need not
	// have data of that head. They are never trained on by Judge, and not looked for among the data.
	Canaries map[string][]dataset.Frame
	// Log takes counts and warnings; nil means silence.
	Log *slog.Logger
}

// Head describes one head of a Silo.
type Head struct {
	Key        string
	Name       string // of the method, for people
	Convention *dataset.Convention
	Training   int    // frames
	Validation int    // frames
	Elements   []bool // by type: whether it occurs in the training frames
}

// Silo holds a member's data. It is not safe for concurrent use.
type Silo struct {
	cfg     Config
	heads   []Head
	trainer *training.Trainer
	has     map[string]bool // tensors of the trunk and of this member's heads
	closed  []bool          // by element, see CloseRows
	stream  stream
	told    time.Time // when progress was told last
}

// ErrNoData says that there is nothing to train on.
var ErrNoData = errors.New("no training frames: add a [[data]] section with path and convention to node.toml")

// Open reads the data and prepares training.
func Open(ctx context.Context, cfg Config) (*Silo, error) {
	if cfg.Recipe.Model == nil {
		return nil, errors.New("open the data: no model configuration")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	heads, err := read(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := cfg.Recipe
	trainer, err := training.New(training.Config{Model: r.Model, Loss: r.Loss, Schedule: r.Schedule, Optimizer: r.Optimizer,
		Steps: r.Steps, Seed: cfg.Seed, Precision: cfg.Precision, Threads: cfg.Threads, Place: cfg.Place}, heads)
	if err != nil {
		return nil, fmt.Errorf("prepare training: %w", err)
	}
	s := &Silo{cfg: cfg, trainer: trainer, has: map[string]bool{}}
	trainer.Display(func(int) bool { return time.Since(s.told) >= tellEvery })
	for _, name := range trainer.Weights().Names() {
		s.has[name] = true
	}
	for _, h := range heads {
		s.heads = append(s.heads, Head{Key: h.Key, Name: h.Name, Convention: h.Convention,
			Training: len(h.Train), Validation: len(h.Validation), Elements: elements(r.Model, h.Train)})
	}
	return s, nil
}

// Close gives back the memory of a GPU, which stays open. The silo cannot be used any more.
func (s *Silo) Close() error { return s.trainer.Close() }

// elements tells which types of the model occur.
func elements(model *dpa2.Config, frames []dataset.Frame) []bool {
	out := make([]bool, model.NumTypes())
	for i := range frames {
		for _, name := range frames[i].Species {
			if k := slices.Index(model.TypeMap, name); k >= 0 {
				out[k] = true
			}
		}
	}
	return out
}

// Heads lists the heads this member trains, by ascending key.
func (s *Silo) Heads() []Head { return s.heads }

// Step returns the number of local steps done so far.
func (s *Silo) Step() int { return s.trainer.Step() }

// Weights returns a copy of the weights as they are now, of the trunk and of this member's heads.
func (s *Silo) Weights() *weights.Set { return s.trainer.Weights() }

// Trainable lists the tensors that local steps may change, in ascending order.
func (s *Silo) Trainable() []string {
	var names []string
	for _, h := range s.heads {
		names = append(names, s.trainer.Trainable(h.Key)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Steps does a number of local steps from the weights that are installed.
func (s *Silo) Steps(ctx context.Context, steps int, progress func(training.Progress)) error {
	return s.trainer.Run(ctx, steps, progress)
}

// Save keeps weights, moments and the place in the data in a folder, completely or not at all. The weights of the trunk and of shared heads are
// the certified ones.
func (s *Silo) Save(folder string) error {
	return s.asCertified(context.Background(), func() error { return s.trainer.Save(folder) })
}

// Adopt takes the weights, and nothing else, from a folder that Save wrote, so that local heads outlive a change of the
// data.
func (s *Silo) Adopt(folder string) error {
	m, err := training.OpenModel(folder)
	if err != nil {
		return fmt.Errorf("take over local weights: %w", err)
	}
	mine := &weights.Set{}
	for _, t := range m.Params.Tensors() {
		if s.has[t.Name] {
			mine.Put(*t)
		}
	}
	if err := s.trainer.SetWeights(mine); err != nil {
		return fmt.Errorf("take over local weights: %w", err)
	}
	return nil
}

// Resume continues from a folder that Save wrote with the same data and recipe.
func (s *Silo) Resume(folder string) error { return s.trainer.Resume(folder) }
