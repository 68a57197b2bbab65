package sketch

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// An Audit collects what is public about one session and says whose vector is too long. It is not safe for concurrent
// use. Its results do not depend on the order in which reports and inputs come in.
type Audit struct {
	s         *Sketch
	survivors []int
	partners  map[int]int              // by survivor, how many others share a mask with it
	part      map[int]int              // by survivor, which part it is in
	inputs    map[int][]uint32         // sketches of what pair masks with survivors alone still hide
	reports   map[int]map[int][]uint32 // by reporter, then by the other end
}

// A pair of members, Low before High: Low adds the mask, High subtracts it.
type pair struct{ low, high int }

func pairOf(i, j int) pair { return pair{min(i, j), max(i, j)} }

// NewAudit starts an audit of the survivors, two or more distinct member indices: those in the sum. A member that
// dropped out is not in the sum and is not estimated. Of a session with cohorts, the survivors of each are a part of their own: pair masks are
// shared inside parts only.
func (s *Sketch) NewAudit(parts ...[]int) (*Audit, error) {
	a := &Audit{s: s, partners: make(map[int]int), part: make(map[int]int), inputs: make(map[int][]uint32), reports: make(map[int]map[int][]uint32)}
	for g, part := range parts {
		for _, i := range part {
			if _, twice := a.part[i]; twice || i < 0 || i >= MaxMembers {
				return nil, fmt.Errorf("sketch audit: survivors %v: want distinct indices from 0 to %d", parts, MaxMembers-1)
			}
			a.part[i], a.partners[i] = g, len(part)-1
		}
		if len(part) < 2 {
			return nil, errors.New("sketch audit: fewer than two survivors: there is no sum")
		}
	}
	if a.survivors = sorted(a.part); len(a.survivors) < 2 {
		return nil, errors.New("sketch audit: fewer than two survivors: there is no sum")
	}
	return a, nil
}

// Input takes in the sketch of a survivor's masked input, from which the masks that are public after unmasking were
// removed by RemovePublic: its self-mask, and its pair masks with members that dropped out.
func (a *Audit) Input(i int, sketch []uint32) error {
	switch {
	case !a.survived(i):
		return fmt.Errorf("sketch audit: input of member %d, which is no survivor", i)
	case a.inputs[i] != nil:
		return fmt.Errorf("sketch audit: two inputs of member %d", i)
	case len(sketch) != a.s.c.Rows:
		return fmt.Errorf("sketch audit: input of member %d has %d rows, want %d", i, len(sketch), a.s.c.Rows)
	}
	a.inputs[i] = slices.Clone(sketch)
	a.s.reduce(a.inputs[i])
	return nil
}

// RemovePublic takes the masks that member i added, under keys known to all, off the sketch of its masked input: that of its self-mask,
// and those of the pairs with members that dropped out, by index.
func (s *Sketch) RemovePublic(dst []uint32, i int, self [32]byte, dropped map[int][32]byte) {
	s.Remove(dst, s.Mask(self))
	for j, mask := range s.masks(dropped) {
		s.unmask(dst, i, j, mask)
	}
}

// unmask takes the mask that i shares with j off what i has masked.
func (s *Sketch) unmask(dst []uint32, i, j int, mask []uint32) {
	if i < j {
		s.Remove(dst, mask)
	} else {
		s.Accumulate(dst, mask)
	}
}

// Report takes in the report of a survivor. It must name every other survivor and no one else: with a gap, the liar would choose
// which of its masks are looked at. The caller keeps one report per member; a second one is refused.
// Errors wrap ErrReport.
func (a *Audit) Report(r Report) error {
	switch {
	case r.Seed != a.s.seed:
		return fmt.Errorf("%w: member %d reports on another session or other masked inputs", ErrReport, r.From)
	case r.Bits != a.s.c.Bits || r.Rows != a.s.c.Rows:
		return fmt.Errorf("%w: member %d reports %d rows of %d bits, want %d of %d", ErrReport, r.From, r.Rows, r.Bits, a.s.c.Rows, a.s.c.Bits)
	case !a.survived(r.From):
		return fmt.Errorf("%w: member %d is no survivor", ErrReport, r.From)
	case a.reports[r.From] != nil:
		return fmt.Errorf("%w: a second one of member %d", ErrReport, r.From)
	case len(r.Pairs) != a.partners[r.From]:
		return fmt.Errorf("%w: member %d reports %d pairs, want %d", ErrReport, r.From, len(r.Pairs), a.partners[r.From])
	}
	pairs := make(map[int][]uint32, len(r.Pairs))
	for _, p := range r.Pairs {
		if !a.survived(p.With) || a.part[p.With] != a.part[r.From] || p.With == r.From || pairs[p.With] != nil || len(p.Sketch) != a.s.c.Rows {
			return fmt.Errorf("%w: member %d reports a pair with %d, want each other survivor once, %d rows", ErrReport, r.From, p.With, a.s.c.Rows)
		}
		pairs[p.With] = slices.Clone(p.Sketch)
		a.s.reduce(pairs[p.With])
	}
	a.reports[r.From] = pairs
	return nil
}

func (a *Audit) survived(i int) bool {
	_, ok := slices.BinarySearch(a.survivors, i)
	return ok
}

// A Verdict is what the sketch says about one survivor.
type Verdict struct {
	Member   int
	Norm     float64 // estimated L2 norm of its vector, lane units
	StdErr   float64 // standard error of Norm for a flat vector; see doc.go
	Bound    float64 // what Norm is compared with: sqrt(τ)·C
	Violates bool
}

// A Quarrel is a pair whose ends report different sketches of their common mask: one of them lies.
type Quarrel struct{ Low, High int }

// A Result is complete when Silent and Missing are empty. Every survivor is in exactly one of Verdicts, Silent and Missing.
type Result struct {
	Verdicts []Verdict // ascending by member
	Quarrels []Quarrel // ascending
	Silent   []int     // survivors that have not reported: to be barred if they do not in time
	Missing  []int     // survivors that have reported, but whose masked input has not been taken in: fetch it
}

// Violators returns who is accused, ascending.
func (r *Result) Violators() []int {
	var out []int
	for _, v := range r.Verdicts {
		if v.Violates {
			out = append(out, v.Member)
		}
	}
	return out
}

// Result judges everyone by what is known. Each member is judged by its own report and no other, so that nobody's lie touches an
// honest one. What it lies about comes out as a quarrel with an honest partner, and as a blame shifted to a dishonest one.
func (a *Audit) Result() Result {
	var r Result
	for _, i := range a.survivors {
		switch {
		case a.reports[i] == nil:
			r.Silent = append(r.Silent, i)
		case a.inputs[i] == nil:
			r.Missing = append(r.Missing, i)
		default:
			r.Verdicts = append(r.Verdicts, a.s.judge(i, a.bare(i)))
		}
	}
	r.Quarrels = a.Quarrels()
	return r
}

func (a *Audit) quarrel(p pair) bool {
	known, alike := a.Compare(Quarrel{p.low, p.high})
	return known && !alike
}

// bare returns the sketch of what a member has masked.
func (a *Audit) bare(i int) []uint32 {
	sketch := slices.Clone(a.inputs[i])
	for j, mask := range a.reports[i] {
		a.s.unmask(sketch, i, j, mask)
	}
	return sketch
}

// judge compares the sketch of a bare vector with the bound.
func (s *Sketch) judge(i int, sketch []uint32) Verdict {
	rows, square := float64(s.c.Rows), s.squaredNorm(sketch)
	v := Verdict{Member: i, Norm: math.Sqrt(square), Bound: math.Sqrt(s.factor) * s.c.Bound}
	v.StdErr = v.Norm / math.Sqrt(2*rows) // half that of the square, which is sqrt(2/R)
	v.Violates = square > s.factor*float64(s.c.Bound*s.c.Bound)
	return v
}

// squaredNorm estimates the squared L2 norm of a vector from its sketch. The order is fixed and products are rounded before
// they are added, so that all machines get the same bits.
func (s *Sketch) squaredNorm(sketch []uint32) float64 {
	sum := 0.0
	for _, w := range sketch {
		x := float64(int32(w<<(32-s.c.Bits)) >> (32 - s.c.Bits)) // the representative nearest zero
		sum += float64(x * x)
	}
	return sum / s.share()
}

func sorted[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }
