package training

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// Config says how to train. Zero fields take the defaults given here; Model and Steps are required.
type Config struct {
	Model     *dpa2.Config    // architecture of the trunk and of every head
	Loss      dpa2.LossConfig // of every head; zero means dpa2.DefaultLoss
	Schedule  optim.Schedule  // learning rate; NumSteps is taken from Steps
	Optimizer optim.Config    // Adam by default, with clipping at MaxNorm
	Steps     int             // length of the whole training, which the schedule refers to
	Seed      uint64          // of the fresh weights and of the sampling
	Precision dpa2.Precision  // of the arithmetic; by default what the descriptor asks for. Weights are always float64
	Threads   int             // 0 means all cores
	Place     dpa2.Place      // where steps and validations run; the zero Place is the processor. Its Threads are those above, if 0
	Cache     int64           // bytes of neighbour lists to keep between steps; 0 means 1 GiB
	Reducer   Reducer         // nil leaves gradients as they are
}

// A Head is one label convention with its data.
type Head struct {
	Key         string              // names the head in the model; may be empty if there is only one
	Name        string              // for people
	Convention  *dataset.Convention // what the labels mean; may be nil
	Train       []dataset.Frame     // may be empty with probability 0
	Validation  []dataset.Frame     // may be empty
	Probability float64             // of being drawn in a step, relative to the others; all 0 means all equal
	BatchSize   BatchSize
}

// A Reducer stands between gradient and optimiser. An institution that trains on several machines replaces the
// gradients of its own batch by the mean over its machines there. Reduce changes Grad in place, deterministically.
// A nil Grad means that the parameter takes no part in this step; it may be given one, if another machine drew that head.
type Reducer interface {
	Reduce(ctx context.Context, params []optim.Param) error
}

// identity is the Reducer of a single machine.
type identity struct{}

var _ Reducer = identity{}

func (identity) Reduce(context.Context, []optim.Param) error { return nil }

// fill checks the configuration and puts defaults in.
func (c *Config) fill() error {
	if c.Model == nil {
		return errors.New("training: no model configuration given")
	}
	if c.Loss == (dpa2.LossConfig{}) {
		c.Loss = dpa2.DefaultLoss()
	}
	if c.Precision == "" {
		c.Precision = c.Model.Precision()
	}
	if c.Cache == 0 {
		c.Cache = 1 << 30
	}
	if c.Reducer == nil {
		c.Reducer = identity{}
	}
	if c.Place.Threads == 0 {
		c.Place.Threads = c.Threads
	}
	c.Schedule.NumSteps = c.Steps
	return nil
}

func checkHeads(heads []Head) error {
	if len(heads) == 0 {
		return errors.New("training: no head given; a head names a convention and its data")
	}
	seen := map[string]bool{}
	for _, h := range heads {
		switch {
		case h.Key == "" && len(heads) > 1:
			return errors.New("training: with several heads each needs a key")
		case strings.ContainsAny(h.Key, "/ \t\n"):
			return fmt.Errorf("training: head key %q contains a slash or a blank", h.Key)
		case seen[h.Key]:
			return fmt.Errorf("training: two heads have the key %q; frames of one convention belong to one head", h.Key)
		}
		seen[h.Key] = true
	}
	return nil
}
