package secagg

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNarrowIsUnbiased: the mean of what one update decodes to, over many seeds, is the update.
func TestNarrowIsUnbiased(t *testing.T) {
	const n, seeds = 512, 2000
	q := testNarrow(t, narrowConfig(200, NarrowGroup{"g", n, 1e9, 1}))
	u := normalVector(n, 3)
	total, squares := make([]float64, n), 0.0
	for s := range seeds {
		out := mustNarrow(t, q, u, 1, s)
		mean, err := q.Dequantize(out.Lanes, 1)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range mean.Values {
			total[k] += v
			squares += (v - u[k]) * (v - u[k])
		}
	}
	sigma := math.Sqrt(squares / n / seeds) // of one decoded value
	chi := 0.0
	for k := range total {
		z := (total[k]/seeds - u[k]) / (sigma / math.Sqrt(seeds))
		if math.Abs(z) > 6 {
			t.Errorf("value %d is off by %.1f standard errors on average", k, z)
		}
		chi += z * z
	}
	t.Logf("standard deviation of a decoded value %.4f sigma, of a uniform rounding error %.4f", sigma, q.step()/math.Sqrt(6))
	if z := (chi - n) / math.Sqrt(2*n); math.Abs(z) > 6 {
		t.Errorf("squared errors are off by %.1f standard deviations: biased, or lanes not independent", z)
	}
}

// TestNarrowRotationWinsOnOutliers reports the error of the mean of 200 members at 8 bits a value, and compares it with
// lanes that are not rotated: of the same saturation, and saturating at the largest value of anyone, which in practice nobody knows.
func TestNarrowRotationWinsOnOutliers(t *testing.T) {
	const n, members = 1<<13 + 77, 200
	for _, c := range []struct {
		name       string
		value      func(rng *rand.Rand) float64
		own        float64 // part of a member's update that nobody else has
		limit      float64 // of the relative L2 error
		same, wide float64 // factors by which rotation wins at least
	}{
		{"Gaussian, all agree", (*rand.Rand).NormFloat64, 0, 0.0015, 0, 0},
		{"Gaussian, half in common", (*rand.Rand).NormFloat64, 1, 0.002, 0, 0},
		{"Gaussian, nothing in common", (*rand.Rand).NormFloat64, math.Inf(1), 0.02, 0, 0},
		{"one in a hundred", sparse(0.01), 1, 0.002, 100, 0},
		{"one in a thousand", sparse(0.001), 1, 0.002, 100, 0},
		{"heavy tails (Student, 2 degrees)", student, 1, 0.002, 100, 4},
		{"one in a thousand a hundredfold", spikes, 1, 0.002, 100, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			updates, want := manyUpdates(n, members, c.value, c.own)
			config := narrowConfig(members, NarrowGroup{"g", n, 1e9, 1})
			q := testNarrow(t, config)
			rotated := meanError(t, q, updates, want)
			plain := *q
			plain.rotation = &rotation{block: 1, signs: q.rotation.signs, size: n}
			same := meanError(t, &plain, updates, want)
			for _, u := range updates {
				plain.c.Saturation = max(plain.c.Saturation, slices.Max(u), -slices.Min(u))
			}
			wide := meanError(t, &plain, updates, want)
			t.Logf("relative L2 error of the mean: %.5f rotated; %.5f not; %.5f not, with lanes up to %.0f sigma", rotated, same, wide, plain.c.Saturation)
			if rotated > c.limit || same < c.same*rotated || wide < c.wide*rotated {
				t.Errorf("want at most %v rotated, %v and %v times less than without", c.limit, c.same, c.wide)
			}
		})
	}
}

func spikes(rng *rand.Rand) float64 {
	if rng.IntN(1000) == 0 {
		return 100 * rng.NormFloat64()
	}
	return rng.NormFloat64()
}

func sparse(fraction float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 {
		if rng.Float64() >= fraction {
			return 0
		}
		return rng.NormFloat64()
	}
}

func student(rng *rand.Rand) float64 {
	return rng.NormFloat64() / math.Sqrt(rng.ExpFloat64())
}

// manyUpdates draws updates of root mean square 1: a part in common, and one of own times that length.
func manyUpdates(n, members int, value func(*rand.Rand) float64, own float64) (updates [][]float64, mean []float64) {
	rng := rand.New(rand.NewPCG(11, 12))
	common, mean := make([]float64, n), make([]float64, n)
	for k := range common {
		common[k] = value(rng)
	}
	for range members {
		u := make([]float64, n)
		for k := range u {
			switch {
			case own == 0:
				u[k] = common[k]
			case math.IsInf(own, 1):
				u[k] = value(rng)
			default:
				u[k] = common[k] + own*value(rng)
			}
		}
		unit := 1 / rootMeanSquare(u)
		for k := range u {
			u[k] *= unit
			mean[k] += u[k] / float64(members)
		}
		updates = append(updates, u)
	}
	return updates, mean
}

// meanError is the relative L2 error of the decoded mean.
func meanError(t *testing.T, q *Narrow, updates [][]float64, want []float64) float64 {
	t.Helper()
	sum := make([]uint32, q.Lanes())
	for i, u := range updates {
		add16(sum, mustNarrow(t, q, u, 1, i).Lanes)
	}
	mean, err := q.Dequantize(sum, len(updates))
	if err != nil {
		t.Fatal(err)
	}
	return distance(mean.Values, want)
}
