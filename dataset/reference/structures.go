package reference

import (
	"math"
	"math/rand/v2"

	"github.com/fedlam/fedlam/dataset"
)

// WaterBox returns n water molecules in a cubic cell at the density of liquid water (29.9 Å^3 per molecule), on a
// lattice with random orientations: a start for Sample, not yet a liquid.
func WaterBox(n int, seed uint64) dataset.Frame {
	side := math.Cbrt(29.9 * float64(n))
	sites := int(math.Ceil(math.Cbrt(float64(n)) - 1e-9))
	random := rand.New(rand.NewPCG(seed, 0x7761746572))
	order := random.Perm(sites * sites * sites)
	f := cubic(side)
	for m := range n {
		site := order[m]
		o := vec{float64(site % sites), float64(site / sites % sites), float64(site / sites / sites)}.scale(side / float64(sites))
		a := direction(random)
		b := a.cross(direction(random))
		b = b.scale(1 / b.norm())
		const length, half = 0.98, 106.0 / 2 * radian
		along, across := a.scale(length*math.Cos(half)), b.scale(length*math.Sin(half))
		place(&f, "O", o)
		place(&f, "H", o.add(along).add(across))
		place(&f, "H", o.add(along).sub(across))
	}
	return f
}

// Diamond returns k x k x k cubic cells of the diamond structure with lattice constant a (Å).
func Diamond(element string, a float64, k int) dataset.Frame {
	return crystal(element, a, k, []vec{{0, 0, 0}, {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}, {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}})
}

// FCC returns k x k x k cubic cells of the face-centred cubic structure with lattice constant a (Å).
func FCC(element string, a float64, k int) dataset.Frame {
	return crystal(element, a, k, []vec{{0, 0, 0}, {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}})
}

func crystal(element string, a float64, k int, basis []vec) dataset.Frame {
	f := cubic(a * float64(k))
	for cell := range k * k * k {
		origin := vec{float64(cell % k), float64(cell / k % k), float64(cell / k / k)}
		for _, s := range basis {
			place(&f, element, origin.add(s).scale(a))
		}
	}
	return f
}

func cubic(side float64) dataset.Frame {
	return dataset.Frame{Cell: &[9]float64{0: side, 4: side, 8: side}}
}

func place(f *dataset.Frame, species string, r vec) {
	f.Species = append(f.Species, species)
	f.Positions = append(f.Positions, r[:]...)
}

// direction draws a unit vector uniformly.
func direction(random *rand.Rand) vec {
	v := vec{random.NormFloat64(), random.NormFloat64(), random.NormFloat64()}
	return v.scale(1 / v.norm())
}
