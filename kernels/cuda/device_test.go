package cuda_test

import (
	"errors"
	"slices"
	"strings"
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
		{"no such GPU", cuda.Config{Library: library, Ordinal: 3}, false, "the driver sees 1"},
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

func TestDevice(t *testing.T) {
	d := cudatest.Open(t)
	if got, want := d.Info().String(), "fake of the host, 0.3 GB, compute capability 7.5, driver for CUDA 12.4"; got != want {
		t.Errorf("Info() = %q, want %q", got, want)
	}
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.NewArena(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	x, err := cuda.Take[float32](a, 7)
	if err != nil {
		t.Fatal(err)
	}
	host := []float32{1, 2, 3, 4, 5, 6, 7}
	got := make([]float32, 7)
	var r cuda.Recorder
	cuda.Upload(&r, x, host)
	cuda.Fill(&r, x.Cut(2, 4), 9)
	cuda.Download(&r, got, x)
	if err := s.Run(&r); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2, 9, 9, 5, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
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
