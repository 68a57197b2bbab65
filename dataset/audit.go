package dataset

import (
	"errors"
	"fmt"
	"math"
)

// Limits beyond which Audit counts a frame as odd.
const (
	oddNetForce = 0.02 // eV/Å per root of the number of atoms: an error of this size on each atom
	oddForce    = 100  // eV/Å: met in combustion and collision data; elsewhere a failed calculation
	oddDistance = 0.5  // Å: the shortest bond, H2, has 0.74
	sameAtom    = 0.01 // Å: two atoms at one place
)

// Report.Err wraps one of these.
var (
	// ErrInconsistent: energies and forces contradict each other.
	ErrInconsistent = errors.New("energies and forces contradict each other")
	// ErrCoincident: two atoms of a frame are at one place.
	ErrCoincident = errors.New("atoms on top of each other")
)

// A Report is what an audit may say in public about private frames: counts and a few averages.
type Report struct {
	Frames  int `json:"frames"`
	Atoms   int `json:"atoms"`   // of all frames, virtual ones left out
	Invalid int `json:"invalid"` // frames that Validate refuses; nothing else counts them

	WithEnergy int `json:"with_energy"`
	WithForces int `json:"with_forces"`
	WithVirial int `json:"with_virial"`

	Consistency Consistency `json:"consistency"`

	RMSForce    float64 `json:"rms_force"`    // eV/Å per component
	MaxForce    float64 `json:"max_force"`    // eV/Å, longest force on an atom
	MinDistance float64 `json:"min_distance"` // Å, between two atoms of a frame; 0 = no frame has two atoms

	NetForce      int `json:"net_force"`      // frames whose forces sum to more than 0.02 eV/Å times the root of the number of atoms
	ZeroForces    int `json:"zero_forces"`    // frames of several atoms whose forces are all exactly 0
	ExtremeForces int `json:"extreme_forces"` // frames with a force above 100 eV/Å
	CloseAtoms    int `json:"close_atoms"`    // frames with two atoms closer than 0.5 Å
	Coincident    int `json:"coincident"`     // frames with two atoms closer than 0.01 Å, which no model can learn from
	Duplicates    int `json:"duplicates"`     // frames with the fingerprint of an earlier one
	Rearranged    int `json:"rearranged"`     // frames equal to an earlier one but for a rotation, reflection, shift or the order of atoms

	firstCoincident string // its name, for the local message
}

// Audit looks at frames that are to be trained on. It reads labels but reports only counts and averages.
// Frames are looked at as they are: restore a convention's units first.
func Audit(frames []Frame) Report {
	r := Report{Frames: len(frames)}
	var valid []*Frame
	squares, components := 0.0, 0
	for i := range frames {
		f := &frames[i]
		if f.Validate() != nil {
			r.Invalid++
			continue
		}
		valid = append(valid, f)
		r.countLabels(f)
		r.countForces(f)
		for _, v := range f.Forces {
			squares += v * v
		}
		components += len(f.Forces)
		if d := shortestDistance(f); d > 0 {
			if d < oddDistance {
				r.CloseAtoms++
			}
			if d < sameAtom {
				if r.Coincident++; r.Coincident == 1 {
					r.firstCoincident = f.Name()
				}
			}
			if r.MinDistance == 0 || d < r.MinDistance {
				r.MinDistance = d
			}
		}
	}
	if components > 0 {
		r.RMSForce = math.Sqrt(squares / float64(components))
	}
	r.Duplicates, r.Rearranged = countCopies(valid)
	r.Consistency = checkConsistency(valid)
	return r
}

func (r *Report) countLabels(f *Frame) {
	r.Atoms += realAtoms(f.Species)
	if f.Energy != nil {
		r.WithEnergy++
	}
	if f.Forces != nil {
		r.WithForces++
	}
	if f.Virial != nil {
		r.WithVirial++
	}
}

func (r *Report) countForces(f *Frame) {
	var net [3]float64
	longest := 0.0
	for i := 0; i+2 < len(f.Forces); i += 3 {
		square := 0.0
		for k := range 3 {
			v := f.Forces[i+k]
			net[k] += v
			square += v * v
		}
		longest = max(longest, square)
	}
	longest = math.Sqrt(longest)
	r.MaxForce = max(r.MaxForce, longest)
	if longest > oddForce {
		r.ExtremeForces++
	}
	if len(f.Forces) > 3 && longest == 0 {
		r.ZeroForces++
	}
	if n := float64(f.NumAtoms()); n > 1 && net[0]*net[0]+net[1]*net[1]+net[2]*net[2] > oddNetForce*oddNetForce*n {
		r.NetForce++
	}
}

// Err refuses data whose energies and forces contradict each other, and names the likely mistake; and frames with two
// atoms at one place. The rest is for Warnings.
func (r *Report) Err() error {
	if r.Coincident > 0 {
		return fmt.Errorf("%s: %w; %d of %d frames are so: take them out, or declare padding as virtual atoms", r.firstCoincident, ErrCoincident, r.Coincident, r.Frames)
	}
	if !r.Consistency.Known() || r.Consistency.Good() {
		return nil
	}
	return fmt.Errorf("%w: over %d pairs of similar frames, energy differences are %.3g times the work of the forces (correlation %.2f); %s",
		ErrInconsistent, r.Consistency.Pairs, r.Consistency.Slope, r.Consistency.Correlation, r.Consistency.Fix)
}

// Warnings says in words what is odd; empty for data without a fault that Audit can see.
func (r *Report) Warnings() []string {
	var out []string
	for _, w := range []struct {
		count int
		text  string
	}{
		{r.Invalid, "hold NaN, infinite numbers or lists of the wrong length; they cannot be used"},
		{r.Duplicates, "are copies of earlier frames; drop them before training"},
		{r.Rearranged, "are earlier frames turned, shifted or with their atoms in another order"},
		{r.CloseAtoms, fmt.Sprintf("have two atoms closer than %g Å", oddDistance)},
		{r.ExtremeForces, fmt.Sprintf("have a force above %d eV/Å; were these calculations converged?", oddForce)},
		{r.NetForce, fmt.Sprintf("have forces that do not cancel: their sum is above %g eV/Å times the root of the number of atoms", oddNetForce)},
		{r.ZeroForces, "have forces that are all zero: right for relaxed or symmetric structures, wrong as placeholders"},
	} {
		if w.count > 0 {
			out = append(out, fmt.Sprintf("%d of %d frames %s", w.count, r.Frames, w.text))
		}
	}
	return out
}
