package sketch

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A party is a session whose secrets the test knows.
type party struct {
	c         Config
	s         *Sketch
	values    [][]uint32
	self      [][32]byte
	pairs     map[pair][32]byte
	masked    [][]uint32
	survivors []int
	reports   map[int]Report // of all survivors, honest until a test changes them
}

const sigma = 20 // of a lane of an honest member

// partyConfig allows honest members a fifth more than they have.
func partyConfig(bits int) Config {
	const lanes = 1 << 15
	return Config{Lanes: lanes, Bits: bits, Bound: 1.2 * sigma * math.Sqrt(lanes), Peak: 5 * sigma}
}

// newParty masks the values of n members, Gaussian unless values says otherwise. Those in dropped leave after masking was
// agreed upon.
func newParty(t testing.TB, c Config, n int, values map[int][]uint32, dropped ...int) *party {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), uint64(c.Bits)))
	p := &party{c: c, pairs: make(map[pair][32]byte), reports: make(map[int]Report)}
	for i := range n {
		v := gaussian(r, c.Lanes, sigma, 5*sigma)
		if values[i] != nil {
			v = values[i]
		}
		p.values = append(p.values, v)
		p.self = append(p.self, randomKey(r))
		for j := range i {
			p.pairs[pair{j, i}] = randomKey(r)
		}
		if !contains(dropped, i) {
			p.survivors = append(p.survivors, i)
		}
	}
	for i := range n {
		p.masked = append(p.masked, p.mask(i))
	}
	p.draw(t, 1)
	return p
}

func contains(list []int, i int) bool {
	for _, x := range list {
		if x == i {
			return true
		}
	}
	return false
}

// gaussian returns rounded values of that standard deviation, cut off at peak.
func gaussian(r *rand.Rand, n int, sigma, peak float64) []uint32 {
	out := make([]uint32, n)
	for k := range out {
		out[k] = uint32(int32(math.RoundToEven(max(-peak, min(peak, sigma*r.NormFloat64())))))
	}
	return out
}

func scaled(values []uint32, by int32) []uint32 {
	out := make([]uint32, len(values))
	for k, v := range values {
		out[k] = uint32(int32(v) * by)
	}
	return out
}

// mask follows the definition of a masked input.
func (p *party) mask(i int) []uint32 {
	y := append([]uint32(nil), p.values[i]...)
	for k, w := range plainMask(p.self[i], p.c) {
		y[k] += w
	}
	for j := range p.self {
		if j == i {
			continue
		}
		for k, w := range plainMask(p.pairs[pairOf(i, j)], p.c) {
			if i < j {
				y[k] += w
			} else {
				y[k] -= w
			}
		}
	}
	for k := range y {
		y[k] &= 1<<p.c.Bits - 1
	}
	return y
}

// draw fixes the functionals and makes all reports.
func (p *party) draw(t testing.TB, seed byte) {
	t.Helper()
	p.s = newSketch(t, seed, p.c)
	for _, i := range p.survivors {
		keys := make(map[int][32]byte)
		for _, j := range p.survivors {
			if j != i {
				keys[j] = p.pairs[pairOf(i, j)]
			}
		}
		p.reports[i] = p.s.Report(i, keys)
	}
}

// pairSketch is where member i keeps its report on the pair with j.
func (p *party) pairSketch(i, j int) []uint32 {
	for _, e := range p.reports[i].Pairs {
		if e.With == j {
			return e.Sketch
		}
	}
	return nil
}

// shift makes i and j report, in agreement, a mask that moves a sketch from i's estimate to j's.
func (p *party) shift(i, j int, by []uint32) {
	for _, s := range [][]uint32{p.pairSketch(i, j), p.pairSketch(j, i)} {
		if i < j {
			p.s.Accumulate(s, by)
		} else {
			p.s.Remove(s, by)
		}
	}
}

// audit is what anyone does with the public messages.
func (p *party) audit(t testing.TB) *Audit {
	t.Helper()
	a, err := p.s.NewAudit(p.survivors)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range p.survivors {
		sketch := p.s.Zero()
		p.s.Add(sketch, 0, p.masked[i])
		dropped := make(map[int][32]byte)
		for j := range p.self {
			if !contains(p.survivors, j) {
				dropped[j] = p.pairs[pairOf(i, j)]
			}
		}
		p.s.RemovePublic(sketch, i, p.self[i], dropped)
		if err := a.Input(i, sketch); err != nil {
			t.Fatal(err)
		}
		r := p.reports[i]
		back, err := DecodeReport(r.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Report(back); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// bare is the sketch of a member's own values.
func (p *party) bare(i int) []uint32 {
	sketch := p.s.Zero()
	p.s.Add(sketch, 0, p.values[i])
	return sketch
}

// fraction scales a sketch by numerator/denominator, rounding toward zero.
func (p *party) fraction(sketch []uint32, numerator, denominator int64) []uint32 {
	out := p.s.Zero()
	for k, w := range sketch {
		x := int64(int32(w<<(32-p.c.Bits)) >> (32 - p.c.Bits))
		out[k] = uint32(x * numerator / denominator)
	}
	p.s.reduce(out)
	return out
}

func norm(values []uint32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(int32(v)) * float64(int32(v))
	}
	return math.Sqrt(sum)
}

// sumNorm is the norm of the plain sum of the survivors: what the federation would apply without an audit.
func (p *party) sumNorm() float64 {
	sum := make([]uint32, p.c.Lanes)
	for _, i := range p.survivors {
		for k, v := range p.values[i] {
			sum[k] += v
		}
	}
	return norm(sum)
}
