package training

import (
	"fmt"
	"math"

	"github.com/fedlam/fedlam/training/neighbor"
)

// An EnvBlock says what statistics need to know of one block of the descriptor.
type EnvBlock struct {
	Path             string  // of the tensors davg and dstd, such as "descriptor/repinit_variable"
	RCut, RCutSmooth float64 // Å
	NSel             int
	Protection       float64 // env_protection, Å
}

// EnvStats accumulate the mean and spread of the environment matrix per block and centre type, over all neighbour slots
// including empty ones. They are plain sums: those of several data sets, or of several members, add up.
//
// Sums holds, for each block and type, n, Σx, Σx² of the radial component and then of the three angular ones pooled.
type EnvStats struct {
	Blocks []EnvBlock
	Types  int
	Sums   []float64 // [blocks x T x 2 x 3]
}

// Floors of DeePMD-kit ("data_stat_protect") and what a type without data gets.
const (
	minSpread     = 1e-2
	defaultSpread = 0.1
)

// NewEnvStats returns the statistics of nothing.
func NewEnvStats(blocks []EnvBlock, types int) *EnvStats {
	return &EnvStats{Blocks: blocks, Types: types, Sums: make([]float64, len(blocks)*types*6)}
}

// Add enters one frame. list is the neighbour list of the longest cut-off, untruncated or cut to the largest nsel;
// types holds the type of each atom, -1 for virtual ones; skip, when not nil, says which pairs the model excludes.
func (s *EnvStats) Add(list *neighbor.List, types []int32, skip func(centre, neighbour int32) bool) error {
	if len(list.Start) != len(types)+1 {
		return fmt.Errorf("statistics: neighbour list of %d atoms for %d types", len(list.Start)-1, len(types))
	}
	for b := range s.Blocks {
		for i, t := range types {
			if t >= 0 {
				s.addAtom(b, i, t, list, types, skip)
			}
		}
	}
	return nil
}

func (s *EnvStats) addAtom(b, i int, t int32, list *neighbor.List, types []int32, skip func(centre, neighbour int32) bool) {
	block := &s.Blocks[b]
	sums := s.at(b, int(t))
	slots := block.NSel
	first := int(list.Start[i])
	last := min(int(list.Start[i+1]), first+block.NSel)
	for e := first; e < last && list.Dist[e] <= block.RCut; e++ {
		if skip != nil && skip(t, types[list.Neighbor[e]]) {
			slots--
			continue
		}
		r := list.Dist[e] + block.Protection
		w := switchFunction(list.Dist[e], block.RCutSmooth, block.RCut)
		x := w / r
		sums[1] += x
		sums[2] += x * x
		for k := range 3 {
			x := w * list.Delta[3*e+k] / (r * r)
			sums[4] += x
			sums[5] += x * x
		}
	}
	sums[0] += float64(slots)
	sums[3] += float64(3 * slots)
}

// switchFunction is 1 below smooth, 0 above cut, and twice continuously differentiable.
func switchFunction(r, smooth, cut float64) float64 {
	u := max(0, min(1, (r-smooth)/(cut-smooth)))
	return 1 + u*u*u*(-6*u*u+15*u-10)
}

func (s *EnvStats) at(block, t int) []float64 {
	k := (block*s.Types + t) * 6
	return s.Sums[k : k+6]
}

// Merge adds the sums of o, which must be of the same blocks and types.
func (s *EnvStats) Merge(sums []float64) error {
	if len(sums) != len(s.Sums) {
		return fmt.Errorf("statistics: %d sums cannot be added to %d; the models differ", len(sums), len(s.Sums))
	}
	for k, v := range sums {
		s.Sums[k] += v
	}
	return nil
}

// A Spread is what the environment matrix of one centre type is normalised by: the mean of the radial component and
// the standard deviations of the radial and of the angular components.
type Spread struct{ Mean, Radial, Angular float64 }

// Spread returns the normalisation of a block and type.
func (s *EnvStats) Spread(block, t int) Spread {
	sums := s.at(block, t)
	mean, radial := spread(sums[0:3])
	_, angular := spread(sums[3:6])
	return Spread{mean, radial, angular}
}

func spread(sums []float64) (mean, std float64) {
	if sums[0] <= 0 {
		return 0, defaultSpread
	}
	mean = sums[1] / sums[0]
	return mean, max(minSpread, math.Sqrt(max(0, sums[2]/sums[0]-float64(mean*mean))))
}
