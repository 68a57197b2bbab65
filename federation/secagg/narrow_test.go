package secagg

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func narrowConfig(peers int, groups ...NarrowGroup) NarrowConfig {
	return NarrowConfig{Session: fill32(7), Groups: groups, Peers: peers}
}

func testNarrow(t testing.TB, c NarrowConfig) *Narrow {
	t.Helper()
	q, err := NewNarrow(c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func mustNarrow(t testing.TB, q *Narrow, update []float64, weight float64, seed int) Narrowed {
	t.Helper()
	out, err := q.Quantize(update, weight, Version{}, nil, testRoot(seed))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// add16 adds in Z_2^16.
func add16(sum, lanes []uint32) {
	for k := range sum {
		sum[k] = (sum[k] + lanes[k]) & 0xffff
	}
}

// TestNarrowMeanIsNearTheWeightedMean: groups of very different scales, weights, fewer members than there is headroom for.
func TestNarrowMeanIsNearTheWeightedMean(t *testing.T) {
	groups := []NarrowGroup{{"trunk", 3000, 1e9, 2}, {"head", 1000, 1e9, 1e-3}, {"one", 1, 1e9, 1}, {"rest", 99, 1e9, 4e4}}
	for _, peers := range []int{2, 5, 200, 256} {
		q := testNarrow(t, narrowConfig(peers, groups...))
		sum, want, weights := make([]uint32, q.Lanes()), make([]float64, q.total), 0.0
		members := min(peers, 9)
		for i := range members {
			w, u := float64(i+1)/float64(members), normalVector(q.total, uint64(i))
			q.groups(u, func(g *NarrowGroup, part []float64) {
				for k := range part {
					part[k] *= g.Sigma
				}
			})
			out := mustNarrow(t, q, u, w, i)
			if out.Clipped != nil {
				t.Errorf("%d peers: %q are reported as clipped", peers, out.Clipped)
			}
			add16(sum, out.Lanes)
			for k := range u {
				want[k] += w * u[k]
			}
			weights += w
		}
		got, err := q.Dequantize(sum, members)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Weight-weights) > float64(members)*0x1p-17 || got.Members != members {
			t.Errorf("%d peers: weight %v of %d members, want %v of %d", peers, got.Weight, got.Members, weights, members)
		}
		from := 0
		for _, g := range groups {
			part := slices.Clone(want[from : from+g.Len])
			for k := range part {
				part[k] /= weights
			}
			// one step of noise per member and value at most; saturation is rare
			limit := 1.5 * q.step() * g.Sigma * math.Sqrt(float64(members*g.Len)) / weights
			diff := slices.Clone(got.Values[from : from+g.Len])
			for k := range diff {
				diff[k] -= part[k]
			}
			if d := norm2(diff); d > limit {
				t.Errorf("%d peers, group %s: off by %g, want at most %g", peers, g.Name, d, limit)
			}
			from += g.Len
		}
	}
}

// TestNarrowHeadroom: members that choose the worst, all lanes at their limit, fill the ring and no more.
func TestNarrowHeadroom(t *testing.T) {
	for _, c := range []struct{ peers, bits int }{{1, 16}, {2, 15}, {3, 14}, {200, 8}, {255, 8}, {256, 8}, {129, 8}, {128, 9}} {
		config := narrowConfig(c.peers, NarrowGroup{"g", 64, 1e30, 1e-3})
		config.ValueBits = c.bits + 1
		if _, err := NewNarrow(config); err == nil || !strings.Contains(err.Error(), "overflow") {
			t.Errorf("%d peers with %d bits were accepted (%v)", c.peers, config.ValueBits, err)
		}
		config.ValueBits = 0
		q := testNarrow(t, config)
		if q.full != 1<<(c.bits-1)-1 || c.peers*q.full >= 1<<15 || c.peers*digit >= 1<<16 {
			t.Fatalf("%d peers: lanes of up to %d", c.peers, q.full)
		}
		// one huge value becomes lanes of both signs, all saturated
		u := make([]float64, 64)
		u[5] = 1e12
		out := mustNarrow(t, q, u, 1, 1)
		if out.Saturated != 64 {
			t.Fatalf("%d of 64 lanes are saturated", out.Saturated)
		}
		sum, want := make([]uint32, q.Lanes()), make([]float64, 64)
		for range c.peers {
			add16(sum, out.Lanes)
		}
		for k := range want {
			lane := int16(out.Lanes[k])
			if int(lane) != q.full && int(lane) != -q.full {
				t.Fatalf("lane %d is %d", k, lane)
			}
			want[k] = float64(lane) * q.step() * 1e-3
		}
		q.rotation.invert(want)
		mean, err := q.Dequantize(sum, c.peers)
		if err != nil || mean.Weight != float64(c.peers) || distance(mean.Values, want) > 1e-12 {
			t.Errorf("%d peers: the largest sum has weight %v (%v), values off by %g", c.peers, mean.Weight, err, distance(mean.Values, want))
		}
	}
}

// TestNarrowOverflowWouldBeSilent is the control of TestNarrowHeadroom: with one bit more a sum is accepted that is wrong.
func TestNarrowOverflowWouldBeSilent(t *testing.T) {
	const members = 200
	q := testNarrow(t, narrowConfig(256, NarrowGroup{"g", 1, 1e30, 1}))
	q.full = 255 // without the check
	out := mustNarrow(t, q, []float64{100}, 1, 1)
	sum, one := make([]uint32, q.Lanes()), make([]uint32, q.Lanes())
	for range members {
		add16(sum, out.Lanes)
	}
	add16(one, out.Lanes)
	want, err := q.Dequantize(one, 1)
	if err != nil {
		t.Fatal(err)
	}
	mean, err := q.Dequantize(sum, members)
	if err != nil || math.Abs(mean.Values[0]-want.Values[0]) < math.Abs(want.Values[0])/2 {
		t.Errorf("control: %d equal values of 9 bits fit in 16 bits: mean %v, want another than %v (%v)", members, mean.Values, want.Values, err)
	}
}

func TestNarrowClipIsReported(t *testing.T) {
	q := testNarrow(t, narrowConfig(2, NarrowGroup{"a", 2, 5, 10}, NarrowGroup{"b", 1, 1, 10}))
	out := mustNarrow(t, q, []float64{30, -40, 0.5}, 1, 1)
	if !slices.Equal(out.Clipped, []string{"a"}) {
		t.Errorf("clipped %q, want a", out.Clipped)
	}
	mean, err := q.Dequantize(out.Lanes, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{3, -4, 0.5} {
		if math.Abs(mean.Values[k]-want) > 1.1*q.step()*10 {
			t.Errorf("value %d = %v, want %v", k, mean.Values[k], want)
		}
	}
}

func TestNarrowRefuses(t *testing.T) {
	q := testNarrow(t, narrowConfig(4, NarrowGroup{"g", 2, 1, 1}))
	for _, c := range []struct {
		name   string
		update []float64
		weight float64
		seed   [32]byte
	}{
		{"NaN", []float64{0, math.NaN()}, 1, testRoot(1)}, {"infinity", []float64{math.Inf(-1), 0}, 1, testRoot(1)},
		{"short", []float64{1}, 1, testRoot(1)}, {"long", []float64{1, 2, 3}, 1, testRoot(1)}, {"no seed", []float64{1, 2}, 1, [32]byte{}},
		{"NaN weight", []float64{0, 0}, math.NaN(), testRoot(1)}, {"negative weight", []float64{0, 0}, -0.1, testRoot(1)}, {"weight above one", []float64{0, 0}, 1.1, testRoot(1)},
	} {
		if out, err := q.Quantize(c.update, c.weight, Version{}, nil, c.seed); err == nil || out.Lanes != nil {
			t.Errorf("%s: gave %v", c.name, out.Lanes)
		}
	}
	for name, change := range map[string]func(*NarrowConfig){
		"no session":       func(c *NarrowConfig) { c.Session = [32]byte{} },
		"no groups":        func(c *NarrowConfig) { c.Groups = nil },
		"empty group":      func(c *NarrowConfig) { c.Groups[0].Len = 0 },
		"same name twice":  func(c *NarrowConfig) { c.Groups = append(c.Groups, c.Groups[0]) },
		"no clip":          func(c *NarrowConfig) { c.Groups[0].Clip = 0 },
		"infinite clip":    func(c *NarrowConfig) { c.Groups[0].Clip = math.Inf(1) },
		"NaN sigma":        func(c *NarrowConfig) { c.Groups[0].Sigma = math.NaN() },
		"no peers":         func(c *NarrowConfig) { c.Peers = 0 },
		"257 peers":        func(c *NarrowConfig) { c.Peers = 257 },
		"3 bits":           func(c *NarrowConfig) { c.ValueBits = 3 },
		"negative bits":    func(c *NarrowConfig) { c.ValueBits = -8 },
		"NaN saturation":   func(c *NarrowConfig) { c.Saturation = math.NaN() },
		"early saturation": func(c *NarrowConfig) { c.Saturation = 0.5 },
		"too many lanes":   func(c *NarrowConfig) { c.Groups = append(c.Groups, NarrowGroup{"h", MaxLanes - 3, 1, 1}) },
	} {
		c := narrowConfig(4, NarrowGroup{"g", 1, 1, 1})
		change(&c)
		if _, err := NewNarrow(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestNarrowDequantizeRefuses(t *testing.T) {
	q := testNarrow(t, narrowConfig(200, NarrowGroup{"g", 4, 1, 1}))
	full := uint32(2 * q.full)
	for _, c := range []struct {
		name, word string
		sum        []uint32
	}{
		{"value too large", "lane 1 is 255", []uint32{0, full + 1, 0, 0, 255, 255, 1}},
		{"value too small", "lane 3 is -255", []uint32{0, 0, 0, 0xffff - full, 255, 255, 1}},
		{"outside the ring", "lane 0 is 65536", []uint32{1 << 16, 0, 0, 0, 255, 255, 1}},
		{"weight, high", "high digit", []uint32{0, 0, 0, 0, 511, 0, 1}},
		{"weight, low", "low digit", []uint32{0, 0, 0, 0, 1, 511, 1}},
		{"spread", "spread", []uint32{0, 0, 0, 0, 255, 255, 511}},
		{"no weight", "zero", []uint32{0, 0, 0, 0, 0, 0, 1}},
		{"too short", "6 lanes", []uint32{0, 0, 0, 0, 1, 1}},
	} {
		if mean, err := q.Dequantize(c.sum, 2); err == nil || !strings.Contains(err.Error(), c.word) || errors.Is(err, ErrNoWeight) != (c.name == "no weight") {
			t.Errorf("%s: gave %v (%v), want an error with %q", c.name, mean, err, c.word)
		}
	}
	if _, err := q.Dequantize([]uint32{full, 0, 0, -full & 0xffff, 510, 510, 510}, 2); err != nil {
		t.Errorf("the largest sum of two: %v", err)
	}
	if _, err := q.Dequantize([]uint32{0, 0, 0, 0, 1, 1, 1}, 201); err == nil {
		t.Error("a sum over more members than there is headroom for was accepted")
	}
}

// TestHonestNarrowSumsAreAccepted: whatever honest members hold, their sum dequantizes.
func TestHonestNarrowSumsAreAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		peers := rapid.IntRange(1, MaxNarrowPeers).Draw(t, "peers")
		q, err := NewNarrow(narrowConfig(peers, NarrowGroup{"g", 5, 1e40, 2}, NarrowGroup{"h", 2, 1, 1e-40}))
		if err != nil {
			t.Fatal(err)
		}
		sum, members := make([]uint32, q.Lanes()), rapid.IntRange(1, min(peers, 8)).Draw(t, "members")
		for i := range members {
			u := rapid.SliceOfN(rapid.Float64(), 7, 7).Draw(t, "update")
			out, err := q.Quantize(u, rapid.Float64Range(0, 1).Draw(t, "weight"), Version{}, nil, testRoot(i))
			if err != nil {
				t.Fatal(err)
			}
			add16(sum, out.Lanes)
		}
		mean, err := q.Dequantize(sum, members)
		if errors.Is(err, ErrNoWeight) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range mean.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("mean %v", mean.Values)
			}
		}
		if next, err := q.Next(mean); err != nil || next[0].Sigma < sigmaLow {
			t.Fatalf("next groups %v (%v)", next, err)
		}
	})
}

// TestNarrowSecureSum takes narrow lanes through a whole session.
func TestNarrowSecureSum(t *testing.T) {
	const n = 1000
	s := inBits(testSession(5, n+NarrowExtra), 16)
	c := narrowConfig(5, NarrowGroup{"g", n, 1e9, 1})
	c.Session = s.ID
	q := testNarrow(t, c)
	if q.Lanes() != s.Lanes {
		t.Fatalf("%d lanes", q.Lanes())
	}
	p := newParty(t, s)
	want := make([]float64, n)
	for i := range p.values {
		u := normalVector(n, uint64(i))
		p.values[i] = mustNarrow(t, q, u, 1, i).Lanes
		for k := range u {
			if i != 2 {
				want[k] += u[k] / 4
			}
		}
	}
	p.leave[2] = atConfirm
	if err := p.until(atUnmask); err != nil {
		t.Fatal(err)
	}
	sum, err := Sum(p.s, p.in)
	if err != nil {
		t.Fatal(err)
	}
	mean, err := q.Dequantize(sum, len(p.survivors))
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(mean.Values, want); d > 0.001 || mean.Weight != 4 {
		t.Errorf("mean off by %.5f, weight %v", d, mean.Weight)
	}
}
