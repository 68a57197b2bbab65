package robust

import (
	"math"
	"math/rand/v2"
	"testing"
)

// efficiency is the variance of the plain mean of Gaussian groups over that of a rule, measured in coordinates that have
// nothing to do with each other.
func efficiency(t *testing.T, rule Rule, groups, dim, drawings int) float64 {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(groups), uint64(dim)))
	sum := 0.0
	for range drawings {
		for _, x := range aggregate(t, rule, gaussians(r, groups, dim)) {
			sum += x * x
		}
	}
	return float64(dim*drawings) / float64(groups) / sum
}

// TestEfficiencyOfTheMedian compares with Dixon (1957) for few groups, and with the limit 2/pi.
func TestEfficiencyOfTheMedian(t *testing.T) {
	for _, c := range []struct {
		groups int
		want   float64
	}{{1, 1}, {2, 1}, {3, 0.743}, {4, 0.838}, {5, 0.697}, {7, 0.679}, {10, 0.723}, {301, 2 / math.Pi}} {
		if got := efficiency(t, Median{}, c.groups, 1000, 15+45*min(1, 10/c.groups)); math.Abs(got/c.want-1) > 0.035 {
			t.Errorf("%d groups: %.3f, want %.3f", c.groups, got, c.want)
		}
	}
}

// TestEfficiencyOfTheTrimmedMean compares with the limit for many groups (Huber, Robust Statistics, section 3.3): with ξ the quantile of
// 1-α, the variance is (2 integral of x² from 0 to ξ + 2αξ²)/(1-2α)².
func TestEfficiencyOfTheTrimmedMean(t *testing.T) {
	for _, c := range []struct {
		groups, trim int
	}{{200, 10}, {200, 20}, {200, 50}, {200, 80}} {
		alpha := float64(c.trim) / float64(c.groups)
		xi := math.Sqrt2 * math.Erfinv(1-2*alpha)
		inside := (1-2*alpha)/2 - xi*math.Exp(-xi*xi/2)/math.Sqrt(2*math.Pi) // integral of x² times the density
		want := (1 - 2*alpha) * (1 - 2*alpha) / (2*inside + 2*alpha*xi*xi)
		if got := efficiency(t, TrimmedMean{c.trim}, c.groups, 1000, 15); math.Abs(got/want-1) > 0.035 {
			t.Errorf("%d of %d cut off: %.3f, want %.3f", c.trim, c.groups, got, want)
		}
	}
}

// TestEfficiencyOfTheGeometricMedian compares with the limit for many groups (Brown 1983): in d dimensions, with r the length of a Gaussian
// vector, d (1-1/d)² (E 1/r)². It tends to 1 as d grows, which is why this rule is cheap for honest federations.
func TestEfficiencyOfTheGeometricMedian(t *testing.T) {
	for _, c := range []struct{ groups, dim, drawings int }{{100, 2, 4000}, {100, 3, 3000}, {100, 10, 1000}, {30, 300, 60}} {
		d := float64(c.dim)
		a, _ := math.Lgamma((d - 1) / 2)
		b, _ := math.Lgamma(d / 2)
		inverse := math.Exp(a-b) / math.Sqrt2
		want := d * (1 - 1/d) * (1 - 1/d) * inverse * inverse
		if got := efficiency(t, GeometricMedian{}, c.groups, c.dim, c.drawings); math.Abs(got/want-1) > 0.04 {
			t.Errorf("%d dimensions: %.3f, want %.3f", c.dim, got, want)
		}
	}
}

// TestEfficiencyTable checks the table of the package comment, for ten groups.
func TestEfficiencyTable(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		want float64
	}{
		"median": {Median{}, 0.72}, "trimmed by 1": {TrimmedMean{1}, 0.95}, "trimmed by 2": {TrimmedMean{2}, 0.88},
		"trimmed by 3": {TrimmedMean{3}, 0.81}, "geometric": {GeometricMedian{}, 1.00},
	} {
		if got := efficiency(t, c.rule, 10, 1000, 60); math.Abs(got-c.want) > 0.015 {
			t.Errorf("%s: %.3f, want %.2f", name, got, c.want)
		}
	}
}
