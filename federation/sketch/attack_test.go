package sketch

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestHonestMembersAreEstimated runs both rings, a dropped member, a vector of zeros and one that is exactly as long as allowed.
func TestHonestMembersAreEstimated(t *testing.T) {
	for _, bits := range []int{16, 32} {
		c := partyConfig(bits)
		full := gaussian(rand.New(rand.NewPCG(8, 8)), c.Lanes, 1.19*sigma, 5*sigma)
		p := newParty(t, c, 6, map[int][]uint32{2: make([]uint32, c.Lanes), 5: full}, 3)
		r := p.audit(t).Result()
		if len(r.Verdicts) != 5 || r.Quarrels != nil || r.Silent != nil || r.Missing != nil || r.Violators() != nil {
			t.Fatalf("%d bits: %+v", bits, r)
		}
		for k, v := range r.Verdicts {
			want := norm(p.values[p.survivors[k]])
			if v.Member != p.survivors[k] || math.Abs(v.Norm-want) > 4*want/math.Sqrt(2*64) {
				t.Errorf("%d bits: member %d: norm %.0f ± %.0f, want %.0f", bits, v.Member, v.Norm, v.StdErr, want)
			}
		}
	}
}

// TestScaledUpdate: one member sends ten times its update.
func TestScaledUpdate(t *testing.T) {
	for _, bits := range []int{16, 32} {
		for _, n := range []int{2, 3, 8} {
			c := partyConfig(bits)
			honest := newParty(t, c, n, nil)
			p := newParty(t, c, n, map[int][]uint32{1: scaled(honest.values[1], 10)})
			// Without an audit the attack works: no lane of the sum is outside the ring's range, and the sum is the attacker's.
			if got, want := p.sumNorm(), 3*honest.sumNorm(); got < want {
				t.Fatalf("control: sum of norm %.0f, want above %.0f", got, want)
			}
			r := p.audit(t).Result()
			if got := r.Violators(); !slices.Equal(got, []int{1}) {
				t.Errorf("%d bits, %d members: accused %v, want [1]: %+v", bits, n, got, r.Verdicts)
			}
		}
	}
}

// TestTwoColludersShareTheBlame: 5 sends ten times its update, and 5 and 6 agree on a lie about their common mask that moves
// part of it to 6. Whatever the part, one of the two is named, and nobody else.
func TestTwoColludersShareTheBlame(t *testing.T) {
	for _, bits := range []int{16, 32} {
		c := partyConfig(bits)
		honest := newParty(t, c, 8, nil)
		for tenths := int64(0); tenths <= 10; tenths++ {
			p := newParty(t, c, 8, map[int][]uint32{5: scaled(honest.values[5], 10)})
			p.shift(5, 6, p.fraction(p.bare(5), tenths, 10))
			r := p.audit(t).Result()
			got := r.Violators()
			if len(got) == 0 || slices.ContainsFunc(got, func(i int) bool { return i != 5 && i != 6 }) || r.Quarrels != nil {
				t.Errorf("%d bits, %d/10 moved: accused %v, quarrels %v", bits, tenths, got, r.Quarrels)
			}
			// Control: whoever looks at 5 alone is deceived.
			if tenths == 9 && contains(got, 5) {
				t.Errorf("control: %d bits: the lie does not help 5", bits)
			}
		}
	}
}

// TestCoalitionHidesNoMoreThanItsShare: a vector of ten times the bound is spread evenly over a coalition. It is seen until
// the coalition is so large that everyone in it could have sent that much of it openly.
func TestCoalitionHidesNoMoreThanItsShare(t *testing.T) {
	c := partyConfig(32)
	v := gaussian(rand.New(rand.NewPCG(3, 1)), c.Lanes, 10*1.2*sigma, 1e6)
	silent := make([]uint32, c.Lanes)
	for size := int64(1); size <= 12; size++ {
		p := newParty(t, c, 13, map[int][]uint32{0: v, 1: silent, 2: silent, 3: silent, 4: silent, 5: silent, 6: silent, 7: silent, 8: silent, 9: silent, 10: silent, 11: silent})
		for j := int64(1); j < size; j++ {
			p.shift(0, int(j), p.fraction(p.bare(0), 1, size))
		}
		r := p.audit(t).Result()
		estimate := r.Verdicts[0].Norm * float64(size) // of all that was hidden
		mayHide := float64(size) * math.Sqrt(p.s.Factor()) * c.Bound
		if named := len(r.Violators()) > 0; named != (estimate > mayHide) {
			t.Errorf("coalition of %d: named %v, at %.1f of what it may hide", size, r.Violators(), estimate/mayHide)
		}
		if size <= 4 && len(r.Violators()) == 0 || size == 12 && len(r.Violators()) > 0 {
			t.Errorf("coalition of %d: named %v", size, r.Violators())
		}
	}
}

// TestOneEndLies: 5 is ten times too long and tells its story alone. The honest other end disagrees.
func TestOneEndLies(t *testing.T) {
	c := partyConfig(32)
	honest := newParty(t, c, 8, nil)
	for _, partner := range []int{2, 7} { // before and after it
		p := newParty(t, c, 8, map[int][]uint32{5: scaled(honest.values[5], 10)})
		before := slices.Clone(p.pairSketch(partner, 5))
		p.shift(5, partner, p.fraction(p.bare(5), 9, 10))
		copy(p.pairSketch(partner, 5), before)
		a := p.audit(t)
		r := a.Result()
		if r.Violators() != nil {
			t.Errorf("control: accused %v; without the comparison of both ends nobody would be", r.Violators())
		}
		q := Quarrel{min(5, partner), max(5, partner)}
		if !slices.Equal(r.Quarrels, []Quarrel{q}) {
			t.Fatalf("quarrels %v, want %v", r.Quarrels, q)
		}
		liars, err := a.Settle(q, p.pairs[pair{q.Low, q.High}])
		if err != nil || !slices.Equal(liars, []int{5}) {
			t.Errorf("liars %v (%v), want [5]", liars, err)
		}
		r = a.Result()
		if !slices.Equal(r.Violators(), []int{5}) || r.Quarrels != nil {
			t.Errorf("after the opening: accused %v, quarrels %v", r.Violators(), r.Quarrels)
		}
		if _, err := a.Settle(q, [32]byte{}); err == nil {
			t.Error("a settled quarrel was settled again, with another key")
		}
	}
}

func TestBothEndsLieDifferently(t *testing.T) {
	p := newParty(t, partyConfig(16), 3, nil)
	p.pairSketch(0, 2)[0] ^= 1
	p.pairSketch(2, 0)[1] ^= 1
	a := p.audit(t)
	liars, err := a.Settle(Quarrel{0, 2}, p.pairs[pair{0, 2}])
	if err != nil || !slices.Equal(liars, []int{0, 2}) {
		t.Errorf("liars %v (%v), want both", liars, err)
	}
}

// TestOverrule: 5 hides its length in its mask with an honest member, and was proven to lie, so that the word of the other stands. The sum of what the
// two sent does not change: when both are dishonest and 5 is believed, its length shows in the other.
func TestOverrule(t *testing.T) {
	c := partyConfig(32)
	honest := newParty(t, c, 8, nil)
	for _, partner := range []int{2, 7} {
		for _, liar := range []int{5, partner} {
			p := newParty(t, c, 8, map[int][]uint32{5: scaled(honest.values[5], 10)})
			before := slices.Clone(p.pairSketch(partner, 5))
			p.shift(5, partner, p.bare(5))
			copy(p.pairSketch(partner, 5), before)
			a := p.audit(t)
			q := Quarrel{min(5, partner), max(5, partner)}
			if known, alike := a.Compare(q); !known || alike {
				t.Fatalf("pair %v: known %v, alike %v, want a quarrel", q, known, alike)
			}
			if err := a.Overrule(q, 0); err == nil {
				t.Error("a member that is no part of the quarrel was overruled")
			}
			if err := a.Overrule(q, liar); err != nil {
				t.Fatal(err)
			}
			if r := a.Result(); !slices.Equal(r.Violators(), []int{liar}) || r.Quarrels != nil {
				t.Errorf("pair %v, liar %d: accused %v, quarrels %v", q, liar, r.Violators(), r.Quarrels)
			}
			if known, alike := a.Compare(q); !known || !alike || a.Overrule(q, liar) == nil {
				t.Errorf("pair %v quarrels on after it was decided", q)
			}
		}
	}
}

// TestReplayedReport: 5 sends the report of another session, or of other inputs under the same keys.
func TestReplayedReport(t *testing.T) {
	p := newParty(t, partyConfig(32), 6, nil)
	old := p.reports[5]
	p.draw(t, 2)
	a, err := p.s.NewAudit(p.survivors)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Report(old); !errors.Is(err, ErrReport) {
		t.Errorf("a replayed report: %v, want %v", err, ErrReport)
	}
	old.Seed = p.s.Seed()
	if err := a.Report(old); err != nil {
		t.Errorf("control: with the seed changed it would be taken in, but: %v", err)
	}
	p.reports[5] = old
	if r := p.audit(t).Result(); len(r.Quarrels) != 5 {
		t.Errorf("a replayed report under a forged seed disagrees with %v, want all five others", r.Quarrels)
	}
}

// TestVectorsThatWrap are so long that buckets wrap around; values that are powers of two look small in every bucket that they hit
// an even number of times.
func TestVectorsThatWrap(t *testing.T) {
	c := partyConfig(16)
	r := rand.New(rand.NewPCG(11, 12))
	fill := func(value func(k int) uint32) []uint32 {
		v := make([]uint32, c.Lanes)
		for k := range v {
			v[k] = value(k)
		}
		return v
	}
	third := 1 << 16 / 3
	for name, v := range map[string][]uint32{
		"uniform":             fill(func(int) uint32 { return r.Uint32() & 0xffff }),
		"half the ring":       fill(func(int) uint32 { return 1 << 15 }),
		"half, one lane in 8": fill(func(k int) uint32 { return uint32(k&7/7) << 15 }),
		"a quarter":           fill(func(int) uint32 { return 1 << 14 }),
		"a third":             fill(func(int) uint32 { return uint32(third) }),
		"a thirty-second":     fill(func(int) uint32 { return 1 << 11 }),
	} {
		p := newParty(t, c, 4, map[int][]uint32{2: v})
		for seed := range byte(20) {
			p.draw(t, seed)
			res := p.audit(t).Result()
			if !slices.Equal(res.Violators(), []int{2}) {
				t.Errorf("%s, seed %d: accused %v, want [2]: %.0f of %.0f", name, seed, res.Violators(), res.Verdicts[2].Norm, res.Verdicts[2].Bound)
			}
		}
	}
}

// TestCoalitionThatWraps: a vector that fills the ring has a sketch that is uniform and no longer. A coalition that is larger
// than the configuration says can share that out.
func TestCoalitionThatWraps(t *testing.T) {
	const colluders = 6
	for _, against := range []int{1, colluders} {
		c := partyConfig(16)
		c.Bound, c.Coalition = 160*math.Sqrt(float64(c.Lanes)), against // long enough for an honest bucket to come near the limit
		v := make([]uint32, c.Lanes)
		r := rand.New(rand.NewPCG(1, 1))
		for k := range v {
			v[k] = r.Uint32() & 0xffff
		}
		silent := make([]uint32, c.Lanes)
		p := newParty(t, c, 7, map[int][]uint32{0: v, 1: silent, 2: silent, 3: silent, 4: silent, 5: silent})
		for j := 1; j < colluders; j++ {
			p.shift(0, j, p.fraction(p.bare(0), 1, colluders))
		}
		res := p.audit(t).Result()
		got := res.Violators()
		switch {
		case against == 1 && got != nil:
			t.Errorf("control: with no headroom for coalitions %v were named", got)
		case against == colluders && (got == nil || contains(got, 6)):
			t.Errorf("accused %v, want some of the coalition and nobody else", got)
		}
	}
}

// TestLastToCommitCannotChoose: who knows the functionals of each of its possible inputs tries until one is overlooked.
func TestLastToCommitCannotChoose(t *testing.T) {
	c := Config{Lanes: 1 << 13, Bits: 32, Bound: 1 << 10, Peak: 12, FalseAccusation: 1e-6}
	r := rand.New(rand.NewPCG(21, 22))
	v := gaussian(r, c.Lanes, 20, 1e6) // 1.8 of the bound
	overlooked := func(opened [32]byte, try int) bool {
		s, err := New(Seed([32]byte{1}, opened, map[int][32]byte{0: {1}, 1: {byte(try), byte(try >> 8), 2}}), c)
		if err != nil {
			t.Fatal(err)
		}
		sketch := s.Zero()
		s.Add(sketch, 0, v)
		return !s.judge(1, sketch).Violates
	}
	caught := func(opened func(try int) [32]byte) (best bool, rate float64) {
		const tries, later = 200, 100
		for try := range tries {
			if overlooked([32]byte{}, try) { // what it believes the opened secrets will be
				found := 0
				for k := range later {
					if !overlooked(opened(k), try) {
						found++
					}
				}
				return true, float64(found) / later
			}
		}
		return false, 0
	}
	if ok, rate := caught(func(int) [32]byte { return [32]byte{} }); !ok || rate != 0 {
		t.Errorf("control: with nothing unknown at commitment it is caught at a rate of %.2f, want never", rate)
	}
	if ok, rate := caught(func(k int) [32]byte { return [32]byte{1, byte(k)} }); !ok || rate < 0.5 {
		t.Errorf("its choice is caught at a rate of %.2f, want more than half", rate)
	}
}

func TestSilentAndMissing(t *testing.T) {
	p := newParty(t, partyConfig(32), 4, nil)
	full := p.audit(t)
	a, _ := p.s.NewAudit(p.survivors)
	for _, i := range []int{0, 1, 3} {
		if err := a.Report(p.reports[i]); err != nil {
			t.Fatal(err)
		}
		if i != 1 {
			if err := a.Input(i, full.inputs[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := a.Result()
	if !slices.Equal(r.Silent, []int{2}) || !slices.Equal(r.Missing, []int{1}) || len(r.Verdicts) != 2 {
		t.Errorf("silent %v, missing %v, verdicts %v; want [2], [1], of 0 and 3", r.Silent, r.Missing, r.Verdicts)
	}
	if !reflect.DeepEqual(r.Verdicts[1], full.Result().Verdicts[3]) {
		t.Error("a verdict depends on the reports of others")
	}
}

func TestAuditRefuses(t *testing.T) {
	p := newParty(t, partyConfig(16), 4, nil, 3)
	for _, bad := range [][]int{nil, {1}, {1, 1}, {0, -1}, {0, MaxMembers}} {
		if _, err := p.s.NewAudit(bad); err == nil {
			t.Errorf("survivors %v: accepted", bad)
		}
	}
	a := p.audit(t)
	fresh := func() *Audit { a, _ := p.s.NewAudit(p.survivors); return a }
	for name, c := range map[string]struct {
		a      *Audit
		change func(*Report)
	}{
		"a second report": {a, func(*Report) {}},
		"of a dropped":    {fresh(), func(r *Report) { r.From = 3 }},
		"other rows":      {fresh(), func(r *Report) { r.Rows = 128 }},
		"other ring":      {fresh(), func(r *Report) { r.Bits = 32 }},
		"a pair left out": {fresh(), func(r *Report) { r.Pairs = r.Pairs[:1] }},
		"pair of dropped": {fresh(), func(r *Report) { r.Pairs = []Pair{r.Pairs[0], {3, r.Pairs[1].Sketch}} }},
		"pair twice":      {fresh(), func(r *Report) { r.Pairs = []Pair{r.Pairs[0], r.Pairs[0]} }},
		"short sketch":    {fresh(), func(r *Report) { r.Pairs = []Pair{r.Pairs[0], {2, r.Pairs[1].Sketch[:63]}} }},
		"no sketch":       {fresh(), func(r *Report) { r.Pairs = []Pair{r.Pairs[0], {With: 2}} }},
	} {
		r := p.reports[0]
		c.change(&r)
		if err := c.a.Report(r); !errors.Is(err, ErrReport) {
			t.Errorf("%s: %v, want %v", name, err, ErrReport)
		}
	}
	for name, err := range map[string]error{
		"twice": a.Input(0, p.s.Zero()), "of a dropped": a.Input(3, p.s.Zero()), "short": fresh().Input(0, nil),
	} {
		if err == nil {
			t.Errorf("input %s: accepted", name)
		}
	}
}

func TestBarred(t *testing.T) {
	star := func(center int, others ...int) (q []Quarrel) {
		for _, i := range others {
			q = append(q, Quarrel{min(center, i), max(center, i)})
		}
		return q
	}
	for name, c := range map[string]struct {
		quarrels      []Quarrel
		faulty        int
		certain, both []int
	}{
		"peace":                           {nil, 3, nil, nil},
		"one against one":                 {star(4, 2), 3, nil, []int{2, 4}},
		"as many as may be dishonest":     {star(4, 1, 2, 3), 3, nil, []int{1, 2, 3, 4}},
		"one more":                        {star(4, 0, 1, 2, 3), 3, []int{4}, nil},
		"two liars":                       {append(star(4, 0, 1, 2, 3), star(5, 0, 1, 2)...), 3, []int{4, 5}, nil},
		"one certain, one not":            {append(star(4, 0, 1, 2, 3), star(5, 0)...), 3, []int{4}, []int{0, 5}},
		"more liars than can be believed": {append(star(4, 0, 1), star(5, 0, 1)...), 1, nil, []int{0, 1, 4, 5}},
		"nobody should be dishonest":      {star(4, 2), 0, nil, []int{2, 4}},
	} {
		certain, both := Barred(c.quarrels, c.faulty)
		if fmt.Sprint(certain, both) != fmt.Sprint(c.certain, c.both) {
			t.Errorf("%s: %v and %v, want %v and %v", name, certain, both, c.certain, c.both)
		}
	}
}
