package reference

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/dataset"
)

type vec [3]float64

func (a vec) sub(b vec) vec       { return vec{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vec) add(b vec) vec       { return vec{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a vec) scale(s float64) vec { return vec{s * a[0], s * a[1], s * a[2]} }
func (a vec) dot(b vec) float64   { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vec) cross(b vec) vec {
	return vec{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}
func (a vec) norm() float64             { return math.Sqrt(a.dot(a)) }
func at(positions []float64, i int) vec { return vec(positions[3*i : 3*i+3]) }

// A box measures vectors between atoms; the zero box has open boundaries.
type box struct {
	periodic   bool
	rows       [3]vec // cell vectors, Å
	reciprocal [3]vec // reciprocal[k].dot(r) is the k-th fractional coordinate
}

func newBox(f *dataset.Frame) (box, error) {
	if f.Cell == nil {
		return box{}, nil
	}
	c := f.Cell
	b := box{periodic: true, rows: [3]vec{vec(c[0:3]), vec(c[3:6]), vec(c[6:9])}}
	det := b.rows[0].dot(b.rows[1].cross(b.rows[2]))
	if math.Abs(det) < 1e-6 {
		return box{}, fmt.Errorf("%s: the cell has no volume", f.Name())
	}
	for k := range 3 {
		b.reciprocal[k] = b.rows[(k+1)%3].cross(b.rows[(k+2)%3]).scale(1 / det)
	}
	return b, nil
}

// nearest returns d moved by lattice vectors so that its fractional coordinates are in [-1/2, 1/2].
func (b *box) nearest(d vec) vec {
	if !b.periodic {
		return d
	}
	out := d
	for k := range 3 {
		out = out.sub(b.rows[k].scale(math.Round(b.reciprocal[k].dot(d))))
	}
	return out
}

// images calls visit for every periodic copy of d that is shorter than cutoff; self says that d joins an atom with
// itself, so that its zero vector is left out.
func (b *box) images(d vec, cutoff float64, self selfPair, visit func(d vec, r float64)) {
	try := func(d vec) {
		if r2 := d.dot(d); r2 < cutoff*cutoff && (r2 > 1e-12 || self == otherAtom) {
			visit(d, math.Sqrt(r2))
		}
	}
	if !b.periodic {
		try(d)
		return
	}
	d = b.nearest(d)
	var n [3]int // a face distance is 1/|reciprocal|
	for k := range 3 {
		n[k] = int(math.Floor(cutoff*b.reciprocal[k].norm() + 0.5))
	}
	for x := -n[0]; x <= n[0]; x++ {
		for y := -n[1]; y <= n[1]; y++ {
			base := d.add(b.rows[0].scale(float64(x))).add(b.rows[1].scale(float64(y)))
			for z := -n[2]; z <= n[2]; z++ {
				try(base.add(b.rows[2].scale(float64(z))))
			}
		}
	}
}

type selfPair bool

const (
	sameAtom  selfPair = true
	otherAtom selfPair = false
)

// An accumulator collects an energy that depends on vectors between atoms.
type accumulator struct{ Labels }

func newAccumulator(n int) *accumulator { return &accumulator{Labels{Forces: make([]float64, 3*n)}} }

// pull enters the gradient g = dE/dd of the vector d that leads from atom i to (an image of) atom j.
func (a *accumulator) pull(i, j int, d, g vec) {
	for k := range 3 {
		a.Forces[3*i+k] += g[k]
		a.Forces[3*j+k] -= g[k]
		for l := range 3 {
			a.Virial[3*k+l] -= g[k] * d[l]
		}
	}
}
