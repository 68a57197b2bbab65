package deepmd

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/dataset/sharedtest"
)

func sample(t *testing.T, molecules, count int) []dataset.Frame {
	t.Helper()
	frames, err := reference.Sample(reference.SPCFw(4), reference.WaterBox(molecules, 1), reference.Langevin{Warmup: 1, Every: 1, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

func raws(t *testing.T, frames []dataset.Frame) []dataset.Raw {
	t.Helper()
	var out []dataset.Raw
	for _, f := range frames {
		r, err := (*dataset.Convention)(nil).Relabel(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// located returns frames with their origin cleared, for comparison.
func located(frames []dataset.Frame) []dataset.Frame {
	out := append([]dataset.Frame(nil), frames...)
	for i := range out {
		out[i].Source, out[i].Index = "", 0
	}
	return out
}

func TestWriteAndRead(t *testing.T) {
	want := sample(t, 2, 3)
	openWater := sample(t, 1, 2)
	for i := range openWater {
		openWater[i].Cell, openWater[i].Virial = nil, nil
	}
	for _, c := range []struct {
		name   string
		frames []dataset.Frame
	}{{"periodic", want}, {"open", openWater}} {
		dir := filepath.Join(t.TempDir(), "water[1]*")
		if err := Write(dir, raws(t, c.frames)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := Read(dir, nil, Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(located(c.frames), located(got)); diff != "" {
			t.Errorf("%s: read differs from written (-want +got):\n%s", c.name, diff)
		}
		if err := Write(dir, raws(t, c.frames)); err == nil {
			t.Errorf("%s: an existing system was overwritten", c.name)
		}
	}
}

func TestWriteMixedPads(t *testing.T) {
	frames := append(sample(t, 1, 1), sample(t, 2, 1)...)
	dir := filepath.Join(t.TempDir(), "mixed")
	if err := Write(dir, raws(t, frames)); err == nil {
		t.Fatal("frames of different sizes were written as a standard system")
	}
	if err := WriteMixed(dir, raws(t, frames)); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"O", "H", "H", "", "", ""}, got[0].Species); diff != "" {
		t.Errorf("padded species (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(frames[0].Forces, got[0].Forces[:9]); diff != "" {
		t.Errorf("forces (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(located(frames[1:]), located(got[1:])); diff != "" {
		t.Errorf("largest frame (-want +got):\n%s", diff)
	}
}

// TestRealSystems reads systems that DeePMD-kit ships.
func TestRealSystems(t *testing.T) {
	for _, c := range []struct {
		path          string
		opts          Options
		frames, atoms int
		first         string // of the species
		periodic      bool
		virial        bool
		fparam        int
	}{
		{path: "examples/water/data/data_0", frames: 80, atoms: 192, first: "O", periodic: true},
		{path: "examples/water/data/data_1", frames: 160, atoms: 192, first: "O", periodic: true},
		{path: "examples/water/dplr/train/data", frames: 30, atoms: 384, first: "O", periodic: true, virial: true},
		{path: "examples/nopbc/data/C1H4O2", frames: 1562, atoms: 7, first: "H"},
		{path: "examples/dprc/data", frames: 1, atoms: 275, first: "H"},
		{path: "examples/fparam/data/e3000_i2000", opts: Options{TypeMap: []string{"Be"}}, frames: 300, atoms: 54, first: "Be", periodic: true, fparam: 1},
		{path: "source/tests/pt/model_compression/data", opts: Options{TypeMap: []string{"O", "H"}}, frames: 1, atoms: 6, first: "O", periodic: true},
	} {
		dir := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", c.path)
		frames, err := Read(dir, nil, c.opts)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		f := frames[0]
		if len(frames) != c.frames || f.NumAtoms() != c.atoms || f.Species[0] != c.first {
			t.Errorf("%s: %d frames of %d atoms beginning with %s, want %d of %d with %s", c.path, len(frames), f.NumAtoms(), f.Species[0], c.frames, c.atoms, c.first)
		}
		if (f.Cell != nil) != c.periodic || (f.Virial != nil) != c.virial || len(f.FParam) != c.fparam || f.Energy == nil || f.Forces == nil {
			t.Errorf("%s: cell %v, virial %v, %d frame parameters, energy %v, forces %v", c.path, f.Cell != nil, f.Virial != nil, len(f.FParam), f.Energy != nil, f.Forces != nil)
		}
		if last := frames[len(frames)-1]; last.Index != len(frames)-1 {
			t.Errorf("%s: last frame has index %d", c.path, last.Index)
		}
	}
}

func TestMixedTypeHoldsTheSameFrames(t *testing.T) {
	base := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "source", "tests", "tf", "finetune")
	standard, err := Read(filepath.Join(base, "data"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := Read(filepath.Join(base, "data_mixed_type"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(standard) != 4 || len(mixed) != 4 {
		t.Fatalf("%d and %d frames, want 4", len(standard), len(mixed))
	}
	for i := range mixed {
		if *standard[i].Energy != *mixed[i].Energy {
			t.Errorf("frame %d: energies differ", i)
		}
		a, b := standard[i], mixed[i]
		a.Source, b.Source = "", ""
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("frame %d differs (-standard +mixed):\n%s", i, diff)
		}
	}
}

func TestFind(t *testing.T) {
	root := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "examples", "water", "data")
	systems, err := Find(root)
	if err != nil || len(systems) != 4 || !IsSystem(systems[0]) {
		t.Errorf("found %v, %v; want data_0 to data_3", systems, err)
	}
}

func TestBrokenSystems(t *testing.T) {
	frames := raws(t, sample(t, 1, 2))
	for _, c := range []struct {
		name, want string
		spoil      func(dir string) error
	}{
		{"no types", "type.raw", func(d string) error { return os.Remove(filepath.Join(d, "type.raw")) }},
		{"no names", "type_map.raw", func(d string) error { return os.Remove(filepath.Join(d, "type_map.raw")) }},
		{"a word as type", "not a number", func(d string) error { return os.WriteFile(filepath.Join(d, "type.raw"), []byte("0 H 1"), 0o644) }},
		{"type out of range", "type_map has", func(d string) error { return os.WriteFile(filepath.Join(d, "type.raw"), []byte("0 1 7"), 0o644) }},
		{"no sets", "set.*", func(d string) error { return os.RemoveAll(filepath.Join(d, "set.000")) }},
		{"no coordinates", "coord.npy", func(d string) error { return os.Remove(filepath.Join(d, "set.000", "coord.npy")) }},
		{"no box", "nopbc", func(d string) error { return os.Remove(filepath.Join(d, "set.000", "box.npy")) }},
		{"too few energies", "energy.npy", func(d string) error { return writeArray(d, "energy", []int{3}, 3) }},
		{"truncated", "cut off", func(d string) error { return os.Truncate(filepath.Join(d, "set.000", "force.npy"), 200) }},
		{"NaN", "NaN", func(d string) error {
			var b bytes.Buffer
			_ = encode(&b, "<f8", []int{2}, []float64{1, math.NaN()})
			return os.WriteFile(filepath.Join(d, "set.000", "energy.npy"), b.Bytes(), 0o644)
		}},
	} {
		dir := filepath.Join(t.TempDir(), "s")
		if err := Write(dir, frames); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir, nil, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
}

func writeArray(dir, name string, shape []int, n int) error {
	var b bytes.Buffer
	_ = encode(&b, "<f8", shape, make([]float64, n))
	return os.WriteFile(filepath.Join(dir, "set.000", name+".npy"), b.Bytes(), 0o644)
}

func TestHostileArrays(t *testing.T) {
	npy := func(header string) []byte {
		return append([]byte("\x93NUMPY\x01\x00"+string([]byte{byte(len(header)), byte(len(header) >> 8)})+header), make([]byte, 64)...)
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", "the file is empty", nil},
		{"pickle", "signature", []byte("\x80\x04\x95 something else")},
		{"huge", "promises", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 4000000000), }")},
		{"overflow", "shape", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }")},
		{"negative", "shape", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }")},
		{"objects", "type", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")},
		{"big endian", "type", npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }")},
		{"records", "descr", npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }")},
		{"Fortran", "Fortran", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }")},
	} {
		_, err := decode(bytes.NewReader(c.data), int64(len(c.data)))
		if !errors.Is(err, ErrNPY) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want ErrNPY that says %q", c.name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	_ = encode(&b, "<f8", []int{2, 3}, make([]float64, 6))
	f.Add(b.Bytes())
	f.Add([]byte("\x93NUMPY\x02\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := decode(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		if len(a.data) > len(data) {
			t.Errorf("%d numbers from %d bytes", len(a.data), len(data))
		}
		var again bytes.Buffer
		if err := encode(&again, "<f8", a.shape, a.data); err != nil {
			t.Fatal(err)
		}
		b, err := decode(&again, int64(again.Len()))
		if err != nil || len(b.data) != len(a.data) {
			t.Errorf("written again: %v", err)
		}
	})
}
