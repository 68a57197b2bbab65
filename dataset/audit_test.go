package dataset_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// cluster returns n frames of six atoms joined by Morse bonds, each displaced at random from one structure, turned and
// shifted, with exact energies and forces; in a cell, they are not turned.
func cluster(n int, cell *[9]float64) []dataset.Frame {
	random := rand.New(rand.NewPCG(5, 5))
	base := []float64{0, 0, 0, 1.2, 0, 0, 0, 1.3, 0, 0, 0, 1.1, 1.1, 1.2, .3, -.9, .4, .8}
	frames := make([]dataset.Frame, n)
	for i := range frames {
		f := dataset.Frame{Species: []string{"C", "O", "H", "H", "N", "H"}, Index: i, Source: "cluster", Cell: cell}
		for _, x := range base {
			f.Positions = append(f.Positions, x+0.04*random.NormFloat64())
		}
		if cell == nil {
			turn(f.Positions, random)
		}
		energy := 0.0
		f.Forces = make([]float64, 18)
		for a := range 6 {
			for b := range a {
				energy += morse(f.Positions, f.Forces, a, b)
			}
		}
		f.Energy = &energy
		frames[i] = f
	}
	return frames
}

// morse adds the forces of one bond and returns its energy, eV.
func morse(x, forces []float64, a, b int) float64 {
	var d [3]float64
	r := 0.0
	for k := range 3 {
		d[k] = x[3*a+k] - x[3*b+k]
		r += d[k] * d[k]
	}
	r = math.Sqrt(r)
	e := math.Exp(-1.5 * (r - 1.2))
	for k := range 3 {
		slope := 2 * 3 * (1 - e) * e * 1.5 * d[k] / r
		forces[3*a+k] -= slope
		forces[3*b+k] += slope
	}
	return 3 * (1 - e) * (1 - e)
}

// turn rotates and shifts points at random.
func turn(x []float64, random *rand.Rand) {
	shift := [3]float64{random.NormFloat64(), random.NormFloat64(), random.NormFloat64()}
	for _, plane := range [][2]int{{0, 1}, {1, 2}, {0, 2}} {
		sin, cos := math.Sincos(2 * math.Pi * random.Float64())
		for i := 0; i < len(x); i += 3 {
			p, q := x[i+plane[0]], x[i+plane[1]]
			x[i+plane[0]], x[i+plane[1]] = cos*p-sin*q+shift[0], sin*p+cos*q+shift[1]
		}
	}
}

func TestAuditAcceptsRightLabels(t *testing.T) {
	for name, frames := range map[string][]dataset.Frame{
		"open":     cluster(60, nil),
		"periodic": cluster(60, &[9]float64{9, 0, 0, 1, 9, 0, 0, 2, 9}),
	} {
		t.Run(name, func(t *testing.T) {
			r := dataset.Audit(frames)
			if c := r.Consistency; !c.Good() || math.Abs(c.Slope-1) > 0.05 || c.Pairs < 30 || r.Err() != nil {
				t.Errorf("got %+v, %v", c, r.Err())
			}
			if len(r.Warnings()) != 0 {
				t.Errorf("warnings about sound data: %q", r.Warnings())
			}
		})
	}
}

// TestAuditNamesTheMistake stores right labels under one convention, reads them under another, and expects the audit
// to say what was confused.
func TestAuditNamesTheMistake(t *testing.T) {
	open := func(change func(c *dataset.Convention)) *dataset.Convention {
		c := convention()
		c.Stress, c.Boundary = nil, dataset.Boundary{}
		if change != nil {
			change(c)
		}
		return c
	}
	for _, tt := range []struct {
		name, want     string
		true, declared func(c *dataset.Convention)
	}{
		{"sign", "forces and gradients are exchanged", func(c *dataset.Convention) { c.Forces.Quantity = dataset.Gradient }, nil},
		{"hartree/bohr", "the force labels are in hartree/bohr but declared in eV/angstrom", func(c *dataset.Convention) { c.Forces.Unit = dataset.HartreePerBohr }, nil},
		{"hartree/bohr declared", "the force labels are in eV/angstrom but declared in hartree/bohr", nil, func(c *dataset.Convention) { c.Forces.Unit = dataset.HartreePerBohr }},
		{"kcal forces", "the force labels are in kcal/mol/angstrom but", func(c *dataset.Convention) { c.Forces.Unit = dataset.KilocaloriePerMolPerAngstrom }, nil},
		{"kcal energies", "the energy labels are in kcal/mol but", func(c *dataset.Convention) { c.Energy.Unit = dataset.KilocaloriePerMol }, nil},
		{"hartree energies", "the energy labels are in hartree but", func(c *dataset.Convention) { c.Energy.Unit = dataset.Hartree }, nil},
		{"per atom", "the energy labels are per atom but declared per configuration", func(c *dataset.Convention) { c.Energy.Per = dataset.PerAtom }, nil},
		{"not per atom", "the energy labels are per configuration but declared per atom", nil, func(c *dataset.Convention) { c.Energy.Per = dataset.PerAtom }},
		{"per bohr", "the force labels are per bohr but declared per angstrom", func(c *dataset.Convention) { c.Forces.Unit = dataset.HartreePerBohr },
			func(c *dataset.Convention) { c.Forces.Unit = dataset.HartreePerAngstrom }},
		{"two mistakes", "are in hartree/bohr but declared in eV/angstrom; besides, forces and gradients are exchanged", func(c *dataset.Convention) {
			c.Forces.Unit, c.Forces.Quantity = dataset.HartreePerBohr, dataset.Gradient
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var frames []dataset.Frame
			for _, f := range cluster(60, nil) {
				stored, err := open(tt.true).Relabel(f)
				if err != nil {
					t.Fatal(err)
				}
				read, err := open(tt.declared).Canonical(stored)
				if err != nil {
					t.Fatal(err)
				}
				frames = append(frames, read)
			}
			r := dataset.Audit(frames)
			if err := r.Err(); !errors.Is(err, dataset.ErrInconsistent) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInconsistent with %q", err, tt.want)
			}
		})
	}
}

func TestAuditFindsShuffledLabels(t *testing.T) {
	frames := cluster(60, nil)
	for i := range frames[:30] {
		frames[i].Energy, frames[59-i].Energy = frames[59-i].Energy, frames[i].Energy
	}
	r := dataset.Audit(frames)
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "do not belong together") {
		t.Errorf("got %v", err)
	}
}

// TestAuditForgivesOtherStates puts a tenth of sound frames on another electronic state, as calculations near a crossing
// do, with energies far from those of their neighbours.
func TestAuditForgivesOtherStates(t *testing.T) {
	frames := cluster(100, nil)
	for i := 0; i < 100; i += 10 {
		*frames[i].Energy += 1.5
	}
	r := dataset.Audit(frames)
	if c := r.Consistency; !c.Good() || math.Abs(c.Slope-1) > 0.05 {
		t.Errorf("got %+v", c)
	}
}

func TestAuditIsSilentOnFewPairs(t *testing.T) {
	r := dataset.Audit(cluster(5, nil))
	if r.Consistency.Known() || r.Err() != nil {
		t.Errorf("got %+v, %v", r.Consistency, r.Err())
	}
	if r := dataset.Audit(nil); r.Err() != nil || len(r.Warnings()) != 0 {
		t.Errorf("an empty set: got %+v", r)
	}
}

func TestAuditCounts(t *testing.T) {
	frames := cluster(12, nil)
	frames[1].Forces = make([]float64, 18)               // placeholder
	frames[2].Forces[4] += 0.3                           // net force
	frames[3].Forces[0], frames[3].Forces[3] = 150, -150 // extreme
	frames[4].Positions = append([]float64(nil), frames[0].Positions...)
	*frames[5].Energy = math.NaN()
	frames[6].Positions = make([]float64, 18)
	for i := 0; i < 18; i += 3 { // frame 7 turned by 90 degrees, first hydrogens exchanged
		x, y := frames[7].Positions[i], frames[7].Positions[i+1]
		frames[6].Positions[i], frames[6].Positions[i+1], frames[6].Positions[i+2] = -y, x, frames[7].Positions[i+2]
	}
	for k := range 3 {
		p := frames[6].Positions
		p[6+k], p[9+k] = p[9+k], p[6+k]
	}
	frames[8].Positions[0], frames[8].Positions[1], frames[8].Positions[2] = frames[8].Positions[3], frames[8].Positions[4], frames[8].Positions[5]+0.25
	frames[9].Energy, frames[10].Forces = nil, nil
	r := dataset.Audit(frames)
	want := dataset.Report{Frames: 12, Atoms: 66, Invalid: 1, WithEnergy: 10, WithForces: 10, NetForce: 2, ZeroForces: 1,
		ExtremeForces: 1, CloseAtoms: 1, Duplicates: 1, Rearranged: 1}
	want.RMSForce, want.MaxForce, want.MinDistance, want.Consistency = r.RMSForce, r.MaxForce, r.MinDistance, r.Consistency
	if r != want {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
	near(t, "shortest distance", r.MinDistance, 0.25)
	if got := len(r.Warnings()); got != 7 {
		t.Errorf("got %d warnings: %q", got, r.Warnings())
	}
}

func TestAuditRefusesAtomsAtOnePlace(t *testing.T) {
	frames := cluster(5, &[9]float64{0: 9, 4: 9, 8: 9})
	copy(frames[3].Positions[3:6], frames[3].Positions[:3])
	frames[3].Positions[4] += 9 // one place through the cell wall
	r := dataset.Audit(frames)
	if err := r.Err(); !errors.Is(err, dataset.ErrCoincident) || !strings.Contains(err.Error(), `frame 3 of "cluster"`) || !strings.Contains(err.Error(), "1 of 5 frames") {
		t.Errorf("got %v", err)
	}
	for k := range 2 {
		frames[3].Species[k] = "" // padding may lie anywhere
	}
	if r := dataset.Audit(frames); r.Err() != nil {
		t.Errorf("padding: got %v", r.Err())
	}
}

func TestAuditMeasuresAcrossTheCell(t *testing.T) {
	f := dataset.Frame{Species: []string{"Cu", "Cu"}, Positions: []float64{0.1, 0, 0, 0, 0, 8.9}, Cell: &[9]float64{4, 0, 0, 0, 4, 0, 1, 1, 9}}
	r := dataset.Audit([]dataset.Frame{f})
	near(t, "shortest distance", r.MinDistance, math.Sqrt(1.1*1.1+1+0.1*0.1)) // (0.1,0,0) - (0,0,8.9) + (1,1,9)
}
