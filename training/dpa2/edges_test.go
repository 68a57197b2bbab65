package dpa2

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// gas returns n³ atoms of the configuration's elements in a periodic cube, at about the density of a liquid.
func gas(cfg *Config, n int) dataset.Frame {
	r := rand.New(rand.NewPCG(8, 8))
	const spacing = 2.2
	side := spacing * float64(n)
	f := dataset.Frame{Source: "gas", Cell: &[9]float64{0: side, 4: side, 8: side}}
	for i := range n * n * n {
		for _, k := range [3]int{i % n, i / n % n, i / n / n} {
			f.Positions = append(f.Positions, (float64(k)+0.5*r.Float64())*spacing)
		}
		f.Species = append(f.Species, cfg.TypeMap[r.IntN(cfg.NumTypes())])
	}
	return f
}

// TestSampleOnAnyCores requires the same sample and the same batch from any number of cores, of more atoms than one takes at a
// time, with excluded pairs, crowded lists and virtual atoms.
func TestSampleOnAnyCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	cfg := moleculeConfig()
	cfg.PairSkip, cfg.Descriptor.ExcludeTypes = [][2]int{{0, 1}}, [][2]int{{2, 2}}
	r := &cfg.Descriptor.Repinit
	r.UseThreeBody, r.ThreeSel, r.ThreeRCut, r.ThreeRCutSmoth = true, Sel{Count: 12}, 4, 3
	f := gas(cfg, 6)
	f.Species[17], f.Species[100] = "", ""
	var want *Sample
	var wantBatch *Batch
	for _, cores := range []int{1, 2, 3, 4} {
		runtime.GOMAXPROCS(cores)
		got, err := NewSample(cfg, &f)
		if err != nil {
			t.Fatal(err)
		}
		batch, err := Collate(cfg, []*Sample{got, got})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want, wantBatch = got, batch
		}
		batch.samples = wantBatch.samples
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(batch, wantBatch) {
			t.Errorf("%d cores make another sample than one, or another batch", cores)
		}
	}
	if want.dropped == 0 || len(want.near[nearThree].edge) == 0 || len(want.near[nearRep].edge) == 0 || len(want.types) <= 2*atomsPerPiece {
		t.Errorf("%d dropped, %d and %d inner edges, %d atoms: the test saw too little", want.dropped, len(want.near[0].edge), len(want.near[1].edge), len(want.types))
	}
}
