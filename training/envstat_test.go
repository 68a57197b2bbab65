package training

import (
	"fmt"
	"math"
	"testing"

	"github.com/fedlam/fedlam/dataset/deepmd"
	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/training/neighbor"
)

// TestSpread checks floors and defaults of the normalisation.
func TestSpread(t *testing.T) {
	s := NewEnvStats([]EnvBlock{{RCut: 6, RCutSmooth: 0.5, NSel: 10}}, 2)
	if got, want := s.Spread(0, 1), (Spread{0, 0.1, 0.1}); got != want {
		t.Errorf("no data: %+v, want %+v", got, want)
	}
	copy(s.Sums, []float64{100, 50, 25, 300, 0, 3})
	if got, want := s.Spread(0, 0), (Spread{0.5, 0.01, 0.1}); got != want {
		t.Errorf("constant radial part: %+v, want %+v", got, want)
	}
	if err := s.Merge(make([]float64, 3)); err == nil {
		t.Error("sums of another model were merged")
	}
}

// TestEnvStatsByHand has two atoms 2 Å apart along x, one of which is excluded from the other's view.
func TestEnvStatsByHand(t *testing.T) {
	list, err := neighbor.Build([]float64{0, 0, 0, 2, 0, 0}, nil, nil, 6, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := NewEnvStats([]EnvBlock{{RCut: 6, RCutSmooth: 3, NSel: 4}}, 2)
	skip := func(centre, _ int32) bool { return centre == 1 }
	if err := s.Add(list, []int32{0, 1}, skip); err != nil {
		t.Fatal(err)
	}
	want := []float64{4, 0.5, 0.25, 12, 0.5, 0.25, 3, 0, 0, 9, 0, 0}
	for k, w := range want {
		if math.Abs(s.Sums[k]-w) > 1e-15 {
			t.Errorf("sum %d is %g, want %g", k, s.Sums[k], w)
		}
	}
	if err := s.Add(list, []int32{0}, nil); err == nil {
		t.Error("a list of other atoms was accepted")
	}
}

// TestEnvStatsGolden compares sums and spreads over three frames of liquid water with those of DeePMD-kit v3.1.3.
func TestEnvStatsGolden(t *testing.T) {
	type block struct {
		Items map[string]struct {
			Number  float64
			Sum     float64
			Squared float64 `json:"squared_sum"`
		}
		DAvg [][4]float64 `json:"davg_per_type"`
		DStd [][4]float64 `json:"dstd_per_type"`
		NSel int
		RCut float64
		Smth float64 `json:"rcut_smth"`
	}
	var want struct {
		Repinit    block
		ThreeBody  block `json:"repinit_three_body"`
		Repformers block
	}
	golden(t, "stat_env_mat_water.json.gz", &want)
	blocks := []block{want.Repinit, want.ThreeBody, want.Repformers}
	stats := NewEnvStats(nil, 2)
	for _, b := range blocks {
		stats.Blocks = append(stats.Blocks, EnvBlock{RCut: b.RCut, RCutSmooth: b.Smth, NSel: b.NSel})
	}
	stats.Sums = make([]float64, len(blocks)*2*6)
	for _, source := range []struct {
		system string
		frames int
	}{{"data_0", 2}, {"data_1", 1}} {
		dir := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "examples", "water", "data", source.system)
		frames, err := deepmd.Read(dir, nil, deepmd.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames[:source.frames] {
			list, err := neighbor.Build(f.Positions, f.Cell, nil, 6, 0)
			if err != nil {
				t.Fatal(err)
			}
			types := make([]int32, f.NumAtoms())
			for i, s := range f.Species {
				if s == "H" {
					types[i] = 1
				}
			}
			if err := stats.Add(list, types, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("%s is %.12g, want %.12g", what, got, want)
		}
	}
	for b, block := range blocks {
		for typ := range 2 {
			for part, letter := range []string{"r", "a"} {
				item, sums := block.Items[fmt.Sprintf("%s_%d", letter, typ)], stats.at(b, typ)[3*part:]
				what := fmt.Sprintf("block %d type %d %s", b, typ, letter)
				near(what+" number", sums[0], item.Number)
				near(what+" sum", sums[1], item.Sum)
				near(what+" squares", sums[2], item.Squared)
			}
			s := stats.Spread(b, typ)
			near("mean", s.Mean, block.DAvg[typ][0])
			near("radial spread", s.Radial, block.DStd[typ][0])
			near("angular spread", s.Angular, block.DStd[typ][1])
		}
	}
}
