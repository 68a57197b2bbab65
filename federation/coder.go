package federation

import (
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
)

// A coder turns a member's update of a group into lanes, and a sum of lanes into the mean update. It follows from the
// rules and the outer state, so that all members use the same.
type coder interface {
	// quantize returns the lanes of a weighted update, what rounding left out, and the names of slices that were longer than allowed.
	quantize(vector []float64, weight float64, at secagg.Version, before *secagg.Residual, seed [32]byte) (coded, error)
	// decode returns what a sum over that many members says.
	decode(sum []uint32, members int) (decoded, error)
	// next returns scale and clipping norm of the next round by slice; nil when they follow from the mean, see outerState.rescale.
	next(d decoded) ([][2]float64, error)
}

type coded struct {
	lanes    []uint32
	residual *secagg.Residual
	clipped  []string
}

type decoded struct {
	mean    []float64 // parameter units
	weight  float64   // sum of the members' weights
	members int       // in the sum
	spread  float64   // narrow lanes only, see secagg.NarrowMean
}

// extraLanes is how many lanes a group has beside its values.
func extraLanes(rules *ledger.Rules) int {
	if rules.LaneBits == 16 {
		return secagg.NarrowExtra
	}
	return secagg.WideExtra
}

// coder returns the coder of a group's session. Wide lanes have room for all members of the epoch, narrow ones for those of the
// session: with 16 bits, every bit of room is one of precision.
func (s outerState) coder(l *Layout, group string, rules *ledger.Rules, members, peers int, session [32]byte) (coder, error) {
	if rules.LaneBits == 16 {
		bits := 0
		if rules.AuditRows > 0 {
			bits = min(auditedBits, 16-secagg.SumBits(peers))
		}
		return s.narrow(l, group, rules, peers, bits, session)
	}
	q, err := s.quantizer(l, group, rules, members)
	return wideCoder{q}, err
}

// wideCoder rounds to lanes of 32 bits.
type wideCoder struct{ *secagg.Quantizer }

func (c wideCoder) quantize(vector []float64, weight float64, at secagg.Version, before *secagg.Residual, seed [32]byte) (out coded, err error) {
	out.lanes, out.residual, err = c.Quantize(vector, weight, at, before, seed)
	return out, err
}

func (c wideCoder) decode(sum []uint32, members int) (out decoded, err error) {
	out.members = members
	out.mean, out.weight, err = c.Dequantize(sum, members)
	return out, err
}

func (wideCoder) next(decoded) ([][2]float64, error) { return nil, nil }

// narrowCoder rotates and rounds to lanes of 16 bits.
type narrowCoder struct{ *secagg.Narrow }

// firstSigma is the first guess of a number's size, as a part of the rules' first scale, beyond which wide lanes saturate.
const firstSigma = 0.25

// auditedBits is how many bits a narrow lane has at most when norms are audited: sums of many lanes must not wrap around.
const auditedBits = 11

// narrow returns the narrow coder. Where a slice has not been summed yet, its scale is the one of the start.
func (s outerState) narrow(l *Layout, group string, rules *ledger.Rules, peers, bits int, session [32]byte) (narrowCoder, error) {
	c := secagg.NarrowConfig{Session: session, Peers: peers, ValueBits: bits}
	for _, slice := range l.groups[group] {
		x := s.scaleOf(slice, rules)
		c.Groups = append(c.Groups, secagg.NarrowGroup{Name: slice.Name, Len: slice.Len, Sigma: x[0], Clip: x[1]})
	}
	q, err := secagg.NewNarrow(c)
	return narrowCoder{q}, err
}

func (c narrowCoder) quantize(vector []float64, weight float64, at secagg.Version, before *secagg.Residual, seed [32]byte) (coded, error) {
	out, err := c.Quantize(vector, weight, at, before, seed)
	return coded{out.Lanes, out.Residual, out.Clipped}, err
}

func (c narrowCoder) decode(sum []uint32, members int) (decoded, error) {
	mean, err := c.Dequantize(sum, members)
	return decoded{mean: mean.Values, weight: mean.Weight, members: mean.Members, spread: mean.Spread}, err
}

func (c narrowCoder) next(d decoded) (out [][2]float64, err error) {
	groups, err := c.Next(secagg.NarrowMean{Values: d.mean, Weight: d.weight, Members: d.members, Spread: d.spread})
	for _, g := range groups {
		out = append(out, [2]float64{g.Sigma, g.Clip})
	}
	return out, err
}

var (
	_ coder = wideCoder{}
	_ coder = narrowCoder{}
)
