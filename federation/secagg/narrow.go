package secagg

import (
	"errors"
	"fmt"
	"math"
)

// Lanes of a Narrow.
const (
	narrowRing     = 16 // bits
	NarrowExtra    = 3  // lanes behind the values: weight high, weight low, spread
	digit          = 1<<8 - 1
	weightFull     = digit<<8 | digit // a weight of 1: resolution 1.5e-5, below 2^-14
	spreadUnit     = 1.0 / 16
	MaxNarrowPeers = 256 // so many digits of 8 bits stay below 2^16
	MinNarrowBits  = 4
)

// A NarrowGroup is one stretch of parameters with a public scale of its own.
type NarrowGroup struct {
	Name  string
	Len   int     // number of values
	Clip  float64 // largest L2 norm of a member's update in this group, parameter units
	Sigma float64 // public estimate of the root mean square of a member's weighted update, parameter units; see NarrowMean.Next
}

// NarrowConfig fixes the public rules. All members of a session use the same.
type NarrowConfig struct {
	Session    [32]byte // Session.ID; the signs of the rotation follow from it
	Groups     []NarrowGroup
	Peers      int     // largest number of members in the sum, 1 to MaxNarrowPeers
	ValueBits  int     // of a value, sign included; 0 means the most that fit, 16 - SumBits(Peers)
	Saturation float64 // where lanes saturate, in units of Sigma, 1 to 64; 0 means half the ValueBits: coarser steps cost more than the tail of a Gaussian
}

// A Narrow turns weighted updates into lanes of 16 bits and a sum of lanes into the weighted mean update. It is immutable and
// safe for concurrent use.
//
// Values are multiplied by the weight and divided by their group's Sigma; then all groups together are rotated, so that no lane is
// much larger than another (see rotation), and rounded at random to one of the two nearest multiples of Saturation/F,
// F = 2^(ValueBits-1) - 1, without bias. A lane holds that multiple in two's complement. It saturates at F in magnitude, so no sum of
// n honest members exceeds n·F < 2^15. Three lanes follow: the weight in units of 1/65535 as two digits of 8 bits, so that
// the sum of weights is exact, and the root mean square of the member's scaled values in units of 1/16, rounded up, at most 255.
type Narrow struct {
	c        NarrowConfig
	total    int
	full     int // F
	rotation *rotation
}

// NewNarrow refuses a configuration in which a sum could overflow. What must hold is ValueBits + ceil(log2 Peers) <= 16.
func NewNarrow(c NarrowConfig) (*Narrow, error) {
	if c.Peers < 1 || c.Peers > MaxNarrowPeers {
		return nil, fmt.Errorf("narrow quantizer: %d peers, want 1 to %d", c.Peers, MaxNarrowPeers)
	}
	most := narrowRing - SumBits(c.Peers)
	if c.ValueBits == 0 {
		c.ValueBits = most
	}
	if c.Saturation == 0 {
		c.Saturation = float64(c.ValueBits) / 2
	}
	switch {
	case c.Session == [32]byte{}:
		return nil, errors.New("narrow quantizer: no session id: compute it with Context.ID")
	case c.ValueBits > most:
		return nil, fmt.Errorf("narrow quantizer: %d value + %d peer bits exceed %d: a sum could overflow; use fewer", c.ValueBits, SumBits(c.Peers), narrowRing)
	case c.ValueBits < MinNarrowBits:
		return nil, fmt.Errorf("narrow quantizer: %d value bits, want %d to %d", c.ValueBits, MinNarrowBits, most)
	case !(c.Saturation >= 1 && c.Saturation <= 64):
		return nil, fmt.Errorf("narrow quantizer: lanes saturate at %v sigma, want 1 to 64", c.Saturation)
	}
	total, err := checkNarrowGroups(c.Groups)
	if err != nil {
		return nil, err
	}
	c.Groups = append([]NarrowGroup(nil), c.Groups...)
	return &Narrow{c: c, total: total, full: 1<<(c.ValueBits-1) - 1, rotation: newRotation(c.Session, total)}, nil
}

func checkNarrowGroups(groups []NarrowGroup) (total int, err error) {
	const least, most = 0x1p-200, 0x1p200 // squares of what is scaled stay finite
	names := make(map[string]bool)
	for _, g := range groups {
		switch {
		case names[g.Name]:
			return 0, fmt.Errorf("narrow quantizer: two groups are named %q", g.Name)
		case g.Len < 1 || g.Len >= MaxLanes:
			return 0, fmt.Errorf("narrow quantizer: group %q has %d values", g.Name, g.Len)
		case !(g.Clip >= least && g.Clip <= most):
			return 0, fmt.Errorf("narrow quantizer: group %q is clipped to norm %v, want %g to %g", g.Name, g.Clip, least, most)
		case !(g.Sigma >= least && g.Sigma <= most):
			return 0, fmt.Errorf("narrow quantizer: group %q has sigma %v, want %g to %g", g.Name, g.Sigma, least, most)
		}
		names[g.Name] = true
		if total += g.Len; total > MaxLanes-NarrowExtra {
			return 0, fmt.Errorf("narrow quantizer: more than %d values: split them into several sessions", MaxLanes-NarrowExtra)
		}
	}
	if total == 0 {
		return 0, errors.New("narrow quantizer: no groups")
	}
	return total, nil
}

// Bounds returns the largest L2 norm of an honest member's value lanes, rounding included, and the largest magnitude of one.
// Rotation keeps norms.
func (q *Narrow) Bounds() (norm, peak float64) {
	squares := 0.0
	for _, g := range q.c.Groups {
		ratio := g.Clip / g.Sigma
		squares += float64(ratio * ratio)
	}
	return bounds(math.Sqrt(squares)/q.step(), float64(q.full), q.total)
}

// Lanes is the length of a member's vector. The session has 16 Bits.
func (q *Narrow) Lanes() int { return q.total + NarrowExtra }

// groups calls do with every group and its part of values.
func (q *Narrow) groups(values []float64, do func(g *NarrowGroup, part []float64)) {
	for k := range q.c.Groups {
		g := &q.c.Groups[k]
		do(g, values[:g.Len])
		values = values[g.Len:]
	}
}
