package training

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// foldRows is how many frames an energyFit keeps as they are. With fewer frames nothing is ever folded.
const foldRows = 1024

// An energyFit is a least-squares problem that takes its frames one at a time and whose memory does not grow with them:
// full blocks of rows are replaced by the triangle R of their QR factorisation, which has the same solutions and, unlike
// normal equations, the same condition.
type energyFit struct {
	types, frames int
	preset        []*float64 // by type; nil where the fit finds the energy
	rows          []float64  // [n x (T+1)] counts, and what presets leave of the energy, eV
	seen          []bool     // [T] types that occurred
}

func newEnergyFit(types int, preset []*float64) *energyFit {
	return &energyFit{types: types, preset: preset, seen: make([]bool, types)}
}

// add enters a frame: atoms per type, energy in eV. A type with a preset takes no part: its share is taken off the energy.
func (q *energyFit) add(counts []float64, energy float64) {
	q.frames++
	for t, n := range counts {
		q.seen[t] = q.seen[t] || n > 0
		if fixed := at(q.preset, t); fixed != nil {
			energy -= n * *fixed
			n = 0
		}
		q.rows = append(q.rows, n)
	}
	q.rows = append(q.rows, energy)
	if width := q.types + 1; len(q.rows) == (foldRows+width)*width {
		q.fold()
	}
}

func (q *energyFit) fold() {
	var qr mat.QR
	var r mat.Dense
	width := q.types + 1
	qr.Factorize(mat.NewDense(len(q.rows)/width, width, q.rows))
	qr.RTo(&r)
	q.rows = q.rows[:0]
	for k := range width {
		q.rows = append(q.rows, r.RawRowView(k)...)
	}
}

// solve returns the shortest of the solutions, presets included, with the rank of the counts that were fitted.
func (q *energyFit) solve() (Reference, error) {
	all := mat.NewDense(len(q.rows)/(q.types+1), q.types+1, q.rows)
	n, _ := all.Dims()
	a, b := mat.DenseCopyOf(all.Slice(0, n, 0, q.types)), mat.VecDenseCopyOf(all.ColView(q.types))
	x, rank, err := minimumNorm(a, b, eps*float64(max(q.frames, q.types)))
	if err != nil {
		return Reference{}, err
	}
	return Reference{PerType: withPresets(x, q.preset), Rank: rank, Present: present(q.types, func(t int) bool { return q.seen[t] })}, nil
}

// frameEnergies calls visit with the atoms per type and the energy of one frame after the other, in the same order each
// time. visit does not keep counts.
type frameEnergies func(visit func(counts []float64, energy float64)) error

// fitEnergies fits in one pass over the frames and measures the rest in another.
func fitEnergies(types int, preset []*float64, each frameEnergies) (Reference, error) {
	fit := newEnergyFit(types, preset)
	if err := each(fit.add); err != nil {
		return Reference{}, err
	}
	if fit.frames == 0 {
		return Reference{}, fmt.Errorf("energy reference: %w", errNoEnergies)
	}
	ref, err := fit.solve()
	if err != nil {
		return Reference{}, err
	}
	var rest deviation
	err = each(func(counts []float64, energy float64) { rest.add(counts, energy, ref.PerType) })
	ref.Std = rest.std()
	return ref, err
}

// A deviation is the standard deviation over frames of energies minus counts·x. It differs from the root mean square when
// the residual has a mean, which a fit without an intercept may leave.
type deviation struct{ n, sum, square float64 }

func (d *deviation) add(counts []float64, energy float64, x []float64) {
	for t, n := range counts {
		energy -= n * x[t]
	}
	d.n++
	d.sum += energy
	d.square += energy * energy
}

func (d *deviation) std() float64 {
	return math.Sqrt(max(0, d.square/d.n-d.sum/d.n*d.sum/d.n))
}
