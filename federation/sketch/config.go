package sketch

import (
	"fmt"
	"math"
)

// Limits and defaults of a sketch.
const (
	DefaultRows            = 64   // R
	MinRows                = 8    // fewer estimate nothing
	MaxRows                = 4096 // 12 bits of the word that places a lane
	MaxLanes               = 1 << 28
	MaxMembers             = 255
	DefaultFalseAccusation = 1e-6
	DefaultCoalition       = 2
)

const (
	leastHeadroom = 8   // half the ring is at least so many standard deviations of an honest bucket
	wrapMargin    = 1.4 // by how much a wrapped sketch exceeds what a coalition can share out; see doc.go
	rateBits      = 19  // resolution of the sampling rate
	fullRate      = 1 << rateBits
)

// A Config is public and the same for all members of a session.
type Config struct {
	Lanes int // L, length of every member's vector
	Bits  int // the ring is Z_2^Bits: 16 or 32
	Rows  int // R, number of functionals: a power of two from MinRows to MaxRows; 0 means DefaultRows

	// Bound is C, the largest L2 norm of an honest member's vector, in lane units: what it is clipped to plus what
	// rounding adds, at most sqrt(L). For secagg's Quantizer, F·sqrt(sum over groups (Clip/Scale)²) + sqrt(L).
	Bound float64
	// Peak is m, the largest magnitude of a lane of an honest member: where the quantiser saturates, or less where the vector
	// is rotated. The smaller, the sharper the test.
	Peak float64

	FalseAccusation float64 // ε: an honest member is accused with at most this probability; 0 means DefaultFalseAccusation
	Coalition       int     // liars who together cannot hide a vector that wraps around; 0 means DefaultCoalition
}

func (c *Config) validate() error {
	if c.Rows == 0 {
		c.Rows = DefaultRows
	}
	if c.FalseAccusation == 0 {
		c.FalseAccusation = DefaultFalseAccusation
	}
	if c.Coalition == 0 {
		c.Coalition = DefaultCoalition
	}
	switch {
	case c.Lanes < 1 || c.Lanes > MaxLanes:
		return fmt.Errorf("sketch: %d lanes, want 1 to %d", c.Lanes, MaxLanes)
	case !validBits(c.Bits):
		return fmt.Errorf("sketch: ring of %d bits, want 16 or 32", c.Bits)
	case !validRows(c.Rows):
		return fmt.Errorf("sketch: %d rows, want a power of two from %d to %d", c.Rows, MinRows, MaxRows)
	case !(c.Bound > 0 && c.Bound <= math.Ldexp(math.Sqrt(MaxLanes), c.Bits)):
		return fmt.Errorf("sketch: norm bound %v, want a positive number in lane units", c.Bound)
	case !(c.Peak > 0 && c.Peak < math.Ldexp(1, c.Bits-1)):
		return fmt.Errorf("sketch: peak %v, want a positive number below half the ring", c.Peak)
	case !(c.FalseAccusation >= 1e-15 && c.FalseAccusation <= 0.1):
		return fmt.Errorf("sketch: false accusation with probability %v, want 1e-15 to 0.1", c.FalseAccusation)
	case c.Coalition < 1 || c.Coalition > MaxMembers:
		return fmt.Errorf("sketch: coalition of %d, want 1 to %d", c.Coalition, MaxMembers)
	}
	c.Peak = min(c.Peak, c.Bound)
	return nil
}

func validBits(bits int) bool { return bits == 16 || bits == 32 }

func validRows(rows int) bool { return rows >= MinRows && rows <= MaxRows && rows&(rows-1) == 0 }

// A plan is what follows from a Config: how many lanes are looked at, and where the line is drawn.
type plan struct {
	rate   int     // p·2^19
	factor float64 // τ: the test names who has an estimate above τ·C²
}

func (p plan) share() float64 { return float64(p.rate) / fullRate }

// plan looks for the highest sampling rate at which an honest bucket has the headroom that the coalition demands. Less
// sampling leaves more headroom but makes the estimate less certain, and so the test blunter.
func (c *Config) plan() (plan, error) {
	half := math.Ldexp(1, c.Bits-1)
	rows := float64(c.Rows)
	for headroom := float64(leastHeadroom); headroom <= half; headroom *= 1.05 {
		sd := half / headroom
		p := plan{rate: int(min(fullRate, math.Floor(fullRate*rows*sd*sd/(c.Bound*c.Bound))))}
		if p.rate < 1 {
			break
		}
		perBucket := p.share() * c.Bound * c.Bound / rows
		p.factor = roundUp(threshold(c.Rows, p.share(), c.Peak*c.Peak/perBucket, c.FalseAccusation))
		if half/math.Sqrt(perBucket) >= wrapMargin*float64(c.Coalition)*math.Sqrt(3*p.factor) {
			return p, nil
		}
	}
	return plan{}, fmt.Errorf("sketch: lanes up to %g at a norm of up to %g do not fit a ring of %d bits against coalitions of %d: rotate the vector, widen the ring, or ask for a smaller coalition",
		c.Peak, c.Bound, c.Bits, c.Coalition)
}

// roundUp makes a multiple of 2^-10: logarithms may differ in their last bit between machines, which must draw the same line.
func roundUp(x float64) float64 { return math.Ceil(x*1024) / 1024 }
