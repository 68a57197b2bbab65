package robust

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var rules = map[string]Rule{"mean": Mean{}, "median": Median{}, "trimmed": TrimmedMean{2}, "geometric": GeometricMedian{}}

func gaussians(r *rand.Rand, groups, dim int) [][]float64 {
	out := make([][]float64, groups)
	for g := range out {
		out[g] = make([]float64, dim)
		for k := range out[g] {
			out[g][k] = r.NormFloat64()
		}
	}
	return out
}

func aggregate(t testing.TB, rule Rule, means [][]float64) []float64 {
	t.Helper()
	out, err := Aggregate(rule, means)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRules(t *testing.T) {
	negative := math.Copysign(0, -1)
	for name, c := range map[string]struct {
		rule  Rule
		means [][]float64
		want  []float64
	}{
		"mean":                 {Mean{}, [][]float64{{1, 2}, {3, 6}}, []float64{2, 4}},
		"median of three":      {Median{}, [][]float64{{5, 1}, {1, 9}, {2, 3}}, []float64{2, 3}},
		"median of four":       {Median{}, [][]float64{{5}, {1}, {2}, {100}}, []float64{3.5}},
		"median of one":        {Median{}, [][]float64{{5}}, []float64{5}},
		"trimmed":              {TrimmedMean{1}, [][]float64{{1e9}, {1}, {3}, {-1e9}}, []float64{2}},
		"trimmed by nothing":   {TrimmedMean{}, [][]float64{{1}, {3}}, []float64{2}},
		"geometric of equals":  {GeometricMedian{}, [][]float64{{1, 2}, {1, 2}, {1, 2}, {9, 9}}, []float64{1, 2}},
		"geometric of a line":  {GeometricMedian{200}, [][]float64{{0, 0}, {1, 1}, {5, 5}}, []float64{1, 1}},
		"geometric of squares": {GeometricMedian{200}, [][]float64{{0, 0}, {2, 0}, {2, 2}, {0, 2}}, []float64{1, 1}},
		// Fermat point of a right triangle with legs of 1: both coordinates are (3-sqrt 3)/6.
		"geometric of a triangle": {GeometricMedian{1000}, [][]float64{{0, 0}, {1, 0}, {0, 1}}, []float64{(3 - math.Sqrt(3)) / 6, (3 - math.Sqrt(3)) / 6}},
		"negative zeros":          {Median{}, [][]float64{{0}, {negative}, {negative}}, []float64{0}},
		"no coordinates":          {Median{}, [][]float64{{}, {}}, []float64{}},
	} {
		got := aggregate(t, c.rule, c.means)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for k := range got {
			if math.Abs(got[k]-c.want[k]) > 1e-9 || math.Signbit(got[k]) != math.Signbit(c.want[k]) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

func TestMeansThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		rule  Rule
		means [][]float64
	}{
		"no groups": {Median{}, nil}, "ragged": {Median{}, [][]float64{{1}, {1, 2}}}, "not a number": {Mean{}, [][]float64{{math.NaN()}}},
		"endless": {GeometricMedian{}, [][]float64{{1}, {math.Inf(-1)}}}, "huge": {GeometricMedian{}, [][]float64{{2 * MaxValue}, {1}}},
		"all trimmed": {TrimmedMean{1}, [][]float64{{1}, {2}}}, "trimmed negatively": {TrimmedMean{-1}, [][]float64{{1}, {2}}},
		"no iterations": {GeometricMedian{-1}, [][]float64{{1}, {2}}}, "endless iterations": {GeometricMedian{1001}, [][]float64{{1}, {2}}},
	} {
		if out, err := Aggregate(c.rule, c.means); err == nil {
			t.Errorf("%s: %v", name, out)
		}
	}
}

// TestBits pins results in their last bit: members sign what follows from them, on any machine.
func TestBits(t *testing.T) {
	means := make([][]float64, 8) // exact numbers that need no arithmetic with rounding
	for g := range means {
		for k := range 3 {
			means[g] = append(means[g], float64((7919*(g+1)*(k+2)*(k+2))%1009)/1024-0.5)
		}
	}
	for name, want := range map[string]string{
		"mean":      "3f8a800000000000 bf97e00000000000 bfa9500000000000 ",
		"median":    "bf98000000000000 bf8b000000000000 3f50000000000000 ",
		"trimmed":   "3f8a800000000000 bfa1200000000000 bfa0000000000000 ",
		"geometric": "3f7c1777161e3dcc 3f9bb2b3bf68a962 bfb8f2c773c6c867 ",
	} {
		got := ""
		for _, x := range aggregate(t, rules[name], means) {
			got += fmt.Sprintf("%016x ", math.Float64bits(x))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestSymmetry: rules follow shifts, scales and the order of coordinates, and the coordinate-wise ones forget the order of groups.
func TestSymmetry(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	means := gaussians(r, 9, 20)
	moved := make([][]float64, len(means))
	for g := range means {
		for _, x := range means[g] {
			moved[len(means)-1-g] = append(moved[len(means)-1-g], 4*x+1)
		}
		slices.Reverse(moved[len(means)-1-g])
	}
	for name, rule := range rules {
		a, b := aggregate(t, rule, means), aggregate(t, rule, moved)
		for k := range a {
			if math.Abs(4*a[k]+1-b[19-k]) > 1e-12 {
				t.Errorf("%s: coordinate %d: %v, want %v", name, k, b[19-k], 4*a[k]+1)
			}
		}
		slices.Reverse(means)
		if c := aggregate(t, rule, means); (name == "median" || name == "trimmed") && !slices.Equal(a, c) {
			t.Errorf("%s depends on the order of groups", name)
		}
	}
}

// TestBreakdown: as many groups as a rule withstands say anything at all, the result stays near the others; with one more it does not, which
// is the control.
func TestBreakdown(t *testing.T) {
	const groups, dim = 11, 30
	r := rand.New(rand.NewPCG(5, 6))
	for name, rule := range rules {
		for _, lie := range []float64{1e3, 1e12, 1e99} {
			for extra := range 2 {
				means := gaussians(r, groups, dim)
				for g := range rule.Withstands(groups) + extra {
					for k := range dim {
						means[g][k] = lie
					}
				}
				largest := 0.0
				for _, x := range aggregate(t, rule, means) {
					largest = max(largest, math.Abs(x))
				}
				if far := largest > 10; far != (extra > 0) {
					t.Errorf("%s, %d groups at %g: result up to %g", name, rule.Withstands(groups)+extra, lie, largest)
				}
			}
		}
	}
	for _, c := range []struct {
		rule         Rule
		groups, want int
	}{
		{Mean{}, 9, 0}, {Median{}, 0, 0}, {Median{}, 1, 0}, {Median{}, 2, 0}, {Median{}, 3, 1}, {Median{}, 10, 4}, {GeometricMedian{}, 10, 4},
		{TrimmedMean{2}, 10, 2}, {TrimmedMean{5}, 10, 0}, {TrimmedMean{-1}, 10, 0},
	} {
		if got := c.rule.Withstands(c.groups); got != c.want {
			t.Errorf("%#v of %d groups withstands %d, want %d", c.rule, c.groups, got, c.want)
		}
	}
}
