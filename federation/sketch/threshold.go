package sketch

import "math"

// threshold returns τ: an honest member's estimate exceeds τ·C² with a probability of at most epsilon, whatever its vector is
// within norm and peak. spike is m²R/(pC²), the share that one lane can have in a bucket's mean energy.
//
// First the energies v_r of the buckets are bounded (Bernstein's inequality for R buckets and their total; half of epsilon),
// then the squares of their signed sums, which have no heavier exponential moments than v_r times a chi-squared variable (the
// other half): Chernoff's bound for total/most degrees of freedom.
func threshold(rows int, rate, spike, epsilon float64) float64 {
	r := float64(rows)
	t := math.Log(2 * (r + 1) / epsilon)
	most := 1 + math.Sqrt(2*spike*t) + spike*t/3 // max v_r, in units of the mean pC²/R
	total := 1.0                                 // sum of v_r, in units of pC²
	if rate < 1 {
		total += math.Sqrt(2*spike*t/r) + spike*t/(3*r)
	}
	most = min(most, r*total)
	return total * chernoff(2*math.Log(2/epsilon)*most/(r*total))
}

// chernoff solves y - 1 - ln y = a for y >= 1.
func chernoff(a float64) float64 {
	low, high := 1.0, 2+2*a // at the upper end the left side exceeds a
	for range 100 {
		y := (low + high) / 2
		if y-1-math.Log(y) < a {
			low = y
		} else {
			high = y
		}
	}
	return high
}

// Factor is τ: who has an estimated squared norm above τ·Bound² is accused.
func (s *Sketch) Factor() float64 { return s.factor }

// Power is the probability that a member with a flat vector (many lanes of similar size) of norm k·Bound is named: that of
// a chi-squared variable with R degrees of freedom to exceed R·τ/k². It ignores wrap-around, which for large k
// lowers the estimate and not the probability; see doc.go for vectors that are not flat.
func (s *Sketch) Power(k float64) float64 {
	if k <= 0 {
		return 0
	}
	x := float64(s.c.Rows) * s.factor / (2 * k * k)
	log, sum := -x, 0.0 // of x^i e^-x / i!
	for i := range s.c.Rows / 2 {
		if i > 0 {
			log += math.Log(x / float64(i))
		}
		sum += math.Exp(log)
	}
	return min(1, sum)
}
