package dataset_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// cloud returns n frames of three atoms at random places.
func cloud(n int, seed uint64) []dataset.Frame {
	random := rand.New(rand.NewPCG(seed, 1))
	frames := make([]dataset.Frame, n)
	for i := range frames {
		frames[i] = dataset.Frame{Species: []string{"O", "H", "H"}, Positions: make([]float64, 9), Index: i}
		for k := range frames[i].Positions {
			frames[i].Positions[k] = 10 * random.Float64()
		}
	}
	return frames
}

// sides maps each frame's index to true for validation.
func sides(frames []dataset.Frame, fraction float64, seed uint64) map[int]bool {
	out := map[int]bool{}
	train, validation := dataset.Split(frames, fraction, seed)
	for _, f := range train {
		out[f.Index] = false
	}
	for _, f := range validation {
		out[f.Index] = true
	}
	return out
}

func TestSplitIsStable(t *testing.T) {
	all := cloud(2000, 1)
	reference := sides(all, 0.2, 7)
	count := 0
	for _, v := range reference {
		if v {
			count++
		}
	}
	if count < 300 || count > 500 {
		t.Errorf("%d of 2000 frames are in validation, want about 400", count)
	}
	few := append([]dataset.Frame(nil), all[1500:]...)
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(few), func(i, j int) { few[i], few[j] = few[j], few[i] })
	for index, side := range sides(few, 0.2, 7) {
		if side != reference[index] {
			t.Fatalf("frame %d changed sides when others were removed and reordered", index)
		}
	}
	moved := 0
	for index, side := range sides(all, 0.2, 8) {
		if side != reference[index] {
			moved++
		}
	}
	if moved == 0 {
		t.Error("another seed gives the same split")
	}
	for index, side := range sides(all, 0.3, 7) {
		if reference[index] && !side {
			t.Fatalf("frame %d left validation when the fraction grew", index)
		}
	}
}

func TestSplitBounds(t *testing.T) {
	frames := cloud(50, 3)
	for _, tt := range []struct {
		fraction float64
		want     int
	}{{0, 0}, {1, 50}, {-1, 0}, {2, 50}} {
		t.Run(fmt.Sprint(tt.fraction), func(t *testing.T) {
			train, validation := dataset.Split(frames, tt.fraction, 1)
			if len(validation) != tt.want || len(train)+len(validation) != 50 {
				t.Errorf("got %d and %d frames", len(train), len(validation))
			}
		})
	}
}

func TestFingerprintSeesGeometryOnly(t *testing.T) {
	base := cloud(1, 4)[0]
	base.Cell = &[9]float64{0: 10, 4: 10, 8: 10}
	for _, tt := range []struct {
		name   string
		change func(f *dataset.Frame)
		same   bool
	}{
		{"labels", func(f *dataset.Frame) {
			f.Energy, f.Forces, f.Index, f.Source = new(float64), make([]float64, 9), 8, "b"
		}, true},
		{"rounding", func(f *dataset.Frame) { f.Positions[4] = float64(float32(f.Positions[4])) }, true},
		{"negative zero", func(f *dataset.Frame) { f.Cell[1] *= -1 }, true},
		{"a small step", func(f *dataset.Frame) { f.Positions[4] += 2e-4 }, false},
		{"species", func(f *dataset.Frame) { f.Species[0] = "S" }, false},
		{"order", func(f *dataset.Frame) { f.Species[0], f.Species[1] = "H", "O" }, false},
		{"boundaries", func(f *dataset.Frame) { f.Cell = nil }, false},
		{"cell", func(f *dataset.Frame) { f.Cell[4] = 10.01 }, false},
		{"borders of names", func(f *dataset.Frame) { f.Species[0], f.Species[1] = "OH", "" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, cell := base, *base.Cell
			f.Cell, f.Species, f.Positions = &cell, append([]string(nil), base.Species...), append([]float64(nil), base.Positions...)
			tt.change(&f)
			if same := f.Fingerprint() == base.Fingerprint(); same != tt.same {
				t.Errorf("equal fingerprints: %t, want %t", same, tt.same)
			}
		})
	}
}

// TestFingerprintGolden pins the bytes that are hashed: a change would move frames between training and validation of
// running federations.
func TestFingerprintGolden(t *testing.T) {
	f := dataset.Frame{Species: []string{"O", "H"}, Positions: []float64{0, 0, 0, 0, 0, 0.9572}, Cell: &[9]float64{0: 3, 4: 3, 8: 3}}
	if got := f.Fingerprint().String(); got != "2400f6420382e64d" {
		t.Errorf("got %s", got)
	}
}
