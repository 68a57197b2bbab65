package dataset

import (
	"errors"
	"fmt"
	"math"
)

// ErrBadFrame is wrapped by every error that Frame.Validate returns.
var ErrBadFrame = errors.New("bad frame")

// A Frame is one labelled configuration of atoms in canonical units: Å, eV, eV/Å.
// Readers and Convention.Canonical make frames; nothing downstream ever converts units again.
type Frame struct {
	Species   []string    // [N] element symbols or other type names; "" is a virtual (padding) atom
	Positions []float64   // [N x 3], Å
	Cell      *[9]float64 // cell vectors as rows, Å; nil means open boundaries
	Energy    *float64    // eV per configuration; nil means no label
	Forces    []float64   // [N x 3], eV/Å, F = -dE/dr; nil means no label
	Virial    *[9]float64 // eV, W = -dE/d(strain) = -volume * stress (tensile positive); nil means no label
	FParam    []float64   // frame parameters, any length
	AParam    []float64   // [N x k] atom parameters

	Source string // file or system the frame was read from, for error messages
	Index  int    // position of the frame in Source
}

// NumAtoms returns N, virtual atoms included.
func (f *Frame) NumAtoms() int { return len(f.Species) }

// Name says where the frame came from, for messages: `frame 12 of "water.xyz"`.
func (f *Frame) Name() string {
	if f.Source == "" {
		return fmt.Sprintf("frame %d", f.Index)
	}
	return fmt.Sprintf("frame %d of %q", f.Index, f.Source)
}

// anew says what to do about a number that is none.
const anew = "take the frame out, or calculate it anew"

// Validate checks lengths, finiteness, a cell of non-zero volume. It never reports a value of the frame,
// only where it is, so that its message may be logged.
func (f *Frame) Validate() error {
	n := f.NumAtoms()
	switch {
	case n == 0:
		return f.bad("has no atoms")
	case len(f.Positions) != 3*n:
		return f.bad("has %d coordinates for %d atoms, want %d", len(f.Positions), n, 3*n)
	case f.Forces != nil && len(f.Forces) != 3*n:
		return f.bad("has %d force components for %d atoms, want %d", len(f.Forces), n, 3*n)
	case len(f.AParam)%n != 0:
		return f.bad("has %d atom parameters for %d atoms, want a multiple", len(f.AParam), n)
	}
	if f.Energy != nil && !finite(*f.Energy) {
		return f.bad("energy is NaN or infinite; %s", anew)
	}
	for _, field := range []struct {
		name string
		data []float64
	}{{"positions", f.Positions}, {"forces", f.Forces}, {"fparam", f.FParam}, {"aparam", f.AParam}, {"cell", slice9(f.Cell)}, {"virial", slice9(f.Virial)}} {
		for k, v := range field.data {
			if !finite(v) {
				return f.bad("%s: entry %d is NaN or infinite; %s", field.name, k, anew)
			}
		}
	}
	if f.Cell != nil && Volume(f.Cell) < 1e-6 {
		return f.bad("cell has no volume; leave it out for open boundaries")
	}
	return nil
}

// Volume returns |det(cell)| in Å^3.
func Volume(c *[9]float64) float64 {
	return math.Abs(c[0]*(c[4]*c[8]-c[5]*c[7]) - c[1]*(c[3]*c[8]-c[5]*c[6]) + c[2]*(c[3]*c[7]-c[4]*c[6]))
}

func (f *Frame) bad(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", f.Name(), ErrBadFrame, fmt.Sprintf(format, args...))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func slice9(m *[9]float64) []float64 {
	if m == nil {
		return nil
	}
	return m[:]
}
