package robust

import "fmt"

// Names of the rules, for federations to choose from.
const (
	NameMedian          = "median"
	NameTrimmedMean     = "trimmed-mean"
	NameGeometricMedian = "geometric-median"
)

// Named returns a rule by its name for that many groups. The trimmed mean cuts off a fifth of the groups at either end, one at least.
func Named(name string, groups int) (Rule, error) {
	switch name {
	case NameMedian:
		return Median{}, nil
	case NameTrimmedMean:
		return TrimmedMean{Trim: max(1, groups/5)}, nil
	case NameGeometricMedian:
		return GeometricMedian{}, nil
	}
	return nil, fmt.Errorf("robust mean: unknown rule %.20q, want %q, %q or %q", name, NameMedian, NameTrimmedMean, NameGeometricMedian)
}
