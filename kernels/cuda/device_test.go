package cuda_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

func TestOpen(t *testing.T) {
	library := cudatest.Library(t)
	for _, c := range []struct {
		name   string
		cfg    cuda.Config
		driver bool // what is missing is a driver
		want   string
	}{
		{"no driver", cuda.Config{Library: "libcuda-absent.so.1"}, true, "run on the CPU"},
		{"another library", cuda.Config{Library: "libm.so.6"}, true, "libm.so.6 has no function cuInit"},
		{"no such GPU", cuda.Config{Library: library, Ordinal: 3}, false, "the driver sees 3"},
		{"GPU below zero", cuda.Config{Ordinal: -1}, false, "numbers begin with 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := cuda.Open(c.cfg)
			if err == nil {
				t.Fatalf("opened %v", d.Info())
			}
			if errors.Is(err, cuda.ErrNoDriver) != c.driver || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q; want %q, ErrNoDriver: %v", err, c.want, c.driver)
			}
		})
	}
}

func TestInfo(t *testing.T) {
	d := cudatest.Open(t)
	if got, want := d.Info().String(), "fake of the host, 0.3 GB, compute capability 8.0, driver for CUDA 12.4"; got != want {
		t.Errorf("Info() = %q, want %q", got, want)
	}
}

// TestOldGPU asks a GPU without tensor cores for TF32, and for what it can do.
func TestOldGPU(t *testing.T) {
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Ordinal: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.NewArena(1 << 12)
	if err != nil {
		t.Fatal(err)
	}
	x := take[float32](a, t, 16)
	var r cuda.Recorder
	cuda.MatMulTF32(&r, x, x, x, 4, 4, 4)
	const want = "products in TF32 need compute capability 8.0 (Ampere), fake of an old GPU has 7.5; use MatMul"
	if err := s.Run(&r); d.Info().TF32() || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("TF32() = %v, error %v; want %q", d.Info().TF32(), err, want)
	}
	r.Reset()
	cuda.Fill(&r, x, 1)
	if err := errors.Join(s.Run(&r), s.Sync()); err != nil {
		t.Error(err)
	}
}

// rig is a device with a stream and an arena.
type rig struct {
	device *cuda.Device
	stream *cuda.Stream
	arena  *cuda.Arena
}

func newRig(t testing.TB) rig {
	t.Helper()
	w := rig{device: cudatest.Open(t)}
	var err error
	if w.stream, err = w.device.NewStream(); err != nil {
		t.Fatal(err)
	}
	if w.arena, err = w.device.NewArena(1 << 20); err != nil {
		t.Fatal(err)
	}
	return w
}

// finish runs r and waits for it.
func (w rig) finish(r *cuda.Recorder) error {
	return errors.Join(w.stream.Run(r), w.stream.Sync())
}

func TestStream(t *testing.T) {
	w := newRig(t)
	x := take[float32](w.arena, t, 7)
	got := make([]float32, 7)
	var r cuda.Recorder
	cuda.Upload(&r, x, []float32{1, 2, 3, 4, 5, 6, 7})
	cuda.Fill(&r, x.Cut(2, 4), 9)
	cuda.Copy(&r, x.From(5), x.Cut(0, 1))
	cuda.Zero(&r, x.From(6))
	cuda.Download(&r, got, x)
	if err := w.finish(&r); err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2, 9, 9, 5, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDone looks at a stream whose work has begun: the host goes on, and finds the results when it is done.
func TestDone(t *testing.T) {
	w := newRig(t)
	x := take[float64](w.arena, t, 1)
	got := []float64{0}
	var r cuda.Recorder
	cuda.Fill(&r, x, 5)
	cuda.Download(&r, got, x)
	if err := w.stream.Run(&r); err != nil {
		t.Fatal(err)
	}
	if done, err := w.stream.Done(); done || err != nil || got[0] != 0 {
		t.Errorf("at once: done %v, %v, result %v", done, err, got)
	}
	if done, err := w.stream.Done(); !done || err != nil || got[0] != 5 {
		t.Errorf("later: done %v, %v, result %v", done, err, got)
	}
}

// TestReplay runs a graph several times: it takes what is in its memory each time.
func TestReplay(t *testing.T) {
	w := newRig(t)
	host, err := cuda.NewHost[float64](w.device, 3)
	if err != nil {
		t.Fatal(err)
	}
	x := take[float64](w.arena, t, 3)
	var r cuda.Recorder
	cuda.Upload(&r, x, host)
	cuda.Scale(&r, x, x, 2)
	cuda.Download(&r, host, x)
	g, err := w.stream.Capture(&r)
	if err != nil {
		t.Fatal(err)
	}
	r.Reset()
	copy(host, []float64{1, 2, 3})
	for range 3 {
		if err := w.stream.Replay(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.stream.Sync(); err != nil {
		t.Fatal(err)
	}
	if want := []float64{8, 16, 24}; !slices.Equal(host, want) {
		t.Errorf("after three runs %v, want %v", host, want)
	}
	if err := errors.Join(g.Free(), cuda.FreeHost(w.device, host)); err != nil {
		t.Error(err)
	}
	if err := g.Free(); err == nil {
		t.Error("a graph was freed twice")
	}
}

func TestEvents(t *testing.T) {
	w := newRig(t)
	begin, err := w.device.NewEvent()
	if err != nil {
		t.Fatal(err)
	}
	end, err := w.device.NewEvent()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := end.Since(begin); err == nil {
		t.Error("time between events that have not happened")
	}
	var r cuda.Recorder
	cuda.Mark(&r, begin)
	cuda.Fill(&r, take[float32](w.arena, t, 1000), 1)
	cuda.Mark(&r, end)
	if err := w.finish(&r); err != nil {
		t.Fatal(err)
	}
	if d, err := end.Since(begin); err != nil || d < 0 {
		t.Errorf("Since = %v, %v", d, err)
	}
}

// TestManyGoroutines uses one device from several goroutines at once, each with a stream of its own.
func TestManyGoroutines(t *testing.T) {
	d := cudatest.Open(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			s, err := d.NewStream()
			if err != nil {
				t.Error(err)
				return
			}
			a, err := d.NewArena(1 << 12)
			if err != nil {
				t.Error(err)
				return
			}
			x := take[float32](a, t, 100)
			got := make([]float32, 100)
			var r cuda.Recorder
			for i := range 20 {
				r.Reset()
				cuda.Fill(&r, x, float32(g*100+i))
				cuda.Download(&r, got, x)
				if err := errors.Join(s.Run(&r), s.Sync()); err != nil {
					t.Error(err)
				}
				if got[99] != float32(g*100+i) {
					t.Errorf("got %v, want %v", got[99], g*100+i)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.NewStream(); !errors.Is(err, cuda.ErrClosed) {
		t.Errorf("NewStream after Close: %v", err)
	}
	if err := d.Close(); !errors.Is(err, cuda.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

// TestStreamsInStep copies with one stream what another computes with, in turns and without the host waiting in between.
func TestStreamsInStep(t *testing.T) {
	d := cudatest.Open(t)
	a, err := d.NewArena(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	var streams [2]*cuda.Stream
	var events [2]*cuda.Event
	for k := range streams {
		if streams[k], err = d.NewStream(); err != nil {
			t.Fatal(err)
		}
		if events[k], err = d.NewEvent(); err != nil {
			t.Fatal(err)
		}
		if err := events[k].Wait(); err != nil { // of what was never marked
			t.Fatal(err)
		}
	}
	x, sum := take[float64](a, t, 3), take[float64](a, t, 3)
	copies, compute, there, taken := streams[0], streams[1], events[0], events[1]
	var r cuda.Recorder
	run := func(s *cuda.Stream) {
		t.Helper()
		if err := s.Run(&r); err != nil {
			t.Fatal(err)
		}
		r.Reset()
	}
	cuda.Zero(&r, sum)
	run(compute)
	for _, v := range [][]float64{{1, 2, 3}, {10, 20, 30}, {100, 200, 300}} {
		cuda.Await(&r, taken)
		cuda.Upload(&r, x, v)
		cuda.Mark(&r, there)
		run(copies)
		cuda.Await(&r, there)
		cuda.Add(&r, sum, sum, x)
		cuda.Mark(&r, taken)
		run(compute)
	}
	got := make([]float64, 3)
	cuda.Download(&r, got, sum)
	cuda.Mark(&r, there)
	run(compute)
	if err := there.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := []float64{111, 222, 333}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, err := range []error{streams[0].Free(), streams[1].Free(), there.Free(), taken.Free()} {
		if err != nil {
			t.Error(err)
		}
	}
}
