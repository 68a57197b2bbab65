package bench

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/dataset/reference"
)

// A System is one frame. Step gives it the labels that it lacks.
type System struct {
	Name  string
	Frame dataset.Frame
}

// labelled returns the frame with the labels that a training step needs: for built-in water those of a force field. This takes
// minutes for 100,000 atoms.
func (s *System) labelled() (dataset.Frame, error) {
	f := s.Frame
	if _, ok := waterEdge(s.Name); ok && f.Energy == nil && f.Forces == nil {
		labelled, err := reference.Label(reference.SPCFw(6), f)
		if err != nil {
			return f, fmt.Errorf("system %q: %w", s.Name, err)
		}
		return labelled, nil
	}
	makeLabels(&f)
	return f, nil
}

// mostEdge is the most molecules along the edge of a built-in system: 6.3 million atoms.
const mostEdge = 128

// waterEdge returns how many molecules lie along each edge of the built-in system called waterN: n, where N = 3n³.
func waterEdge(name string) (edge int, ok bool) {
	for n := 1; n <= mostEdge; n++ {
		if name == fmt.Sprintf("water%d", 3*n*n*n) {
			return n, true
		}
	}
	return 0, false
}

// OpenSystem returns a built-in system, water of 3n³ atoms in a cube (water192, water1536, water12288, water98304 and all
// between), or the first frame of a file in one of the formats that training reads. typeMap names the types of a DeePMD
// system that does not do so itself.
func OpenSystem(name string, typeMap []string) (*System, error) {
	if edge, ok := waterEdge(name); ok {
		f := waterLattice(edge)
		f.Source = name
		return &System{name, f}, nil
	}
	frames, err := load.OpenWith(name, nil, load.Options{TypeMap: typeMap})
	if err != nil {
		return nil, fmt.Errorf("system: give water192, water1536, water12288 (or another number of 3n³ atoms) or a file of frames: %w", err)
	}
	return &System{name, frames[0]}, nil
}

// The geometry of water in the gas phase, and the density of the liquid at 25 °C.
const (
	lengthOH    = 0.9572                             // Å
	angleHOH    = 104.52                             // degrees
	densityH2O  = 0.997                              // g/cm³
	massH2O     = 18.01528                           // g/mol
	volumeOfH2O = massH2O / densityH2O / 0.602214076 // Å³ per molecule
)

// latticeSeed fixes the orientations of the molecules.
const latticeSeed = 20250101

// waterLattice returns edge³ molecules in a periodic cube at the density of water: oxygens on a cubic lattice, orientations
// uniform. Coordinates are multiples of 1e-6 Å, so that they are the same numbers wherever products and sums are contracted.
func waterLattice(edge int) dataset.Frame {
	random := rand.New(rand.NewPCG(latticeSeed, uint64(edge)))
	spacing := math.Cbrt(volumeOfH2O)
	side := micro(spacing * float64(edge))
	f := dataset.Frame{Cell: &[9]float64{0: side, 4: side, 8: side}}
	half := angleHOH / 2 * math.Pi / 180
	for site := range edge * edge * edge {
		o := [3]float64{float64(site % edge), float64(site / edge % edge), float64(site / edge / edge)}
		along, across := axes(random)
		for atom, sign := range [3]float64{0, 1, -1} {
			f.Species = append(f.Species, [3]string{"O", "H", "H"}[atom])
			for k := range o {
				shift := sign*sign*math.Cos(half)*along[k] + sign*math.Sin(half)*across[k]
				f.Positions = append(f.Positions, micro(o[k]*spacing+lengthOH*shift))
			}
		}
	}
	return f
}

// micro rounds to a multiple of 1e-6.
func micro(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// axes draws two unit vectors at right angles, uniformly.
func axes(random *rand.Rand) (a, b [3]float64) {
	draw := func() [3]float64 { return [3]float64{random.NormFloat64(), random.NormFloat64(), random.NormFloat64()} }
	a, b = unit(draw()), draw()
	dot := a[0]*b[0] + a[1]*b[1] + a[2]*b[2]
	for k := range b {
		b[k] -= dot * a[k]
	}
	return a, unit(b)
}

func unit(v [3]float64) [3]float64 {
	n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	return [3]float64{v[0] / n, v[1] / n, v[2] / n}
}

// makeLabels gives an energy of 0 and small forces to a frame without labels: they enter the loss, not the time.
func makeLabels(f *dataset.Frame) {
	if f.Energy == nil {
		f.Energy = new(float64)
	}
	if f.Forces == nil {
		f.Forces = make([]float64, len(f.Positions))
		for k := range f.Forces {
			f.Forces[k] = 0.1 * float64(k%7-3)
		}
	}
}
