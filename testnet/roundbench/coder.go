package roundbench

import (
	"math"

	"github.com/fedlam/fedlam/federation/secagg"
)

// newCoder quantises one group of numbers of unit variance.
func newCoder(o Options, session [32]byte) (coder, error) {
	clip := 4 * math.Sqrt(float64(o.Parameters))
	if o.Bits == 32 {
		q, err := secagg.NewQuantizer(secagg.QuantizerConfig{Groups: []secagg.Group{{Name: "all", Len: o.Parameters, Clip: clip, Scale: 8}}, Peers: o.Members,
			WeightBits: min(secagg.DefaultWeightBits, 32-secagg.DefaultValueBits-secagg.SumBits(o.Members))})
		return wide{q}, err
	}
	q, err := secagg.NewNarrow(secagg.NarrowConfig{Session: session, Peers: o.Members,
		Groups: []secagg.NarrowGroup{{Name: "all", Len: o.Parameters, Clip: clip, Sigma: 1}}})
	return narrow{q}, err
}

type wide struct{ *secagg.Quantizer }

func (w wide) lanes() int { return w.Lanes() }
func (w wide) quantize(update []float64, seed [32]byte) ([]uint32, error) {
	lanes, _, err := w.Quantize(update, 1, secagg.Version{}, nil, seed)
	return lanes, err
}

func (w wide) dequantize(sum []uint32, members int) error {
	_, _, err := w.Dequantize(sum, members)
	return err
}

type narrow struct{ *secagg.Narrow }

func (n narrow) lanes() int { return n.Lanes() }
func (n narrow) quantize(update []float64, seed [32]byte) ([]uint32, error) {
	out, err := n.Quantize(update, 1, secagg.Version{}, nil, seed)
	return out.Lanes, err
}

func (n narrow) dequantize(sum []uint32, members int) error {
	_, err := n.Dequantize(sum, members)
	return err
}
