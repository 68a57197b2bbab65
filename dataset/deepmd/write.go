package deepmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/dataset"
)

// Write stores frames of one composition and atom order as a new standard system in dir, in the units they come in:
// use Convention.Relabel for a foreign convention and (*dataset.Convention)(nil).Relabel for canonical units. The system
// appears whole or not at all; an existing dir is refused.
func Write(dir string, frames []dataset.Raw) error {
	if len(frames) == 0 {
		return fmt.Errorf("write DeePMD system %q: no frames", dir)
	}
	for _, f := range frames {
		if !slices.Equal(f.Species, frames[0].Species) {
			return fmt.Errorf("write DeePMD system %q: frame %d has other atoms than the first; use WriteMixed", dir, f.Index)
		}
	}
	typeMap := names(frames)
	var types []string
	for _, s := range frames[0].Species {
		types = append(types, fmt.Sprint(slices.Index(typeMap, s)))
	}
	return write(dir, frames, typeMap, types, nil)
}

// WriteMixed stores frames of any composition as a mixed_type system. Frames with fewer atoms than the largest are padded
// with virtual atoms at the origin, whose forces are 0.
func WriteMixed(dir string, frames []dataset.Raw) error {
	if len(frames) == 0 {
		return fmt.Errorf("write DeePMD system %q: no frames", dir)
	}
	typeMap := names(frames)
	atoms := 0
	for _, f := range frames {
		atoms = max(atoms, len(f.Species))
	}
	padded := make([]dataset.Raw, len(frames))
	var real []float64
	for i, f := range frames {
		padded[i] = pad(f, atoms)
		for _, s := range padded[i].Species {
			real = append(real, float64(slices.Index(typeMap, s))) // Index of "" is -1, the virtual type
		}
	}
	return write(dir, padded, typeMap, slices.Repeat([]string{"0"}, atoms), real)
}

// names lists the species that occur, in order of first appearance.
func names(frames []dataset.Raw) []string {
	var out []string
	for _, f := range frames {
		for _, s := range f.Species {
			if s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

func pad(f dataset.Raw, atoms int) dataset.Raw {
	n := len(f.Species)
	extend := func(v []float64, width int) []float64 {
		if v == nil {
			return nil
		}
		return append(slices.Clone(v), make([]float64, (atoms-n)*width)...)
	}
	f.Species = append(slices.Clone(f.Species), make([]string, atoms-n)...)
	f.Positions, f.Forces = extend(f.Positions, 3), extend(f.Forces, 3)
	if n > 0 {
		f.AParam = extend(f.AParam, len(f.AParam)/n)
	}
	return f
}

func write(dir string, frames []dataset.Raw, typeMap, types []string, real []float64) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("write DeePMD system %q: it exists already; choose another folder", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".writing-*")
	if err != nil {
		return fmt.Errorf("write DeePMD system: %w", err)
	}
	defer os.RemoveAll(tmp)
	files, err := contents(frames, typeMap, types, real)
	if err != nil {
		return fmt.Errorf("write DeePMD system %q: %w", dir, err)
	}
	if err := os.Mkdir(filepath.Join(tmp, "set.000"), 0o755); err != nil {
		return fmt.Errorf("write DeePMD system: %w", err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), data, 0o644); err != nil {
			return fmt.Errorf("write DeePMD system: %w", err)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// contents lays out all files of a system.
func contents(frames []dataset.Raw, typeMap, types []string, real []float64) (map[string][]byte, error) {
	files := map[string][]byte{
		"type.raw":     []byte(strings.Join(types, "\n") + "\n"),
		"type_map.raw": []byte(strings.Join(typeMap, "\n") + "\n"),
	}
	if frames[0].Cell == nil {
		files["nopbc"] = nil
	}
	put := func(name, descr string, data []float64) {
		var buf bytes.Buffer
		_ = encode(&buf, descr, []int{len(frames), len(data) / len(frames)}, data) // a Buffer takes everything
		files["set.000/"+name+".npy"] = buf.Bytes()
	}
	if real != nil {
		put("real_atom_types", "<i8", real)
	}
	for _, field := range []struct {
		name string
		of   func(dataset.Raw) []float64
	}{
		{"coord", func(r dataset.Raw) []float64 { return r.Positions }},
		{"box", func(r dataset.Raw) []float64 { return optional(r.Cell) }},
		{"energy", func(r dataset.Raw) []float64 { return number(r.Energy) }},
		{"force", func(r dataset.Raw) []float64 { return r.Forces }},
		{"virial", func(r dataset.Raw) []float64 { return r.Stress }},
		{"fparam", func(r dataset.Raw) []float64 { return r.FParam }},
		{"aparam", func(r dataset.Raw) []float64 { return r.AParam }},
	} {
		data, width := []float64(nil), len(field.of(frames[0]))
		for _, f := range frames {
			v := field.of(f)
			if len(v) != width {
				return nil, fmt.Errorf("frame %d has %d numbers of %s, the first frame %d; write frames with different labels to different systems", f.Index, len(v), field.name, width)
			}
			data = append(data, v...)
		}
		if width > 0 {
			put(field.name, "<f8", data)
		}
	}
	return files, nil
}

func optional(m *[9]float64) []float64 {
	if m == nil {
		return nil
	}
	return m[:]
}

func number(v *float64) []float64 {
	if v == nil {
		return nil
	}
	return []float64{*v}
}
