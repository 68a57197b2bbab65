package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	minPairs        = 8    // below this the check says nothing
	maxPairDistance = 0.25 // Å rms per atom: within it the trapezoid rule is good to a tenth
	minPairDistance = 1e-3 // Å: closer frames are copies, whose energy differences are rounding
	maxGroup        = 1000 // frames of one composition that are compared with each other
	maxGroupWork    = 2e8  // square of that number times atoms: bounds the time for large frames to about a second
)

// Consistency is the result of regressing energy differences of similar frames on the work of their forces,
// E2 - E1 = slope · (-1/2 (F1 + F2)·(x2 - x1)). Right labels have slope 1. It needs no model and no reference:
// it compares the labels with each other, and most mistakes of unit or sign show as a factor that names them.
type Consistency struct {
	Pairs       int     `json:"pairs"` // similar pairs found; below 8 nothing is known
	Slope       float64 `json:"slope"`
	Correlation float64 `json:"correlation"`
	Fix         string  `json:"fix,omitempty"` // the likely mistake, for data that are not Good
}

// Known tells whether there were enough similar frames to say anything.
func (c *Consistency) Known() bool { return c.Pairs >= minPairs }

// Good tells whether energies and forces belong together: slope 0.7 to 1.3, correlation above 0.85.
func (c *Consistency) Good() bool {
	return c.Known() && c.Slope >= 0.7 && c.Slope <= 1.3 && c.Correlation > 0.85
}

// A pair of similar frames: what the energies differ by and what the forces say, eV.
type pair struct {
	difference, work float64
	weight           float64
	atoms            int
}

// newPair weights a pair by the error to expect. The trapezoid rule leaves out a term of third order: for atoms that
// move by d (Å), with a third derivative of some 700 eV/Å^3 along a bond, about 60 d^3 eV each. Energies of files are
// good to a millielectronvolt.
func newPair(a, b *shape) pair {
	work, cubes := a.work(b)
	variance := 1e-6
	for _, c := range cubes {
		variance += 60 * c * 60 * c
	}
	return pair{*b.frame.Energy - *a.frame.Energy, work, 1 / variance, len(a.atoms)}
}

func checkConsistency(frames []*Frame) Consistency {
	groups := map[string][]*Frame{}
	for _, f := range frames {
		if f.Energy != nil && f.Forces != nil && realAtoms(f.Species) > 1 {
			groups[groupOf(f)] = append(groups[groupOf(f)], f)
		}
	}
	var pairs []pair
	for _, group := range groups {
		pairs = append(pairs, similarPairs(group)...)
	}
	c := Consistency{Pairs: len(pairs)}
	if !c.Known() {
		return c
	}
	slices.SortFunc(pairs, func(a, b pair) int { // maps have no order; sums should
		return cmp.Or(cmp.Compare(a.work, b.work), cmp.Compare(a.difference, b.difference))
	})
	c.Slope, c.Correlation = regress(pairs)
	if !c.Good() {
		c.Fix = likelyFix(c.Slope, c.Correlation, pairs)
	}
	return c
}

// groupOf names frames that can be compared: equal atoms in equal order, equal cell.
func groupOf(f *Frame) string {
	name := strings.Join(f.Species, "\x00")
	if f.Cell != nil {
		name += fmt.Sprintf("\x00%.4f", *f.Cell)
	}
	return name
}

// similarPairs joins each frame with the nearest other one, if that is near enough.
func similarPairs(group []*Frame) []pair {
	limit := max(2, min(maxGroup, int(math.Sqrt(maxGroupWork/float64(group[0].NumAtoms())))))
	step := (len(group) + limit - 1) / limit
	var shapes []*shape
	for i := 0; i < len(group); i += step {
		shapes = append(shapes, newShape(group[i]))
	}
	nearest := make([]int, len(shapes))
	distance := make([]float64, len(shapes))
	for i := range distance {
		distance[i] = math.Inf(1)
	}
	for i := range shapes {
		for j := range i {
			d := shapes[i].distance(shapes[j])
			if d < minPairDistance {
				continue
			}
			if d < distance[i] {
				nearest[i], distance[i] = j, d
			}
			if d < distance[j] {
				nearest[j], distance[j] = i, d
			}
		}
	}
	var pairs []pair
	for i, j := range nearest {
		if distance[i] > maxPairDistance || i > j && nearest[j] == i {
			continue // too far, or counted already from the other side
		}
		pairs = append(pairs, newPair(shapes[i], shapes[j]))
	}
	return pairs
}

// mistakes are the factors that common mistakes bring into the slope.
var mistakes = []struct {
	factor float64
	text   string
}{
	{1, "forces and gradients are exchanged"},
	{HartreeInElectronVolt / BohrInAngstrom, "the force labels are in hartree/bohr but declared in eV/angstrom"},
	{BohrInAngstrom / HartreeInElectronVolt, "the force labels are in eV/angstrom but declared in hartree/bohr"},
	{HartreeInElectronVolt, "the force labels are in hartree/angstrom but declared in eV/angstrom"},
	{1 / HartreeInElectronVolt, "the energy labels are in hartree but declared in eV"},
	{2 / HartreeInElectronVolt, "the energy labels are in rydberg but declared in eV"},
	{HartreeInElectronVolt / BohrInAngstrom / 2, "the force labels are in rydberg/bohr but declared in eV/angstrom"},
	{1 / KilocalorieInCanonical, "the energy labels are in kcal/mol but declared in eV"},
	{KilocalorieInCanonical, "the force labels are in kcal/mol/angstrom but declared in eV/angstrom"},
	{avogadro * elementaryCharge / 1000, "the energy labels are in kJ/mol but declared in eV"},
	{1 / BohrInAngstrom, "the force labels are per bohr but declared per angstrom"},
	{BohrInAngstrom, "the force labels are per angstrom but declared per bohr, or the positions are in bohr but declared in angstrom"},
	{1000, "the energy labels are in meV but declared in eV"},
	{1e-3, "the energy labels are in eV but declared in meV"},
}

// likelyFix names the mistakes whose factor is within a fifth of the slope.
func likelyFix(slope, correlation float64, pairs []pair) string {
	if math.Abs(correlation) < 0.6 || slope == 0 {
		return "they do not belong together: look for shuffled frames, labels of two methods, or energies with a part that has no forces"
	}
	var found []string
	near := func(factor float64) bool { return math.Abs(math.Log(math.Abs(slope)/factor)) < math.Log(1.2) }
	for _, m := range mistakes {
		if near(m.factor) && (m.factor != 1 || slope < 0) {
			found = append(found, m.text)
		}
	}
	if n := meanAtoms(pairs); near(1 / n) {
		found = append(found, "the energy labels are per atom but declared per configuration")
	} else if near(n) {
		found = append(found, "the energy labels are per configuration but declared per atom")
	}
	if len(found) == 0 {
		return "compare units and signs of energies and forces in the convention with the program that wrote them"
	}
	text := "likely " + strings.Join(found, ", or ")
	if slope < 0 && !near(1) {
		text += "; besides, forces and gradients are exchanged"
	}
	return text
}

func meanAtoms(pairs []pair) float64 {
	total := 0
	for _, p := range pairs {
		total += p.atoms
	}
	return float64(total) / float64(len(pairs))
}
