package secagg

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Narrowed is what a member makes of its update. All of it is as private as the update.
type Narrowed struct {
	Lanes     []uint32 // for Member.Mask
	Residual  *Residual
	Clipped   []string // groups in which the update was longer than Clip, and was shortened to it
	Saturated int      // lanes at their limit: what did not fit is in the residual
}

// String keeps values out of logs.
func (n Narrowed) String() string {
	return fmt.Sprintf("secagg.Narrowed{%d lanes, values hidden}", len(n.Lanes))
}

// Format prints String for every verb.
func (n Narrowed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.String()) }

// Quantize clips, weights, rotates and rounds an update of Lanes()-3 values in parameter units. Arguments and
// residual are those of Quantizer.Quantize: weight in [0,1]; before is nil, or the advanced residual of exactly this version, and is
// not changed; seed is fresh secret randomness. What saturation and rounding leave out is in the returned residual; what
// clipping cut off is gone.
func (q *Narrow) Quantize(update []float64, weight float64, at Version, before *Residual, seed [32]byte) (Narrowed, error) {
	switch {
	case len(update) != q.total:
		return Narrowed{}, fmt.Errorf("quantize: update of %d values, want %d", len(update), q.total)
	case !(weight >= 0 && weight <= 1):
		return Narrowed{}, errors.New("quantize: weight outside [0,1]")
	case seed == [32]byte{}:
		return Narrowed{}, errors.New("quantize: the seed is all zero: pass 32 bytes of a cryptographic generator")
	}
	values, err := before.addTo(update, at)
	if err != nil {
		return Narrowed{}, err
	}
	var out Narrowed
	q.groups(values, func(g *NarrowGroup, part []float64) {
		clipped, e := clip(part, g.Clip)
		if e != nil && err == nil {
			err = fmt.Errorf("quantize group %q: %w", g.Name, e)
		}
		if clipped {
			out.Clipped = append(out.Clipped, g.Name)
		}
	})
	if err != nil {
		return Narrowed{}, err
	}
	w := int(math.RoundToEven(weight * weightFull))
	scaled := q.scale(values, float64(w)/weightFull)
	spread := rootMeanSquare(scaled)
	q.rotation.apply(scaled)
	out.Lanes = make([]uint32, q.Lanes())
	randomWords(out.Lanes[:q.total], seed)
	out.Saturated = q.round(out.Lanes, scaled)
	q.rotation.invert(scaled)
	q.leave(values, scaled, float64(w)/weightFull)
	out.Residual = &Residual{Version: at, Pending: true, Values: values}
	extra := out.Lanes[q.total:]
	extra[0], extra[1] = uint32(w>>8), uint32(w&digit)
	extra[2] = uint32(min(digit, math.Ceil(spread/spreadUnit)))
	return out, nil
}

// scale returns the weighted values in units of Sigma.
func (q *Narrow) scale(values []float64, w float64) []float64 {
	scaled := make([]float64, len(values))
	rest := scaled
	q.groups(values, func(g *NarrowGroup, part []float64) {
		unit := w / g.Sigma
		for k, v := range part {
			rest[k] = v * unit
		}
		rest = rest[len(part):]
	})
	return scaled
}

// step is the distance of two lanes in units of Sigma.
func (q *Narrow) step() float64 { return q.c.Saturation / float64(q.full) }

// round replaces the random words in lanes by the rounded values, and values by what rounding left out. It returns
// how many lanes saturated.
func (q *Narrow) round(lanes []uint32, values []float64) (saturated int) {
	step, full := q.step(), float64(q.full)
	perStep := 1 / step
	for k, v := range values {
		x := v * perStep
		if x > full || x < -full {
			saturated++
			x = max(-full, min(full, x))
		}
		lane := math.Floor(x + float64(lanes[k])*0x1p-32) // floor(x) + 1 with probability x - floor(x); F stays F
		lanes[k] = uint32(uint16(int16(lane)))
		values[k] = v - lane*step
	}
	return saturated
}

// leave replaces values by the residual: what was left out of the scaled values, in parameter units. A member of weight
// zero has given nothing, and keeps all.
func (q *Narrow) leave(values, scaled []float64, w float64) {
	if w == 0 {
		return
	}
	q.groups(values, func(g *NarrowGroup, part []float64) {
		unit := g.Sigma / w
		for k := range part {
			part[k] = scaled[k] * unit
		}
		scaled = scaled[len(part):]
	})
}
