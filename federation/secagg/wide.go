package secagg

import "math/big"

// WideLanes is the number of lanes of one wide value.
const WideLanes = 8

// Wide adds float64 values exactly: each is written as a 128-bit two's-complement fixed-point number of
// resolution 2^-40 in 16-bit limbs, one limb a lane, least significant first.
type Wide struct{ peers int }

// NewWide is for sums of up to that many members, at most 65536.
func NewWide(peers int) (Wide, error) { return Wide{}, errStub }

// Encode returns WideLanes lanes per value. It refuses NaN, infinities and magnitudes of 2^71 or more.
func (w Wide) Encode(values []float64) ([]uint32, error) { return nil, errStub }

// Decode returns the sums in units of 1, correctly rounded.
func (w Wide) Decode(sum []uint32) ([]float64, error) { return nil, errStub }

// DecodeInt returns the exact sums in units of 2^-40.
func (w Wide) DecodeInt(sum []uint32) ([]*big.Int, error) { return nil, errStub }
