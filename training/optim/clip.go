package optim

import (
	"fmt"
	"math"
)

// Clip scales all gradients by min(1, maxNorm/(norm+1e-6)), where norm is the L2 norm over all of them together,
// and returns that norm before clipping. maxNorm 0 only measures. A norm that is not finite is an error and changes
// nothing.
func Clip(params []Param, maxNorm float64) (norm float64, err error) {
	var sum float64
	for _, p := range params {
		for _, g := range p.Grad {
			sum += g * g
		}
	}
	norm = math.Sqrt(sum)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, fmt.Errorf("clip: %w; lower the learning rate or look for broken labels", ErrNotFinite)
	}
	if maxNorm <= 0 || norm+1e-6 <= maxNorm {
		return norm, nil
	}
	scale := maxNorm / (norm + 1e-6)
	for _, p := range params {
		for i := range p.Grad {
			p.Grad[i] *= scale
		}
	}
	return norm, nil
}
