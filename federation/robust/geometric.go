package robust

import (
	"fmt"
	"math"
	"slices"
)

// DefaultIterations of the geometric median.
const DefaultIterations = 16

// nearest, times the median distance from the start, is the distance below which a group is not weighted more.
const nearest = 1e-6

// GeometricMedian is the point with the least sum of distances to the groups (Pillutla et al. 2022). It starts from the
// coordinate-wise median and takes a fixed number of Weiszfeld's steps, each a mean weighted by inverse distances.
type GeometricMedian struct {
	Iterations int // 1 to 1000; 0 means DefaultIterations
}

// Withstands is part of Rule: fewer than half.
func (GeometricMedian) Withstands(groups int) int { return Median{}.Withstands(groups) }

func (r GeometricMedian) aggregate(out []float64, means [][]float64) error {
	if r.Iterations == 0 {
		r.Iterations = DefaultIterations
	}
	if r.Iterations < 1 || r.Iterations > 1000 {
		return fmt.Errorf("geometric median: %d iterations, want 1 to 1000", r.Iterations)
	}
	if err := (Median{}).aggregate(out, means); err != nil {
		return err
	}
	weights := distances(out, means)
	ordered := slices.Sorted(slices.Values(weights))
	least := nearest * ordered[(len(ordered)-1)/2]
	if least == 0 {
		return nil // half of the groups are where the others are told to go: this is a geometric median
	}
	for step := range r.Iterations {
		if step > 0 {
			weights = distances(out, means)
		}
		for g, d := range weights {
			weights[g] = 1 / max(d, least)
		}
		weightedMean(out, means, weights)
	}
	return nil
}

// distances returns the Euclidean distance of every group from a point.
func distances(point []float64, means [][]float64) []float64 {
	out := make([]float64, len(means))
	for g, mean := range means {
		squares := 0.0
		for k, x := range mean {
			d := x - point[k]
			squares += float64(d * d)
		}
		out[g] = math.Sqrt(squares)
	}
	return out
}

func weightedMean(out []float64, means [][]float64, weights []float64) {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	for k := range out {
		sum := 0.0
		for g, mean := range means {
			sum += float64(weights[g] / total * mean[k])
		}
		out[k] = sum
	}
}
