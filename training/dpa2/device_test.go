package dpa2

import (
	"math"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
	"github.com/fedlam/fedlam/training/graph"
	"github.com/fedlam/fedlam/training/weights"
)

// TestGoldenOutputsOnDevice compares energies, forces and virials of a GPU with DeePMD-kit's.
func TestGoldenOutputsOnDevice(t *testing.T) {
	at := Place{Device: cudatest.Open(t)}
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			tol := c.tol
			if c.precision == Float64 {
				tol = 1e-9
			}
			goldenOutputs(t, c.name, c.folder, c.precision, at, tol)
		})
	}
}

// TestGoldenGradientOnDevice compares every entry of the gradient of DeePMD-kit's first training step.
func TestGoldenGradientOnDevice(t *testing.T) { goldenGradient(t, Place{Device: cudatest.Open(t)}) }

// TestFloat32ForcesOnDevice compares float32 on a GPU with float64 on the processor.
func TestFloat32ForcesOnDevice(t *testing.T) {
	at := Place{Device: cudatest.Open(t)}
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			m, g := readGolden(t, c.name, c.folder)
			compareForcesAt(t, at, m, g.frames(m.Config.TypeMap), 1e-5)
		})
	}
}

// TestOfficialOnDevice takes a training step with the official models on a few water molecules: in float32 on a GPU, twice for the same bits, and in
// float64 on the processor.
func TestOfficialOnDevice(t *testing.T) {
	at := Place{Device: cudatest.Open(t)}
	strip, attention := officialInput(false, 3), officialInput(true, 3)
	strip.Descriptor.Repinit.TebdInputMode = "strip"
	attention.Descriptor.Repformer.G1Attn, attention.Descriptor.Repformer.G2G1G1 = true, true
	for _, c := range []struct {
		name string
		cfg  *Config
	}{{"small", officialInput(false, 3)}, {"medium", officialInput(true, 3)}, {"strip", strip}, {"attention of g1 and g2", attention}} {
		t.Run(c.name, func(t *testing.T) {
			m := hashFilled(t, c.cfg)
			loss, p := DefaultLoss(), Prefactors{Energy: 1, Force: 100}
			frames := []dataset.Frame{labelledWater()}
			first, got := runStepAt(t, at, Float32, m, loss, p, frames)
			second, again := runStepAt(t, at, Float32, m, loss, p, frames)
			host, want := runStepAt(t, Place{Threads: 2}, Float64, m, loss, p, frames)
			if first != second {
				t.Errorf("two runs: %+v and %+v", first, second)
			}
			if math.Abs(first.Loss-host.Loss) > 1e-4*host.Loss {
				t.Errorf("loss %v, want %v", first.Loss, host.Loss)
			}
			sameGradients(t, got, again)
			nearGradients(t, got, want, 1e-5)
		})
	}
}

// labelledWater is a cube of eight molecules in the open, with labels made up.
func labelledWater() dataset.Frame {
	energy := -120.
	f := dataset.Frame{Source: "water", Energy: &energy}
	for i := range 8 {
		at := [3]float64{2.9 * float64(i&1), 3.0 * float64(i>>1&1), 3.1 * float64(i>>2)}
		turn := 0.7 * float64(i)
		for k, atom := range []struct {
			species string
			r, a    float64
		}{{"O", 0, 0}, {"H", 0.96, 0}, {"H", 0.96, 1.824}} {
			f.Species = append(f.Species, atom.species)
			f.Positions = append(f.Positions, at[0]+atom.r*math.Cos(atom.a+turn), at[1]+atom.r*math.Sin(atom.a+turn), at[2]+0.05*float64(k))
			f.Forces = append(f.Forces, math.Sin(float64(3*i+k)), math.Cos(float64(i-k)), 0.3)
		}
	}
	return f
}

// sameGradients compares bits.
func sameGradients(t *testing.T, got, want *weights.Set) {
	t.Helper()
	for _, w := range want.Tensors() {
		if g, ok := got.Get(w.Name); !ok || !slices.Equal(g.Data, w.Data) {
			t.Errorf("%s has other bits in a second run", w.Name)
		}
	}
}

// nearGradients compares tensor by tensor, with a tolerance relative to the norm of a tensor or, for those that hardly matter, a
// thousandth of the largest norm.
func nearGradients(t *testing.T, got, want *weights.Set, tol float64) {
	t.Helper()
	norm := func(x []float64) float64 {
		sum := 0.0
		for _, v := range x {
			sum += v * v
		}
		return math.Sqrt(sum)
	}
	largest := 0.0
	for _, w := range want.Tensors() {
		largest = max(largest, norm(w.Data))
	}
	worst := 0.0
	for _, w := range want.Tensors() {
		g, ok := got.Get(w.Name)
		if !ok || len(g.Data) != len(w.Data) {
			t.Fatalf("%s: no gradient", w.Name)
		}
		d := slices.Clone(g.Data)
		for k := range d {
			d[k] -= w.Data[k]
		}
		off := norm(d) / max(norm(w.Data), 1e-3*largest)
		worst = max(worst, off)
		if !(off <= tol) {
			t.Errorf("%s differs by %.1e of its norm", w.Name, off)
		}
	}
	t.Logf("largest difference of a tensor's gradient: %.1e of its norm", worst)
}

// TestLargeOnDevice predicts a frame that does not fit the memory of the device at once: it is cut into blocks, and smaller frames are as before.
func TestLargeOnDevice(t *testing.T) {
	m := hashFilled(t, officialInput(false, 3))
	e, err := NewEvaluatorAt(m, Float32, Place{Device: cudatest.Open(t)})
	if err != nil {
		t.Fatal(err)
	}
	host, err := NewEvaluator(m, Float32, 2)
	if err != nil {
		t.Fatal(err)
	}
	small := labelledWater()
	e.quick.run = tight{e.quick.run, 40}
	for _, molecules := range []int{8, 27, 8} {
		f := waterBox(molecules)
		if molecules == 8 {
			f = small
		}
		got, err := e.Evaluate([]dataset.Frame{f})
		if err != nil {
			t.Fatal(err)
		}
		want, err := host.Evaluate([]dataset.Frame{f})
		if err != nil {
			t.Fatal(err)
		}
		for k := range want[0].Forces {
			if math.Abs(got[0].Forces[k]-want[0].Forces[k]) > 1e-4 {
				t.Fatalf("%d molecules: force %d is %v, want %v", molecules, k, got[0].Forces[k], want[0].Forces[k])
			}
		}
	}
	if e.large.run == nil || e.quick.run == nil {
		t.Error("both programs should have been used")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// tight is a runner on a device too small for so many atoms.
type tight struct {
	runner
	atoms int
}

func (r tight) run(b *Batch, extra map[string][]float64) error {
	if b.NumAtoms() > r.atoms {
		return &graph.MemoryError{Need: 2, Available: 1}
	}
	return r.runner.run(b, extra)
}

// waterBox is a cube of molecules in the open.
func waterBox(molecules int) dataset.Frame {
	f := dataset.Frame{Source: "water"}
	side := int(math.Cbrt(float64(molecules)) + 0.5)
	for i := range molecules {
		x, y, z := 3*float64(i%side), 3*float64(i/side%side), 3*float64(i/side/side)
		f.Species = append(f.Species, "O", "H", "H")
		f.Positions = append(f.Positions, x, y, z, x+0.96, y, z, x-0.24, y+0.93, z)
	}
	return f
}
