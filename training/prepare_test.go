package training

import (
	"math"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

func TestResolveNeighbors(t *testing.T) {
	// A simple cubic crystal with one atom in the cell: 6 neighbours within 3.1 Å, 18 within 4.3 Å.
	f := dataset.Frame{Species: []string{"O"}, Positions: make([]float64, 3), Cell: &[9]float64{3, 0, 0, 0, 3, 0, 0, 0, 3}}
	for _, c := range []struct {
		name                 string
		repinit, rep         dpa2.Sel
		wantRepinit, wantRep int
	}{
		{"numbers stay", dpa2.Sel{Count: 16}, dpa2.Sel{Count: 8}, 16, 8},
		{"both automatic", dpa2.Sel{Auto: 1.1}, dpa2.Sel{Auto: 1.5}, 20, 12},
		{"room for the inner block", dpa2.Sel{Auto: 1}, dpa2.Sel{Count: 40}, 44, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := tinyModel(t)
			in, rep := &cfg.Descriptor.Repinit, &cfg.Descriptor.Repformer
			in.RCut, in.NSel, in.UseThreeBody = 4.3, c.repinit, false
			rep.RCut, rep.NSel = 3.1, c.rep
			if err := ResolveNeighbors(cfg, []dataset.Frame{f}); err != nil {
				t.Fatal(err)
			}
			if in.NSel.Count != c.wantRepinit || rep.NSel.Count != c.wantRep {
				t.Errorf("nsel %d and %d, want %d and %d", in.NSel.Count, rep.NSel.Count, c.wantRepinit, c.wantRep)
			}
		})
	}
}

func TestPrepareWritesStatistics(t *testing.T) {
	cfg := toyConfig(t, 5)
	cfg.Model.Descriptor.Repformer.SetDavgZero = false
	tr := toyTrainer(t, cfg, toyHeads())
	get := func(name string) []float64 {
		x, ok := tr.params.Get(name)
		if !ok {
			t.Fatalf("no tensor %q", name)
		}
		return x.Data
	}
	stats, err := tr.EnvStats()
	if err != nil {
		t.Fatal(err)
	}
	last := len(stats.Blocks) - 1
	want := stats.Spread(last, 1)
	dstd, davg := get("descriptor/repformers_variable/@variables/dstd"), get("descriptor/repformers_variable/@variables/davg")
	at := (1*8 + 3) * 4 // type 1, slot 3 of 8
	if dstd[at] != want.Radial || dstd[at+3] != want.Angular || davg[at] != want.Mean || davg[at+1] != 0 {
		t.Errorf("dstd %v, davg %v, want %+v", dstd[at:at+4], davg[at:at+4], want)
	}
	if x := get("descriptor/repinit_variable/@variables/davg"); x[0] != 0 {
		t.Error("set_davg_zero was not followed")
	}
	// Equal numbers of O and H: minimum norm splits the offset evenly, -3 and 10 eV per atom with a little spring energy.
	for key, offset := range map[string]float64{"aaaa": -3, "bbbb": 10} {
		bias := get("heads/" + key + "/@variables/out_bias")
		if math.Abs((bias[0]+bias[1])/2-offset) > 0.7 {
			t.Errorf("head %s: references %v, want about %g", key, bias, offset)
		}
	}
}

// TestReferenceFromSums gives two members' sums to a third party, as the federation does.
func TestReferenceFromSums(t *testing.T) {
	heads := toyHeads()
	whole := toyTrainer(t, toyConfig(t, 5), heads[:1])
	want, err := whole.Reference("aaaa")
	if err != nil {
		t.Fatal(err)
	}
	var sum []float64
	for _, part := range [][]dataset.Frame{heads[0].Train[:6], heads[0].Train[6:]} {
		member := toyTrainer(t, toyConfig(t, 5), []Head{{Key: "aaaa", Train: part}})
		q, err := member.NormalEquations("aaaa")
		if err != nil {
			t.Fatal(err)
		}
		v := q.Pack()
		if sum == nil {
			sum = make([]float64, len(v))
		}
		for k := range v {
			sum[k] += v[k]
		}
	}
	q, err := UnpackNormalEquations(2, sum)
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.Solve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for k := range want.PerType {
		if math.Abs(got.PerType[k]-want.PerType[k]) > 1e-9 {
			t.Errorf("type %d: %.12g eV from sums, %.12g from the frames", k, got.PerType[k], want.PerType[k])
		}
	}
	if got.Rank != want.Rank {
		t.Errorf("rank %d from sums, %d from the frames", got.Rank, want.Rank)
	}
}

func TestPresets(t *testing.T) {
	cfg := toyConfig(t, 5)
	cfg.Model.Preset = map[string]any{"energy": []any{nil, 1.25}}
	tr := toyTrainer(t, cfg, toyHeads())
	bias, _ := tr.params.Get("heads/aaaa/@variables/out_bias")
	if bias.Data[1] != 1.25 || bias.Data[0] == 0 {
		t.Errorf("references %v, want the second to be 1.25", bias.Data)
	}
	for _, bad := range []any{"x", []any{1.0}, []any{"a", "b"}} {
		cfg.Model.Preset = map[string]any{"energy": bad}
		tr, err := New(cfg, toyHeads())
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Prepare(); err == nil || !strings.Contains(err.Error(), "preset_out_bias") {
			t.Errorf("preset %v: error %v", bad, err)
		}
	}
}

func TestParamScales(t *testing.T) {
	cfg := toyConfig(t, 5)
	cfg.Model.Fitting.NumbFParam = 2
	heads := toyHeads()[:1]
	for i := range heads[0].Train {
		heads[0].Train[i].FParam = []float64{float64(i % 2), 5}
	}
	heads[0].Train = heads[0].Train[:8]
	heads[0].Validation = nil
	tr := toyTrainer(t, cfg, heads)
	mean, _ := tr.params.Get("heads/aaaa/fitting/@variables/fparam_avg")
	inverse, _ := tr.params.Get("heads/aaaa/fitting/@variables/fparam_inv_std")
	if mean.Data[0] != 0.5 || mean.Data[1] != 5 || inverse.Data[0] != 2 || inverse.Data[1] != 100 {
		t.Errorf("means %v, inverse spreads %v; want 0.5 and 5, 2 and 100", mean.Data, inverse.Data)
	}
	run(t, tr, 2)
}
