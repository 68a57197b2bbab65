package dpa2

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/neighbor"
)

// ErrFrame is wrapped by every FrameError.
var ErrFrame = errors.New("frame cannot be evaluated")

// A FrameError says which of the frames given was refused, and why. It never holds a coordinate or a label.
type FrameError struct {
	Position int    // in the slice of frames given to the call; -1 where one frame was given
	Frame    string // dataset.Frame.Name()
	Err      error
}

func (e *FrameError) Error() string {
	if e.Position < 0 {
		return fmt.Sprintf("%s: %v", e.Frame, e.Err)
	}
	return fmt.Sprintf("%s (number %d): %v", e.Frame, e.Position, e.Err)
}

// Unwrap gives the cause and ErrFrame.
func (e *FrameError) Unwrap() []error { return []error{ErrFrame, e.Err} }

// An UnknownElementError is the cause when a frame holds a species that the model was not made for.
type UnknownElementError struct {
	Element string
	TypeMap []string
}

func (e *UnknownElementError) Error() string {
	return fmt.Sprintf("the model does not know element %q; its type_map is [%s]; take such frames out, or train with this element in type_map", e.Element, strings.Join(e.TypeMap, " "))
}

// A Sample is a frame prepared for a configuration: types, neighbours of every block, labels. It depends on the
// configuration and the frame but not on weights, so it is made once and used in many batches. It is not changed
// after NewSample and may be shared between goroutines.
type Sample struct {
	name  string
	types []int32 // [N], -1 = virtual

	start    []int32   // [N+1] edges of each atom
	neighbor []int32   // [E]
	delta    []float64 // [3E] r_image − r_i, Å
	empty    []float64 // [N] empty repinit slots
	near     [2]nearList

	fparam, aparam []float64
	energy         *float64
	forces         []float64
	virial         *[9]float64

	dropped int // neighbours within rcut that nsel cut off
}

// A nearList is the list of an inner block: some of the sample's edges.
type nearList struct {
	start []int32 // [N+1]
	edge  []int32 // number of the edge in the sample
}

// Blocks that have a list of their own besides repinit, whose list is the sample's.
const (
	nearThree = iota // three-body
	nearRep          // repformers
)

// CheckFrame says whether a frame fits a configuration, which may still have an nsel of "auto": lengths, finite numbers,
// elements, parameters. Only distances are left to NewSample. The error is a *FrameError without position.
func CheckFrame(cfg *Config, f *dataset.Frame) error {
	if _, err := fit(cfg, f); err != nil {
		return &FrameError{Position: -1, Frame: f.Name(), Err: err}
	}
	return nil
}

// NewSample validates the frame and finds its neighbours. The error is a *FrameError without position.
func NewSample(cfg *Config, f *dataset.Frame) (*Sample, error) {
	s, err := newSample(cfg, f)
	if err != nil {
		return nil, &FrameError{Position: -1, Frame: f.Name(), Err: err}
	}
	return s, nil
}

func newSample(cfg *Config, f *dataset.Frame) (*Sample, error) {
	if err := cfg.resolved(); err != nil {
		return nil, err
	}
	s, err := fit(cfg, f)
	if err != nil {
		return nil, err
	}
	r := &cfg.Descriptor.Repinit
	virtual := func(i int) bool { return s.types[i] < 0 }
	list, err := neighbor.Build(f.Positions, f.Cell, virtual, r.RCut, r.NSel.Count)
	if err != nil {
		return nil, err
	}
	s.dropped = list.Dropped
	s.fillEdges(cfg, list)
	return s, nil
}

// fit validates the frame and returns a sample without edges.
func fit(cfg *Config, f *dataset.Frame) (*Sample, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	s := &Sample{name: f.Name(), energy: f.Energy, forces: f.Forces, virial: f.Virial, fparam: f.FParam, aparam: f.AParam}
	if s.fparam == nil {
		s.fparam = cfg.Fitting.DefaultFParam
	}
	n := f.NumAtoms()
	if len(s.fparam) != cfg.Fitting.NumbFParam || len(s.aparam) != n*cfg.Fitting.NumbAParam {
		return nil, fmt.Errorf("has %d frame parameters and %d atom parameters; the model wants %d and %d per atom",
			len(s.fparam), len(s.aparam), cfg.Fitting.NumbFParam, cfg.Fitting.NumbAParam)
	}
	s.types = make([]int32, n)
	for i, name := range f.Species {
		s.types[i] = int32(slices.Index(cfg.TypeMap, name))
		if s.types[i] < 0 && name != "" {
			return nil, &UnknownElementError{Element: name, TypeMap: cfg.TypeMap}
		}
	}
	return s, nil
}

// pairTable is a symmetric T x T table of the pairs listed.
func pairTable(pairs [][2]int, ntypes int) []bool {
	table := make([]bool, ntypes*ntypes)
	for _, p := range pairs {
		table[p[0]*ntypes+p[1]], table[p[1]*ntypes+p[0]] = true, true
	}
	return table
}

// NumAtoms returns N, virtual atoms included.
func (s *Sample) NumAtoms() int { return len(s.types) }

// Dropped returns how many neighbours within the cut-off were not seen because an atom had more than nsel of them.
func (s *Sample) Dropped() int { return s.dropped }
