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
	molecules := f.NumAtoms() / 3
	arms := make([][2]vec, molecules) // O -> H vectors of each molecule
	reach := 0.0                      // of a molecule's sites from its oxygen
	for m := range molecules {
		arms[m] = w.inside(acc, &b, f.Positions, m)
		reach = max(reach, arms[m][0].norm(), arms[m][1].norm())
	}
	for m := range molecules {
		for n := m; n < molecules; n++ {
			w.between(acc, &b, f.Positions, arms, m, n, w.cutoff+2*reach)
		}
	}
	return acc.Labels, nil
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
func (w *water) between(acc *accumulator, b *box, positions []float64, arms [][2]vec, m, n int, reach float64) {
	base := b.nearest(at(positions, 3*n).sub(at(positions, 3*m)))
	share := 1.0
	if m == n {
		share = 0.5
	}
	b.images(base, reach, selfPair(m == n), func(oo vec, r float64) {
		if r < w.cutoff {
			energy, slope := shiftedForce(r, w.cutoff, w.lennardJones)
			acc.Energy += share * energy
			acc.pull(3*m, 3*n, oo, oo.scale(share*slope/r))
		}
		for p := range w.chargeAt {
			for q := range w.chargeAt {
				w.charges(acc, arms, m, n, p, q, oo, share)
			}
		}
	})
}

// charges enters site p of molecule m with site q of molecule n, whose oxygens are joined by oo.
func (w *water) charges(acc *accumulator, arms [][2]vec, m, n, p, q int, oo vec, share float64) {
	a, b := w.chargeAt[p], w.chargeAt[q]
	d := oo.sub(arms[m][0].scale(a[1])).sub(arms[m][1].scale(a[2])).add(arms[n][0].scale(b[1])).add(arms[n][1].scale(b[2]))
	r := d.norm()
	if r >= w.cutoff {
		return
	}
	product := coulomb * w.charge(p) * w.charge(q) * share
	energy, slope := shiftedForce(r, w.cutoff, w.screened)
	acc.Energy += product * energy
	g := d.scale(product * slope / r)
	acc.pull(3*m, 3*n, oo, g)
	for k := range 2 {
		acc.pull(3*m, 3*m+1+k, arms[m][k], g.scale(-a[1+k]))
		acc.pull(3*n, 3*n+1+k, arms[n][k], g.scale(b[1+k]))
	}
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

// shiftedForce takes value and slope at the cut-off off pair, so that both vanish there.
func shiftedForce(r, cutoff float64, pair func(float64) (float64, float64)) (energy, slope float64) {
	e, s := pair(r)
	ec, sc := pair(cutoff)
	return e - ec - sc*(r-cutoff), s - sc
}
