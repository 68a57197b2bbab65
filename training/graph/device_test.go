package graph

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// onDevice compiles and runs outputs on a device.
func onDevice[F kernels.Float](t *testing.T, d *cuda.Device, b *Builder, outputs map[string]*Tensor, batch *Batch[F]) *DeviceExec[F] {
	t.Helper()
	p, err := b.CompileWith(outputs, Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewDeviceExec[F](p, d, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	runDevice(t, e, batch)
	return e
}

// runDevice runs a batch and reads all outputs.
func runDevice[F kernels.Float](t *testing.T, e *DeviceExec[F], batch *Batch[F]) {
	t.Helper()
	if err := e.Run(batch); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range e.program.outputs {
		names = append(names, name)
	}
	if err := e.Read(names...); err != nil {
		t.Fatal(err)
	}
}

// TestDeviceValues compares every primitive with its definition, in both precisions.
func TestDeviceValues(t *testing.T) {
	d := cudatest.Open(t)
	for _, p := range primitives {
		for _, n := range []int{0, 1, 6} {
			t.Run(fmt.Sprintf("%s/%d atoms", p.name, n), func(t *testing.T) {
				s := newRagged(uint64(n+1), n, 5)
				y := p.build(s)
				want, outputs := newOracle(s).eval(y), map[string]*Tensor{"y": y}
				compare(t, "float64", onDevice(t, d, s.Builder, outputs, s.batch).Output("y"), want, 1e-13)
				compare(t, "float32", onDevice(t, d, s.Builder, outputs, to32(s.batch)).Output("y"), want, 2e-6)
			})
		}
	}
}

// TestDeviceRandomPrograms compares programs with the definitions, twice on the same memory.
func TestDeviceRandomPrograms(t *testing.T) {
	d := cudatest.Open(t)
	for seed := range uint64(20) {
		s := newRagged(seed, int(seed%7), 4)
		outputs := randomProgram(s, 25)
		e := onDevice(t, d, s.Builder, outputs, s.batch)
		o := newOracle(s)
		first := map[string][]float64{}
		for name, y := range outputs {
			compare(t, fmt.Sprintf("seed %d: %s", seed, name), e.Output(name), o.eval(y), 1e-9)
			first[name] = slices.Clone(e.Output(name))
		}
		runDevice(t, e, s.batch)
		for name := range outputs {
			if !slices.Equal(e.Output(name), first[name]) {
				t.Errorf("seed %d: %s has other bits in a second run", seed, name)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// TestDeviceBatchSizes runs one DeviceExec on batches of different sizes and compares with fresh ones.
func TestDeviceBatchSizes(t *testing.T) {
	d := cudatest.Open(t)
	first := newRagged(5, 9, 6)
	outputs := randomProgram(first, 25)
	e := onDevice(t, d, first.Builder, outputs, first.batch)
	for _, n := range []int{9, 0, 30, 1, 4, 30} {
		other := newRagged(uint64(n)+11, n, 6)
		b := onlySizes(first, other)
		for _, x := range b.Inputs {
			for i := range x {
				x[i] = other.rng.Float64() - 0.5
			}
		}
		runDevice(t, e, b)
		fresh := onDevice(t, d, first.Builder, outputs, b)
		for name := range outputs {
			if !slices.Equal(e.Output(name), fresh.Output(name)) {
				t.Errorf("%d atoms: output %s depends on earlier batches", n, name)
			}
		}
	}
}

// TestDeviceParameters changes parameters between runs, of a program that keeps what follows from them.
func TestDeviceParameters(t *testing.T) {
	d := cudatest.Open(t)
	b := New()
	w := b.Param("w", 2, 3)
	x := b.Input("x", Axis("row"), 2)
	y := b.MatMul(x, b.Scale(b.Tanh(w), 2), N, N)
	p, err := b.CompileWith(map[string]*Tensor{"y": y, "w itself": w, "x itself": x}, Options{Frozen: true, Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewDeviceExec[float64](p, d, 3)
	if err != nil {
		t.Fatal(err)
	}
	host := NewExec[float64](p, 1)
	for _, scale := range []float64{0.1, 0.3} {
		for i := range e.Param("w") {
			e.Param("w")[i] = scale * float64(i+1)
		}
		copy(host.Param("w"), e.Param("w"))
		e.Thaw()
		host.Thaw()
		for _, in := range [][]float64{{1, 10}, {3, -1}, {5, 2}, {2, 0, 0, 1}} {
			batch := &Batch[float64]{Sizes: map[string]int{"row": len(in) / 2}, Inputs: map[string][]float64{"x": in}}
			runDevice(t, e, batch)
			if err := host.Run(batch); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"y", "w itself", "x itself"} {
				compare(t, name, e.Output(name), host.Output(name), 1e-14)
			}
		}
	}
	if e.Output("none") != nil || e.Device("none").Len() != 0 {
		t.Error("there is an output that the program does not have")
	}
	if err := e.Run(&Batch[float64]{Sizes: map[string]int{"row": 1}}); err == nil {
		t.Error("a batch without its input was accepted")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestDeviceBlocks does regions in blocks of a few centres, which changes nothing but rounding, and in one block.
func TestDeviceBlocks(t *testing.T) {
	d := cudatest.Open(t)
	regions := 0
	for seed := range uint64(20) {
		s := newRagged(seed, 20+int(seed%7), 5)
		outputs := randomProgram(s, 25)
		p, err := s.CompileWith(outputs, Options{Deep: true})
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(s)
		regions += len(p.regions)
		for _, centres := range []int{0, 7, 1} {
			e, err := NewDeviceExec[float64](p, d, 2)
			if err != nil {
				t.Fatal(err)
			}
			e.centres = centres
			runDevice(t, e, s.batch)
			for name, y := range outputs {
				compare(t, fmt.Sprintf("seed %d, blocks of %d centres: %s", seed, centres, name), e.Output(name), o.eval(y), 1e-9)
			}
			mirrored := mirror(s.batch) // as many edges and pairs, of other atoms
			host := NewExec[float64](p, 1)
			if err := host.Run(mirrored); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				runDevice(t, e, mirrored)
			}
			for name := range outputs {
				compare(t, fmt.Sprintf("seed %d mirrored, blocks of %d centres: %s", seed, centres, name), e.Output(name), host.Output(name), 1e-9)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			return
		}
	}
	if regions == 0 {
		t.Error("no program has a region: nothing was cut into blocks")
	}
}

// mirror gives the edges of the first atom to the last one, and so on.
func mirror(b *Batch[float64]) *Batch[float64] {
	out := &Batch[float64]{Sizes: b.Sizes, Inputs: b.Inputs, Indices: maps.Clone(b.Indices)}
	centre := slices.Clone(b.Indices["centre"])
	for i := range centre {
		centre[i] = int32(b.Sizes["atom"]) - 1 - centre[i]
	}
	slices.Reverse(centre)
	out.Indices["centre"] = centre
	return out
}

// TestDeviceMemory has a batch that does not fit the device, cut into blocks or not.
func TestDeviceMemory(t *testing.T) {
	d := cudatest.Open(t)
	s := newRagged(1, 20, 5)
	outputs := randomProgram(s, 25)
	large := newRagged(2, 100_000, 40)
	for _, whole := range []bool{true, false} {
		p, err := s.CompileWith(outputs, Options{Whole: whole})
		if err != nil {
			t.Fatal(err)
		}
		e, err := NewDeviceExec[float64](p, d, 2)
		if err != nil {
			t.Fatal(err)
		}
		var short *MemoryError
		if err := e.Run(onlySizes(s, large)); !errors.As(err, &short) || short.Need <= short.Available {
			t.Errorf("whole %v: %v", whole, err)
		}
		runDevice(t, e, s.batch)
		compare(t, "energy of a batch that fits", e.Output("energy"), newOracle(s).eval(outputs["energy"]), 1e-9)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDeviceProfile measures runs and steps by events.
func TestDeviceProfile(t *testing.T) {
	d := cudatest.Open(t)
	s := newRagged(5, 40, 12)
	e := onDevice(t, d, s.Builder, randomProgram(s, 25), s.batch)
	if e.Profile() != nil {
		t.Error("there is a profile before it is asked for")
	}
	if err := e.StartClock(); err != nil {
		t.Fatal(err)
	}
	e.StartProfile()
	for range 3 {
		runDevice(t, e, s.batch)
		if elapsed, err := e.Elapsed(); err != nil || elapsed <= 0 {
			t.Errorf("a run took %v, %v", elapsed, err)
		}
	}
	nodes := e.Profile()
	if len(nodes) != e.program.Steps() {
		t.Fatalf("%d nodes, want %d", len(nodes), e.program.Steps())
	}
	for _, n := range nodes {
		if n.Calls != 3 || n.Total < n.Least {
			t.Errorf("%+v", n)
		}
	}
	if nodes[0].Total <= 0 || e.FLOP() <= 0 || e.ArenaBytes() <= 0 {
		t.Errorf("the longest node took %v; %d FLOP, %d bytes", nodes[0].Total, e.FLOP(), e.ArenaBytes())
	}
}

// TestDeviceRunsAhead starts runs without waiting for those before, from one and the same memory of the host, and reads what
// the last one has computed and, kept on the device, what the others have.
func TestDeviceRunsAhead(t *testing.T) {
	d := cudatest.Open(t)
	b := New()
	x := b.Input("x", Axis("row"), 2)
	sum := b.Scatter(x, b.Index("to", Axis("row"), Axis("sum")))
	p, err := b.CompileWith(map[string]*Tensor{"sum": sum}, Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewDeviceExec[float64](p, d, 3)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := d.NewArena(1 << 12)
	if err != nil {
		t.Fatal(err)
	}
	host := NewExec[float64](p, 1)
	batch := &Batch[float64]{Sizes: map[string]int{"sum": 2}, Inputs: map[string][]float64{}, Indices: map[string][]int32{}}
	data, to := make([]float64, 140000), make([]int32, 70000)
	var got, want [][]float64
	var list cuda.Recorder
	for run, rows := range []int{3, 3, 5, 70000, 70000, 70000, 2} {
		for i := range data {
			data[i] = float64(run*100 + i)
			to[i/2] = int32((i/2 + run) % 2)
		}
		batch.Sizes["row"], batch.Inputs["x"], batch.Indices["to"] = rows, data[:2*rows], to[:rows]
		if err := e.Run(batch); err != nil {
			t.Fatal(err)
		}
		if err := host.Run(batch); err != nil {
			t.Fatal(err)
		}
		want = append(want, slices.Clone(host.Output("sum")))
		got = append(got, make([]float64, 4))
		kept, err := cuda.Take[float64](memory, 4)
		if err != nil {
			t.Fatal(err)
		}
		list.Reset()
		cuda.Copy(&list, kept, e.Device("sum"))
		cuda.Download(&list, got[run], kept)
		if err := e.Stream().Run(&list); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Sync(); err != nil {
		t.Fatal(err)
	}
	for run := range want {
		if !slices.Equal(got[run], want[run]) {
			t.Errorf("run %d: %v, want %v", run, got[run], want[run])
		}
	}
	if a := e.again; a.recorded != 6 || a.replayed != 3 { // 3; 3 captured; 5; 70000; 70000 captured, replayed; 2
		t.Errorf("%d runs recorded and %d replayed, want 6 and 3", a.recorded, a.replayed)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestDeviceReplays compares runs that are started as a graph with runs of a fresh DeviceExec, in a program that keeps what
// follows from parameters, while numbers, parameters and sizes change.
func TestDeviceReplays(t *testing.T) {
	d := cudatest.Open(t)
	s := newRagged(8, 9, 6)
	outputs := randomProgram(s, 25)
	e := onDevice(t, d, s.Builder, outputs, s.batch)
	other := onlySizes(s, newRagged(31, 12, 6))
	for run, b := range []*Batch[float64]{s.batch, s.batch, s.batch, other, s.batch, s.batch, s.batch} {
		for _, x := range b.Inputs {
			for i := range x {
				x[i] = s.rng.Float64() - 0.5
			}
		}
		runDevice(t, e, b)
		fresh := onDevice(t, d, s.Builder, outputs, b)
		for name := range outputs {
			if !slices.Equal(e.Output(name), fresh.Output(name)) {
				t.Errorf("run %d: output %s differs from that of a fresh start", run, name)
			}
		}
	}
	if a := e.again; a.replayed < 4 || a.recorded < 5 {
		t.Errorf("%d runs recorded and %d replayed, want 5 and 4 at least", a.recorded, a.replayed)
	}
}
