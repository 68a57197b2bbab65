package robust

import (
	"fmt"
	"math"
)

// A Rule makes one vector of the means of several groups.
type Rule interface {
	// Withstands returns how many of that many groups can hold anything at all without moving the result out of reach of
	// the others: for coordinate-wise rules, out of the range of the honest groups in every coordinate.
	Withstands(groups int) int

	// aggregate writes the result to out. means are checked: of equal lengths, at least one, of moderate size.
	aggregate(out []float64, means [][]float64) error
}

// MaxValue is the largest magnitude that Aggregate accepts: sums of squares stay finite.
const MaxValue = 1e100

// Aggregate applies a rule to the means of groups, [group][coordinate], which are not changed. Every group counts the same, whatever its
// size. The result has the same bits on every machine and does not depend on the order of groups, but for
// Mean and GeometricMedian, which add up in that order. Errors: means that do not fit together or are not numbers, and a rule that needs more groups.
func Aggregate(rule Rule, means [][]float64) ([]float64, error) {
	if len(means) == 0 {
		return nil, fmt.Errorf("robust mean: no groups")
	}
	for g, mean := range means {
		if len(mean) != len(means[0]) {
			return nil, fmt.Errorf("robust mean: group %d has %d values, group 0 has %d", g, len(mean), len(means[0]))
		}
		for k, x := range mean {
			if !(math.Abs(x) <= MaxValue) {
				return nil, fmt.Errorf("robust mean: value %d of group %d is %v: leave the group out", k, g, x)
			}
		}
	}
	out := make([]float64, len(means[0]))
	if err := rule.aggregate(out, means); err != nil {
		return nil, err
	}
	return out, nil
}

// Mean is the plain mean of the groups. It withstands nothing.
type Mean struct{}

// Withstands is part of Rule.
func (Mean) Withstands(int) int { return 0 }

func (Mean) aggregate(out []float64, means [][]float64) error {
	for k := range out {
		sum := 0.0
		for _, mean := range means {
			sum += mean[k]
		}
		out[k] = sum / float64(len(means))
	}
	return nil
}

// Median is the coordinate-wise median; of an even number of groups, the mean of the two in the middle.
type Median struct{}

// Withstands is part of Rule: fewer than half.
func (Median) Withstands(groups int) int { return max(0, (groups-1)/2) }

func (Median) aggregate(out []float64, means [][]float64) error {
	g := len(means)
	column := make([]float64, g)
	for k := range out {
		sortColumn(column, means, k)
		out[k] = float64(column[(g-1)/2]+column[g/2]) / 2
	}
	return nil
}

// TrimmedMean is the coordinate-wise mean without the Trim largest and the Trim smallest values (Yin et al. 2018).
type TrimmedMean struct{ Trim int }

// Withstands is part of Rule: Trim, if anything is left.
func (r TrimmedMean) Withstands(groups int) int {
	if r.Trim < 0 || 2*r.Trim >= groups {
		return 0
	}
	return r.Trim
}

func (r TrimmedMean) aggregate(out []float64, means [][]float64) error {
	g := len(means)
	if r.Trim < 0 || 2*r.Trim >= g {
		return fmt.Errorf("trimmed mean: %d of %d groups are cut off at either end, want fewer than half", r.Trim, g)
	}
	column := make([]float64, g)
	for k := range out {
		sortColumn(column, means, k)
		sum := 0.0
		for _, x := range column[r.Trim : g-r.Trim] {
			sum += x
		}
		out[k] = sum / float64(g-2*r.Trim)
	}
	return nil
}

// sortColumn fills column with coordinate k of all groups, ascending. Groups are few: insertion. Negative zeros become
// zeros, so that equal numbers have equal bits and their order does not matter.
func sortColumn(column []float64, means [][]float64, k int) {
	for g, mean := range means {
		x := mean[k]
		if x == 0 {
			x = 0
		}
		i := g
		for ; i > 0 && column[i-1] > x; i-- {
			column[i] = column[i-1]
		}
		column[i] = x
	}
}

var (
	_ Rule = Mean{}
	_ Rule = Median{}
	_ Rule = TrimmedMean{}
	_ Rule = GeometricMedian{}
)
