package secagg

import (
	"fmt"
	"math"
)

// A NarrowMean is what a sum of narrow lanes says. All of it is public.
type NarrowMean struct {
	Values  []float64 // weighted mean update, parameter units
	Weight  float64   // sum of the weights
	Members int       // in the sum
	Spread  float64   // mean over the members of the root mean square of w·u/Sigma, where u is a member's update and w its weight
}

// Dequantize decodes a sum over that many members. It is bit-deterministic on every machine: every product is rounded before
// it is added to. A lane that no honest members can have made is an error that names it: somebody in the sum
// deviated, and the round is void.
func (q *Narrow) Dequantize(sum []uint32, members int) (NarrowMean, error) {
	switch {
	case len(sum) != q.Lanes():
		return NarrowMean{}, fmt.Errorf("dequantize: sum of %d lanes, want %d", len(sum), q.Lanes())
	case members < 1 || members > q.c.Peers:
		return NarrowMean{}, fmt.Errorf("dequantize: sum over %d members, want 1 to %d", members, q.c.Peers)
	}
	for k, name := range [NarrowExtra]string{"weight, high digit", "weight, low digit", "spread"} {
		if v := sum[q.total+k]; v > uint32(members*digit) {
			return NarrowMean{}, fmt.Errorf("dequantize: lane %d (%s) is %d, more than %d members can add up to: the round is void", q.total+k, name, v, members)
		}
	}
	extra := sum[q.total:]
	w := extra[0]<<8 + extra[1]
	if w == 0 {
		return NarrowMean{}, fmt.Errorf("dequantize: %w", ErrNoWeight)
	}
	values := make([]float64, q.total)
	for k, lane := range sum[:q.total] {
		v := int64(int16(lane))
		if lane >= 1<<narrowRing {
			v = int64(lane)
		}
		if limit := int64(members * q.full); v > limit || v < -limit {
			return NarrowMean{}, fmt.Errorf("dequantize: lane %d is %d, more than %d members can add up to: the round is void", k, v, members)
		}
		values[k] = float64(v)
	}
	q.rotation.invert(values)
	q.groups(values, func(g *NarrowGroup, part []float64) {
		unit := float64(float64(q.step()*g.Sigma)*weightFull) / float64(w)
		for k := range part {
			part[k] = float64(part[k] * unit)
		}
	})
	return NarrowMean{Values: values, Weight: float64(w) / weightFull, Members: members, Spread: float64(extra[2]) * spreadUnit / float64(members)}, nil
}

// Scales leave room for members whose update is larger than that of others, fall slowly where a group had little to say, and
// never shrink to nothing.
const (
	sigmaRoom = 1.5
	clipRoom  = 4
	shrink    = 0.25 // in one round
	sigmaLow  = 0x1p-40
	sigmaHigh = 0x1p40
)

// Next returns the groups of the next round, whose Sigma and Clip are powers of two, from what this one opened. It is pure and
// bit-deterministic. It refuses a mean that is not of this quantiser.
//
// The mean of updates that point in different directions is shorter than they are: of n independent ones, by sqrt(n). How much
// shorter it is over all follows from Spread, and is taken to be the same in every group. A member's update in a group
// may be as long as if nobody else had agreed, and clipRoom times more, before it is clipped.
func (q *Narrow) Next(mean NarrowMean) ([]NarrowGroup, error) {
	if len(mean.Values) != q.total || mean.Members < 1 || !(mean.Weight > 0) || !(mean.Spread >= 0) {
		return nil, fmt.Errorf("next scales: a mean of %d values, weight %v, %d members: pass what Dequantize returned", len(mean.Values), mean.Weight, mean.Members)
	}
	next := append([]NarrowGroup(nil), q.c.Groups...)
	root := math.Sqrt(float64(mean.Members))
	share := mean.Weight / float64(mean.Members) // mean weight: Values·share is the mean of w·u
	scaled := 0.0
	q.groups(mean.Values, func(g *NarrowGroup, part []float64) {
		r := rootMeanSquare(part) / g.Sigma
		scaled += float64(float64(r*r) * float64(g.Len))
	})
	scaled = float64(math.Sqrt(scaled/float64(q.total)) * share)
	apart := root // by how much members are longer than their mean
	if scaled > 0 {
		apart = max(1, min(root, mean.Spread/scaled))
	}
	k := 0
	q.groups(mean.Values, func(g *NarrowGroup, part []float64) {
		r := rootMeanSquare(part)
		sigma := float64(float64(float64(r*share)*apart) * sigmaRoom)
		long := float64(float64(r*root) * float64(clipRoom*math.Sqrt(float64(g.Len))))
		next[k].Sigma = PowerOfTwo(max(sigmaLow, min(sigmaHigh, max(sigma, float64(shrink*g.Sigma)))))
		next[k].Clip = PowerOfTwo(max(next[k].Sigma, min(sigmaHigh, max(long, float64(shrink*g.Clip)))))
		k++
	})
	return next, nil
}

// rootMeanSquare adds up in a fixed order.
func rootMeanSquare(x []float64) float64 {
	squares := 0.0
	for _, v := range x {
		squares += float64(v * v)
	}
	return math.Sqrt(squares / float64(len(x)))
}

// PowerOfTwo rounds up to a power of two, which every float format holds exactly.
func PowerOfTwo(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction == 0.5 {
		exponent--
	}
	return math.Ldexp(1, exponent)
}
