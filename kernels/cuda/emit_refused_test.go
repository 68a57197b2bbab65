package cuda_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestRefusedCode gives the driver code that it refuses: the tile is interpreted, and so are those after it, and the device says why.
func TestRefusedCode(t *testing.T) {
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Tiles: cuda.Emit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b := newBridge[float32](t, d)
	x := []float32{1, 2, 3}
	cuda.Neg(&b.rec, b.out(x), b.in(x))
	cuda.SpoilCode(&b.rec)
	b.run()
	if want := []float32{-1, -2, -3}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
	way, refusal := d.Tiles()
	var e *cuda.Error
	if way != cuda.Interpret || !errors.As(refusal, &e) || e.Result != cuda.InvalidPTX {
		t.Fatalf("tiles are done by %q, refusal %v", way, refusal)
	}
	for _, want := range []string{"interpreted, which is slower", "code for 1 tiles", "unknown instruction retire", "please report"} {
		if !strings.Contains(refusal.Error(), want) {
			t.Errorf("refusal %q, want one that says %q", refusal, want)
		}
	}
	cuda.Square(&b.rec, b.out(x), b.in(x))
	b.run()
	if want := []float32{1, 4, 9}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
}

func TestTilesVariable(t *testing.T) {
	for _, c := range []struct {
		variable  string
		config    cuda.Tiles
		want      cuda.Tiles
		wantError string
	}{
		{"", "", cuda.Emit, ""},
		{"emit", "", cuda.Emit, ""},
		{"interpret", "", cuda.Interpret, ""},
		{"interpret", cuda.Emit, cuda.Emit, ""},
		{"compile", "", "", `tiles "compile" in FEDLAM_CUDA_TILES: use "emit" or "interpret"`},
		{"", "compile", "", `tiles "compile": use`},
	} {
		t.Run(c.variable+" "+string(c.config), func(t *testing.T) {
			t.Setenv("FEDLAM_CUDA_TILES", c.variable)
			d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Tiles: c.config})
			if c.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantError) {
					t.Fatalf("error %v, want %q", err, c.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if way, err := d.Tiles(); way != c.want || err != nil {
				t.Errorf("tiles are done by %q, %v; want %q", way, err, c.want)
			}
		})
	}
}
