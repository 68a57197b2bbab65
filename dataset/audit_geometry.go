package dataset

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
)

// shortestDistance returns the shortest distance between two real atoms, Å; 0 if there is only one atom. In a periodic
// cell the nearest image is found by rounding fractional coordinates, which is exact for distances below half of the
// cell's smallest height: long distances may come out too long, dangerous ones never.
func shortestDistance(f *Frame) float64 {
	m := newMetric(f.Cell)
	shortest := math.Inf(1)
	for i := range f.Species {
		for j := range i {
			if f.Species[i] == "" || f.Species[j] == "" {
				continue
			}
			d := m.nearest([3]float64{f.Positions[3*i] - f.Positions[3*j], f.Positions[3*i+1] - f.Positions[3*j+1], f.Positions[3*i+2] - f.Positions[3*j+2]})
			shortest = min(shortest, d[0]*d[0]+d[1]*d[1]+d[2]*d[2])
		}
	}
	if math.IsInf(shortest, 1) {
		return 0
	}
	return math.Max(math.Sqrt(shortest), 1e-9) // 0 means that there is no distance
}

// A metric measures vectors in a cell; nil cell means open boundaries.
type metric struct {
	cell    *[9]float64
	inverse [9]float64 // fractional = vector · inverse
}

func newMetric(cell *[9]float64) metric {
	if cell == nil {
		return metric{}
	}
	c := cell
	det := c[0]*(c[4]*c[8]-c[5]*c[7]) - c[1]*(c[3]*c[8]-c[5]*c[6]) + c[2]*(c[3]*c[7]-c[4]*c[6])
	inverse := [9]float64{
		c[4]*c[8] - c[5]*c[7], c[2]*c[7] - c[1]*c[8], c[1]*c[5] - c[2]*c[4],
		c[5]*c[6] - c[3]*c[8], c[0]*c[8] - c[2]*c[6], c[2]*c[3] - c[0]*c[5],
		c[3]*c[7] - c[4]*c[6], c[1]*c[6] - c[0]*c[7], c[0]*c[4] - c[1]*c[3],
	}
	for k := range inverse {
		inverse[k] /= det
	}
	return metric{cell, inverse}
}

func (m *metric) nearest(d [3]float64) [3]float64 {
	if m.cell == nil {
		return d
	}
	out := d
	for k := range 3 {
		shift := math.Round(d[0]*m.inverse[k] + d[1]*m.inverse[3+k] + d[2]*m.inverse[6+k])
		for x := range 3 {
			out[x] -= shift * m.cell[3*k+x]
		}
	}
	return out
}

// maxRearranged bounds the search for rearranged copies, whose cost is that of all distances.
const maxRearranged = 256

// countCopies counts frames that equal an earlier one exactly, and among the others those that equal one but for
// rotation, reflection, translation or order of atoms. The second kind is looked for in open frames of at most
// maxRearranged atoms only.
func countCopies(frames []*Frame) (exact, rearranged int) {
	seen := map[Fingerprint]bool{}
	shapes := map[Fingerprint]bool{}
	for _, f := range frames {
		print := f.Fingerprint()
		if seen[print] {
			exact++
			continue
		}
		seen[print] = true
		if f.Cell != nil || len(f.Species) > maxRearranged || len(f.Species) < 2 {
			continue
		}
		shape := shapeOf(f)
		if shapes[shape] {
			rearranged++
		}
		shapes[shape] = true
	}
	return exact, rearranged
}

// shapeOf hashes the sorted distances, each with the two elements, rounded to 1e-3 Å.
func shapeOf(f *Frame) Fingerprint {
	var distances []string
	for i := range f.Species {
		for j := range i {
			square := 0.0
			for k := range 3 {
				d := f.Positions[3*i+k] - f.Positions[3*j+k]
				square += d * d
			}
			a, b := min(f.Species[i], f.Species[j]), max(f.Species[i], f.Species[j])
			distances = append(distances, fmt.Sprintf("%s\x00%s\x00%.3f\x00", a, b, math.Sqrt(square)))
		}
	}
	slices.Sort(distances)
	h := sha256.New()
	for _, d := range distances {
		h.Write([]byte(d))
	}
	return Fingerprint(h.Sum(nil))
}
