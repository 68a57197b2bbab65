package dpa2

import "math"

// Metrics are the errors of one step, as sums from which means over any number of steps can be made.
type Metrics struct {
	Loss   float64
	Frames int
	Energy ErrorSum // per atom: (E−Ê)/N, eV; one entry per frame
	Force  ErrorSum // components, eV/Å
	Virial ErrorSum // components per atom: (W−Ŵ)/N, eV
}

// ErrorSum accumulates errors of one kind.
type ErrorSum struct {
	N            int     // entries
	Squares, Abs float64 // Σ e², Σ |e|
}

// RMS returns √(Σ e²/N), NaN without entries.
func (s ErrorSum) RMS() float64 { return math.Sqrt(s.Squares / float64(s.N)) }

// MAE returns Σ|e|/N, NaN without entries.
func (s ErrorSum) MAE() float64 { return s.Abs / float64(s.N) }

func (s *ErrorSum) add(e float64) {
	s.N++
	s.Squares += e * e
	s.Abs += math.Abs(e)
}

// Merge adds the entries of another sum.
func (s *ErrorSum) Merge(o ErrorSum) {
	s.N += o.N
	s.Squares += o.Squares
	s.Abs += o.Abs
}

// Merge adds the errors of another step; Loss stays that of the last.
func (m *Metrics) Merge(o Metrics) {
	m.Loss = o.Loss
	m.Frames += o.Frames
	m.Energy.Merge(o.Energy)
	m.Force.Merge(o.Force)
	m.Virial.Merge(o.Virial)
}

// compare adds up the errors of predictions for the frames of a batch that have labels. energy holds energies of
// frames without references, as l does; force and virial may be nil.
func (m *Metrics) compare(b *Batch, l *labels, energy, force, virial []float64) {
	m.Frames += b.NumFrames()
	for f, s := range b.samples {
		n := float64(s.NumAtoms())
		if s.energy != nil {
			m.Energy.add((energy[f] - l.energy[f]) / n)
		}
		if s.forces != nil && force != nil {
			for k := 3 * b.first[f]; k < 3*b.first[f+1]; k++ {
				m.Force.add(force[k] - l.force[k])
			}
		}
		if s.virial != nil && virial != nil {
			for k := 9 * f; k < 9*f+9; k++ {
				m.Virial.add((virial[k] - l.virial[k]) / n)
			}
		}
	}
}
