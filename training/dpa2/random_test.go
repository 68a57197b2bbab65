package dpa2

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// newRandom returns a generator with a seed that differs from run to run and is printed; FEDLAM_SEED repeats a run.
func newRandom(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s := os.Getenv("FEDLAM_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("FEDLAM_SEED: %v", err)
		}
	}
	t.Logf("repeat with FEDLAM_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func pickOne[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func flip(r *rand.Rand) bool { return r.IntN(2) == 0 }

// randomConfig draws an architecture with smooth activations and room for all neighbours.
func randomConfig(r *rand.Rand) *Config {
	c := DefaultConfig()
	c.TypeMap = []string{"H", "C", "N", "O"}[:2+r.IntN(3)]
	d, in, out := &c.Descriptor, &c.Descriptor.Repinit, &c.Descriptor.Repformer
	act := func() string {
		return pickOne(r, "tanh", "gelu", "silu", "softplus", "sigmoid", "silut:3.0", "linear")
	}
	in.RCut, in.RCutSmooth, in.NSel = 3.6+0.4*r.Float64(), 0.5+r.Float64(), Sel{Count: 90 + r.IntN(30)}
	in.Neuron = pickOne(r, []int{4, 8, 16}, []int{5, 7}, []int{3, 6, 6})
	in.AxisNeuron, in.TebdDim = 1+r.IntN(3), 2+r.IntN(7)
	in.TebdInputMode = pickOne(r, "concat", "strip")
	in.Activation, in.ResnetDt, in.TypeOneSide, in.SetDavgZero = act(), flip(r), flip(r), r.IntN(3) > 0
	in.UseThreeBody, in.ThreeNeuron = flip(r), pickOne(r, []int{2, 4}, []int{3, 5, 5})
	in.ThreeRCut, in.ThreeRCutSmoth, in.ThreeSel = 2.4+0.4*r.Float64(), 1.5, Sel{Count: 50}

	out.RCut, out.RCutSmooth, out.NSel = 2.8+0.4*r.Float64(), 1.5+r.Float64(), Sel{Count: 60}
	out.NLayers, out.G1Dim, out.G2Dim, out.AxisNeuron = 1+r.IntN(3), 4+r.IntN(5), 3+r.IntN(4), 1+r.IntN(3)
	out.DirectDist, out.G1Conv, out.G1DRRD, out.G1GRRG, out.G1Attn = flip(r), flip(r), flip(r), flip(r), flip(r)
	out.G2G1G1, out.G2Attn, out.UpdateH2 = flip(r), flip(r), flip(r)
	out.Attn1Hidden, out.Attn1NHead, out.Attn2Hidden, out.Attn2NHead = 2+r.IntN(4), 1+r.IntN(3), 2+r.IntN(4), 1+r.IntN(3)
	out.Attn2HasGate, out.Activation = flip(r), act()
	out.UpdateStyle = pickOne(r, "res_avg", "res_incr", "res_residual")
	out.Residual, out.ResidualInit = 0.5, pickOne(r, "norm", "const")
	out.SetDavgZero, out.UseSqrtNnei, out.G1OutConv, out.G1OutMLP = flip(r), flip(r), flip(r), flip(r)
	if out.linear1Width() == 0 {
		out.G1GRRG = true
	}
	d.ConcatTebd, d.Smooth, d.AddTebd, d.UseTebdBias = flip(r), r.IntN(4) > 0, flip(r), flip(r)
	d.EnvProtection = pickOne(r, 0, 0.01)
	if flip(r) {
		d.ExcludeTypes = [][2]int{{0, 1}}
	}
	c.Fitting.Neuron, c.Fitting.Activation, c.Fitting.ResnetDt = pickOne(r, []int{8, 8}, []int{5, 10, 10}), act(), flip(r)
	if flip(r) {
		one := 1.0
		c.Fitting.AtomEner = make([]*float64, c.NumTypes())
		c.Fitting.AtomEner[0] = &one
	}
	return c
}

// randomModel draws weights, and statistics and references too.
func randomModel(t testing.TB, r *rand.Rand, cfg *Config) *Model {
	t.Helper()
	m, err := New(cfg, r.Uint64())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Params.Tensors() {
		switch {
		case strings.HasSuffix(x.Name, "/dstd") || strings.HasSuffix(x.Name, "/davg"):
			zero := cfg.Descriptor.Repinit.SetDavgZero
			if strings.HasPrefix(x.Name, repformerPath) {
				zero = cfg.Descriptor.Repformer.SetDavgZero
			}
			randomStat(r, x.Name, x.Data, x.Shape[1], zero)
		case strings.HasSuffix(x.Name, "bias"):
			for k := range x.Data {
				x.Data[k] = r.NormFloat64()
			}
		}
	}
	return m
}

func randomStat(r *rand.Rand, name string, data []float64, slots int, zero bool) {
	for t := range len(data) / (4 * slots) {
		v := [4]float64{}
		if strings.HasSuffix(name, "/dstd") {
			angular := 0.3 + 0.2*r.Float64()
			v = [4]float64{0.3 + 0.2*r.Float64(), angular, angular, angular}
		} else if !zero {
			v[0] = 0.1 * r.Float64()
		}
		for s := range slots {
			copy(data[4*(t*slots+s):], v[:])
		}
	}
}

// randomFrame draws n atoms no closer than 1.1 Å (images included), in a skew cell or in open space.
func randomFrame(r *rand.Rand, cfg *Config, n int, periodic bool) dataset.Frame {
	f := dataset.Frame{Source: "random"}
	if periodic {
		f.Cell = &[9]float64{4.5, 0, 0, 1.1 * r.Float64(), 4.2, 0, -0.9 * r.Float64(), 0.8 * r.Float64(), 4.8}
	}
	for len(f.Species) < n {
		p := [3]float64{5 * r.Float64(), 5 * r.Float64(), 5 * r.Float64()}
		if nearestImage(&f, p) > 1.1 {
			f.Positions = append(f.Positions, p[:]...)
			f.Species = append(f.Species, cfg.TypeMap[r.IntN(cfg.NumTypes())])
		}
	}
	return f
}

// nearestImage returns the distance from p to the nearest atom of f.
func nearestImage(f *dataset.Frame, p [3]float64) float64 {
	cell, reach := &[9]float64{}, 0
	if f.Cell != nil {
		cell, reach = f.Cell, 2
	}
	best := math.Inf(1)
	for i := range f.Species {
		for a := -reach; a <= reach; a++ {
			for b := -reach; b <= reach; b++ {
				for c := -reach; c <= reach; c++ {
					d := 0.0
					for k := range 3 {
						x := f.Positions[3*i+k] + float64(a)*cell[k] + float64(b)*cell[3+k] + float64(c)*cell[6+k] - p[k]
						d += x * x
					}
					best = math.Min(best, math.Sqrt(d))
				}
			}
		}
	}
	return best
}

// cloneFrame returns a frame whose geometry can be changed.
func cloneFrame(f dataset.Frame) dataset.Frame {
	f.Positions = append([]float64(nil), f.Positions...)
	f.Species = append([]string(nil), f.Species...)
	if f.Cell != nil {
		cell := *f.Cell
		f.Cell = &cell
	}
	return f
}
