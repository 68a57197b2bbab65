package reference

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
)

// suttonChen holds the parameters of one metal: E = eps (sum_pairs (a/r)^n - c sum_i sqrt(sum_j (a/r)^m)).
type suttonChen struct {
	element    string
	n, m       float64
	epsilon, c float64 // eV, 1
	a          float64 // Å
	cutoff     float64 // Å
}

// suttonChenTable is Table 1 of the 1990 paper.
var suttonChenTable = []suttonChen{
	{element: "Ni", n: 9, m: 6, epsilon: 1.5707e-2, c: 39.432, a: 3.52},
	{element: "Cu", n: 9, m: 6, epsilon: 1.2382e-2, c: 39.432, a: 3.61},
	{element: "Pd", n: 12, m: 7, epsilon: 4.1790e-3, c: 108.27, a: 3.89},
	{element: "Ag", n: 12, m: 6, epsilon: 2.5415e-3, c: 144.41, a: 4.09},
	{element: "Pt", n: 10, m: 8, epsilon: 1.9833e-2, c: 34.408, a: 3.92},
	{element: "Au", n: 10, m: 8, epsilon: 1.2793e-2, c: 34.408, a: 4.08},
	{element: "Pb", n: 10, m: 7, epsilon: 5.5765e-3, c: 45.778, a: 4.95},
	{element: "Al", n: 7, m: 6, epsilon: 3.3147e-2, c: 16.399, a: 4.05},
}

// SuttonChen returns the potential of one fcc metal. The published sums run over the infinite crystal; here both pair
// functions are switched to zero over the last Å before cutoff (Å), which lowers the cohesive energy slightly. The square root keeps a
// weak kink where an atom loses its last neighbour, so do not use it for a gas.
func SuttonChen(element string, cutoff float64) (Potential, error) {
	for _, p := range suttonChenTable {
		if p.element == element {
			if cutoff < 1.5*p.a {
				return nil, fmt.Errorf("Sutton-Chen %s: a cut-off of %g Å leaves out second neighbours; use at least %g", element, cutoff, 1.5*p.a)
			}
			p.cutoff = cutoff
			return &p, nil
		}
	}
	return nil, fmt.Errorf("Sutton-Chen has no parameters for %q", element)
}

func (p *suttonChen) Name() string { return "Sutton-Chen " + p.element }

func (p *suttonChen) Compute(f *dataset.Frame) (Labels, error) {
	b, err := newBox(f)
	if err != nil {
		return Labels{}, err
	}
	for i, s := range f.Species {
		if s != p.element {
			return Labels{}, fmt.Errorf("%s: atom %d is %q; %s knows only %s", f.Name(), i, s, p.Name(), p.element)
		}
	}
	all := bondsWithin(&b, f, p.cutoff)
	root := make([]float64, len(all)) // square root of each atom's density
	for i, bonds := range all {
		for _, x := range bonds {
			density, _ := p.power(x.r, p.m)
			root[i] += density
		}
		root[i] = math.Sqrt(root[i])
	}
	acc := newAccumulator(f.NumAtoms())
	for i, bonds := range all {
		if len(bonds) == 0 {
			continue // a lone atom has no energy
		}
		acc.Energy -= p.epsilon * p.c * root[i]
		for _, x := range bonds {
			repulsion, slope := p.power(x.r, p.n)
			_, density := p.power(x.r, p.m)
			acc.Energy += p.epsilon * repulsion / 2
			g := p.epsilon * (slope/2 - p.c*density/(2*root[i]))
			acc.pull(i, x.j, x.d, x.d.scale(g/x.r))
		}
	}
	return acc.Labels, nil
}

// power returns the switched (a/r)^k and its slope.
func (p *suttonChen) power(r, k float64) (value, slope float64) {
	v := math.Pow(p.a/r, k)
	dv := -k * v / r
	u := r - (p.cutoff - 1)
	if u <= 0 {
		return v, dv
	}
	w := 1 + u*u*u*(-6*u*u+15*u-10)
	dw := -30 * u * u * (u - 1) * (u - 1)
	return v * w, dv*w + v*dw
}
