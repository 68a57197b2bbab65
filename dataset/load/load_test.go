package load_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/deepmd"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/load"
)

// store writes four one-atom frames as files of every format and returns the folder.
func store(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var frames []dataset.Frame
	var raws []dataset.Raw
	for i := range 4 {
		e := float64(i)
		f := dataset.Frame{Species: []string{"Cu"}, Positions: []float64{0, 0, e}, Energy: &e, Forces: []float64{0, 0, 0}}
		r, err := (*dataset.Convention)(nil).Relabel(f)
		if err != nil {
			t.Fatal(err)
		}
		frames, raws = append(frames, f), append(raws, r)
	}
	for _, name := range []string{"a.xyz", "b.EXTXYZ", "odd:1:2.xyz", "c.xyz:0:1"} {
		if err := extxyz.WriteFile(filepath.Join(dir, name), nil, frames); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"d/sys2", "d/deeper/sys1"} {
		if err := deepmd.Write(filepath.Join(dir, name), raws); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"empty.xyz", "frames.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	dir := store(t)
	for _, tt := range []struct {
		path string
		want []float64 // energies
	}{
		{"a.xyz", []float64{0, 1, 2, 3}},
		{"a.xyz:1:3", []float64{1, 2}},
		{"a.xyz::2", []float64{0, 1}},
		{"a.xyz:3:", []float64{3}},
		{"a.xyz::", []float64{0, 1, 2, 3}},
		{"b.EXTXYZ:0:1", []float64{0}},
		{"odd:1:2.xyz", []float64{0, 1, 2, 3}},
		{"d/sys2", []float64{0, 1, 2, 3}},
		{"d/sys2:2:4", []float64{2, 3}},
		{"d", []float64{0, 1, 2, 3, 0, 1, 2, 3}},
		{"d:3:5", []float64{3, 0}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			frames, err := load.Open(filepath.Join(dir, tt.path), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(frames) != len(tt.want) {
				t.Fatalf("got %d frames, want %d", len(frames), len(tt.want))
			}
			for i, f := range frames {
				if *f.Energy != tt.want[i] {
					t.Errorf("frame %d is not number %g of the file", i, tt.want[i])
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := store(t)
	for _, tt := range []struct {
		path, want string
		is         error
	}{
		{"nothing.xyz", "open frames", fs.ErrNotExist},
		{"nothing.xyz:0:1", "open frames", fs.ErrNotExist},
		{"a.xyz:0:5", "has 4 frames", nil},
		{"a.xyz:5:", "has 4 frames", nil},
		{"a.xyz:3:1", "ends before it begins", nil},
		{"a.xyz:0:99999999999", "too large", nil},
		{"a.xyz:2:2", "in the range 2:2", load.ErrEmpty},
		{"empty.xyz", "empty.xyz", load.ErrEmpty},
		{"frames.txt", "files end in .xyz", load.ErrFormat},
		{"d/sys2/set.000", "no DeePMD system", load.ErrFormat},
		{"d:0:9", "has 8 frames", nil},
		{"d:4:4", "in the range 4:4", load.ErrEmpty},
		{"c.xyz:0:1x", "open frames", fs.ErrNotExist},
	} {
		t.Run(tt.path, func(t *testing.T) {
			_, err := load.Open(filepath.Join(dir, tt.path), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v with %q", err, tt.is, tt.want)
			}
		})
	}
}

func TestOpenAppliesConvention(t *testing.T) {
	conv := &dataset.Convention{Energy: dataset.Energy{Unit: dataset.Hartree}}
	for _, path := range []string{"a.xyz:1:2", "d/sys2:1:2"} {
		frames, err := load.Open(filepath.Join(store(t), path), conv)
		if err != nil {
			t.Fatal(err)
		}
		if *frames[0].Energy != dataset.HartreeInElectronVolt {
			t.Errorf("%s: the energy was not converted", path)
		}
	}
}
