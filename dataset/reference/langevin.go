package reference

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/fedlam/fedlam/dataset"
)

// Langevin says how to sample the canonical ensemble. Zero fields take the defaults given here.
type Langevin struct {
	Temperature float64 // K; 300
	TimeStep    float64 // fs; 0.5
	Friction    float64 // 1/fs; 0.02
	Warmup      int     // steps before the first frame; 500
	Every       int     // steps between two frames; 40
	Count       int     // frames; 1
	Seed        uint64  // equal seeds give equal frames on every machine of one architecture
}

func (l *Langevin) defaults() {
	for _, d := range []struct {
		v     *float64
		value float64
	}{{&l.Temperature, 300}, {&l.TimeStep, 0.5}, {&l.Friction, 0.02}} {
		if *d.v == 0 {
			*d.v = d.value
		}
	}
	for _, d := range []struct {
		v     *int
		value int
	}{{&l.Warmup, 500}, {&l.Every, 40}, {&l.Count, 1}} {
		if *d.v == 0 {
			*d.v = d.value
		}
	}
}

// Sample runs Langevin dynamics from start with the BAOAB splitting (Leimkuhler and Matthews, Appl. Math. Res. Express
// 2013, 34) and returns labelled frames. Positions are not wrapped into the cell. A trajectory that blows up is an error.
func Sample(p Potential, start dataset.Frame, l Langevin) ([]dataset.Frame, error) {
	l.defaults()
	s, err := newSampler(p, start, l)
	if err != nil {
		return nil, err
	}
	var frames []dataset.Frame
	for step := 1; len(frames) < l.Count; step++ {
		if err := s.step(); err != nil {
			return nil, fmt.Errorf("Langevin step %d with %s: %w", step, p.Name(), err)
		}
		if step >= l.Warmup && (step-l.Warmup)%l.Every == 0 {
			frames = append(frames, s.frame(p.Name(), len(frames)))
		}
	}
	return frames, nil
}

type sampler struct {
	Langevin
	potential Potential
	current   dataset.Frame
	labels    Labels
	velocity  []float64 // Å/fs
	mass      []float64 // eV fs^2/Å^2, one per atom
	random    *rand.Rand
}

func newSampler(p Potential, start dataset.Frame, l Langevin) (*sampler, error) {
	s := &sampler{Langevin: l, potential: p, current: start, random: rand.New(rand.NewPCG(l.Seed, 0x6c616e6765))}
	s.current.Positions = slices.Clone(start.Positions)
	for _, name := range start.Species {
		m, ok := masses[name]
		if !ok {
			return nil, fmt.Errorf("no mass known for %q", name)
		}
		s.mass = append(s.mass, m*amu)
	}
	s.velocity = make([]float64, 3*len(s.mass))
	for k := range s.velocity {
		s.velocity[k] = s.thermal(k/3) * s.random.NormFloat64()
	}
	var err error
	s.labels, err = p.Compute(&s.current)
	return s, err
}

// thermal is the width of the Maxwell distribution of atom i, Å/fs.
func (s *sampler) thermal(i int) float64 { return math.Sqrt(boltzmann * s.Temperature / s.mass[i]) }

func (s *sampler) step() error {
	half := s.TimeStep / 2
	keep := math.Exp(-s.Friction * s.TimeStep)
	noise := math.Sqrt(1 - keep*keep)
	for k := range s.velocity {
		v := s.velocity[k] + half*s.labels.Forces[k]/s.mass[k/3]
		s.current.Positions[k] += half * v
		v = keep*v + noise*s.thermal(k/3)*s.random.NormFloat64()
		s.current.Positions[k] += half * v
		s.velocity[k] = v
	}
	var err error
	if s.labels, err = s.potential.Compute(&s.current); err != nil {
		return err
	}
	if math.IsNaN(s.labels.Energy) || math.Abs(s.labels.Energy) > 1e6 {
		return fmt.Errorf("the trajectory blew up; use a shorter time step than %g fs", s.TimeStep)
	}
	for k := range s.velocity {
		s.velocity[k] += half * s.labels.Forces[k] / s.mass[k/3]
	}
	return nil
}

func (s *sampler) frame(source string, index int) dataset.Frame {
	f := s.current
	f.Positions = slices.Clone(f.Positions)
	energy := s.labels.Energy
	f.Energy, f.Forces, f.Virial = &energy, slices.Clone(s.labels.Forces), nil
	if f.Cell != nil {
		virial := s.labels.Virial
		f.Virial = &virial
	}
	f.Source, f.Index = source, index
	return f
}
