package secagg

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// WideLanes is the number of lanes of one wide value.
const WideLanes = 8

const (
	wideFraction = 40 // bits below 1
	wideRange    = 71 // values are below 2^71, so that MaxPeers of them stay below 2^87 and the sign has its bit
	limbMax      = 1<<16 - 1
)

// Wide adds float64 values exactly, where quantisation is too coarse: normal equations, counts. Each value is written as a
// 128-bit two's-complement fixed-point number of resolution 2^-40 in 16-bit limbs, one limb a lane, least
// significant first. A lane of MaxPeers members stays below 2^32, so limbs never carry while masked.
// Its session must have 32 Bits.
type Wide struct{ peers int }

// NewWide is for sums of up to that many members, 1 to MaxPeers.
func NewWide(peers int) (Wide, error) {
	if peers < 1 || peers > MaxPeers {
		return Wide{}, fmt.Errorf("wide sum of %d peers, want 1 to %d", peers, MaxPeers)
	}
	return Wide{peers}, nil
}

// Encode returns WideLanes lanes per value. Bits below 2^-40 are rounded to nearest even. It refuses NaN, infinities
// and magnitudes of 2^71 or more.
func (w Wide) Encode(values []float64) ([]uint32, error) {
	lanes := make([]uint32, 0, WideLanes*len(values))
	for i, v := range values {
		if !(math.Abs(v) < 1<<wideRange) {
			return nil, fmt.Errorf("wide value %d is not a number below 2^%d in magnitude: check its units", i, wideRange)
		}
		high, low := fixedPoint(v)
		for range 4 {
			lanes = append(lanes, uint32(low&limbMax))
			low >>= 16
		}
		for range 4 {
			lanes = append(lanes, uint32(high&limbMax))
			high >>= 16
		}
	}
	return lanes, nil
}

// fixedPoint returns round(v·2^40) as 128-bit two's complement.
func fixedPoint(v float64) (high, low uint64) {
	fraction, exponent := math.Frexp(math.RoundToEven(math.Ldexp(math.Abs(v), wideFraction)))
	mantissa := uint64(math.Ldexp(fraction, 53)) // exact
	switch shift := exponent - 53; {
	case shift <= 0:
		low = mantissa >> -shift // the bits shifted out are zero: the number is an integer
	default:
		low = mantissa << shift
		high = mantissa >> (64 - shift)
		if shift >= 64 {
			high = mantissa << (shift - 64)
		}
	}
	if math.Signbit(v) {
		var borrow uint64
		low, borrow = bits.Sub64(0, low, 0)
		high, _ = bits.Sub64(0, high, borrow)
	}
	return high, low
}

// Decode returns the sums, correctly rounded to float64.
func (w Wide) Decode(sum []uint32) ([]float64, error) {
	exact, err := w.DecodeInt(sum)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(exact))
	for i, x := range exact {
		f := new(big.Float).SetInt(x)
		values[i], _ = f.SetMantExp(f, -wideFraction).Float64()
	}
	return values, nil
}

// DecodeInt returns the exact sums in units of 2^-40. A lane or a sum that honest members cannot have made is an error.
func (w Wide) DecodeInt(sum []uint32) ([]*big.Int, error) {
	if len(sum)%WideLanes != 0 {
		return nil, fmt.Errorf("wide sum of %d lanes, want a multiple of %d", len(sum), WideLanes)
	}
	peers := big.NewInt(int64(w.peers))
	limit := new(big.Int).Lsh(peers, wideRange+wideFraction)
	values := make([]*big.Int, len(sum)/WideLanes)
	for i := range values {
		x := new(big.Int)
		for k := WideLanes - 1; k >= 0; k-- {
			lane := sum[i*WideLanes+k]
			if uint64(lane) > uint64(w.peers)*limbMax {
				return nil, fmt.Errorf("wide sum %d: lane %d exceeds what %d members can add up to: the round is void", i, k, w.peers)
			}
			x.Lsh(x, 16).Add(x, big.NewInt(int64(lane)))
		}
		signed128(x)
		if x.CmpAbs(limit) > 0 {
			return nil, fmt.Errorf("wide sum %d is out of range: the round is void", i)
		}
		values[i] = x
	}
	return values, nil
}

// signed128 takes x modulo 2^128 into [-2^127, 2^127).
func signed128(x *big.Int) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	x.Mod(x, modulus)
	if x.Bit(127) == 1 {
		x.Sub(x, modulus)
	}
}
