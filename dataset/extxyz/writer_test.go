package extxyz_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/google/go-cmp/cmp"
)

func TestWriteReadsBackTheSameBits(t *testing.T) {
	third := 1. / 3
	frames := []dataset.Frame{
		{Species: []string{"O", "", "Hw"}, Positions: []float64{third, 0, 1e-300, 1, 2, 3, -third, 5, 1e300}, Energy: ptr(-third),
			FParam: []float64{1, third}, AParam: []float64{1, 2, 3, 4, 5, third}, Source: "b.xyz"},
		{Species: []string{"Cu"}, Positions: []float64{0, 0, third}, Cell: &[9]float64{3, third, 0, 0, 3, 0, 0, 0, 3}, Forces: []float64{0, -0.1, 1},
			Virial: &[9]float64{third, 1, 2, 1, third, 3, 2, 3, 7}, Source: "b.xyz", Index: 1},
	}
	var buf bytes.Buffer
	if err := extxyz.Write(&buf, nil, frames); err != nil {
		t.Fatal(err)
	}
	r := extxyz.NewReader(&buf, "b.xyz", nil)
	for i := range frames {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(frames[i], got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWriteUnderConvention(t *testing.T) {
	conv := &dataset.Convention{
		Energy:   dataset.Energy{Per: dataset.PerAtom},
		Forces:   &dataset.Forces{Quantity: dataset.Gradient},
		Stress:   &dataset.Stress{Present: dataset.PresentAll, Quantity: dataset.PressureTensor, Unit: dataset.StressElectronVoltPerCubicAngstrom, Order: dataset.VaspVoigt},
		Boundary: dataset.Boundary{DimensionTypes: [3]int{1, 1, 1}},
		Keys:     &dataset.Keys{Energy: "e", Forces: "g", Stress: "p"},
	}
	frames, err := read(strings.Replace(water, "-14.25", "-24", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := extxyz.Write(&buf, conv, frames); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pos:R:3:g:R:3 e=-8 p=\"", "O 0 0 0 -0.5 0 0\n"} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, buf.String())
		}
	}
	got, err := read(buf.String(), conv)
	if err != nil {
		t.Fatal(err)
	}
	if *got[0].Energy != -24 || got[0].Forces[0] != 0.5 || abs(got[0].Virial[1]-2) > 1e-14 {
		t.Errorf("got energy %g, force %g, virial %v", *got[0].Energy, got[0].Forces[0], *got[0].Virial)
	}
}

func abs(v float64) float64 { return max(v, -v) }

func TestWriteRefusesNames(t *testing.T) {
	for _, name := range []string{"X", "a b", "a\n", strings.Repeat("a", 33)} {
		err := extxyz.Write(&bytes.Buffer{}, nil, []dataset.Frame{{Species: []string{name}, Positions: make([]float64, 3)}})
		if err == nil {
			t.Errorf("a type named %q was written", name)
		}
	}
}

func TestFileRange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xyz")
	if err := os.WriteFile(path, []byte(strings.Repeat(water, 5)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		from, to int
		want     []int
	}{{"all", 0, -1, []int{0, 1, 2, 3, 4}}, {"middle", 1, 3, []int{1, 2}}, {"tail", 3, -1, []int{3, 4}}, {"none", 5, -1, nil}, {"empty", 2, 2, nil}} {
		t.Run(tt.name, func(t *testing.T) {
			frames, err := extxyz.ReadFileRange(path, nil, tt.from, tt.to)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, f := range frames {
				got = append(got, f.Index)
			}
			if !cmp.Equal(got, tt.want) {
				t.Errorf("got frames %v, want %v", got, tt.want)
			}
		})
	}
	for _, outside := range [][2]int{{6, -1}, {0, 6}} {
		if _, err := extxyz.ReadFileRange(path, nil, outside[0], outside[1]); err == nil || !strings.Contains(err.Error(), "has 5 frames") {
			t.Errorf("range %v: got %v", outside, err)
		}
	}
	if _, err := extxyz.ReadFile(path+"x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(water, true)
	f.Add("2\nit's free\nC 0 0 0\nO 0 0 1.13\n", false)
	f.Add("1\nLattice={9 0 0 0 9 0 1 0 9} Properties=Z:I:1:pos:R:3:aparam:R:2 stress=[1,2,3,4,5,6] fparam=\"_JSON [1, 2]\" energy=1D2\n8 0 0 0 1 2\n", true)
	f.Fuzz(func(t *testing.T, text string, twice bool) {
		if twice {
			text += text
		}
		frames, err := read(text, nil)
		if err != nil {
			return
		}
		var buf bytes.Buffer
		if err := extxyz.Write(&buf, nil, frames); err != nil {
			t.Fatalf("a frame that was read cannot be written: %v", err)
		}
		again, err := read(buf.String(), nil)
		if err != nil {
			t.Fatalf("a frame that was written cannot be read: %v\n%s", err, buf.String())
		}
		if diff := cmp.Diff(frames, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
