package cuda_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestStreamHolds checks what a stream keeps alive: memory of Go until Sync, pinned memory not at all.
func TestStreamHolds(t *testing.T) {
	d := cudatest.Open(t)
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.NewArena(1 << 10)
	if err != nil {
		t.Fatal(err)
	}
	x, err := cuda.Take[float32](a, 8)
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := cuda.NewHost[float32](d, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		from []float32
		want int
	}{{"pinned memory", pinned, 0}, {"memory of Go", make([]float32, 8), 1}} {
		var r cuda.Recorder
		cuda.Upload(&r, x, c.from)
		if err := s.Run(&r); err != nil {
			t.Fatal(err)
		}
		if s.Held() != c.want {
			t.Errorf("%s: the stream holds %d pieces, want %d", c.name, s.Held(), c.want)
		}
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		if s.Held() != 0 {
			t.Errorf("%s: the stream holds something after Sync", c.name)
		}
	}
	if err := cuda.FreeHost(d, pinned); err != nil {
		t.Error(err)
	}
}
