package cuda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

func TestOutOfMemory(t *testing.T) {
	d := cudatest.Open(t)
	a, err := d.NewArena(200 << 20)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.NewArena(100 << 20)
	var e *cuda.Error
	if !errors.As(err, &e) || e.Result != cuda.OutOfMemory {
		t.Fatalf("error %v, want %v", err, cuda.OutOfMemory)
	}
	for _, want := range []string{"104857600 bytes", "58720256 of 268435456 bytes are free", "smaller batches"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if err := a.Free(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.NewArena(100 << 20); err != nil {
		t.Errorf("after Free: %v", err)
	}
}

func TestArena(t *testing.T) {
	d := cudatest.Open(t)
	a, err := d.NewArena(1024)
	if err != nil {
		t.Fatal(err)
	}
	x := take[float32](a, t, 3)
	before := a.Used()
	if before != cuda.Room[float32](3) || before%256 != 0 {
		t.Errorf("3 numbers take %d bytes, Room says %d", before, cuda.Room[float32](3))
	}
	y := take[float64](a, t, 96)
	if x.Len() != 3 || y.Len() != 96 || a.Used() != a.Bytes() {
		t.Errorf("lengths %d, %d; %d of %d bytes used", x.Len(), y.Len(), a.Used(), a.Bytes())
	}
	if _, err := cuda.Take[int32](a, 1); err == nil {
		t.Error("took a number from a full arena")
	}
	a.Reset(before)
	take[float64](a, t, 96)
	for _, c := range []struct{ at, n int }{{-4, 1}, {2, 1}, {0, -1}, {1024, 1}, {4, 256}, {0, 1 << 62}} {
		if _, err := cuda.At[float32](a, c.at, c.n); err == nil {
			t.Errorf("At(%d, %d) of 1024 bytes succeeded", c.at, c.n)
		}
	}
	if s, err := cuda.At[float32](a, 4, 255); err != nil || s.Len() != 255 {
		t.Errorf("At(4, 255) = %d numbers, %v", s.Len(), err)
	}
}

// TestFakeIsStrict makes mistakes that a GPU may not notice: the fake must.
func TestFakeIsStrict(t *testing.T) {
	for _, c := range []struct {
		name   string
		record func(t *testing.T, w rig, r *cuda.Recorder)
		want   string
	}{
		{"freed memory", func(t *testing.T, w rig, r *cuda.Recorder) {
			cuda.Fill(r, take[float32](w.arena, t, 10), 1)
			if err := w.arena.Free(); err != nil {
				t.Fatal(err)
			}
		}, "points to no allocated memory"},
		{"copy to freed memory", func(t *testing.T, w rig, r *cuda.Recorder) {
			cuda.Upload(r, take[float32](w.arena, t, 10), make([]float32, 10))
			if err := w.arena.Free(); err != nil {
				t.Fatal(err)
			}
		}, "not allocated"},
		{"write beside memory", func(t *testing.T, w rig, r *cuda.Recorder) {
			all, err := cuda.At[float32](w.arena, 0, w.arena.Bytes()/4)
			if err != nil {
				t.Fatal(err)
			}
			index := take[int32](w.arena, t, 1)
			cuda.Upload(r, index, []int32{1})
			cuda.Spread(r, all.From(all.Len()-1), take[float32](w.arena, t, 1), index, 1)
		}, "spread_f32 wrote beside allocated memory"},
		{"arguments left out", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "layout_f32", "spread_f32", 1, 32, 0, 0, 0, 0, 0)
		}, "32 bytes of arguments instead of 36"},
		{"large block", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "layout_f32", "spread_f32", 1, 1025, 0)
		}, "size of a block"},
		{"block larger than compiled for", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "layout_f32", "spread_f32", 1, 512, 0)
		}, "more threads than it is compiled for"},
		{"shared memory", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "layout_f32", "spread_f32", 1, 32, 49<<10)
		}, "48 KiB"},
		{"no such kernel", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "layout_f32", "spread_f16", 1, 32, 0)
		}, "no kernel spread_f16"},
		{"no such file", func(_ *testing.T, _ rig, r *cuda.Recorder) {
			cuda.Launch(r, "texture", "spread_f32", 1, 32, 0)
		}, `kernels "texture"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close() // finds what the mistake left behind
			w := rig{device: d}
			if w.stream, err = d.NewStream(); err != nil {
				t.Fatal(err)
			}
			if w.arena, err = d.NewArena(1 << 12); err != nil {
				t.Fatal(err)
			}
			var r cuda.Recorder
			c.record(t, w, &r)
			if err := w.finish(&r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
