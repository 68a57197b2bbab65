package deepmd

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/fedlam/fedlam/dataset"
)

// A set is the contents of one set.* folder; nil fields have no file.
type set struct {
	frames                                                  int
	coord, box, energy, force, virial, fparam, aparam, real *array
}

func (s *system) readSet(dir string, first int) ([]dataset.Raw, error) {
	var c set
	for _, file := range []struct {
		name string
		into **array
	}{
		{"coord", &c.coord}, {"box", &c.box}, {"energy", &c.energy}, {"force", &c.force}, {"virial", &c.virial},
		{"fparam", &c.fparam}, {"aparam", &c.aparam}, {"real_atom_types", &c.real},
	} {
		a, err := readFile(filepath.Join(dir, file.name+".npy"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		*file.into = a
	}
	if err := s.check(&c); err != nil {
		return nil, err
	}
	raws := make([]dataset.Raw, c.frames)
	for f := range raws {
		raw, err := s.frame(&c, f)
		if err != nil {
			return nil, err
		}
		raw.Source, raw.Index = s.dir, first+f
		raws[f] = raw
	}
	return raws, nil
}

// check finds the number of frames and compares every array with it.
func (s *system) check(c *set) error {
	n := len(s.species)
	if c.coord == nil {
		return fmt.Errorf("%w: coord.npy is missing", ErrSystem)
	}
	if len(c.coord.data)%(3*n) != 0 {
		return fmt.Errorf("%w: coord.npy has %d numbers, not a multiple of 3 x %d atoms", ErrSystem, len(c.coord.data), n)
	}
	c.frames = len(c.coord.data) / (3 * n)
	if len(c.coord.shape) > 1 && c.coord.rows() != c.frames {
		return fmt.Errorf("%w: coord.npy has %d rows for %d frames of %d atoms", ErrSystem, c.coord.rows(), c.frames, n)
	}
	if c.box == nil && !s.open {
		return fmt.Errorf("%w: box.npy is missing; add it, or an empty file named nopbc if the boundaries are open", ErrSystem)
	}
	if s.mixed && c.real == nil {
		return fmt.Errorf("%w: real_atom_types.npy is missing in one set and present in another", ErrSystem)
	}
	for _, a := range []struct {
		name  string
		a     *array
		width int // numbers per frame; 0 = any whole number
	}{
		{"box", c.box, 9}, {"energy", c.energy, 1}, {"force", c.force, 3 * n}, {"virial", c.virial, 9},
		{"real_atom_types", c.real, n}, {"fparam", c.fparam, 0}, {"aparam", c.aparam, 0},
	} {
		if a.a == nil || c.frames == 0 {
			continue
		}
		if got := len(a.a.data); a.width > 0 && got != a.width*c.frames || got%c.frames != 0 {
			return fmt.Errorf("%w: %s.npy has %d numbers for %d frames, want %d per frame", ErrSystem, a.name, got, c.frames, a.width)
		}
	}
	return nil
}

func (s *system) frame(c *set, f int) (dataset.Raw, error) {
	r := dataset.Raw{Species: s.species, Positions: c.row(c.coord, f), Forces: c.row(c.force, f),
		Stress: c.row(c.virial, f), FParam: c.row(c.fparam, f), AParam: c.row(c.aparam, f), Periodic: dataset.Open}
	if c.energy != nil {
		r.Energy = &c.energy.data[f]
	}
	if !s.open {
		r.Periodic = dataset.Periodic
		cell := [9]float64(c.row(c.box, f))
		r.Cell = &cell
	}
	if s.mixed {
		r.Species = make([]string, len(s.species))
		for i, v := range c.row(c.real, f) {
			name, ok := s.name(int(v))
			if !ok || v != float64(int(v)) {
				return r, fmt.Errorf("%w: real_atom_types.npy: frame %d, atom %d has type %g, type_map.raw has %d names", ErrSystem, f, i, v, len(s.typeMap))
			}
			r.Species[i] = name
		}
	}
	return r, nil
}

// row returns the numbers of frame f, nil for a missing array.
func (c *set) row(a *array, f int) []float64 {
	if a == nil {
		return nil
	}
	width := len(a.data) / c.frames
	return a.data[f*width : (f+1)*width : (f+1)*width]
}
