package training

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A Reference is the energy per element that a head subtracts before anything is learned: E is about counts·PerType.
type Reference struct {
	PerType []float64 // [T] eV per atom; 0 for types absent from the data
	Std     float64   // eV; spread over frames of what the reference leaves: see FitReference and Solve
	Rank    int       // of the counts; below the number of types present, single elements mean nothing
	Present int       // types that occur in the data
}

// FitReference is the minimum-norm least-squares fit of energies (eV per frame) by element counts (one row of T numbers
// per frame), as DeePMD-kit makes it: singular values below eps·max(frames, T) of the largest count as zero. A type
// with a preset keeps it: its share is taken off the energies first, and it takes no part in the fit. Std is the standard
// deviation of the residual.
func FitReference(counts [][]float64, energies []float64, preset []*float64) (Reference, error) {
	if len(counts) == 0 || len(counts) != len(energies) {
		return Reference{}, fmt.Errorf("energy reference: %d frames with %d energies, want the same number and at least one", len(counts), len(energies))
	}
	types := len(counts[0])
	for f, row := range counts {
		if len(row) != types {
			return Reference{}, fmt.Errorf("energy reference: frame %d counts %d types, frame 0 counts %d", f, len(row), types)
		}
	}
	return fitEnergies(types, preset, func(visit func([]float64, float64)) error {
		for f, row := range counts {
			visit(row, energies[f])
		}
		return nil
	})
}

const eps = 2.220446049250313e-16

func at(preset []*float64, t int) *float64 {
	if t < len(preset) {
		return preset[t]
	}
	return nil
}

func withPresets(x []float64, preset []*float64) []float64 {
	for t := range x {
		if fixed := at(preset, t); fixed != nil {
			x[t] = *fixed
		}
	}
	return x
}

func present(types int, has func(t int) bool) (n int) {
	for t := range types {
		if has(t) {
			n++
		}
	}
	return n
}

// minimumNorm solves a x = b in the least-squares sense; of all solutions it gives the shortest.
func minimumNorm(a *mat.Dense, b *mat.VecDense, rcond float64) (x []float64, rank int, err error) {
	_, cols := a.Dims()
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return nil, 0, errors.New("energy reference: the singular value decomposition did not converge; are there NaN energies?")
	}
	values := svd.Values(nil)
	for _, v := range values {
		if v > rcond*values[0] {
			rank++
		}
	}
	x = make([]float64, cols)
	if rank == 0 {
		return x, 0, nil
	}
	var out mat.Dense
	svd.SolveTo(&out, b, rank)
	for t := range x {
		x[t] = out.At(t, 0)
	}
	return x, rank, nil
}

// NormalEquations are the sums from which a Reference can be found when the frames are in several hands: they add up,
// and only their sum over all members of a head need be known. N counts frames.
type NormalEquations struct {
	Types int
	ATA   []float64 // [T x T] sum over frames of counts (x) counts
	ATB   []float64 // [T] sum of counts times energy, eV
	BB    float64   // sum of squared energies, eV^2
	N     float64
}

// NewNormalEquations returns the sums over no frames.
func NewNormalEquations(types int) *NormalEquations {
	return &NormalEquations{Types: types, ATA: make([]float64, types*types), ATB: make([]float64, types)}
}

// Add enters one frame: atoms per type, energy in eV.
func (q *NormalEquations) Add(counts []float64, energy float64) {
	for s, n := range counts {
		for t, m := range counts {
			q.ATA[s*q.Types+t] += n * m
		}
		q.ATB[s] += n * energy
	}
	q.BB += energy * energy
	q.N++
}

// Pack lays the sums out as one vector, for a secure sum; Unpack is its inverse.
func (q *NormalEquations) Pack() []float64 {
	out := append(append([]float64(nil), q.ATA...), q.ATB...)
	return append(out, q.BB, q.N)
}

// UnpackNormalEquations reads what Pack wrote, or a sum of several such vectors.
func UnpackNormalEquations(types int, v []float64) (*NormalEquations, error) {
	if len(v) != types*types+types+2 {
		return nil, fmt.Errorf("normal equations of %d types have %d numbers, got %d", types, types*types+types+2, len(v))
	}
	q := NewNormalEquations(types)
	copy(q.ATA, v)
	copy(q.ATB, v[types*types:])
	q.BB, q.N = v[len(v)-2], v[len(v)-1]
	return q, nil
}

// Solve gives the minimum-norm reference. Squaring the problem costs half of the digits: eigenvalues below 1e-12 of
// the largest count as zero, and energies should have known offsets (isolated atoms) taken off first when they are
// many orders of magnitude larger than what is to be resolved. Std is the root mean square of the residual.
func (q *NormalEquations) Solve(preset []*float64) (Reference, error) {
	if q.N <= 0 {
		return Reference{}, errors.New("energy reference: no frame has an energy")
	}
	n := q.Types
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for s := range n {
		if at(preset, s) != nil {
			continue
		}
		rest := q.ATB[s]
		for t := range n {
			if fixed := at(preset, t); fixed != nil {
				rest -= q.ATA[s*n+t] * *fixed
			} else {
				a.Set(s, t, q.ATA[s*n+t])
			}
		}
		b.SetVec(s, rest)
	}
	x, rank, err := minimumNorm(a, b, 1e-12)
	if err != nil {
		return Reference{}, err
	}
	ref := Reference{PerType: withPresets(x, preset), Rank: rank}
	square := q.BB
	for s := range n {
		square -= 2 * ref.PerType[s] * q.ATB[s]
		for t := range n {
			square += ref.PerType[s] * q.ATA[s*n+t] * ref.PerType[t]
		}
	}
	ref.Std = math.Sqrt(max(0, square/q.N))
	ref.Present = present(n, func(t int) bool { return q.ATA[t*n+t] > 0 })
	return ref, nil
}
