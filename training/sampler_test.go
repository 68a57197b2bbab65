package training

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// plainFrames returns frames of n atoms with an energy, enough for the sampler.
func plainFrames(count, n int) []dataset.Frame {
	frames := make([]dataset.Frame, count)
	for i := range frames {
		e := float64(i)
		frames[i] = dataset.Frame{Species: make([]string, n), Positions: make([]float64, 3*n), Energy: &e, Index: i}
	}
	return frames
}

func testSampler(t *testing.T, seed uint64) *sampler {
	t.Helper()
	var heads []*headSampler
	for _, h := range []struct {
		key  string
		p    float64
		data []dataset.Frame
	}{{"a", 3, slices.Concat(plainFrames(10, 3), plainFrames(4, 5))}, {"b", 1, plainFrames(7, 2)}} {
		systems, err := groupSystems(h.key, h.data, batchRule{size: "3"}, seed)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, &headSampler{key: h.key, probability: h.p, systems: systems})
	}
	s, err := newSampler(seed, heads)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBatchSize(t *testing.T) {
	for _, c := range []struct {
		size  BatchSize
		atoms int
		want  int // 0 = error
	}{
		{"1", 100, 1}, {"7", 3, 7}, {"", 3, 11}, {"auto", 32, 1}, {"auto", 33, 1}, {"auto", 31, 2}, {"auto:64", 20, 4},
		{"auto:memory", 31, 2}, {"max:64", 20, 3}, {"max:64", 65, 1}, {"0", 1, 0}, {"-1", 1, 0}, {"auto:x", 1, 0}, {"filter:8", 1, 0}, {"two", 1, 0},
	} {
		got, err := c.size.frames(c.atoms)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q for %d atoms: %d, %v, want %d", c.size, c.atoms, got, err, c.want)
		}
	}
}

func TestSamplerGoesThroughAllFrames(t *testing.T) {
	s := testSampler(t, 1)
	heads := [2]int{}
	seen := [2]map[int]int{{}, {}}
	const draws = 4000
	for range draws {
		h, frames := s.draw()
		heads[h]++
		if len(frames) == 0 || len(frames) > 3 {
			t.Fatalf("a batch of %d frames, want 1 to 3", len(frames))
		}
		for _, f := range frames {
			seen[h][f]++
		}
	}
	if share := float64(heads[0]) / draws; math.Abs(share-0.75) > 0.03 {
		t.Errorf("head a was drawn in %.3f of the steps, want 0.75", share)
	}
	// 10 frames in 4 batches and 4 frames in 2: systems are drawn 2 to 1, frames of the first 4/6/4 as often per draw.
	for h, n := range []int{14, 7} {
		if len(seen[h]) != n {
			t.Errorf("head %d: %d frames were seen, want %d", h, len(seen[h]), n)
		}
	}
	low, high := draws, 0
	for f := range 10 {
		low, high = min(low, seen[0][f]), max(high, seen[0][f])
	}
	if high-low > 1 {
		t.Errorf("frames of one system were taken %d to %d times; want a difference of at most one pass", low, high)
	}
}

func TestSamplerResumes(t *testing.T) {
	whole, first := testSampler(t, 5), testSampler(t, 5)
	type drawn struct {
		head   int
		frames []int
	}
	var want []drawn
	for range 60 {
		h, f := whole.draw()
		want = append(want, drawn{h, f})
	}
	for range 23 {
		first.draw()
	}
	st, err := first.state()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back samplerState
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	second := testSampler(t, 5)
	if err := second.restore(back); err != nil {
		t.Fatal(err)
	}
	for k := 23; k < 60; k++ {
		h, f := second.draw()
		if h != want[k].head || !slices.Equal(f, want[k].frames) {
			t.Fatalf("draw %d after resuming: head %d frames %v, want %v", k, h, f, want[k])
		}
	}
	other := testSampler(t, 6)
	same := 0
	for k := range 60 {
		if _, f := other.draw(); slices.Equal(f, want[k].frames) {
			same++
		}
	}
	if same > 20 {
		t.Errorf("another seed gave %d of 60 equal batches", same)
	}
}

func TestSamplerRefusesOtherData(t *testing.T) {
	st, err := testSampler(t, 1).state()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*samplerState)
	}{
		{"a head less", func(s *samplerState) { s.Heads = s.Heads[:1] }},
		{"another key", func(s *samplerState) { s.Heads[0].Key = "x" }},
		{"more frames", func(s *samplerState) { s.Heads[0].Systems[0].Frames++ }},
		{"a size less", func(s *samplerState) { s.Heads[0].Systems = s.Heads[0].Systems[:1] }},
		{"a place beyond the end", func(s *samplerState) { s.Heads[1].Systems[0].Next = 7 }},
		{"a negative place", func(s *samplerState) { s.Heads[1].Systems[0].Next = -1 }},
		{"no generator", func(s *samplerState) { s.Generator = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, _ := json.Marshal(st)
			var copied samplerState
			if err := json.Unmarshal(text, &copied); err != nil {
				t.Fatal(err)
			}
			c.spoil(&copied)
			if err := testSampler(t, 1).restore(copied); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestSamplerRefusesNonsense(t *testing.T) {
	if _, err := groupSystems("a", []dataset.Frame{{Species: []string{"H"}, Positions: make([]float64, 3)}}, batchRule{size: "1"}, 0); err == nil {
		t.Error("a frame without labels was accepted for training")
	}
	for _, p := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := newSampler(0, []*headSampler{{key: "a", probability: p}}); err == nil {
			t.Errorf("probability %g was accepted", p)
		}
	}
	if _, err := newSampler(0, []*headSampler{{key: "a"}}); err == nil {
		t.Error("a head without frames was accepted")
	}
}

// TestSamplerBoundsAtoms draws batches that are bounded by atoms, of frames of all sizes together.
func TestSamplerBoundsAtoms(t *testing.T) {
	frames := slices.Concat(plainFrames(6, 3), plainFrames(5, 8), plainFrames(1, 30))
	systems, err := groupSystems("a", frames, batchRule{size: fillMemory, most: 20}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(systems) != 1 || systems[0].perBatch != 2 { // 88 atoms of 12 frames
		t.Fatalf("%d systems, want one with 2 frames in a batch", len(systems))
	}
	seen := map[int]int{}
	for pass := systems[0].pass; systems[0].pass < pass+3; {
		batch := systems[0].take()
		atoms := 0
		for _, i := range batch {
			atoms += frames[i].NumAtoms()
			seen[i]++
		}
		if len(batch) == 0 || atoms > 20 && len(batch) > 1 {
			t.Errorf("a batch of %d atoms in %d frames, want at most 20 or one frame", atoms, len(batch))
		}
	}
	for i := range frames {
		if seen[i] != 3 {
			t.Errorf("frame %d was drawn %d times in three passes", i, seen[i])
		}
	}
}
