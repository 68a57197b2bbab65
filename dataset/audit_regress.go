package dataset

import (
	"cmp"
	"math"
	"slices"
)

// tukey is the usual constant of the biweight, in standard deviations: 95 % efficiency for normal errors.
const tukey = 4.685

// regress returns slope and correlation of differences on work, through the origin: which frame of a pair comes first
// has no meaning. The error is in the work, not in the difference, so the line is fitted the other way round, as
// work = t · difference, and inverted; the plain slope would shrink with the error.
//
// The fit is robust (least absolute deviations, then Tukey's biweight), because pairs that lie on two electronic
// states are found in sound data. It does not help labels that are wrong throughout.
func regress(pairs []pair) (slope, correlation float64) {
	t := medianRatio(pairs)
	trust := make([]float64, len(pairs))
	for range 30 {
		biweight(pairs, t, trust)
		if _, xy, yy := moments(pairs, trust); yy > 0 {
			t = xy / yy
		}
	}
	xx, xy, yy := moments(pairs, trust)
	if xx == 0 || xy == 0 || yy == 0 {
		return 0, 0
	}
	return yy / xy, xy / math.Sqrt(xx*yy)
}

// biweight sets the trust in each pair: its weight, less the farther it is from the line, none beyond 4.7 deviations.
func biweight(pairs []pair, t float64, trust []float64) {
	for i, p := range pairs {
		trust[i] = math.Abs(p.work-t*p.difference) * math.Sqrt(p.weight)
	}
	width := max(tukey*1.4826*median(trust), 1e-300)
	for i, p := range pairs {
		u := min(trust[i]/width, 1)
		trust[i] = p.weight * (1 - u*u) * (1 - u*u)
	}
}

// moments returns the sums of work·work, work·difference and difference·difference.
func moments(pairs []pair, trust []float64) (xx, xy, yy float64) {
	for i, p := range pairs {
		xx += trust[i] * p.work * p.work
		xy += trust[i] * p.work * p.difference
		yy += trust[i] * p.difference * p.difference
	}
	return xx, xy, yy
}

// medianRatio returns the t that makes the sum of |work - t difference| · sqrt(weight) smallest: the median of the
// ratios, weighted by |difference| · sqrt(weight).
func medianRatio(pairs []pair) float64 {
	type ratio struct{ value, weight float64 }
	var ratios []ratio
	total := 0.0
	for _, p := range pairs {
		if p.difference != 0 {
			w := math.Abs(p.difference) * math.Sqrt(p.weight)
			ratios = append(ratios, ratio{p.work / p.difference, w})
			total += w
		}
	}
	slices.SortFunc(ratios, func(a, b ratio) int { return cmp.Compare(a.value, b.value) })
	sum := 0.0
	for _, r := range ratios {
		if sum += r.weight; sum >= total/2 {
			return r.value
		}
	}
	return 0
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}
