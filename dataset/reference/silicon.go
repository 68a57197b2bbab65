package reference

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
)

// StillingerWeber returns the potential of silicon, with the energy unit 2.1683 eV that gives diamond its cohesive energy
// of 4.3366 eV per atom (the value that common simulation codes use).
func StillingerWeber() Potential { return stillingerWeber{} }

type stillingerWeber struct{}

const (
	swEpsilon = 2.1683 // eV
	swSigma   = 2.0951 // Å
	swA       = 7.049556277
	swB       = 0.6022245584
	swCut     = 1.80 // in units of sigma
	swLambda  = 21.0
	swGamma   = 1.20
)

func (stillingerWeber) Name() string { return "Stillinger-Weber silicon" }

type bond struct {
	j int
	d vec
	r float64
}

func (p stillingerWeber) Compute(f *dataset.Frame) (Labels, error) {
	b, err := newBox(f)
	if err != nil {
		return Labels{}, err
	}
	for i, s := range f.Species {
		if s != "Si" {
			return Labels{}, fmt.Errorf("%s: atom %d is %q; %s knows only Si", f.Name(), i, s, p.Name())
		}
	}
	acc := newAccumulator(f.NumAtoms())
	for i, bonds := range bondsWithin(&b, f, swCut*swSigma) {
		for k, x := range bonds {
			energy, slope := swPair(x.r)
			acc.Energy += energy / 2
			acc.pull(i, x.j, x.d, x.d.scale(slope/2/x.r))
			for _, y := range bonds[k+1:] {
				swTriple(acc, i, x, y)
			}
		}
	}
	return acc.Labels, nil
}

// bondsWithin lists for every atom the bonds, periodic images included, shorter than cutoff.
func bondsWithin(b *box, f *dataset.Frame, cutoff float64) [][]bond {
	out := make([][]bond, f.NumAtoms())
	for i := range out {
		for j := range out {
			d := at(f.Positions, j).sub(at(f.Positions, i))
			b.images(d, cutoff, selfPair(i == j), func(d vec, r float64) { out[i] = append(out[i], bond{j, d, r}) })
		}
	}
	return out
}

func swPair(r float64) (energy, slope float64) {
	x := r / swSigma
	tail := math.Exp(1 / (x - swCut))
	b4 := swB / (x * x * x * x)
	energy = swEpsilon * swA * (b4 - 1) * tail
	slope = swEpsilon * swA / swSigma * tail * (-4*b4/x - (b4-1)/((x-swCut)*(x-swCut)))
	return energy, slope
}

// swTriple enters the angle at atom i between two bonds.
func swTriple(acc *accumulator, i int, x, y bond) {
	cos := x.d.dot(y.d) / (x.r * y.r)
	ex, ey := x.r/swSigma-swCut, y.r/swSigma-swCut
	h := swEpsilon * swLambda * math.Exp(swGamma/ex+swGamma/ey)
	delta := cos + 1.0/3
	acc.Energy += h * delta * delta
	for _, side := range []struct {
		a, b bond
		e    float64
	}{{x, y, ex}, {y, x, ey}} {
		radial := -swGamma / (side.e * side.e * swSigma) * h * delta * delta
		cosGradient := side.b.d.scale(1 / (x.r * y.r)).sub(side.a.d.scale(cos / (side.a.r * side.a.r)))
		acc.pull(i, side.a.j, side.a.d, side.a.d.scale(radial/side.a.r).add(cosGradient.scale(2*h*delta)))
	}
}
