package secagg

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// Bits of a lane.
const (
	ringBits          = 32
	DefaultValueBits  = 16
	MaxValueBits      = 24 // a float32 holds no more
	DefaultWeightBits = 8
	MaxPeers          = 1 << 16
	WideExtra         = 1 // lanes behind the values: the weight
)

// ErrNoWeight is returned for a sum in which all weights are zero: there is no mean.
var ErrNoWeight = errors.New("the weights of the sum are all zero")

// A Group is one stretch of parameters that is clipped and scaled together.
type Group struct {
	Name  string
	Len   int     // number of values
	Clip  float64 // largest L2 norm of a member's update in this group, parameter units
	Scale float64 // public full scale: values beyond ±Scale saturate; from the previous round's aggregate
}

// QuantizerConfig fixes the public rules of quantisation. All members of a session use the same.
type QuantizerConfig struct {
	Groups     []Group
	Peers      int // largest number of members in the sum, 1 to MaxPeers
	ValueBits  int // resolution of a value of weight 1, sign included: 16 to 24; 0 means DefaultValueBits
	WeightBits int // extra resolution that a small weight uses up: DefaultWeightBits, or 0 where all weights are 1
	NoiseBits  int // headroom kept free for noise that members add; 0 for none
}

// SumBits returns ceil(log2 peers): by how many bits a sum of that many values grows.
func SumBits(peers int) int {
	if peers < 2 {
		return 0
	}
	return bits.Len(uint(peers - 1))
}

// ValueBitsFor returns the finest allowed ValueBits beside the other claims on a lane.
func ValueBitsFor(peers, weightBits, noiseBits int) int {
	return min(MaxValueBits, ringBits-weightBits-SumBits(peers)-noiseBits)
}

// A Quantizer turns weighted updates into lanes of 32 bits and a sum of lanes into the weighted mean update. It is immutable.
//
// A lane holds round(w·v/Scale·F) in two's complement, F = 2^(ValueBits+WeightBits-1) - 1, where w is the weight, itself
// rounded to a multiple of 1/F; the last lane holds w·F. No lane of n honest members exceeds n·F in magnitude.
type Quantizer struct {
	c     QuantizerConfig
	total int
	full  int64 // F
}

// NewQuantizer refuses a configuration in which a sum could overflow. What must hold is
// ValueBits + WeightBits + ceil(log2 Peers) + NoiseBits <= 32.
func NewQuantizer(c QuantizerConfig) (*Quantizer, error) {
	if c.ValueBits == 0 {
		c.ValueBits = DefaultValueBits
	}
	switch {
	case c.Peers < 1 || c.Peers > MaxPeers:
		return nil, fmt.Errorf("quantizer: %d peers, want 1 to %d", c.Peers, MaxPeers)
	case c.ValueBits < DefaultValueBits || c.ValueBits > MaxValueBits:
		return nil, fmt.Errorf("quantizer: %d value bits, want %d to %d", c.ValueBits, DefaultValueBits, MaxValueBits)
	case c.WeightBits < 0 || c.WeightBits > 16 || c.NoiseBits < 0 || c.NoiseBits > 16:
		return nil, fmt.Errorf("quantizer: %d weight bits and %d noise bits, want 0 to 16", c.WeightBits, c.NoiseBits)
	}
	if used := c.ValueBits + c.WeightBits + SumBits(c.Peers) + c.NoiseBits; used > ringBits {
		return nil, fmt.Errorf("quantizer: %d value + %d weight + %d peer + %d noise bits = %d exceed %d: a sum could overflow; use fewer",
			c.ValueBits, c.WeightBits, SumBits(c.Peers), c.NoiseBits, used, ringBits)
	}
	q := &Quantizer{c: c, full: 1<<(c.ValueBits+c.WeightBits-1) - 1}
	q.c.Groups = append([]Group(nil), c.Groups...)
	names := make(map[string]bool)
	for _, g := range c.Groups {
		if err := g.validate(); err != nil {
			return nil, err
		}
		if names[g.Name] {
			return nil, fmt.Errorf("quantizer: two groups are named %q", g.Name)
		}
		names[g.Name] = true
		if q.total += g.Len; q.total >= MaxLanes {
			return nil, fmt.Errorf("quantizer: more than %d values: split them into several sessions", MaxLanes-1)
		}
	}
	if q.total == 0 {
		return nil, errors.New("quantizer: no groups")
	}
	return q, nil
}

func (g *Group) validate() error {
	const least, most = 1e-200, 1e200 // far from where float64 products lose digits
	switch {
	case g.Len < 1 || g.Len >= MaxLanes:
		return fmt.Errorf("quantizer: group %q has %d values", g.Name, g.Len)
	case !(g.Clip >= least && g.Clip <= most):
		return fmt.Errorf("quantizer: group %q is clipped to norm %v, want %g to %g", g.Name, g.Clip, least, most)
	case !(g.Scale >= least && g.Scale <= most):
		return fmt.Errorf("quantizer: group %q has scale %v, want %g to %g", g.Name, g.Scale, least, most)
	}
	return nil
}

// Bounds returns the largest L2 norm of an honest member's value lanes, rounding included, and the largest magnitude of one.
func (q *Quantizer) Bounds() (norm, peak float64) {
	squares := 0.0
	for _, g := range q.c.Groups {
		ratio := g.Clip / g.Scale
		squares += float64(ratio * ratio)
	}
	return bounds(float64(q.full)*math.Sqrt(squares), float64(q.full), q.total)
}

// bounds adds what rounding adds to a norm, and saturation takes away.
func bounds(norm, peak float64, lanes int) (float64, float64) {
	root := math.Sqrt(float64(lanes))
	return math.Min(norm+root, peak*root), peak
}

// Lanes is the length of a member's vector: all values in the order of the groups, then the weight.
func (q *Quantizer) Lanes() int { return q.total + WideExtra }

// Quantize clips, weights and rounds an update of Lanes()-1 values in parameter units. weight is in [0,1]. before is
// nil, or the advanced residual of exactly this version; it is added to the update and not changed. seed is fresh
// secret randomness, for stochastic rounding: the expected lane is exact. The returned residual is what
// saturation and rounding left out; what clipping cut off is gone.
func (q *Quantizer) Quantize(update []float64, weight float64, at Version, before *Residual, seed [32]byte) ([]uint32, *Residual, error) {
	if len(update) != q.total {
		return nil, nil, fmt.Errorf("quantize: update of %d values, want %d", len(update), q.total)
	}
	if !(weight >= 0 && weight <= 1) {
		return nil, nil, fmt.Errorf("quantize: weight outside [0,1]")
	}
	values, err := before.addTo(update, at)
	if err != nil {
		return nil, nil, err
	}
	w := int64(math.RoundToEven(weight * float64(q.full)))
	lanes := make([]uint32, q.Lanes())
	randomWords(lanes[:q.total], seed)
	from := 0
	for _, g := range q.c.Groups {
		part := values[from : from+g.Len]
		if _, err := clip(part, g.Clip); err != nil {
			return nil, nil, fmt.Errorf("quantize group %q: %w", g.Name, err)
		}
		roundGroup(lanes[from:], part, float64(w), g.Scale)
		from += g.Len
	}
	lanes[q.total] = uint32(w)
	return lanes, &Residual{Version: at, Pending: true, Values: values}, nil
}

// roundGroup replaces the random words in lanes by the rounded values, and values by what rounding left out.
func roundGroup(lanes []uint32, values []float64, w, scale float64) {
	for k, v := range values {
		x := w * (max(-scale, min(scale, v)) / scale)
		lane := math.Floor(x)
		if float64(lanes[k]) < (x-lane)*(1<<32) { // with probability x - floor(x)
			lane++
		}
		lanes[k] = uint32(int32(lane))
		if w > 0 {
			values[k] = v - lane/w*scale
		}
	}
}

var errNotFinite = errors.New("a value is NaN or infinite: the local training diverged, nothing is sent")

// clip scales values down to an L2 norm of at most limit, and says whether it had to.
func clip(values []float64, limit float64) (clipped bool, err error) {
	largest := 0.0
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false, errNotFinite
		}
		largest = max(largest, math.Abs(v))
	}
	if largest == 0 {
		return false, nil
	}
	squares := 0.0 // of values/largest, which cannot overflow
	for _, v := range values {
		squares += (v / largest) * (v / largest)
	}
	factor := limit / largest / math.Sqrt(squares)
	if factor >= 1 {
		return false, nil
	}
	for k := range values {
		values[k] *= factor
	}
	return true, nil
}

// randomWords fills out with the stream of a seed.
func randomWords(out []uint32, seed [32]byte) {
	block := newBlock(&seed)
	const part = pieceSize / 4
	parallel((len(out)+part-1)/part, func(i int, buf *pieceBytes) {
		words := out[i*part : min((i+1)*part, len(out))]
		clear(buf.b[:])
		newStream(block, i*pieceSize).XORKeyStream(buf.b[:], buf.b[:])
		ring32.get(words, buf.b[:])
	})
}

// Dequantize returns the weighted mean update (parameter units) and the sum of weights, from a sum over that many
// members. It is bit-deterministic on every machine. A lane that no honest members can have made is an
// error: somebody in the sum deviated, and the round is void.
func (q *Quantizer) Dequantize(sum []uint32, members int) (mean []float64, weights float64, err error) {
	switch {
	case len(sum) != q.Lanes():
		return nil, 0, fmt.Errorf("dequantize: sum of %d lanes, want %d", len(sum), q.Lanes())
	case members < 1 || members > q.c.Peers:
		return nil, 0, fmt.Errorf("dequantize: sum over %d members, want 1 to %d", members, q.c.Peers)
	}
	w := int64(int32(sum[q.total]))
	if w < 0 || w > int64(members)*q.full {
		return nil, 0, fmt.Errorf("dequantize: the weights of %d members sum to %g: the round is void", members, float64(w)/float64(q.full))
	}
	if w == 0 {
		return nil, 0, fmt.Errorf("dequantize: %w", ErrNoWeight)
	}
	mean = make([]float64, q.total)
	from := 0
	for _, g := range q.c.Groups {
		for k := range g.Len {
			lane := int64(int32(sum[from+k])) // |lane| <= w for every honest member, so for the sum
			if lane > w || lane < -w {
				return nil, 0, fmt.Errorf("dequantize: value %d of group %q is outside the scale: the round is void", k, g.Name)
			}
			mean[from+k] = float64(lane) / float64(w) * g.Scale
		}
		from += g.Len
	}
	return mean, float64(w) / float64(q.full), nil
}
