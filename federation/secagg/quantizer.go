package secagg

import "errors"

var errStub = errors.New("secagg: not built yet")

// A Group is one stretch of parameters that is clipped and scaled together.
type Group struct {
	Name  string
	Len   int     // number of values
	Clip  float64 // largest L2 norm of a member's update in this group
	Scale float64 // public full scale: the largest magnitude of one value; from the previous round's aggregate
}

// QuantizerConfig fixes the public rules of quantisation.
type QuantizerConfig struct {
	Groups     []Group
	Peers      int // largest number of members in the sum
	ValueBits  int // default 16
	WeightBits int // default 8
	NoiseBits  int // headroom kept free for noise; default 0
}

// A Quantizer turns weighted updates into lanes and a sum of lanes into the mean update.
type Quantizer struct{}

// NewQuantizer refuses a configuration in which a sum could overflow:
// ValueBits + WeightBits + ceil(log2 Peers) + NoiseBits <= 32.
func NewQuantizer(c QuantizerConfig) (*Quantizer, error) { return nil, errStub }

// Lanes is the length of a member's vector: all values in the order of the groups, then the weight.
func (q *Quantizer) Lanes() int { return 0 }

// Version says where in the chain of rounds an update belongs.
type Version struct {
	Round uint64
	Chain [32]byte // digest of the certificate of the round before
}

// Residual is what quantisation left out of a member's update; it is added to its next one. It is private.
type Residual struct {
	Version Version
	Pending bool // the round it was made in is not certified yet
	Values  []float64
}

// Advance makes the residual usable in the next round, after the certificate of Version.Round is known. Advance the
// new residual when the member's lanes are in the certified sum, the previous one when not.
func (r *Residual) Advance(certificate [32]byte) {}

// Quantize clips, weights and rounds an update (parameter units, Lanes()-1 values). weight is in [0,1]; before is nil or a residual of
// exactly this version; seed is fresh secret randomness for the stochastic rounding.
func (q *Quantizer) Quantize(update []float64, weight float64, at Version, before *Residual, seed [32]byte) ([]uint32, *Residual, error) {
	return nil, nil, errStub
}

// Dequantize returns the weighted mean update and the sum of weights, from a sum over peers members.
func (q *Quantizer) Dequantize(sum []uint32, peers int) (mean []float64, weights float64, err error) {
	return nil, 0, errStub
}
