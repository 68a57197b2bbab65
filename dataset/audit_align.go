package dataset

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// A shape is a frame prepared for superposition: real atoms only, centred if the boundaries are open.
type shape struct {
	frame  *Frame
	metric metric
	atoms  []int        // indices of the real atoms
	x      [][3]float64 // their positions, Å
	norm   float64      // sum of squares of x
}

func newShape(f *Frame) *shape {
	s := &shape{frame: f, metric: newMetric(f.Cell)}
	var centre [3]float64
	for i, name := range f.Species {
		if name == "" {
			continue
		}
		p := [3]float64(f.Positions[3*i : 3*i+3])
		s.atoms, s.x = append(s.atoms, i), append(s.x, p)
		for k := range 3 {
			centre[k] += p[k]
		}
	}
	if f.Cell != nil {
		return s
	}
	for i := range s.x {
		for k := range 3 {
			s.x[i][k] -= centre[k] / float64(len(s.x))
			s.norm += s.x[i][k] * s.x[i][k]
		}
	}
	return s
}

// distance returns the rms displacement per atom, Å: after the best rotation for open frames, by nearest images and
// without the mean for periodic ones.
func (s *shape) distance(t *shape) float64 {
	n := float64(len(s.x))
	if s.frame.Cell != nil {
		var sum [3]float64
		square := 0.0
		for i := range s.x {
			d := s.step(t, i)
			for k := range 3 {
				sum[k] += d[k]
				square += d[k] * d[k]
			}
		}
		return math.Sqrt(max(0, square-(sum[0]*sum[0]+sum[1]*sum[1]+sum[2]*sum[2])/n) / n)
	}
	return math.Sqrt(max(0, s.norm+t.norm-2*largestRoot(s.products(t), (s.norm+t.norm)/2)) / n)
}

// step returns how atom i moved from s to t in a periodic cell, Å. An atom that moved by more than half a cell looks as
// if it moved less; such frames are far from similar.
func (s *shape) step(t *shape, i int) [3]float64 {
	return s.metric.nearest([3]float64{t.x[i][0] - s.x[i][0], t.x[i][1] - s.x[i][1], t.x[i][2] - s.x[i][2]})
}

// displacements of a periodic frame t against s, Å, without their mean.
func (s *shape) displacements(t *shape) [][3]float64 {
	out := make([][3]float64, len(s.x))
	var mean [3]float64
	for i := range out {
		out[i] = s.step(t, i)
		for k := range 3 {
			mean[k] += out[i][k] / float64(len(out))
		}
	}
	for i := range out {
		for k := range 3 {
			out[i][k] -= mean[k]
		}
	}
	return out
}

// products returns M[a][b] = sum over atoms of t_a s_b.
func (s *shape) products(t *shape) (m [3][3]float64) {
	for i := range s.x {
		for a := range 3 {
			for b := range 3 {
				m[a][b] += t.x[i][a] * s.x[i][b]
			}
		}
	}
	return m
}

// key returns the symmetric 4x4 matrix whose largest eigenvalue is the overlap after the best rotation and whose
// eigenvector is that rotation as a quaternion (B. K. P. Horn, J. Opt. Soc. Am. A 4, 629 (1987)).
func key(m [3][3]float64) [16]float64 {
	return [16]float64{
		m[0][0] + m[1][1] + m[2][2], m[1][2] - m[2][1], m[2][0] - m[0][2], m[0][1] - m[1][0],
		m[1][2] - m[2][1], m[0][0] - m[1][1] - m[2][2], m[0][1] + m[1][0], m[2][0] + m[0][2],
		m[2][0] - m[0][2], m[0][1] + m[1][0], m[1][1] - m[0][0] - m[2][2], m[1][2] + m[2][1],
		m[0][1] - m[1][0], m[2][0] + m[0][2], m[1][2] + m[2][1], m[2][2] - m[0][0] - m[1][1],
	}
}

// largestRoot finds the largest eigenvalue of key(m) by Newton's method on its characteristic polynomial, from an upper
// bound (D. L. Theobald, Acta Cryst. A 61, 478 (2005)): all pairs need it, few need the rotation.
func largestRoot(m [3][3]float64, bound float64) float64 {
	squares := 0.0
	for a := range 3 {
		for b := range 3 {
			squares += m[a][b] * m[a][b]
		}
	}
	det := m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) + m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	c2, c1, c0 := -2*squares, -8*det, determinant4(key(m))
	root := bound
	for range 50 {
		value := ((root*root+c2)*root+c1)*root + c0
		slope := (4*root*root+2*c2)*root + c1
		if slope == 0 {
			break
		}
		next := root - value/slope
		if math.Abs(next-root) < 1e-12*math.Abs(root) {
			return next
		}
		root = next
	}
	return root
}

func determinant4(k [16]float64) float64 {
	det := 0.0
	for c := range 4 {
		var m [9]float64
		at := 0
		for row := 1; row < 4; row++ {
			for col := range 4 {
				if col != c {
					m[at] = k[4*row+col]
					at++
				}
			}
		}
		minor := m[0]*(m[4]*m[8]-m[5]*m[7]) - m[1]*(m[3]*m[8]-m[5]*m[6]) + m[2]*(m[3]*m[7]-m[4]*m[6])
		if c%2 == 1 {
			minor = -minor
		}
		det += k[c] * minor
	}
	return det
}

// rotation returns the matrix R, rows first, that brings t onto s: s ≈ R t.
func (s *shape) rotation(t *shape) [3][3]float64 {
	k := key(s.products(t))
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(4, k[:]), true) {
		return [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	}
	var v mat.Dense
	eigen.VectorsTo(&v)
	w, x, y, z := v.At(0, 3), v.At(1, 3), v.At(2, 3), v.At(3, 3) // eigenvalues ascend
	return [3][3]float64{
		{w*w + x*x - y*y - z*z, 2 * (x*y - w*z), 2 * (x*z + w*y)},
		{2 * (x*y + w*z), w*w - x*x + y*y - z*z, 2 * (y*z - w*x)},
		{2 * (x*z - w*y), 2 * (y*z + w*x), w*w - x*x - y*y + z*z},
	}
}

// work returns -1/2 (F1 + F2)·(x2 - x1), eV, with t as the second frame, turned onto s, and the cube of each atom's
// displacement, Å^3.
func (s *shape) work(t *shape) (work float64, cubes []float64) {
	turn := [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	var moved [][3]float64
	if s.frame.Cell != nil {
		moved = s.displacements(t)
	} else {
		turn = s.rotation(t)
		moved = make([][3]float64, len(s.x))
		for i := range moved {
			p := apply(turn, t.x[i])
			for k := range 3 {
				moved[i][k] = p[k] - s.x[i][k]
			}
		}
	}
	for i := range moved {
		cubes = append(cubes, math.Pow(moved[i][0]*moved[i][0]+moved[i][1]*moved[i][1]+moved[i][2]*moved[i][2], 1.5))
		f1 := s.frame.Forces[3*s.atoms[i] : 3*s.atoms[i]+3]
		f2 := apply(turn, [3]float64(t.frame.Forces[3*t.atoms[i]:3*t.atoms[i]+3]))
		for k := range 3 {
			work -= 0.5 * (f1[k] + f2[k]) * moved[i][k]
		}
	}
	return work, cubes
}

func apply(m [3][3]float64, v [3]float64) (out [3]float64) {
	for a := range 3 {
		out[a] = m[a][0]*v[0] + m[a][1]*v[1] + m[a][2]*v[2]
	}
	return out
}
