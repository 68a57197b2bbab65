package reference

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
)

// water is a flexible three- or four-site model. Frames list whole molecules in the order O, H, H.
type water struct {
	name            string
	bond            func(r float64) (energy, slope float64)
	angle, angleK   float64 // equilibrium angle in radian, force constant in eV/rad^2
	epsilon, sigma  float64 // Lennard-Jones between oxygens, eV and Å
	chargeH         float64 // e; the negative charge, twice as large, sits on M
	gamma           float64 // M = gamma O + (1-gamma) (H1+H2)/2; 1 puts it on the oxygen
	cutoff, damping float64 // Å, 1/Å
	chargeAt        [3]siteWeights

	atCutoff [2]shift // of Lennard-Jones and of the damped Coulomb interaction
}

// A shift is value and slope of a pair interaction at the cut-off; taking both off leaves none of either there.
type shift struct{ energy, slope float64 }

func (s *shift) apply(r, cutoff, energy, slope float64) (float64, float64) {
	return energy - s.energy - s.slope*(r-cutoff), slope - s.slope
}

// siteWeights says how a charge site depends on O, H1, H2; the weights sum to 1.
type siteWeights [3]float64

// SPCFw returns the flexible SPC/Fw water model with interactions cut at cutoff (Å).
func SPCFw(cutoff float64) Potential {
	const k, r0 = 1059.162 * kcalPerMol, 1.012
	return newWater(water{
		name:  "SPC/Fw",
		bond:  func(r float64) (float64, float64) { return 0.5 * k * (r - r0) * (r - r0), k * (r - r0) },
		angle: 113.24 * radian, angleK: 75.90 * kcalPerMol,
		epsilon: 0.1554253 * kcalPerMol, sigma: 3.165492,
		chargeH: 0.41, gamma: 1, cutoff: cutoff,
	})
}

// QTIP4PF returns the q-TIP4P/F water model (quartic bonds) with interactions cut at cutoff (Å).
func QTIP4PF(cutoff float64) Potential {
	const depth, alpha, r0 = 116.09 * kcalPerMol, 2.287, 0.9419
	return newWater(water{
		name: "q-TIP4P/F",
		bond: func(r float64) (float64, float64) {
			x := alpha * (r - r0)
			return depth * x * x * (1 - x + 7.0/12*x*x), depth * alpha * x * (2 - 3*x + 7.0/3*x*x)
		},
		angle: 107.4 * radian, angleK: 87.85 * kcalPerMol,
		epsilon: 0.1852 * kcalPerMol, sigma: 3.1589,
		chargeH: 0.5564, gamma: 0.73612, cutoff: cutoff,
	})
}

func newWater(w water) *water {
	w.damping = 0.2
	rest := (1 - w.gamma) / 2
	w.chargeAt = [3]siteWeights{{w.gamma, rest, rest}, {0, 1, 0}, {0, 0, 1}}
	w.atCutoff[0].energy, w.atCutoff[0].slope = w.lennardJones(w.cutoff)
	w.atCutoff[1].energy, w.atCutoff[1].slope = w.screened(w.cutoff)
	return &w
}

func (w *water) Name() string { return w.name }

func (w *water) Compute(f *dataset.Frame) (Labels, error) {
	b, err := newBox(f)
	if err != nil {
		return Labels{}, err
	}
	if f.NumAtoms()%3 != 0 {
		return Labels{}, fmt.Errorf("%s: %d atoms are not whole water molecules", f.Name(), f.NumAtoms())
	}
	for i, s := range f.Species {
		if s != [3]string{"O", "H", "H"}[i%3] {
			return Labels{}, fmt.Errorf("%s: atom %d is %q; %s wants molecules in the order O, H, H", f.Name(), i, s, w.name)
		}
	}
	acc := newAccumulator(f.NumAtoms())
	molecules := make([]molecule, f.NumAtoms()/3)
	reach := 0.0 // of a molecule's sites from its oxygen
	for m := range molecules {
		molecules[m].arms = w.inside(acc, &b, f.Positions, m)
		for p, weight := range w.chargeAt {
			molecules[m].site[p] = molecules[m].arms[0].scale(weight[1]).add(molecules[m].arms[1].scale(weight[2]))
			reach = max(reach, molecules[m].site[p].norm())
		}
	}
	for m := range molecules {
		for n := m; n < len(molecules); n++ {
			w.between(acc, &b, f.Positions, molecules, m, n, w.cutoff+2*reach)
		}
	}
	for m := range molecules {
		for k, arm := range molecules[m].arms {
			var g vec
			for p, weight := range w.chargeAt {
				g = g.add(molecules[m].pull[p].scale(weight[1+k]))
			}
			acc.pull(3*m, 3*m+1+k, arm, g)
		}
	}
	return acc.Labels, nil
}

// A molecule as its charges see it. The gradient by a site's place is collected and given to the arms at the end.
type molecule struct {
	arms [2]vec // O -> H
	site [3]vec // from the oxygen
	pull [3]vec // dE/d(site)
}

// inside enters bonds and angle of molecule m and returns its O -> H vectors.
func (w *water) inside(acc *accumulator, b *box, positions []float64, m int) [2]vec {
	o := at(positions, 3*m)
	var arms, unit [2]vec
	var length [2]float64
	for k := range 2 {
		arms[k] = b.nearest(at(positions, 3*m+1+k).sub(o))
		length[k] = arms[k].norm()
		unit[k] = arms[k].scale(1 / length[k])
		energy, slope := w.bond(length[k])
		acc.Energy += energy
		acc.pull(3*m, 3*m+1+k, arms[k], unit[k].scale(slope))
	}
	cos := max(-1, min(1, unit[0].dot(unit[1])))
	delta := math.Acos(cos) - w.angle
	acc.Energy += 0.5 * w.angleK * delta * delta
	slope := -w.angleK * delta / max(math.Sqrt(1-cos*cos), 1e-9) // dE/dcos
	for k := range 2 {
		g := unit[1-k].sub(unit[k].scale(cos)).scale(slope / length[k])
		acc.pull(3*m, 3*m+1+k, arms[k], g)
	}
	return arms
}

// between enters Lennard-Jones and charges of molecules m and n; m == n means a molecule and its own images. Oxygens
// farther apart than reach (Å) have no sites within the cut-off.
func (w *water) between(acc *accumulator, b *box, positions []float64, molecules []molecule, m, n int, reach float64) {
	base := b.nearest(at(positions, 3*n).sub(at(positions, 3*m)))
	share := 1.0
	if m == n {
		share = 0.5
	}
	b.images(base, reach, selfPair(m == n), func(oo vec, r float64) {
		var pull vec
		if r < w.cutoff {
			energy, slope := w.lennardJones(r)
			energy, slope = w.atCutoff[0].apply(r, w.cutoff, energy, slope)
			acc.Energy += share * energy
			pull = oo.scale(share * slope / r)
		}
		energy, g := w.charges(&molecules[m], &molecules[n], oo, share)
		acc.Energy += energy
		acc.pull(3*m, 3*n, oo, pull.add(g))
	})
}

// charges returns the energy of the charges of two molecules whose oxygens are joined by oo, and its gradient by oo.
// The gradients by the sites are added to the molecules.
func (w *water) charges(m, n *molecule, oo vec, share float64) (total float64, pull vec) {
	for p := range m.site {
		from := oo.sub(m.site[p])
		for q := range n.site {
			d := from.add(n.site[q])
			square := d.dot(d)
			if square >= w.cutoff*w.cutoff {
				continue
			}
			r := math.Sqrt(square)
			energy, slope := w.screened(r)
			energy, slope = w.atCutoff[1].apply(r, w.cutoff, energy, slope)
			product := coulomb * w.charge(p) * w.charge(q) * share
			total += product * energy
			g := d.scale(product * slope / r)
			pull = pull.add(g)
			m.pull[p] = m.pull[p].sub(g)
			n.pull[q] = n.pull[q].add(g)
		}
	}
	return total, pull
}

func (w *water) charge(site int) float64 {
	if site == 0 {
		return -2 * w.chargeH
	}
	return w.chargeH
}

func (w *water) lennardJones(r float64) (energy, slope float64) {
	s := w.sigma / r
	s6 := s * s * s * s * s * s
	return 4 * w.epsilon * (s6*s6 - s6), -24 * w.epsilon * (2*s6*s6 - s6) / r
}

// screened is the damped Coulomb interaction erfc(alpha r)/r of unit charges.
func (w *water) screened(r float64) (energy, slope float64) {
	x := w.damping * r
	e := math.Erfc(x) / r
	return e, -e/r - 2*w.damping/math.SqrtPi*math.Exp(-x*x)/r
}
